// SPDX-License-Identifier: Apache-2.0
// Gateways that fail, refuse and lie, and lines that break.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>

#include "session.pb.h"
#include "unit/flow/courier_rig.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::CourierLife;
using fakes::CourierWorld;
using fakes::http_answer;
using fakes::HttpRequest;
using fakes::LineFaults;

std::string reply_with_ack(const Blob& ack) {
  v1::UploadReply reply;
  reply.add_acks(fakes::to_string(fakes::view(ack)));
  return http_answer(200, reply.SerializeAsString());
}

/// Times in ms at which the courier opened its channel, while every opening fails.
std::vector<int64_t> attempts(CourierWorld& world, int64_t ms, Status status, ChannelFailure failure) {
  CourierLife life(world);
  world.channel.fail_opening(status, failure);
  std::vector<int64_t> times;
  const int64_t end = life.clock().now().ns / kNsPerMs + ms;
  unsigned seen = world.channel.openings();
  while (life.clock().now().ns / kNsPerMs < end) {
    life.step(100);
    if (world.channel.openings() == seen) continue;
    seen = world.channel.openings();
    times.push_back(life.clock().now().ns / kNsPerMs);
  }
  return times;
}

}  // namespace

TEST_CASE("invariant 4: nothing vanishes (a 200 alone releases nothing)") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  const SessionId session = life.sealer.session().id();
  const Blob old_ack = world.backend.seal_ack(session, {{session, 1, {}}});
  SessionId stranger;
  stranger.data[0] = 0xEE;
  Blob forged = world.backend.seal_ack(session, {{session, 4, {}}});
  forged[forged.size() / 2] ^= 1;
  // The header says this session, the key is another one's.
  Blob other_key = world.backend.seal_ack(session, {{session, 4, {}}});
  const size_t tag = other_key.size() - 1;
  other_key[tag] ^= 0x80;
  v1::UploadReply refusal;
  Blob bad_refusal = world.backend.signed_refusal(life.sealer.session().transcript(), 2);
  bad_refusal.back() ^= 1;
  refusal.add_refusals()->set_refusal(fakes::to_string(fakes::view(bad_refusal)));
  v1::UploadReply wanted;
  wanted.add_open_wanted(fakes::to_string(session.bytes()));
  v1::UploadReply too_many;
  for (int i = 0; i < 5; ++i)
    too_many.add_acks(fakes::to_string(fakes::view(world.backend.seal_ack(session, {{session, 4, {}}}))));

  // The backend never gets what these gateways swallow.
  const std::pair<const char*, std::string> lies[] = {
      {"an empty body", http_answer(200, "")},
      {"no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"something else", http_answer(200, "<html>ok</html>")},
      {"an empty ack", reply_with_ack({})},
      {"a forged ack", reply_with_ack(forged)},
      {"an ack with another tag", reply_with_ack(other_key)},
      {"an old ack, replayed", reply_with_ack(old_ack)},
      {"an ack beyond what was ever sealed",
       reply_with_ack(world.backend.seal_ack(session, {{session, 1000, {}}}))},
      {"an ack of a session that is none",
       reply_with_ack(world.backend.seal_ack(session, {{stranger, 4, {}}}))},
      {"another content than an ack", reply_with_ack(world.backend.seal_content(session, 1, {1, 2, 3}))},
      {"more acks than an answer may have", http_answer(200, too_many.SerializeAsString())},
      {"a forged refusal", http_answer(200, refusal.SerializeAsString())},
      {"a wish for the SessionOpen", http_answer(200, wanted.SerializeAsString())},
      {"created", http_answer(201, "")},
      {"accepted", http_answer(202, "")},
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"gone", http_answer(410, "")},
  };
  life.collect_records(3);  // Sequences 2 to 4.
  for (const auto& [name, answer] : lies) {
    INFO(name);
    const size_t before = world.requests.size();
    std::string seen;
    world.channel.set_peer(fakes::http_peer([&, lie = answer](const HttpRequest& request) {
      seen = request.path;
      world.requests.push_back({request.path});
      return lie;
    }));
    REQUIRE(life.run_until([&] { return world.requests.size() >= before + 2; }, 60 * 60 * 1000));
    CHECK(seen == "/v1/records");
    REQUIRE(life.waiting() == 3);
    REQUIRE(life.spool.stats().settled == 1);
    REQUIRE(life.spool.stats().refused == 0);
    life.courier.hang_up();
  }
  world.channel.set_peer(fakes::http_peer([&](const HttpRequest& request) { return world.serve(request); }));
  REQUIRE(life.deliver_all(60 * 60 * 1000));
  CHECK(world.stored.size() == 4);
}

