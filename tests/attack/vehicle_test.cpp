// SPDX-License-Identifier: Apache-2.0
// The library in a vehicle, behind a gateway that has gone over to the attacker. Nothing that the gateway says may make the
// vehicle forget a record, take a key that is not the backend's, or believe a time.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>

#include "can_log.hpp"
#include "meddler.hpp"
#include "scoreboard.hpp"
#include "tcu/ports.hpp"
#include "vehicle.hpp"
#include "way.hpp"
#include "wayseal/flow/client.hpp"

namespace attack {
namespace {

using agent_test::Way;
using cloud_test::Blob;
using cloud_test::item;
using cloud_test::make_signer;
using cloud_test::sha256;
using cloud_test::Signer;
using wayseal::Role;
using wayseal::Status;
namespace oem = wayseal::oem;
namespace v1 = wayseal::v1;

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

tcu::Config config_of(const Way& way, const std::string& store) {
  tcu::Config config;
  config.bus.log = way.path("log");
  config.bus.as_fast_as_it_goes = true;
  config.token = {
      way.vehicle_token().module, way.vehicle_token().module_args, "vehicle", way.vehicle_token().pin_file, {}};
  config.gateway = {"localhost", static_cast<uint16_t>(way.port())};
  config.store = {store, 8};
  return config;
}

/// A vehicle in this process, on the way's token. One loop drives both of its sides.
class Victim {
 public:
  Victim(const Way& way, const std::string& store)
      : table_bytes_(bytes_of(agent_test::slurp(way.path("signals.table")))),
        cloud_(config_of(way, store)),
        bus_(config_of(way, store).bus, cloud_.clock()) {
    REQUIRE(table_.load({table_bytes_.data(), table_bytes_.size()}) == Status::kOk);
    wayseal::ClientConfig config;
    config.recorder.batch_duration_ms = 20;
    config.recorder.when_full = wayseal::WhenFull::kWait;
    config.courier.linger_ms = 5;
    config.courier.back_off_min_ms = 20;
    config.courier.back_off_max_ms = 60;
    config.courier.resend_ms = 100;
    config.courier.refresh_ms = 100;
    client_.emplace(cloud_.with(bus_.port()),
                    wayseal::ClientMemory{{collector_.data(), collector_.size()},
                                          {queue_.data(), queue_.size()},
                                          {cloud_memory_.data(), cloud_memory_.size()}},
                    config);
    REQUIRE(client_->start(table_) == Status::kOk);
  }

  wayseal::ClientStats stats() const { return client_->stats(); }

  bool run_until(const std::function<bool()>& done, int seconds = 30) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (client_->step_cloud(cloud_.clock().now()) != Status::kWouldBlock) cloud_.wait(1);
    }
    return true;
  }
  /// Collects until one more record is sealed.
  bool seal_one() {
    const uint64_t before = stats().sealer.records_sealed;
    return run_until([&] {
      if (stats().sealer.records_sealed == before) (void)client_->step_bus(cloud_.clock().now());
      return stats().sealer.records_sealed > before && stats().spool.waiting_records > 0;
    });
  }

 private:
  std::vector<uint8_t> table_bytes_;
  wayseal::SignalTable table_;
  tcu::CloudPorts cloud_;
  tcu::Bus bus_;
  std::vector<uint8_t> collector_ = std::vector<uint8_t>(256 * 1024);
  std::vector<uint8_t> queue_ = std::vector<uint8_t>(wayseal::RecordQueue::memory_needed(16));
  std::vector<uint8_t> cloud_memory_ = std::vector<uint8_t>(wayseal::kClientCloudMemory);
  std::optional<wayseal::Client> client_;
};

