// SPDX-License-Identifier: Apache-2.0
#include "wayseal/access/access_token.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace wayseal {
namespace {

constexpr MonotonicTime kNow = {5 * kNsPerSecond};

VehicleId vehicle(const std::string& id) {
  VehicleId out;
  id.copy(out.text, sizeof out.text);
  out.size = static_cast<uint8_t>(id.size());
  return out;
}

struct Rig {
  Status take(const std::string& body) {
    return token.take_answer({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, kNow);
  }
  uint8_t memory[kAccessTokenMax] = {};
  AccessToken token{"records", memory};
};

std::string answer(const std::string& text, const std::string& seconds = "300") {
  return R"({"access_token":")" + text + R"(","token_type":"Bearer","expires_in":)" + seconds +
         R"(,"scope":"records"})";
}

std::string request(const std::string& id, std::string_view scope, Status* status = nullptr) {
  uint8_t out[kTokenRequestMax];
  uint8_t memory[8];
  AccessToken token(scope, memory);
  const Result<size_t> size = token.make_request(vehicle(id), out);
  if (status != nullptr) *status = size.status();
  return size.ok() ? std::string(reinterpret_cast<const char*>(out), size.value()) : std::string();
}

}  // namespace

TEST_CASE("access token: the request is a form of RFC 6749, 4.4.2") {
  CHECK(request("vehicle-7", "prekeys records") ==
        "grant_type=client_credentials&client_id=vehicle-7&scope=prekeys+records");
  CHECK(request("v", "ota:read") == "grant_type=client_credentials&client_id=v&scope=ota%3Aread");
  for (const auto& [id, scope] : {std::pair<std::string, std::string>{"", "records"},
                                  {"a&b", "records"},
                                  {"a=b", "records"},
                                  {"v", ""},
                                  {"v", "records&client_id=w"},
                                  {"v", "a\nb"},
                                  {"v", std::string(kScopeMax + 1, 'a')}}) {
    Status status = Status::kOk;
    CAPTURE(id, scope);
    CHECK(request(id, scope, &status).empty());
    CHECK(status == Status::kInvalidArgument);
  }
  const std::string longest = request(std::string(kVehicleIdMax, 'v'), std::string(kScopeMax, ':'));
  CHECK(longest.size() > 0);
  uint8_t small[40];
  Rig rig;
  CHECK(rig.token.make_request(vehicle("v"), small).status() == Status::kBufferTooSmall);
}

TEST_CASE("access token: good until a tenth of its life is left, counted from the request") {
  Rig rig;
  CHECK_FALSE(rig.token.good(kNow));
  REQUIRE(rig.take(answer("abc.DEF-123_~+/==")) == Status::kOk);
  CHECK(rig.token.text() == "abc.DEF-123_~+/==");
  CHECK(rig.token.good(kNow));
  CHECK(rig.token.good(after_ms(kNow, 269'999)));
  CHECK_FALSE(rig.token.good(after_ms(kNow, 270'000)));
  REQUIRE(rig.take(answer("x", "999999999")) == Status::kOk);
  CHECK_FALSE(rig.token.good(after_ms(kNow, kTokenLifeMaxMs)));

  REQUIRE(rig.take(answer("x", "3")) == Status::kOk);  // times of tokens are whole seconds
  CHECK(rig.token.good(after_ms(kNow, 1999)));
  CHECK_FALSE(rig.token.good(after_ms(kNow, 2000)));
  REQUIRE(rig.take(answer("x", "1")) == Status::kOk);
  CHECK(rig.token.good(after_ms(kNow, 499)));
  CHECK_FALSE(rig.token.good(after_ms(kNow, 500)));

  rig.token.forget();
  CHECK_FALSE(rig.token.good(kNow));
  CHECK(rig.token.text().empty());
  for (const uint8_t byte : rig.memory) CHECK((byte == 0 || byte == '\0'));
}

TEST_CASE("access token: any order, any spaces, members and depths that mean nothing here") {
  Rig rig;
  CHECK(rig.take(" {\n\"x\":{\"access_token\":\"wrong\",\"a\":[1,{}]}, \"expires_in\" : 10 "
                 ",\"token_type\":\"bEARER\",\r\n"
                 "\"access_token\":\"right\"}\n") == Status::kOk);
  CHECK(rig.token.text() == "right");
  std::string full(kAccessTokenMax, 'a');
  CHECK(rig.take(answer(full)) == Status::kOk);
  CHECK(rig.token.text() == full);
}

TEST_CASE("access token: what is no such answer is refused, and the token before stays") {
  Rig rig;
  REQUIRE(rig.take(answer("before")) == Status::kOk);
  for (const std::string& body : {
           std::string(),
           std::string("null"),
           std::string("[]"),
           std::string("{}"),
           std::string("{"),
           answer(""),
           answer("a b"),
           answer("a\\u0062"),
           answer("a\r\nX: y"),
           answer("==="),
           answer("=a"),
           answer("t", "0"),
           answer("t", "-1"),
           answer("t", "1.5"),
           answer("t", "1e3"),
           answer("t", "007"),
           answer("t", "\"300\""),
           answer("t", "null"),
           answer("t", "1000000000"),
           answer("t") + answer("u"),
           answer("t") + "1",
           answer("t") + std::string(1, '\0'),
           std::string(1, '\0') + answer("t"),
           std::string(R"({"access_token":"t","access_token":"u","token_type":"Bearer","expires_in":9})"),
           std::string(R"({"access_token":"t","token_type":"Bearer","expires_in":9,"expires_in":9})"),
           std::string(R"({"access_token":"t","token_type":"DPoP","expires_in":9})"),
           std::string(R"({"access_token":["t"],"token_type":"Bearer","expires_in":9})"),
           std::string(R"({"access_token":{"a":"t"},"token_type":"Bearer","expires_in":9})"),
           std::string(R"({"access_token":"t","expires_in":9})"),
           std::string(R"({"access_token":"t","token_type":"Bearer"})"),
           std::string(R"({"access_token","token_type":"Bearer","expires_in":9})"),
           std::string(R"([{"access_token":"t","token_type":"Bearer","expires_in":9}])"),
       }) {
    CAPTURE(body);
    CHECK(rig.take(body) == Status::kMalformed);
  }
  CHECK(rig.take(answer(std::string(kAccessTokenMax + 1, 'a'))) == Status::kUnsupported);
  std::string many = "{";
  for (size_t i = 0; i < kTokenAnswerItemsMax; ++i) many += "\"a" + std::to_string(i) + "\":1,";
  CHECK(rig.take(many + answer("t").substr(1)) == Status::kUnsupported);
  CHECK(rig.token.text() == "before");
  CHECK(rig.token.good(kNow));
}

TEST_CASE("access token: with little memory short tokens are taken, and longer ones refused") {
  uint8_t memory[5];
  AccessToken token{"records", memory};
  const auto take = [&](const std::string& body) {
    return token.take_answer({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, kNow);
  };
  CHECK(take(answer("abcdef")) == Status::kUnsupported);
  CHECK(take(answer("abcde")) == Status::kOk);
  CHECK(token.text() == "abcde");
  CHECK(token.path() == "/oauth/token");
}

}  // namespace wayseal