TEST_CASE("courier: an answer of 200 without an authentic ack is a failure, and costs a wait like one") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  world.twist = [](const HttpRequest& request, const std::string& honest) {
    return request.path == "/v1/records" ? http_answer(200, "") : honest;
  };
  life.collect_records(2);
  REQUIRE(life.run_until([&] { return life.courier.stats().unacked_answers == 1; }));
  CHECK(life.courier.stats().last_failure == Status::kNotAuthentic);
  CHECK(life.courier.step(life.clock().now()) == Status::kNotAuthentic);
  CHECK(life.courier.stats().retries == 1);
  life.run_for(60 * 60 * 1000);
  CHECK(life.courier.stats().unacked_answers > 10);
  CHECK(life.courier.stats().unacked_answers < 80);
  CHECK(life.waiting() == 2);
}

TEST_CASE("courier: a line cut at any byte loses nothing, and everything is stored once") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  life.collect_records(2);
  REQUIRE(life.deliver_all());
  life.courier.hang_up();
  life.collect_records(2);
  REQUIRE(life.deliver_all());
  const uint64_t sent = world.channel.sent();
  const uint64_t received = world.channel.received();
  REQUIRE(sent > 300);
  REQUIRE(received > 60);
  size_t expected = world.stored.size();
  const auto with_cut = [&](const LineFaults& faults) {
    life.courier.hang_up();
    world.channel.set_faults(faults);
    life.collect_records(2);
    expected += 2;
    const uint32_t failures = life.courier.stats().retries;
    REQUIRE(life.run_until([&] { return life.courier.stats().retries > failures; }, 10 * 1000));
    if (life.waiting() == 0) CHECK(world.stored.size() == expected);
    world.channel.heal();
    REQUIRE(life.deliver_all(20 * 1000));
    REQUIRE(world.stored.size() == expected);
  };
  for (uint64_t cut = 0; cut <= sent; ++cut) {
    INFO("after " << cut << " bytes sent");
    LineFaults faults;
    faults.cut_after_sent = cut;
    with_cut(faults);
  }
  for (uint64_t cut = 0; cut < received; ++cut) {
    INFO("after " << cut << " bytes received");
    LineFaults faults;
    faults.cut_after_received = cut;
    with_cut(faults);
  }
  CHECK(world.repeats > 0);  // Some had arrived although their answer had not.
}

TEST_CASE("courier: a line that takes and gives single bytes, with stalls, delivers all the same") {
  CourierWorld world;
  CourierLife life(world);
  LineFaults faults;
  faults.write_max = GENERATE(1U, 7U);
  faults.read_max = GENERATE(1U, 5U);
  faults.stalls = 1;
  faults.handshake_steps = 10;
  world.channel.set_faults(faults);
  life.collect_records(5);
  REQUIRE(life.deliver_all(10 * 60 * 1000));
  CHECK(world.stored.size() == 5);
  CHECK(life.courier.stats().retries == 0);
}

TEST_CASE("courier: a gateway that says nothing is given up and tried again") {
  CourierWorld world;
  CourierConfig config;
  config.http = {5000, 20000};
  CourierLife life(world, config);
  life.warm_up();
  life.courier.hang_up();
  world.channel.set_peer([](std::string&, std::string&) {});
  life.collect_records(2);
  life.run_for(8000);
  CHECK(life.courier.stats().last_failure == Status::kTimeout);
  CHECK(life.waiting() == 2);
  world.channel.set_peer(fakes::http_peer([&](const HttpRequest& request) { return world.serve(request); }));
  REQUIRE(life.deliver_all());
}