/// A fleet of one whose gateway is the attacker's.
struct Rig {
  Rig() : way(agent_test::canary_dbc()) {
    way.start_backend();
    meddler.emplace(way.path("meddler.sock"), way.backend_socket());
    way.start_gateway(way.path("meddler.sock"));
    agent_test::spill(way.path("log"), agent_test::canary_log(200'000, 500));
    setenv("SOFTHSM2_CONF", (way.vehicle_folder() + "/softhsm2.conf").c_str(), 1);
    pki.emplace(way.path("fleet/ca"));
  }
  Blob th_of_session() const {
    const std::string hex = way.query("SELECT hex(th) FROM sessions ORDER BY counter DESC LIMIT 1");
    Blob th;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
      th += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return th;
  }

  Way way;
  std::optional<Meddler> meddler;
  std::optional<oem::OemPki> pki;
};

constexpr char kHolds[] = "the gateway";
constexpr int kMeddledAnswers = 2;

/// What the vehicle has released, and what it counted as bad.
State state_of(const Victim& victim) {
  const auto s = victim.stats();
  return {std::to_string(s.spool.settled) + " " + std::to_string(s.spool.refused) + " " +
              std::to_string(s.spool.evicted) + " " + std::to_string(s.sealer.sessions_opened),
          {{"acks_rejected", s.sealer.acks_rejected},
           {"refusals_rejected", s.sealer.refusals_rejected},
           {"unacked_answers", s.courier.unacked_answers}}};
}

/// A record waits; the gateway answers as `meddle` says, until the vehicle has taken two such answers; then it is honest.
void play_answer(Rig& rig, Victim& victim, const char* name, const std::string& expected,
                 const Meddler::Meddle& meddle) {
  // After two answers none: when a third is asked for, the two have been looked at, and no more of them are on their way.
  auto answers = std::make_shared<std::atomic<int>>(0);
  rig.meddler->set([&meddle, answers](const std::string& target, const Meddler::Forward& forward) {
    if (target != "/v1/records") return std::optional<Answer>(Answer{200, forward()});
    return ++*answers > kMeddledAnswers ? std::nullopt : meddle(target, forward);
  });
  const bool sealed = victim.seal_one();
  const auto attack = [&]() -> std::string {
    if (!sealed) return "no record";
    const bool seen = victim.run_until([&] { return *answers > kMeddledAnswers; });
    return !seen ? "nothing happened" : victim.stats().spool.waiting_records > 0 ? "kept" : "forgotten";
  };
  const auto twin = [&]() -> std::string {
    rig.meddler->set({});
    return victim.run_until([&] { return victim.stats().spool.waiting_records == 0; }) ? "acked" : "kept";
  };
  play({"vehicle", name, kHolds, expected, attack, twin, [&] { return state_of(victim); }, "acked"});
}

/// An honest answer with its first ack changed.
Meddler::Meddle with_ack(const std::function<void(Blob&)>& spoil) {
  return [spoil](const std::string&, const Meddler::Forward& forward) {
    v1::UploadReply reply;
    reply.ParseFromString(forward());
    for (Blob& ack : *reply.mutable_acks()) spoil(ack);
    return Answer{200, reply.SerializeAsString()};
  };
}

Meddler::Meddle with_sealed(const std::function<void(v1::Sealed&)>& spoil) {
  return with_ack([spoil](Blob& ack) {
    v1::Sealed sealed;
    sealed.ParseFromString(ack);
    spoil(sealed);
    ack = sealed.SerializeAsString();
  });
}

void flip(Blob* bytes, size_t at) { (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1); }

Meddler::Meddle always(const Answer& answer) {
  return [answer](const std::string&, const Meddler::Forward& forward) {
    forward();
    return std::optional<Answer>(answer);
  };
}

template <typename Signed>
void sign_body(const Signer& signer, const Blob& label, const Blob& body, Signed* message) {
  message->set_body(body);
  message->set_signature(signer.sign(sha256(item(label) + body)));
  message->clear_chain();
  message->add_chain(signer.leaf);
  message->add_chain(signer.intermediate);
}

Blob refusal(const Signer& signer, const std::string& vehicle, const Blob& th,
             const Blob& label = "wayseal/1 refuse") {
  v1::SessionRefused body;
  body.set_vehicle_id(vehicle);
  body.set_th(th);
  body.set_reason(v1::SessionRefused::REASON_PREKEY_UNKNOWN);
  v1::SignedRefusal message;
  sign_body(signer, label, body.SerializeAsString(), &message);
  return message.SerializeAsString();
}

Meddler::Meddle with_refusal(const Blob& message) {
  v1::UploadReply reply;
  reply.add_refusals()->set_refusal(message);
  return always({200, reply.SerializeAsString()});
}

}  // namespace

TEST_CASE("the gateway drops, changes, replays and makes up what the backend answers") {
  Rig rig;
  Victim victim(rig.way, rig.way.path("store"));
  Blob old_answer;
  rig.meddler->set([&](const std::string& target, const Meddler::Forward& forward) {
    const Blob body = forward();
    if (target == "/v1/records") old_answer = body;
    return Answer{200, body};
  });
  REQUIRE(victim.seal_one());
  REQUIRE(victim.run_until([&] { return victim.stats().spool.waiting_records == 0; }));
  REQUIRE_FALSE(old_answer.empty());
  const auto answer = [&](const char* name, const std::string& expected, const Meddler::Meddle& meddle) {
    play_answer(rig, victim, name, expected, meddle);
  };
  constexpr char kForged[] = "kept acks_rejected,unacked_answers";
  constexpr char kUnacked[] = "kept unacked_answers";
  answer("drops the answers", "kept", [](auto&, auto& forward) { return forward(), std::nullopt; });
  answer("drops the requests", "kept", [](auto&, auto&) { return std::nullopt; });
  answer("says 200 and nothing else", kUnacked, always({200, ""}));
  answer("says 200 and keeps the records to itself", kUnacked, [](auto&, auto&) { return Answer{200, ""}; });
  answer("answers with noise", kUnacked, always({200, Blob(300, '\xff')}));
  answer("an answer that is too long", "kept", always({200, Blob(20000, 'x')}));
  for (const unsigned status : {302U, 400U, 403U, 404U, 410U, 413U, 429U, 500U}) {
    const std::string name = "makes up status " + std::to_string(status);
    answer(name.c_str(), "kept", always({status, ""}));
  }
  answer("ack: a bit of the ciphertext", kForged,
         with_sealed([](auto& s) { flip(s.mutable_ciphertext(), 0); }));
  answer("ack: a bit of the tag", kForged,
         with_sealed([](auto& s) { flip(s.mutable_ciphertext(), s.ciphertext().size() - 1); }));
  answer("ack: the tag cut", kForged, with_sealed([](auto& s) { s.mutable_ciphertext()->resize(8); }));
  answer("ack: the nonce", kForged, with_sealed([](auto& s) { flip(s.mutable_header(), 30); }));
  answer("ack: the session", kForged, with_sealed([](auto& s) { flip(s.mutable_header(), 5); }));
  answer("ack: the suite", kForged, with_sealed([](auto& s) { flip(s.mutable_header(), 1); }));
  answer("ack: the version", kForged, with_sealed([](auto& s) { flip(s.mutable_header(), 0); }));
  answer("ack: sealed with zeros for a key", kForged, with_sealed([](auto& s) {
           v1::Ack all;
           auto* entry = all.add_sessions();
           entry->set_session_id(s.header().substr(2, 16));
           entry->set_contiguous(1'000'000);
           s.set_ciphertext(cloud_test::gcm_seal(Blob(32, '\0'), s.header().substr(26), s.header(),
                                                 cloud_test::frame(64, all.SerializeAsString())));
         }));
  answer("ack: an earlier one again and again", "kept", always({200, old_answer}));
  answer("wants sessions that are not there", kUnacked, [](auto&, auto& forward) {
    forward();
    v1::UploadReply reply;
    for (int i = 0; i < 32; ++i) reply.add_open_wanted(cloud_test::random_bytes(16));
    return Answer{200, reply.SerializeAsString()};
  });
  const Blob th = rig.th_of_session();
  const std::string id = rig.way.vehicle();
  constexpr char kNoRefusal[] = "kept refusals_rejected,unacked_answers";
  const Signer prekey = make_signer(*rig.pki, Role::kPrekey, "backend");
  answer("refusal: unsigned", kNoRefusal, [&] {
    v1::SignedRefusal message;
    message.ParseFromString(refusal(prekey, id, th));
    message.clear_signature();
    return with_refusal(message.SerializeAsString());
  }());
  answer("refusal: signed by the vehicle's role", kNoRefusal,
         with_refusal(refusal(make_signer(*rig.pki, Role::kVehicle, id), id, th)));
  answer("refusal: signed by the time role", kNoRefusal,
         with_refusal(refusal(make_signer(*rig.pki, Role::kTime, "backend"), id, th)));
  answer("refusal: signed for prekeys", kNoRefusal, with_refusal(refusal(prekey, id, th, "wayseal/1 prekeys")));
  answer("refusal: of another vehicle", kNoRefusal, with_refusal(refusal(prekey, "v-other", th)));
  answer("refusal: the session's id, but another transcript", kNoRefusal,
         with_refusal(refusal(prekey, id, th.substr(0, 16) + Blob(16, 'x'))));
  answer("refusal: of a session that is not there", kUnacked, with_refusal(refusal(prekey, id, Blob(32, 'x'))));
}

namespace {

/// Of a vehicle that has no prekeys and no time yet.
struct Fetched {
  bool prekeys;
  bool time;
};
Fetched fetched(const Victim& victim) {
  const auto s = victim.stats();
  return {s.prekeys.one_time > 0 || s.prekeys.last_resort, s.time_trusted};
}

using Spoil = std::function<void(v1::PrekeysReply&)>;

/// A new vehicle asks for prekeys and the time; the gateway changes the answer. \param what "prekeys" or "time": must not be had.
void play_fetch(Rig& rig, const char* name, const std::string& what, const std::string& expected,
                const Spoil& spoil) {
  static int count = 0;
  rig.meddler->set([&](const std::string&, const Meddler::Forward& forward) {
    v1::PrekeysReply reply;
    reply.ParseFromString(forward());
    spoil(reply);
    return Answer{200, reply.SerializeAsString()};
  });
  Victim victim(rig.way, rig.way.path("store-" + std::to_string(++count)));
  const auto has = [&] { return what == "time" ? fetched(victim).time : fetched(victim).prekeys; };
  const auto attack = [&]() -> std::string {
    if (!victim.run_until(
            [&] { return rig.meddler->count() >= 1 && victim.stats().courier.last_failure != Status::kOk; })) {
      return "taken";
    }
    return wayseal::status_name(victim.stats().courier.last_failure);
  };
  const auto twin = [&]() -> std::string {
    rig.meddler->set({});
    return victim.run_until(has) ? "taken" : wayseal::status_name(victim.stats().courier.last_failure);
  };
  play({"vehicle", name, kHolds, expected, attack, twin,
        [&] {
          return State{has() ? "has" : "has not", {}};
        },
        "taken"});
}

Spoil with_bundle(const Signer& signer, const std::function<void(v1::PrekeyBundle&)>& edit,
                  const Blob& label = "wayseal/1 prekeys") {
  return [&signer, edit, label](v1::PrekeysReply& reply) {
    v1::PrekeyBundle bundle;
    bundle.ParseFromString(reply.bundle().body());
    edit(bundle);
    sign_body(signer, label, bundle.SerializeAsString(), reply.mutable_bundle());
  };
}

Spoil with_time(const Signer& signer, const std::function<void(v1::TimeStatement&)>& edit) {
  return [&signer, edit](v1::PrekeysReply& reply) {
    v1::TimeStatement time;
    time.ParseFromString(reply.time().body());
    edit(time);
    sign_body(signer, "wayseal/1 time", time.SerializeAsString(), reply.mutable_time());
  };
}

/// Changes the bundle and leaves the signature.
Spoil resigned_by_nobody(const std::function<void(v1::PrekeyBundle&)>& edit) {
  return [edit](v1::PrekeysReply& reply) {
    v1::PrekeyBundle bundle;
    bundle.ParseFromString(reply.bundle().body());
    edit(bundle);
    reply.mutable_bundle()->set_body(bundle.SerializeAsString());
  };
}

void each_prekey(v1::PrekeyBundle& bundle, const std::function<void(v1::Prekey&)>& edit) {
  for (v1::Prekey& prekey : *bundle.mutable_one_time()) edit(prekey);
  edit(*bundle.mutable_last_resort());
}

}  // namespace

TEST_CASE("the gateway gives keys and times that are not the backend's") {
  Rig rig;
  constexpr char kForged[] = "not-authentic";
  const Signer prekey = make_signer(*rig.pki, Role::kPrekey, "backend");
  const Signer time = make_signer(*rig.pki, Role::kTime, "backend");
  const Signer own = make_signer(*rig.pki, Role::kVehicle, rig.way.vehicle());
  const auto point = [](v1::Prekey& p) {
    const auto key = oem::generate_key();
    p.set_point(cloud_test::point_of(key.get()));
  };
  const auto nothing = [](auto&) {};
  v1::PrekeysReply recorded;
  play_fetch(rig, "prekeys: none in the answer", "prekeys", "not-found", [&](auto& reply) {
    recorded = reply;
    reply.clear_bundle();
  });
  play_fetch(rig, "prekeys: a recorded answer, whose challenge is an old one", "prekeys", kForged,
             [&](auto& reply) { *reply.mutable_bundle() = recorded.bundle(); });
  play_fetch(rig, "prekeys: the gateway's own points", "prekeys", kForged,
             resigned_by_nobody([&](auto& b) { each_prekey(b, point); }));
  play_fetch(rig, "prekeys: the strongest suite taken out", "prekeys", kForged,
             resigned_by_nobody([](auto& b) { each_prekey(b, [](auto& p) { p.set_suites(1); }); }));
  play_fetch(rig, "prekeys: signed by another vehicle's role", "prekeys", kForged, with_bundle(own, nothing));
  play_fetch(rig, "prekeys: signed by the time role", "prekeys", kForged, with_bundle(time, nothing));
  play_fetch(rig, "prekeys: signed under the label of a refusal", "prekeys", kForged,
             with_bundle(prekey, nothing, "wayseal/1 refuse"));
  play_fetch(rig, "prekeys: of another vehicle", "prekeys", kForged,
             with_bundle(prekey, [](auto& b) { b.set_vehicle_id("v-other"); }));
  play_fetch(rig, "prekeys: expired", "prekeys", "stale",
             with_bundle(prekey, [](auto& b) { each_prekey(b, [](auto& p) { p.set_expires_ms(1); }); }));
  play_fetch(rig, "prekeys: points that are none", "prekeys", "malformed",
             with_bundle(prekey, [](auto& b) { each_prekey(b, [](auto& p) { p.set_point("x"); }); }));
  play_fetch(rig, "prekeys: of another version", "prekeys", "unsupported",
             with_bundle(prekey, [](auto& b) { b.set_version(2); }));

  play_fetch(rig, "time: none in the answer", "time", "not-found", [](auto& reply) { reply.clear_time(); });
  play_fetch(rig, "time: a recorded one, whose challenge is an old one", "time", kForged,
             [&](auto& reply) { *reply.mutable_time() = recorded.time(); });
  play_fetch(rig, "time: changed under the signature", "time", kForged, [](auto& reply) {
    v1::TimeStatement statement;
    statement.ParseFromString(reply.time().body());
    statement.set_utc_ms(statement.utc_ms() + 1000);
    reply.mutable_time()->set_body(statement.SerializeAsString());
  });
  play_fetch(rig, "time: signed by the prekey role", "time", kForged, with_time(prekey, nothing));
  play_fetch(rig, "time: signed by another vehicle's role", "time", kForged, with_time(own, nothing));
  play_fetch(rig, "time: before this program was built", "time", "stale",
             with_time(time, [](auto& t) { t.set_utc_ms(1'600'000'000'000); }));
  play_fetch(rig, "time: beyond what its certificate covers", "time", "stale",
             with_time(time, [](auto& t) { t.set_utc_ms(t.utc_ms() + 100LL * 86'400'000); }));
  play_fetch(rig, "time: with a certificate for ten years", "time", "stale", [&] {
    static Signer longer;
    longer.key = oem::generate_key();
    const auto issued = rig.pki->issue_role(Role::kTime, "backend", longer.key.get(), 3650);
    const auto leaf = oem::der_of(issued.leaf.get());
    const auto intermediate = oem::der_of(issued.intermediate.get());
    longer.leaf.assign(leaf.begin(), leaf.end());
    longer.intermediate.assign(intermediate.begin(), intermediate.end());
    return with_time(longer, nothing);
  }());
}

}  // namespace attack
