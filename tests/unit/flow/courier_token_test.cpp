// SPDX-License-Identifier: Apache-2.0
// A gateway that wants an access token besides the certificate.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "unit/flow/courier_rig.hpp"

namespace wayseal::fakes {
namespace {

struct TokenWorld : CourierWorld {
  TokenWorld() { wants_tokens = true; }
};

std::vector<std::string> paths(const CourierWorld& world) {
  std::vector<std::string> all;
  for (const SeenRequest& one : world.requests) all.push_back(one.path);
  return all;
}

}  // namespace

TEST_CASE("Courier: fetches a token first, then sends it with every request on the same connection") {
  TokenWorld world;
  CourierLife life(world);
  life.collect_records(3);
  REQUIRE(life.deliver_all());
  CHECK(paths(world).at(0) == "/oauth/token");
  CHECK(paths(world).at(1) == "/v1/prekeys");
  CHECK(world.tokens_given == 1);
  CHECK(world.requests.at(0).token.empty());
  for (size_t i = 1; i < world.requests.size(); ++i) CHECK(world.requests[i].token == "token-1");
  CHECK(life.courier.stats().token_fetches == 1);
  CHECK(life.courier.stats().tokens_refused == 0);
  CHECK(life.courier.stats().retries == 0);
}

TEST_CASE("Courier: renews its token before the end of its life, without a request refused or a wait") {
  TokenWorld world;
  CourierLife life(world);
  life.warm_up();
  for (int i = 0; i < 20; ++i) {
    life.collect_records(1);
    REQUIRE(life.deliver_all());
    life.run_for(60 * 1000);
  }
  CHECK(world.tokens_given >= 4);
  CHECK(world.tokens_given <= 6);
  CHECK(life.courier.stats().tokens_refused == 0);
  CHECK(life.courier.stats().retries == 0);
}

TEST_CASE("Courier: a token that has worked and is refused is replaced at once, and nothing is lost") {
  TokenWorld world;
  CourierLife life(world);
  life.warm_up();
  world.token = "the keys were rotated";
  life.collect_records(5);
  const MonotonicTime before = life.clock().now();
  REQUIRE(life.deliver_all());
  CHECK(ms_between(before, life.clock().now()) < 2000);
  CHECK(life.courier.stats().tokens_refused == 1);
  CHECK(world.tokens_given == 2);
  CHECK(world.stored.size() == life.sealer.stats().records_sealed);
}

TEST_CASE("Courier: prekeys whose request met an ended token are asked for again at once") {
  TokenWorld world;
  CourierLife life(world);
  life.warm_up();
  world.token = "the identity was replaced";
  life.courier.refresh_prekeys();
  const size_t asked = world.count("/v1/prekeys");
  const uint32_t given = life.courier.stats().prekey_replies;
  life.run_for(2000);
  CHECK(world.count("/v1/prekeys") == asked + 2);
  CHECK(life.courier.stats().prekey_replies == given + 1);
  CHECK(life.courier.stats().tokens_refused == 1);
}

TEST_CASE("Courier: a gateway that refuses every token is asked at the pace of refusals, and nothing is lost") {
  TokenWorld world;
  CourierLife life(world);
  life.warm_up();
  world.twist = [](const HttpRequest& request, const std::string& honest) {
    return request.path == "/v1/records" ? http_answer(401, "") : honest;
  };
  life.collect_records(5);
  const size_t before = world.requests.size();
  life.run_for(30 * 60 * 1000);
  CHECK(world.requests.size() - before > 4);
  CHECK(world.requests.size() - before < 120);
  CHECK(life.waiting() > 0);
  world.twist = nullptr;
  REQUIRE(life.deliver_all(60 * 60 * 1000));
  CHECK(world.stored.size() == life.sealer.stats().records_sealed);
}

TEST_CASE("Courier: without a token nothing is sent, and collecting and sealing go on") {
  TokenWorld world;
  CourierLife life(world);
  life.warm_up();
  world.token = "none that is given";
  std::string answer = http_answer(400, R"({"error":"invalid_client"})");
  world.twist = [&](const HttpRequest& request, const std::string& honest) {
    return request.path == "/oauth/token" ? answer : honest;
  };
  const size_t records_before = world.count("/v1/records");
  life.collect_records(5);
  for (const std::string& next :
       {answer, http_answer(503, "", "Retry-After: 2\r\n"), http_answer(200, "{}"), http_answer(200, "<html>"),
        http_answer(200, R"({"access_token":"a\nb","token_type":"Bearer","expires_in":300})")}) {
    answer = next;
    life.run_for(5 * 60 * 1000);
  }
  // One request went out with the old token and was refused.
  CHECK(world.count("/v1/records") == records_before + 1);
  CHECK(world.count("/oauth/token") > 5);
  CHECK(life.waiting() >= 5);
  world.twist = nullptr;
  REQUIRE(life.deliver_all(60 * 60 * 1000));
  CHECK(world.stored.size() == life.sealer.stats().records_sealed);
}

}  // namespace wayseal::fakes
