// SPDX-License-Identifier: Apache-2.0
// Answers of a gateway or backend that help nobody: nothing is released by them, and delivery goes on.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>

#include "unit/flow/courier_rig.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::CourierLife;
using fakes::CourierWorld;
using fakes::http_answer;
using fakes::HttpRequest;

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

/// Changes the next answer to an upload.
void change_next(CourierWorld& world, std::function<void(v1::UploadReply&)> change) {
  world.twist = [&world, change = std::move(change)](const HttpRequest& request, const std::string& honest) {
    v1::UploadReply reply;
    if (request.path != "/v1/records" || !reply.ParseFromString(body_of(honest))) return honest;
    change(reply);
    std::string answer = http_answer(200, reply.SerializeAsString());
    world.twist = nullptr;
    return answer;
  };
}

}  // namespace

TEST_CASE("courier: an upload that is said to be wrong itself is halved, whatever the number") {
  const int status = GENERATE(400, 413, 422);
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  world.channel.set_peer(fakes::http_peer([&world, status](const HttpRequest& request) {
    return request.body.size() > 1500 ? http_answer(status, "") : world.serve(request);
  }));
  life.collect_records(8, 500);
  REQUIRE(life.deliver_all(60 * 60 * 1000));
  CHECK(world.stored.size() == 9);
  CHECK(life.courier.stats().items_skipped == 0);
}

TEST_CASE("courier: a SessionOpen that nobody takes does not hold up its session for ever") {
  CourierWorld world;
  CourierLife life(world);
  bool refuses = true;
  world.channel.set_peer(fakes::http_peer([&](const HttpRequest& request) {
    v1::Upload upload;
    if (refuses && request.path == "/v1/records" && upload.ParseFromString(request.body)) {
      for (const v1::UploadItem& item : upload.items()) {
        if (item.has_session_open()) return http_answer(413, "");
      }
    }
    return world.serve(request);
  }));
  life.collect_records(3);
  CHECK_FALSE(life.deliver_all(10 * 60 * 1000));
  CHECK(life.courier.stats().items_skipped >= 1);
  CHECK(life.waiting() == 3);
  refuses = false;
  CHECK(life.deliver_all(2 * 60 * 60 * 1000));
  CHECK(world.stored.size() == 3);
}

TEST_CASE("courier: hints about sessions that are unknown, cut short or repeated are followed once") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  const std::string own = fakes::to_string(life.sealer.session().id().bytes());
  change_next(world, [&](v1::UploadReply& reply) {
    reply.add_open_wanted(own.substr(1));
    reply.add_open_wanted(std::string(16, 'x'));
    for (int i = 0; i < 20; ++i) reply.add_open_wanted(own);
  });
  life.collect_records(2);
  REQUIRE(life.run_until([&] { return world.twist == nullptr; }));
  const size_t before = world.requests.size();
  life.collect_records(1);
  REQUIRE(life.deliver_all());
  REQUIRE(world.requests.size() > before);
  CHECK(world.requests[before].opens == 1);
  CHECK(world.stored.size() == 4);
}

TEST_CASE("courier: an ack counts although a refusal beside it is none") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  change_next(world, [](v1::UploadReply& reply) {
    reply.add_refusals();
    reply.add_refusals()->set_refusal("no refusal");
  });
  life.collect_records(2);
  REQUIRE(life.deliver_all());
  CHECK(life.sealer.stats().refusals == 0);
  CHECK(life.courier.stats().unacked_answers == 0);
}

TEST_CASE("courier: an answer with a refusal alone is an answer") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  const Digest th = life.sealer.session().transcript();
  change_next(world, [&](v1::UploadReply& reply) {
    reply.clear_acks();
    reply.add_refusals()->set_refusal(fakes::to_string(fakes::view(world.backend.signed_refusal(th, 2))));
  });
  life.collect_records(2);
  REQUIRE(life.run_until([&] { return life.sealer.stats().refusals == 1; }));
  CHECK(life.courier.stats().unacked_answers == 0);
  CHECK(life.waiting() == 0);
  CHECK(life.spool.stats().refused == 2);
}

TEST_CASE("courier: a token that refuses the PIN while a connection is made is not tried again") {
  CourierWorld world;
  CourierConfig config;
  config.refresh_ms = 1000;
  CourierLife life(world, config);
  life.warm_up();
  world.vault.set_wrong_pin();
  world.vault.lose_token();
  world.channel.fail_opening(Status::kTokenLost, ChannelFailure::kTokenFailed);
  life.run_for(10 * 60 * 1000);
  CHECK(life.courier.step(life.clock().now()) == Status::kDenied);
  CHECK(world.vault.logins() == 1);
}

}  // namespace wayseal
