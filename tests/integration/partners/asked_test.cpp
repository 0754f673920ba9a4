// SPDX-License-Identifier: Apache-2.0
// The share process's parsers and its sealing, without processes around them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iterator>
#include <random>

#include "asked.hpp"
#include "jwe.hpp"
#include "registry.hpp"

namespace share {

TEST_CASE("times are read in one form, and only days that exist") {
  CHECK(read_time("1970-01-01T00:00:00Z") == 0);
  CHECK(read_time("2024-02-29T12:34:56Z") == 1709210096000000);
  for (const char* const text :
       {"", "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-01T00:00:60Z", "2023-01-01 00:00:00Z",
        "2023-01-01T00:00:00+00", "2023-1-01T00:00:000Z", "2023-01-01T0:00:000Z", "02023-01-01T00:00:0Z"}) {
    CAPTURE(text);
    CHECK_FALSE(read_time(text));
  }
}

TEST_CASE("whatever is changed in a target, what is accepted is a whole question") {
  const std::string good[] = {
      "/v1/share/vehicles/v-1/signals?since=2023-11-14T22:13:20Z&until=2024-02-29T00:00:00Z&name=Engine.Speed",
      "/v1/share/vehicles/v-1/signals?cursor=0123456789abcdef0123456789abcdef", "/v1/share/vehicles?after=v-1",
      "/v1/share/vehicles/v-1/signals", "/v1/share/vehicles"};
  const std::string alphabet("/?&=.%-_:0129abvTZ \0\x80", 21);
  std::mt19937 random(5);
  size_t accepted = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string target = good[random() % std::size(good)];
    for (size_t edits = 1 + random() % 3; edits > 0; --edits) {
      const size_t at = random() % target.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0: target[at] = c; break;
        case 1: target.insert(at, 1, c); break;
        default: target.erase(at, 1 + random() % 4); break;
      }
      if (target.empty()) target = "/";
    }
    const Asked asked = read_target(target);
    CAPTURE(target);
    if (asked.trouble != Trouble::kNone) continue;
    ++accepted;
    const auto parameters = static_cast<int>(asked.since_us.has_value()) + asked.until_us.has_value() +
                            asked.name.has_value() + asked.cursor.has_value() + asked.after.has_value();
    const bool whole =
        target.find_first_of("% ") == std::string::npos && target.find('\0') == std::string::npos &&
        std::count(target.begin(), target.end(), '=') == parameters && is_id(asked.vehicle) == asked.signals &&
        (!asked.cursor || parameters == 1) && (!asked.after || !asked.signals);
    REQUIRE(whole);
  }
  CHECK(accepted > 100);
  CHECK(accepted < 25000);
}

TEST_CASE("only public keys on P-256 with a kid are sealed for") {
  // The example key of RFC 7517, A.1.
  const std::string point =
      R"("crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")";
  CHECK(kid_of_public_key(R"({"kty":"EC","kid":"k-1",)" + point + "}") == "k-1");
  CHECK(kid_of_public_key(R"({"kty":"EC",)" + point + "}").empty());
  CHECK(kid_of_public_key(R"({"kty":"EC","kid":"k 1",)" + point + "}").empty());
  CHECK(kid_of_public_key(R"({"kty":"EC","kid":"k-1","d":"AA",)" + point + "}").empty());
  CHECK(kid_of_public_key(R"({"kty":"oct","kid":"k-1","k":"AAAA"})").empty());
  CHECK(kid_of_public_key("[]").empty());
  CHECK(kid_of_public_key("").empty());
  std::string off_curve = point;
  off_curve.replace(off_curve.find("MKBC"), 4, "MKBD");
  CHECK(kid_of_public_key(R"({"kty":"EC","kid":"k-1",)" + off_curve + "}").empty());

  const std::string key = R"({"kty":"EC","kid":"k-1","alg":"dir",)" + point + "}";
  const std::string once = seal_for(key, "{}");
  const std::string again = seal_for(key, "{}");
  CHECK(once != again);
  CHECK(once.size() == again.size());
  CHECK(seal_for(key, R"({"a":")" + std::string(3000, 'x') + R"("})").size() == once.size());
  CHECK(std::count(once.begin(), once.end(), '.') == 4);
}

TEST_CASE("a permit is the sum of its grants' signals and times, after the last change of owner") {
  const Registry registry = parse_registry(R"({"partners":{"p":{"key":null,"grants":[
    {"id":"g-1","vehicles":{"v":1},"signals":["A.a"],"purpose":"x","not_before":100,"expires":200},
    {"id":"g-2","vehicles":{"v":1},"signals":["A.b"],"purpose":"x","not_before":0,"expires":300},
    {"id":"g-3","vehicles":{"v":0},"signals":["A.c"],"purpose":"x","not_before":0,"expires":300}]}},
    "owners":{"v":{"epoch":1,"since":50}}})");
  const Partner& partner = registry.partners.at("p");
  constexpr int64_t kSecond = 1000000;
  const Permit permit = registry.permit(partner, "v", 150 * kSecond);
  CHECK(permit.signals() == std::set<std::string>{"A.a", "A.b"});
  CHECK(permit.covers("A.a", 100 * kSecond));
  CHECK_FALSE(permit.covers("A.a", 100 * kSecond - 1));
  CHECK(permit.covers("A.a", 200 * kSecond - 1));
  CHECK_FALSE(permit.covers("A.a", 200 * kSecond));
  CHECK(permit.covers("A.b", 50 * kSecond));
  CHECK_FALSE(permit.covers("A.b", 50 * kSecond - 1));
  CHECK_FALSE(permit.covers("A.c", 150 * kSecond));
  CHECK(registry.permit(partner, "v", 200 * kSecond).signals() == std::set<std::string>{"A.b"});
  CHECK(registry.permit(partner, "v", 300 * kSecond).parts.empty());
  CHECK(registry.permit(partner, "w", 150 * kSecond).parts.empty());
}

}  // namespace share
