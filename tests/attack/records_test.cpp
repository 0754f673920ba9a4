// SPDX-License-Identifier: Apache-2.0
// What gets as far as the backend: forged, spliced and replayed records, sessions and requests for prekeys, and other vehicles'
// objects. Most attackers here are the gateway itself, or a vehicle with everything of its own right.
#include <catch2/catch_test_macros.hpp>

#include "attacks.hpp"

namespace attack {
namespace {

using cloud_test::batch;
using cloud_test::be;
using cloud_test::Fleet;
using cloud_test::frame;
using cloud_test::item;
using cloud_test::make_signer;
using cloud_test::sha256;
using cloud_test::Signer;

constexpr char kGateway[] = "the gateway";

Blob some_batch() { return frame(1, batch(1, 1, {1, 2, 3})); }

void flip(std::string* bytes, size_t at) { (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1); }

/// A new record of `own`, spoiled by the gateway; then as it was.
void play_sealed(Chain& chain, Member& own, const char* name, const char* expected,
                 const std::function<void(v1::Sealed&)>& spoil) {
  const Blob good = own.session.seal(some_batch());
  v1::Sealed bad;
  bad.ParseFromString(good);
  spoil(bad);
  play({"record", name, kGateway, expected, [&] { return chain.deliver_sealed(own, bad.SerializeAsString()); },
        [&] { return chain.deliver_sealed(own, good); }, chain.watch()});
}

TestVehicle::OpenPlan last_resort(Member& own, std::function<void(v1::SessionOpen&)> edit = {}) {
  TestVehicle::OpenPlan plan;
  plan.prekey = &own.vehicle.bundle().last_resort();
  plan.edit = std::move(edit);
  return plan;
}

/// A SessionOpen of `own`, spoiled after it was signed; then as it was.
void play_open(Chain& chain, Member& own, const char* name, const char* expected,
               const std::function<void(v1::SessionOpen&)>& spoil) {
  const TestSession good = own.vehicle.open_session(last_resort(own));
  v1::SessionOpen bad;
  bad.ParseFromString(good.open);
  spoil(bad);
  play({"session", name, kGateway, expected, [&] { return chain.deliver_open(own, bad.SerializeAsString()); },
        [&] { return chain.deliver_open(own, good.open); }, chain.watch()});
}

/// A vehicle's own SessionOpen that contradicts what it was given: signed, so it is answered with a signed refusal.
void play_contradiction(Chain& chain, Member& own, const char* name, const char* reason,
                        const std::function<void(v1::SessionOpen&)>& edit) {
  const TestSession bad = own.vehicle.open_session(last_resort(own, edit));
  const TestSession good = own.vehicle.open_session(last_resort(own));
  const auto attack = [&] {
    std::string got = chain.deliver_open(own, bad.open);
    v1::UploadReply reply;
    v1::SignedRefusal refusal;
    v1::SessionRefused body;
    const bool refused = reply.ParseFromString(chain.last_body()) && reply.refusals_size() == 1 &&
                         refusal.ParseFromString(reply.refusals(0).refusal()) &&
                         body.ParseFromString(refusal.body()) && body.th() == bad.th;
    return got + (refused ? " " + v1::SessionRefused::Reason_Name(body.reason()) : " no refusal");
  };
  play({"session", name, "the vehicle's keys", std::string("200 REASON_") + reason, attack,
        [&] { return chain.deliver_open(own, good.open); }, chain.watch()});
}

/// A request for prekeys of `own`, spoiled after or before it was signed; then a good one.
void play_prekeys(Chain& chain, Member& own, const char* name, const char* holds, const char* expected,
                  const std::function<Blob()>& bad) {
  const Blob good = own.vehicle.prekeys_request(1);
  const Blob spoiled = bad();
  play({"prekeys", name, holds, expected, [&] { return chain.prekeys(own, spoiled); },
        [&] { return chain.prekeys(own, good); }, chain.watch()});
}

Blob respelled(const Blob& request, const std::function<void(v1::SignedPrekeysRequest&)>& spoil) {
  v1::SignedPrekeysRequest message;
  message.ParseFromString(request);
  spoil(message);
  return message.SerializeAsString();
}

Blob signed_by(const Signer& signer, const Blob& request, const Blob& label = "wayseal/1 prekeys-request") {
  return respelled(request, [&](v1::SignedPrekeysRequest& message) {
    message.set_signature(signer.sign(sha256(item(label) + message.body())));
    message.set_chain(0, signer.leaf);
    message.set_chain(1, signer.intermediate);
  });
}

/// An upload of one item and the answer's acks, in one word.
std::string acks_in_answer(Chain& chain, const std::string& got) {
  v1::UploadReply reply;
  if (!reply.ParseFromString(chain.last_body())) return got + " no reply";
  return got + (reply.acks_size() == 0 ? " no ack" : " ack");
}

}  // namespace

TEST_CASE("records: header, which is the AAD, and ciphertext are spliced") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  TestSession second = own.vehicle.open_session();
  REQUIRE(chain.deliver_open(own, second.open) == "200");
  constexpr char kForged[] = "200 not_authentic,record-not-authentic";
  const auto header = [](size_t at) { return [at](v1::Sealed& s) { flip(s.mutable_header(), at); }; };
  play_sealed(chain, own, "header: version", "200 malformed", header(0));
  play_sealed(chain, own, "header: suite", kForged, header(1));
  play_sealed(chain, own, "header: session id", "200 unknown_session", header(2));
  play_sealed(chain, own, "header: another session of the same vehicle", kForged,
              [&](v1::Sealed& s) { s.mutable_header()->replace(2, 16, second.id); });
  play_sealed(chain, own, "header: sequence", kForged, [](v1::Sealed& s) { flip(s.mutable_header(), 24); });
  play_sealed(chain, own, "header: sequence 0", "200 malformed",
              [](v1::Sealed& s) { s.mutable_header()->replace(18, 8, be(0, 8)); });
  play_sealed(chain, own, "header: sequence beyond the last", "200 malformed",
              [](v1::Sealed& s) { s.mutable_header()->replace(18, 8, be(~uint64_t{0}, 8)); });
  play_sealed(chain, own, "header: one byte short", "200 malformed",
              [](v1::Sealed& s) { s.mutable_header()->pop_back(); });
  play_sealed(chain, own, "header: longer by a nonce", "200 malformed",
              [](v1::Sealed& s) { s.mutable_header()->append(12, '\0'); });
  play_sealed(chain, own, "header: none", "200 malformed", [](v1::Sealed& s) { s.clear_header(); });
  play_sealed(chain, own, "ciphertext: first bit", kForged,
              [](v1::Sealed& s) { flip(s.mutable_ciphertext(), 0); });
  play_sealed(chain, own, "ciphertext: last bit of the tag", kForged,
              [](v1::Sealed& s) { flip(s.mutable_ciphertext(), s.ciphertext().size() - 1); });
  play_sealed(chain, own, "ciphertext: tag cut to 12 bytes", kForged,
              [](v1::Sealed& s) { s.mutable_ciphertext()->resize(s.ciphertext().size() - 4); });
  play_sealed(chain, own, "ciphertext: shorter than a tag", "200 malformed",
              [](v1::Sealed& s) { s.mutable_ciphertext()->resize(15); });
  play_sealed(chain, own, "ciphertext of another record", kForged, [&](v1::Sealed& s) {
    v1::Sealed other;
    other.ParseFromString(own.session.seal(some_batch()));
    s.set_ciphertext(other.ciphertext());
  });
  play_sealed(chain, own, "sealed with the backend's direction key", kForged, [&](v1::Sealed& s) {
    s.set_ciphertext(
        cloud_test::gcm_seal(own.session.b2v, be(0, 4) + s.header().substr(18, 8), s.header(), some_batch()));
  });
  play_sealed(chain, own, "sealed with zeros for a key", kForged, [&](v1::Sealed& s) {
    s.set_ciphertext(
        cloud_test::gcm_seal(Blob(32, '\0'), be(0, 4) + s.header().substr(18, 8), s.header(), some_batch()));
  });
  play_sealed(chain, own, "more than 64 KiB", "200 malformed",
              [](v1::Sealed& s) { s.set_ciphertext(Blob(70000, 'x')); });
}