TEST_CASE("courier: a kept connection that the gateway has closed meanwhile is replaced at once") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  const uint32_t connections = life.courier.stats().connections;
  SECTION("seen before the next request") { world.channel.close_by_peer(); }
  SECTION("seen only while the next request is on its way") {
    LineFaults faults;
    faults.cut_after_sent = world.channel.sent() + 10;
    world.channel.set_faults(faults);
  }
  life.collect_records(1);
  REQUIRE(life.run_until([&] { return life.courier.stats().connections > connections; }));
  world.channel.heal();
  CHECK(life.deliver_all());
  CHECK(life.courier.stats().retries == 0);
}

TEST_CASE("courier: errors of the gateway keep everything, and are followed by a wait of the right length") {
  struct Case {
    int status;
    const char* fields;
    int64_t least_ms;
    int64_t most_ms;
  };
  // With full jitter a wait is from the minimum (1 s) to twice that at first, to the largest limit (300 s) for
  // a refusal.
  const Case c = GENERATE(Case{500, "", 1000, 2100}, Case{502, "", 1000, 2100}, Case{503, "", 1000, 2100},
                          Case{408, "", 1000, 2100}, Case{429, "Retry-After: 60\r\n", 61000, 62100},
                          Case{503, "Retry-After: 5\r\n", 6000, 7100},
                          Case{503, "Retry-After: 999999999\r\n", 3600000, 3602100},
                          Case{401, "", 1000, 300100}, Case{403, "", 1000, 300100}, Case{404, "", 1000, 300100},
                          Case{415, "", 1000, 300100}, Case{302, "", 1000, 300100});
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  int failures = 1;
  world.twist = [&](const HttpRequest& request, const std::string& honest) {
    if (request.path != "/v1/records" || failures == 0) return honest;
    --failures;
    return http_answer(c.status, "whatever", c.fields);
  };
  life.collect_records(2);
  REQUIRE(life.run_until([&] { return failures == 0; }));
  REQUIRE(life.run_until([&] { return life.courier.stats().retries == 1; }));
  INFO("status " << c.status << ' ' << c.fields);
  CHECK(life.courier.stats().last_http_status == c.status);
  CHECK(life.waiting() == 2);
  CHECK(life.courier.step(life.clock().now()) == Status::kRefused);
  const int64_t refused_at = world.requests.back().at_ms;
  REQUIRE(life.deliver_all(2 * 60 * 60 * 1000));
  const int64_t waited = world.requests.back().at_ms - refused_at;
  CHECK(waited >= c.least_ms);
  CHECK(waited <= c.most_ms + 200);
  CHECK(life.courier.stats().last_failure == Status::kOk);
}

TEST_CASE("courier: an upload that is too large is halved, and one item that nobody takes holds up nothing") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  SECTION("the gateway takes less than we send") {
    world.twist = [&](const HttpRequest& request, const std::string& honest) {
      if (request.path == "/v1/records" && request.body.size() > 3000)
        return http_answer(413, "", "Connection: close\r\n");
      return honest;
    };
    // The gateway decides before the backend sees anything.
    world.channel.set_peer(fakes::http_peer([&](const HttpRequest& request) {
      if (request.body.size() > 3000) return http_answer(413, "", "Connection: close\r\n");
      return world.serve(request);
    }));
    life.collect_records(30, 500);
    REQUIRE(life.deliver_all(60 * 60 * 1000));
    CHECK(world.stored.size() == 31);
    CHECK(life.courier.stats().items_skipped == 0);
  }
  SECTION("one record is larger than the gateway ever takes") {
    world.channel.set_peer(fakes::http_peer([&](const HttpRequest& request) {
      if (request.body.size() > 1500) return http_answer(413, "");
      return world.serve(request);
    }));
    life.collect_records(3, 100);
    life.collect_records(1, 2000);
    life.collect_records(3, 100);
    REQUIRE(life.run_until([&] { return life.waiting() == 1; }, 60 * 60 * 1000));
    CHECK(world.stored.size() == 7);
    CHECK(life.courier.stats().items_skipped >= 1);
    life.collect_records(5, 100);
    REQUIRE(life.run_until([&] { return life.waiting() == 1; }, 60 * 60 * 1000));
    CHECK(world.stored.size() == 12);
    world.channel.set_peer(fakes::http_peer([&](const HttpRequest& request) { return world.serve(request); }));
    REQUIRE(life.deliver_all(60 * 60 * 1000));
    CHECK(world.stored.size() == 13);
  }
}

