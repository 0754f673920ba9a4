// SPDX-License-Identifier: Apache-2.0
#include "wayseal/core/status.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "wayseal/core/result.hpp"

namespace wayseal {
namespace {

constexpr auto kLastStatus = static_cast<uint8_t>(Status::kExhausted);

TEST_CASE("every status has a name of its own, in lower case") {
  std::set<std::string> names;
  for (uint8_t code = 0; code <= kLastStatus; ++code) {
    const std::string name = status_name(static_cast<Status>(code));
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos);
    CHECK(name != "unknown");
    CHECK(names.insert(name).second);
  }
  CHECK(std::string(status_name(static_cast<Status>(kLastStatus + 1))) == "unknown");
}

TEST_CASE("a status tells its caller what to do next") {
  CHECK(next_step(Status::kOk) == NextStep::kNothing);
  CHECK(next_step(Status::kWouldBlock) == NextStep::kTryAgain);
  CHECK(next_step(Status::kFull) == NextStep::kTryAgain);
  CHECK(next_step(Status::kDisconnected) == NextStep::kOpenAgain);
  CHECK(next_step(Status::kTokenLost) == NextStep::kOpenAgain);
  CHECK(next_step(Status::kMalformed) == NextStep::kDropInput);
  CHECK(next_step(Status::kNotFound) == NextStep::kDropInput);
  CHECK(next_step(Status::kInvalidArgument) == NextStep::kFixCall);
  CHECK(next_step(Status::kBadState) == NextStep::kFixCall);
  CHECK(next_step(Status::kDenied) == NextStep::kStop);
  CHECK(next_step(Status::kExhausted) == NextStep::kStop);
}

Status stop_at_the_first_failure(Status first, int& reached) {
  WAYSEAL_TRY(first);
  ++reached;
  return Status::kOk;
}

TEST_CASE("WAYSEAL_TRY returns a failure and goes on after success") {
  int reached = 0;
  CHECK(stop_at_the_first_failure(Status::kFull, reached) == Status::kFull);
  CHECK(reached == 0);
  CHECK(stop_at_the_first_failure(Status::kOk, reached) == Status::kOk);
  CHECK(reached == 1);
}

TEST_CASE("a result holds a value or the reason why there is none") {
  const Result<size_t> good = size_t{7};
  CHECK(good.ok());
  CHECK(good.status() == Status::kOk);
  CHECK(good.value() == 7);

  const Result<size_t> bad = Status::kTimeout;
  CHECK_FALSE(bad.ok());
  CHECK(bad.status() == Status::kTimeout);
  CHECK(bad.value() == 0);
  CHECK(bad.value_or(3) == 3);
}

}  // namespace
}  // namespace wayseal