TEST_CASE("records: replayed, and what a vehicle with good keys should not send") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  const Blob one = own.session.seal(some_batch());
  REQUIRE(chain.deliver_sealed(own, one) == "200");
  play({"record", "the same record again", kGateway, "200 duplicates",
        [&] { return chain.deliver_sealed(own, one); },
        [&] { return chain.deliver_sealed(own, own.session.seal(some_batch())); }, chain.watch()});
  const Blob upload = chain.next_upload(own);
  const Request recorded = chain.request(own, upload);
  REQUIRE(chain.send(recorded) == "200");
  play({"record", "the same upload again, with its token", kGateway, "200 duplicates",
        [&] { return chain.send(recorded); }, [&] { return chain.send(chain.good(own)); }, chain.watch()});
  play({"record", "one number, two contents", "the vehicle's keys", "200 two-records-one-number",
        [&] {
          return chain.deliver_sealed(own, own.session.seal(frame(1, batch(1, 1, {9})), own.session.sequence));
        },
        [&] { return chain.send(chain.good(own)); }, chain.watch()});
  play({"record", "an ack of the backend's, reflected", kGateway, "200 malformed",
        [&] {
          v1::UploadReply reply;
          reply.ParseFromString(chain.last_body());
          return reply.acks_size() == 0 ? std::string("no ack") : chain.deliver_sealed(own, reply.acks(0));
        },
        [&] { return chain.send(chain.good(own)); }, chain.watch()});
  const auto content = [&](const char* name, const char* expected, const Blob& bad) {
    play({"record", name, "the vehicle's keys", expected,
          [&] { return chain.deliver_sealed(own, own.session.seal(bad)); },
          [&] { return chain.deliver_sealed(own, own.session.seal(some_batch())); }, chain.watch()});
  };
  content("an ack as content", "200 malformed", frame(64, "x"));
  content("a length beyond the content", "200 malformed", Blob("\x01\xff\xff", 3) + Blob(13, '\0'));
  content("padding that is not zero", "200 malformed", Blob("\x01\0\1x", 4) + Blob(12, 'y'));
  // Batches are not compressed; their runs are the nearest to a bomb. The record is authentic, so it is kept, but opens nothing.
  v1::Batch bomb;
  bomb.ParseFromString(batch(1, 1, {1, 2, 3}));
  bomb.mutable_series(0)->mutable_columns(0)->set_values(Blob("\xff\xff\x07", 3));
  play({"record", "a batch that repeats a value 65,535 times for three rows", "the vehicle's keys",
        "200 undecodable",
        [&] { return chain.deliver_sealed(own, own.session.seal(frame(1, bomb.SerializeAsString()))); },
        [&] { return chain.deliver_sealed(own, own.session.seal(some_batch())); },
        chain.watch("SELECT SUM(samples) FROM records")});
}