TEST_CASE("courier: a line too slow for the gateway's patience gets smaller uploads until they pass") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  const auto answer_408 = [&](size_t most) {
    world.channel.set_peer(fakes::http_peer([&world, most](const HttpRequest& request) {
      if (request.body.size() > most) return http_answer(408, "", "Connection: close\r\n");
      return world.serve(request);
    }));
  };
  SECTION("the gateway says so") {
    answer_408(3000);
    life.collect_records(30, 500);
    REQUIRE(life.deliver_all(60 * 60 * 1000));
    CHECK(world.stored.size() == 31);
  }
  SECTION("the gateway hangs up in the middle of the body") {
    LineFaults faults;
    faults.cut_after_sent = 4000;
    world.channel.set_faults(faults);
    life.collect_records(30, 500);
    REQUIRE(life.deliver_all(60 * 60 * 1000));
    CHECK(world.stored.size() == 31);
  }
  SECTION("an item that is too slow alone waits, and is tried again as soon as anything else") {
    answer_408(1500);
    life.collect_records(1, 2000);
    life.run_for(60 * 60 * 1000);
    CHECK(life.waiting() == 1);
    answer_408(100000);
    REQUIRE(life.deliver_all(60 * 60 * 1000));
  }
  CHECK(life.courier.stats().items_skipped == 0);
}

TEST_CASE("courier: attempts become rarer, never rarer than the limit, and vehicles do not fall into step") {
  constexpr int64_t kTwoHours = 2 * 60 * 60 * 1000;
  fakes::FakeVaultOptions seeded;
  seeded.seed = 1;
  CourierWorld one(seeded);
  const std::vector<int64_t> first =
      attempts(one, kTwoHours, Status::kDisconnected, ChannelFailure::kUnreachable);
  REQUIRE(first.size() > 20);
  int64_t limit = 2000;
  for (size_t i = 1; i < first.size(); ++i) {
    const int64_t gap = first[i] - first[i - 1];
    CHECK(gap >= 1000);
    CHECK(gap <= limit + 200);
    limit = limit * 2 < 300000 ? limit * 2 : 300000;
  }
  CHECK(first.size() < 120);
  seeded.seed = 2;
  CourierWorld two(seeded);
  const std::vector<int64_t> second =
      attempts(two, kTwoHours, Status::kDisconnected, ChannelFailure::kUnreachable);
  size_t together = 0;
  for (size_t i = 1; i < first.size() && i < second.size(); ++i) together += first[i] == second[i] ? 1U : 0U;
  CHECK(together <= 2);
}

TEST_CASE("courier: who refuses our certificate or is not the gateway is not pestered") {
  const auto [status, failure] = GENERATE(table<Status, ChannelFailure>({
      {Status::kRefused, ChannelFailure::kClientCertificateRefused},
      {Status::kRefused, ChannelFailure::kProtocolVersion},
      {Status::kNotAuthentic, ChannelFailure::kServerUntrusted},
      {Status::kNotAuthentic, ChannelFailure::kServerWrongName},
  }));
  CourierWorld world;
  const std::vector<int64_t> times = attempts(world, 60 * 60 * 1000, status, failure);
  CHECK(times.size() >= 12);
  CHECK(times.size() < 60);
}

TEST_CASE("courier: a certificate refused after the handshake loses nothing and is reported") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  life.courier.hang_up();
  world.channel.refuse_certificate();
  life.collect_records(2);
  life.run_for(3000);
  CHECK(life.courier.stats().last_failure == Status::kRefused);
  CHECK(life.courier.stats().last_channel_failure.failure == ChannelFailure::kClientCertificateRefused);
  CHECK(life.waiting() == 2);
  world.channel.heal();
  CHECK(life.deliver_all(6 * 60 * 1000));
}

