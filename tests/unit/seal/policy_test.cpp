// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/policy.hpp"

#include <catch2/catch_test_macros.hpp>

#include "wayseal/record/content.hpp"

namespace wayseal {
namespace {

TEST_CASE("policy: suite 1 is the stronger one, and unknown suites are no suites") {
  CHECK(strongest_suite(SuiteSet{3}).value() == Suite::kP256HkdfSha256Aes256Gcm);
  CHECK(strongest_suite(SuiteSet{2}).value() == Suite::kP256CmacKdfAes256Gcm);
  CHECK(strongest_suite(SuiteSet{0xFC}).status() == Status::kNotFound);
  CHECK(known_suites().bits == 3);
}

TEST_CASE("policy: one that leaves the token no suite is refused") {
  CryptoPolicy policy;
  CHECK(check_policy(policy, SuiteSet{2}) == Status::kOk);
  policy.suites = {1};
  CHECK(check_policy(policy, SuiteSet{2}) == Status::kUnsupported);
  policy.suites = {0};
  CHECK(check_policy(policy, SuiteSet{3}) == Status::kUnsupported);
  policy.suites = {4};
  CHECK(check_policy(policy, SuiteSet{0xFF}) == Status::kUnsupported);
}

TEST_CASE("policy: limits may only tighten what the protocol allows") {
  const auto check = [](uint64_t records, uint64_t bytes, int64_t age_ms) {
    CryptoPolicy policy;
    policy.limits = {records, bytes, age_ms};
    return check_policy(policy, known_suites());
  };
  CHECK(check(kSessionRecordsMax, kSessionBytesMax, kSessionAgeMaxMs) == Status::kOk);
  CHECK(check(1, kContentMax, 1) == Status::kOk);
  CHECK(check(0, kContentMax, 1) == Status::kInvalidArgument);
  CHECK(check(kSessionRecordsMax + 1, kContentMax, 1) == Status::kInvalidArgument);
  CHECK(check(1, kContentMax - 1, 1) == Status::kInvalidArgument);
  CHECK(check(1, kSessionBytesMax + 1, 1) == Status::kInvalidArgument);
  CHECK(check(1, kContentMax, 0) == Status::kInvalidArgument);
  CHECK(check(1, kContentMax, kSessionAgeMaxMs + 1) == Status::kInvalidArgument);
}

}  // namespace
}  // namespace wayseal