TEST_CASE("sessions: each field of a SessionOpen is changed after it was signed") {
  Chain& chain = shared_chain();
  Member own = chain.member(16);
  constexpr char kForged[] = "200 open-not-authentic";
  play_open(chain, own, "version", "200 opens_malformed", [](auto& o) { o.set_version(2); });
  play_open(chain, own, "suite that is not offered", "200 opens_malformed", [](auto& o) { o.set_suite(1); });
  play_open(chain, own, "suite and offer: a downgrade", kForged,
            [](auto& o) { o.set_suite(1), o.set_offer(1); });
  play_open(chain, own, "offer: a stronger suite taken out", kForged,
            [](auto& o) { o.set_offer(o.offer() | 1); });
  play_open(chain, own, "prekey id", kForged, [](auto& o) { o.set_prekey_id(o.prekey_id() + 1); });
  play_open(chain, own, "prekey point", kForged, [](auto& o) { flip(o.mutable_prekey_point(), 5); });
  play_open(chain, own, "bundle digest", kForged, [](auto& o) { flip(o.mutable_bundle_digest(), 5); });
  play_open(chain, own, "backend certificate digest", kForged,
            [](auto& o) { flip(o.mutable_backend_certificate_digest(), 5); });
  play_open(chain, own, "ephemeral", kForged, [](auto& o) { flip(o.mutable_ephemeral(), 5); });
  play_open(chain, own, "nonce", kForged, [](auto& o) { flip(o.mutable_nonce(), 5); });
  play_open(chain, own, "session counter", kForged,
            [](auto& o) { o.set_session_counter(o.session_counter() + 1); });
  play_open(chain, own, "previous session", kForged, [](auto& o) { o.set_previous_session(Blob(16, 'x')); });
  play_open(chain, own, "previous last durable: to hide a loss", kForged,
            [](auto& o) { o.set_previous_last_durable(9); });
  play_open(chain, own, "signature", kForged, [](auto& o) { flip(o.mutable_signature(), 5); });
  play_open(chain, own, "no signature", kForged, [](auto& o) { o.clear_signature(); });
  play_open(chain, own, "leaf of another vehicle", kForged,
            [&](auto& o) { o.set_chain(0, chain.member(1).vehicle.e2e().leaf); });
}