TEST_CASE("courier: a token that is lost while it signs is opened again; one that refuses the log-in is not") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  life.courier.hang_up();
  world.channel.fail_opening(Status::kTokenLost, ChannelFailure::kTokenFailed);
  life.collect_records(2);
  REQUIRE(life.run_until([&] { return life.courier.stats().connections_failed > 0; }));
  world.channel.heal();
  SECTION("it comes back") {
    const uint32_t reopened = world.vault.calls(fakes::VaultCall::kReopen);
    REQUIRE(life.deliver_all());
    CHECK(world.vault.calls(fakes::VaultCall::kReopen) > reopened);
  }
  SECTION("the PIN has changed") {
    world.vault.set_wrong_pin();
    world.vault.lose_token();
    life.run_for(10 * 60 * 1000);
    CHECK(life.sealer.step(life.clock().now()) == Status::kDenied);
    CHECK(world.vault.logins() == 1);
    CHECK(life.waiting() == 2);
  }
}

TEST_CASE("courier: one loss of the token that both sides meet is mended once") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  life.courier.hang_up();
  world.channel.fail_opening(Status::kTokenLost, ChannelFailure::kTokenFailed);
  life.collect_records(2);
  const uint32_t failed = life.courier.stats().connections_failed;
  REQUIRE(life.run_until([&] { return life.courier.stats().connections_failed > failed; }));
  world.channel.heal();
  world.vault.lose_token();
  const uint32_t opened = life.sealer.stats().sessions_opened;
  REQUIRE(CourierLife::collect(life.bus_queue, "meets it too"));
  REQUIRE(life.deliver_all());
  CHECK(life.sealer.stats().token_reopens == 1);
  CHECK(world.vault.calls(fakes::VaultCall::kReopen) == 1);
  CHECK(life.sealer.stats().sessions_opened == opened + 1);
}

TEST_CASE("courier: a bundle that is not taken beside a good time is told, and asked for again soon") {
  CourierWorld world;
  CourierConfig config;
  config.refresh_ms = 60 * 1000;
  CourierLife life(world, config);
  life.warm_up();
  life.run_for(23 * 60 * 1000);
  const size_t before = world.count("/v1/prekeys");
  bool spoil = true;
  world.twist = [&](const HttpRequest& request, const std::string& honest) {
    if (request.path != "/v1/prekeys" || !spoil) return honest;
    const auto at = honest.find("\r\n\r\n") + 4;
    v1::PrekeysReply reply;
    if (!reply.ParseFromString(honest.substr(at))) return honest;
    reply.clear_bundle();
    return http_answer(200, reply.SerializeAsString());
  };
  life.run_for(4 * 60 * 1000);
  CHECK(world.count("/v1/prekeys") >= before + 2);
  CHECK(life.courier.stats().last_failure == Status::kNotFound);
}

TEST_CASE("courier: prekeys that cannot be had do not hold up the records") {
  CourierWorld world;
  world.one_time = 2;
  CourierConfig config;
  config.refresh_ms = 5000;  // Low on prekeys all the time.
  CourierLife life(world, config);
  life.warm_up();
  world.twist = [](const HttpRequest& request, const std::string& honest) {
    return request.path == "/v1/prekeys" ? http_answer(503, "") : honest;
  };
  life.run_for(60 * 1000);
  for (int i = 0; i < 5; ++i) {
    life.collect_records(2);
    REQUIRE(life.deliver_all(11 * 60 * 1000));
  }
}

TEST_CASE("courier: a spool that fails is the sealer's to mend, and delivery goes on") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  life.collect_records(2);
  world.spool_flash.fail_all_writes(Status::kStorageFailed);
  life.collect_records(1);
  life.run_for(5000);
  world.spool_flash.fail_all_writes(std::nullopt);
  life.collect_records(2);
  REQUIRE(life.deliver_all(10 * 60 * 1000));
  CHECK(life.sealer.stats().spool_remounts >= 1);
}

}  // namespace wayseal
