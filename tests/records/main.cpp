// SPDX-License-Identifier: Apache-2.0
// usage: record_check. Prints a line; exit code 1 when the bytes of the records are not those of every other target.
#include <cstdio>

#include "records/record_check.hpp"

int main() {
  char report[256];
  const bool good = wayseal::records::run_record_check(report, sizeof report);
  std::puts(report);
  return good ? 0 : 1;
}