TEST_CASE("sessions: chains, replays and contradictions") {
  Chain& chain = shared_chain();
  Member own = chain.member(16);
  constexpr char kForged[] = "200 open-not-authentic";
  play_open(chain, own, "chain without its intermediate", "200 opens_malformed",
            [](auto& o) { o.mutable_chain()->RemoveLast(); });
  play_open(chain, own, "prekey point: substituted by the gateway's", kForged, [](auto& o) {
    const auto key = oem::generate_key();
    o.set_prekey_point(cloud_test::point_of(key.get()));
  });
  for (const auto role : {wayseal::Role::kPrekey, wayseal::Role::kTime}) {
    const Signer impostor = make_signer(Fleet::get().pki(), role, own.id());
    TestVehicle::OpenPlan plan = last_resort(own);
    plan.signer = &impostor;
    const TestSession bad = own.vehicle.open_session(plan);
    const TestSession good = own.vehicle.open_session(last_resort(own));
    play({"session", role == wayseal::Role::kPrekey ? "wrong role: prekey" : "wrong role: time",
          "a backend's key", kForged, [&] { return chain.deliver_open(own, bad.open); },
          [&] { return chain.deliver_open(own, good.open); }, chain.watch()});
  }
  play({"session", "the same SessionOpen again", kGateway, "200",
        [&] { return chain.deliver_open(own, own.session.open); },
        [&] { return chain.deliver_open(own, own.vehicle.open_session(last_resort(own)).open); },
        chain.watch()});
  play_contradiction(chain, own, "prekey that was never made", "PREKEY_UNKNOWN refusals",
                     [](auto& o) { o.set_prekey_id(o.prekey_id() + 1); });
  play_contradiction(chain, own, "point of another prekey", "BAD_OPEN refusals",
                     [&](auto& o) { o.set_prekey_point(own.vehicle.bundle().one_time(0).point()); });
  play_contradiction(chain, own, "ephemeral that is not on the curve", "BAD_OPEN refusals",
                     [](auto& o) { o.set_ephemeral("\x04" + Blob(64, 'x')); });
  play_contradiction(chain, own, "suite that the prekey was not given for", "SUITE_NOT_ALLOWED refusals",
                     [](auto& o) { o.set_suite(1), o.set_offer(3); });
}

TEST_CASE("objects of another vehicle, on every route") {
  Chain& chain = shared_chain();
  Member victim = chain.member();
  Member thief = chain.member();
  const char* const holds = "everything of its own, and the victim's messages";
  const auto bola = [&](const char* name, const std::string& expected,
                        const std::function<std::string()>& attack, const std::function<std::string()>& twin,
                        const std::function<State()>& state) {
    play({"bola", name, holds, expected, attack, twin, state});
  };
  const Blob record = victim.session.seal(some_batch());
  bola(
      "records: the victim's record", "200 unknown_session",
      [&] { return chain.deliver_sealed(thief, record); }, [&] { return chain.deliver_sealed(victim, record); },
      chain.watch());
  const TestSession open = victim.vehicle.open_session();
  bola(
      "records: the victim's SessionOpen", "200 wrong-vehicle",
      [&] { return chain.deliver_open(thief, open.open); },
      [&] { return chain.deliver_open(victim, open.open); }, chain.watch());
  v1::Upload ask;
  ask.set_ack_session(victim.session.id);
  play({"bola", "records: an ack for the victim's session", holds, "200 no ack",
        [&] { return acks_in_answer(chain, chain.upload(thief, ask)); },
        [&] { return acks_in_answer(chain, chain.upload(victim, ask)); }, chain.watch(), "200 ack", false});
  const Blob request = victim.vehicle.prekeys_request(1);
  bola(
      "prekeys: the victim's signed request", "403 forbidden wrong-vehicle",
      [&] { return chain.prekeys(thief, request); }, [&] { return chain.prekeys(victim, request); },
      chain.watch());
  const Blob named = thief.vehicle.prekeys_request(1, [&](auto& body) { body.set_vehicle_id(victim.id()); });
  bola(
      "prekeys: one's own request in the victim's name", "403 forbidden wrong-vehicle",
      [&] { return chain.prekeys(thief, named); },
      [&] { return chain.prekeys(thief, thief.vehicle.prekeys_request(1)); }, chain.watch());
  const v1::Prekey& prekey = victim.vehicle.bundle().one_time(5);
  TestVehicle::OpenPlan stolen;
  stolen.prekey = &prekey;
  bola(
      "records: a session under the victim's prekey", "200 refusals",
      [&] { return chain.deliver_open(thief, thief.vehicle.open_session(stolen).open); },
      [&] { return chain.deliver_open(victim, victim.vehicle.open_session(stolen).open); }, chain.watch());
  // The thief says of its own sessions what it wants; nothing of the victim's may move.
  const std::string of_victim =
      " WHERE vehicle = (SELECT id FROM vehicles WHERE name = '" + victim.id() + "'); ";
  const auto watch =
      chain.watch("SELECT session_id, state, contiguous, last_durable FROM sessions" + of_victim +
                  "SELECT * FROM losses" + of_victim + "SELECT id, state, claimed_by FROM prekeys" + of_victim);
  const auto follow = [&](Member& as) {
    TestVehicle::OpenPlan plan = last_resort(as);
    plan.previous = victim.session.id;
    plan.previous_last = victim.session.sequence;
    return chain.deliver_open(as, as.vehicle.open_session(plan).open);
  };
  const auto lose = [&](Member& as) {
    v1::LossReport report;
    auto* range = report.add_ranges();
    range->set_session_id(victim.session.id);
    range->set_first(900);
    range->set_last(999);
    range->set_count(100);
    range->set_cause(v1::LossRange::CAUSE_EVICTED);
    return chain.deliver_sealed(as, as.session.seal(frame(2, report.SerializeAsString())));
  };
  bola(
      "records: a loss report about the victim's session", "200", [&] { return lose(thief); },
      [&] { return lose(victim); }, watch);
  bola(
      "records: the victim's session as one's predecessor", "200", [&] { return follow(thief); },
      [&] { return follow(victim); }, watch);
}

