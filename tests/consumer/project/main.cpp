// SPDX-License-Identifier: Apache-2.0
// Uses one thing of the library and one of a port, as an application would.
#include <cstdio>
#include <cstring>

#include "wayseal/core/status.hpp"
#include "wayseal/posix/posix_clock.hpp"

int main() {
  const wayseal::PosixClock clock;
  const wayseal::MonotonicTime first = clock.now();
  const bool time_stands_or_runs = first <= clock.now();
  const bool named = std::strcmp(wayseal::status_name(wayseal::Status::kNotAuthentic), "not-authentic") == 0;
  std::printf("consumer: %s\n", time_stands_or_runs && named ? "works" : "does not work");
  return time_stands_or_runs && named ? 0 : 1;
}
