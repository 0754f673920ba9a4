// SPDX-License-Identifier: Apache-2.0
// What every Clock keeps to, on the POSIX port and on the fake.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "fakes/fake_clock.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::test {
namespace {

/// \param pass lets time go by.
void check_clock_contract(const Clock& clock, const std::function<void()>& pass) {
  const uint64_t continuity = clock.continuity();
  MonotonicTime last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const MonotonicTime now = clock.now();
    CHECK(last <= now);
    last = now;
  }
  pass();
  CHECK(last < clock.now());
  CHECK(clock.continuity() == continuity);
}

}  // namespace

TEST_CASE("Clock contract: POSIX clock") {
  const PosixClock clock;
  const MonotonicTime before = clock.now();
  check_clock_contract(clock, [&] {
    while (!(before < clock.now())) continue;
  });
}

TEST_CASE("Clock contract: fake clock") {
  fakes::FakeClock clock;
  check_clock_contract(clock, [&] { clock.advance_ms(1); });
  const uint64_t continuity = clock.continuity();
  clock.break_continuity();
  CHECK(clock.continuity() != continuity);
}

TEST_CASE("POSIX clock: a forked child has another continuity") {
  const PosixClock clock;
  const uint64_t continuity = clock.continuity();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(clock.continuity() == continuity ? 1 : 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(clock.continuity() == continuity);
}

}  // namespace wayseal::test