TEST_CASE("requests for prekeys") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  constexpr char kForged[] = "403 forbidden prekeys-not-authentic";
  constexpr char kBad[] = "400 bad-request";
  const auto respell = [&](const char* name, const char* expected,
                           const std::function<void(v1::SignedPrekeysRequest&)>& spoil) {
    play_prekeys(chain, own, name, kGateway, expected,
                 [&] { return respelled(own.vehicle.prekeys_request(1), spoil); });
  };
  respell("signature changed", kForged, [](auto& r) { flip(r.mutable_signature(), 5); });
  respell("no signature", kForged, [](auto& r) { r.clear_signature(); });
  respell("body changed", kForged, [](auto& r) { flip(r.mutable_body(), 20); });
  respell("chain of one", kBad, [](auto& r) { r.mutable_chain()->RemoveLast(); });
  respell("chain of three", kBad, [](auto& r) { r.add_chain(r.chain(1)); });
  respell("certificates that are none", kForged, [](auto& r) { r.set_chain(0, "x"); });
  respell("a body of more than 512 bytes", kBad, [](auto& r) { r.mutable_body()->append(600, 'x'); });
  for (const auto role : {wayseal::Role::kPrekey, wayseal::Role::kTime}) {
    play_prekeys(chain, own, role == wayseal::Role::kPrekey ? "wrong role: prekey" : "wrong role: time",
                 "a backend's key", kForged, [&] {
                   return signed_by(make_signer(Fleet::get().pki(), role, own.id()),
                                    own.vehicle.prekeys_request(1));
                 });
  }
  play_prekeys(chain, own, "signed under the label of a SessionOpen", "signatures of another kind", kForged,
               [&] { return signed_by(own.vehicle.e2e(), own.vehicle.prekeys_request(1), "wayseal/1 open"); });
  const auto value = [&](const char* name, const std::function<void(v1::PrekeysRequest&)>& edit) {
    play_prekeys(chain, own, name, "the vehicle's keys", kBad,
                 [&] { return own.vehicle.prekeys_request(1, edit); });
  };
  value("version 2", [](auto& r) { r.set_version(2); });
  value("a challenge of 31 bytes", [](auto& r) { r.set_challenge(Blob(31, 'x')); });
  value("65 prekeys", [](auto& r) { r.set_wanted(65); });
  value("no suite", [](auto& r) { r.set_suites(0); });
  // Exhaustion: what is given and never used is given again.
  Member greedy = chain.member(1);
  const auto ask = [&](Member& as) { return chain.prekeys(as, as.vehicle.prekeys_request(64)); };
  for (int i = 0; i < 6; ++i) REQUIRE(ask(greedy) == "200");
  play({"prekeys", "ask again and again without using any", "the vehicle's keys", "200",
        [&] { return ask(greedy); },
        [&] {
          greedy.vehicle.take(chain.last_body());
          for (int i = 0; i < 8; ++i) chain.deliver_open(greedy, greedy.vehicle.open_session().open);
          return ask(greedy);
        },
        chain.watch("SELECT COUNT(*) FROM prekeys")});
}

}  // namespace attack
