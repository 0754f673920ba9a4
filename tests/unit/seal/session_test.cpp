// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/session.hpp"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

#include "unit/seal/vehicle_half.hpp"
#include "wayseal/record/content.hpp"
#include "wayseal/seal/envelope.hpp"

namespace wayseal {
namespace {

using fakes::BackendSession;
using fakes::Blob;
using fakes::FakeVaultOptions;
using fakes::mutable_view;
using fakes::VaultCall;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

// A vehicle with prekeys and a session object.
struct Driver {
  explicit Driver(VehicleWorld& world, size_t one_time = 4)
      : life(world),
        openings(life.state, life.prekeys),
        session(world.vault, world.clock, openings, life.identity) {
    if (one_time > 0) REQUIRE(life.fetch(one_time).bundle == Status::kOk);
  }

  Status open() { return session.open(policy, previous, mutable_view(open_bytes), open_size); }
  // Opens, and lets the backend follow.
  BackendSession open_both() {
    REQUIRE(open() == Status::kOk);
    const auto known = life.world.backend.take_open(view(open_bytes).first(open_size));
    REQUIRE(known.has_value());
    return *known;
  }
  Status seal(const Blob& payload, SealedRecord& record) {
    Blob content{2, static_cast<uint8_t>(payload.size() >> 8), static_cast<uint8_t>(payload.size())};
    content.insert(content.end(), payload.begin(), payload.end());
    return session.seal(view(content), mutable_view(sealed), record);
  }
  Bytes sealed_bytes(const SealedRecord& record) const { return view(sealed).first(record.size); }
  Status open_ack(const Blob& message, Bytes& ack) {
    return session.open_ack(view(message), mutable_view(plain), ack);
  }

  VehicleLife life;
  CryptoPolicy policy;
  PreviousSession previous;
  Blob open_bytes = Blob(kSessionOpenBytesMax);
  size_t open_size = 0;
  Blob sealed = Blob(kRecordMax);
  Blob plain = Blob(kAckContentMax);
  StoredOpenings openings;
  Session session;
};

TEST_CASE("session: what the vehicle seals, an independent backend opens, in both suites") {
  for (const uint8_t suites : {uint8_t{1}, uint8_t{2}, uint8_t{3}}) {
    FakeVaultOptions options;
    options.suites = {suites};
    VehicleWorld world(options);
    Driver driver(world);
    const BackendSession known = driver.open_both();
    CHECK(known.suite == (suites == 2 ? 2 : 1));
    CHECK(known.th == driver.session.transcript());
    CHECK(known.id == driver.session.id());
    for (uint32_t sequence = 1; sequence <= 3; ++sequence) {
      SealedRecord record;
      REQUIRE(driver.seal(Blob(sequence * 100, 7), record) == Status::kOk);
      CHECK(record.sequence == sequence);
      const auto opened = world.backend.open(driver.sealed_bytes(record));
      REQUIRE(opened.has_value());
      CHECK(opened->sequence == sequence);
      CHECK(opened->session == driver.session.id());
      CHECK(opened->payload == Blob(sequence * 100, 7));
    }
  }
}

TEST_CASE("session: an ack of the backend opens, and only this session's own") {
  VehicleWorld world;
  Driver driver(world);
  const BackendSession old = driver.open_both();
  const Blob old_ack = world.backend.seal_ack(old.id, {{old.id, 1, {}}});
  const BackendSession known = driver.open_both();
  Bytes ack;
  CHECK(driver.open_ack(old_ack, ack) == Status::kNotFound);
  REQUIRE(driver.open_ack(world.backend.seal_ack(known.id, {{known.id, 9, {}}}), ack) == Status::kOk);
  SessionAck entry;
  AckReader reader(ack);
  REQUIRE(reader.next(entry) == Status::kOk);
  CHECK(entry.contiguous == 9);
  CHECK(driver.open_ack(world.backend.seal_content(known.id, 1, {1}), ack) == Status::kUnsupported);
  // A record of its own, sent back: the header says so already, and the keys differ besides.
  SealedRecord record;
  REQUIRE(driver.seal({1}, record) == Status::kOk);
  CHECK(driver.open_ack(
            Blob(driver.sealed.begin(), driver.sealed.begin() + static_cast<std::ptrdiff_t>(record.size)),
            ack) == Status::kMalformed);
}

TEST_CASE("invariant 6: verify, then parse: an ack with any bit changed is refused") {
  VehicleWorld world;
  Driver driver(world);
  const BackendSession known = driver.open_both();
  const Blob good = world.backend.seal_ack(known.id, {{known.id, 3, {1}}});
  Bytes ack;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Blob bad = good;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    const Status status = driver.open_ack(bad, ack);
    REQUIRE(next_step(status) == NextStep::kDropInput);
    REQUIRE(ack.empty());
  }
  REQUIRE(driver.open_ack(good, ack) == Status::kOk);
}

TEST_CASE("session: opening follows its steps in order, and Z and ephemeral are gone before the first seal") {
  VehicleWorld world;
  Driver driver(world);
  std::vector<VaultCall> calls;
  uint64_t writes_at_derive = 0;
  world.vault.on_call([&](VaultCall call) {
    calls.push_back(call);
    if (call == VaultCall::kDerive) writes_at_derive = world.state_flash.writes();
  });
  const uint64_t writes_before = world.state_flash.writes();
  REQUIRE(driver.open() == Status::kOk);
  world.vault.on_call(nullptr);
  CHECK(calls == std::vector<VaultCall>{VaultCall::kMakeEphemeral, VaultCall::kRandom, VaultCall::kDerive,
                                        VaultCall::kSign});
  // Counter and mark were written before the agreement, nothing after it.
  CHECK(writes_at_derive > writes_before);
  CHECK(world.state_flash.writes() == writes_at_derive);
  CHECK_FALSE(world.vault.ephemeral_alive());
  CHECK(driver.life.prekeys.counts().one_time == 3);
}

TEST_CASE(
    "session: a failure at any step leaves no session, no key, and never the same prekey or counter again") {
  struct Case {
    VaultCall call;
    Status status;
  };
  VehicleWorld world;
  Driver driver(world, kPrekeysMax);
  std::set<uint64_t> counters;
  for (const Case& one :
       {Case{VaultCall::kMakeEphemeral, Status::kTokenLost}, Case{VaultCall::kRandom, Status::kTimeout},
        Case{VaultCall::kDerive, Status::kTokenLost}, Case{VaultCall::kSign, Status::kTimeout}}) {
    world.vault.fail(one.call, 1, one.status);
    CHECK(driver.open() == one.status);
    CHECK(driver.open_size == 0);
    CHECK(driver.session.state() == SessionState::kNone);
    CHECK(world.vault.live_session_keys() == 0);
    SealedRecord record;
    CHECK(driver.seal({1}, record) == Status::kBadState);
    if (one.status == Status::kTokenLost) REQUIRE(world.vault.reopen() == Status::kOk);
    const BackendSession known = driver.open_both();
    CHECK(counters.insert(known.counter).second);
  }
  CHECK(*counters.rbegin() == 8);
  for (const auto& claim : world.backend.claims) CHECK(claim.second.size() == 1);
}

TEST_CASE("session: without prekeys, identity, suite or storage there is none, and it is said why") {
  VehicleWorld world;
  Driver driver(world, 0);
  CHECK(driver.open() == Status::kNotFound);
  driver.policy.suites = {4};
  CHECK(driver.open() == Status::kUnsupported);
  driver.policy.suites = {3};
  driver.policy.limits.records = 0;
  CHECK(driver.open() == Status::kInvalidArgument);
  driver.policy.limits = {};
  REQUIRE(driver.life.fetch(1).bundle == Status::kOk);
  world.state_flash.fail_all_writes(Status::kFull);
  CHECK(driver.open() == Status::kFull);
  world.state_flash.fail_all_writes(std::nullopt);
  CHECK(driver.life.prekeys.counts().one_time == 1);
  const VehicleIdentity nobody;
  StoredOpenings openings(driver.life.state, driver.life.prekeys);
  Session session(world.vault, world.clock, openings, nobody);
  CHECK(session.open({}, {}, mutable_view(driver.open_bytes), driver.open_size) == Status::kBadState);
  CHECK(driver.session.open({}, {}, {driver.open_bytes.data(), 100}, driver.open_size) ==
        Status::kBufferTooSmall);
}

namespace {

// What a device of the tiny profile brings: a counter of its token, and a provisioned last-resort prekey.
class ProvisionedOpenings final : public OpeningSource {
 public:
  explicit ProvisionedOpenings(const TakenPrekey& prekey) : prekey_(prekey) {}

 private:
  Status do_next_counter(uint64_t& counter) override {
    counter = ++counter_;
    return Status::kOk;
  }
  Status do_take(SuiteSet usable, TakenPrekey& out) override {
    out = prekey_;
    out.suites = prekey_.suites & usable;
    return out.suites.empty() ? Status::kNotFound : Status::kOk;
  }

  TakenPrekey prekey_;
  uint64_t counter_ = 0;
};

}  // namespace

TEST_CASE("session: counter and prekey may come from elsewhere than the state store (tiny profile)") {
  VehicleWorld world;
  Driver driver(world, 0);
  REQUIRE(driver.life.fetch(1).bundle == Status::kOk);
  TakenPrekey prekey;
  REQUIRE(driver.life.prekeys.take({3}, prekey) == Status::kOk);
  REQUIRE(driver.life.prekeys.take({3}, prekey) == Status::kOk);
  REQUIRE(prekey.last_resort);
  ProvisionedOpenings openings(prekey);
  Session session(world.vault, world.clock, openings, driver.life.identity);
  for (uint64_t counter = 1; counter <= 2; ++counter) {
    REQUIRE(session.open({}, {}, mutable_view(driver.open_bytes), driver.open_size) == Status::kOk);
    REQUIRE(world.backend.take_open(view(driver.open_bytes).first(driver.open_size)).has_value());
    const Blob content{2, 0, 1, 7};
    SealedRecord record;
    REQUIRE(session.seal(view(content), mutable_view(driver.sealed), record) == Status::kOk);
    const auto opened = world.backend.open(driver.sealed_bytes(record));
    REQUIRE(opened.has_value());
    CHECK(opened->session == session.id());
    CHECK(opened->payload == Blob{7});
  }
}

TEST_CASE("session: the strongest common suite is taken, and a changed offer does not verify") {
  FakeVaultOptions options;
  options.suites = {3};
  VehicleWorld world(options);
  Driver driver(world);
  driver.policy.suites = {2};
  CHECK(driver.open_both().suite == 2);
  driver.policy.suites = {3};
  CHECK(driver.open_both().suite == 1);
  // Somebody on the way takes suite 1 out of the offer, or changes the suite itself.
  REQUIRE(driver.open() == Status::kOk);
  Blob bytes(driver.open_bytes.begin(),
             driver.open_bytes.begin() + static_cast<std::ptrdiff_t>(driver.open_size));
  REQUIRE(bytes[4] == 0x18);  // field 3, offer
  bytes[3] = 2;
  CHECK_FALSE(world.backend.take_open(view(bytes)).has_value());
  bytes[3] = 1;
  bytes[5] = 1;
  CHECK_FALSE(world.backend.take_open(view(bytes)).has_value());
  bytes[5] = 3;
  CHECK(world.backend.take_open(view(bytes)).has_value());
}

TEST_CASE("session: it ends at its limits of records, bytes and age") {
  VehicleWorld world;
  SealedRecord record;
  SECTION("records") {
    Driver driver(world);
    driver.policy.limits.records = 2;
    driver.open_both();
    REQUIRE(driver.seal({1}, record) == Status::kOk);
    REQUIRE(driver.seal({1}, record) == Status::kOk);
    CHECK(driver.session.state() == SessionState::kSpent);
    CHECK(driver.seal({1}, record) == Status::kExhausted);
    CHECK(record.sequence == 0);
  }
  SECTION("bytes") {
    Driver driver(world);
    driver.policy.limits.bytes = kContentMax + 100;
    driver.open_both();
    REQUIRE(driver.seal(Blob(90), record) == Status::kOk);
    CHECK(driver.session.state() == SessionState::kAlive);
    REQUIRE(driver.seal(Blob(90), record) == Status::kOk);
    CHECK(driver.session.state() == SessionState::kSpent);
  }
  SECTION("age, and acks are opened all the same") {
    Driver driver(world);
    const BackendSession known = driver.open_both();
    world.clock.advance_ms(kSessionAgeMaxMs - 1);
    CHECK(driver.seal({1}, record) == Status::kOk);
    world.clock.advance_ms(1);
    CHECK(driver.seal({1}, record) == Status::kExhausted);
    Bytes ack;
    CHECK(driver.open_ack(world.backend.seal_ack(known.id, {}), ack) == Status::kOk);
  }
}

TEST_CASE("session: the previous session is told under the signature") {
  VehicleWorld world;
  Driver driver(world);
  const BackendSession first = driver.open_both();
  CHECK(first.previous.empty());
  driver.previous = {PreviousSession::Known::kYes, first.id, 42};
  const BackendSession second = driver.open_both();
  CHECK(second.previous == Blob(std::begin(first.id.data), std::end(first.id.data)));
  CHECK(second.previous_last_durable == 42);
  CHECK(second.counter == first.counter + 1);
}

TEST_CASE("invariant 3: no nonce twice: a failed seal uses its number up") {
  VehicleWorld world;
  Driver driver(world);
  driver.open_both();
  SealedRecord record;
  world.vault.fail(VaultCall::kSeal, 1, Status::kTimeout);
  CHECK(driver.seal({1}, record) == Status::kTimeout);
  CHECK(record.sequence == 1);
  CHECK(record.size == 0);
  REQUIRE(driver.seal({1}, record) == Status::kOk);
  CHECK(record.sequence == 2);
  CHECK_FALSE(world.vault.nonce_reused());
}

TEST_CASE(
    "invariant 3: no nonce twice: after a reset, a fork or a resume nothing is sealed under the old keys") {
  VehicleWorld world;
  Driver driver(world);
  SealedRecord record;
  driver.open_both();
  REQUIRE(driver.seal({1}, record) == Status::kOk);
  const size_t uses = world.vault.nonce_uses().size();
  SECTION("the token is reset under the program's feet") {
    world.vault.lose_token();
    CHECK(driver.session.state() == SessionState::kTokenLost);
    REQUIRE(world.vault.reopen() == Status::kOk);
  }
  SECTION("fork or resume") {
    world.clock.break_continuity();
    CHECK(driver.session.state() == SessionState::kForked);
  }
  CHECK(driver.seal({2}, record) == Status::kTokenLost);
  CHECK(record.sequence == 0);
  Bytes ack;
  CHECK(driver.open_ack(Blob(40), ack) == Status::kTokenLost);
  CHECK(world.vault.nonce_uses().size() == uses);
  driver.open_both();
  REQUIRE(driver.seal({2}, record) == Status::kOk);
  CHECK(world.vault.nonce_uses().back().key_number != world.vault.nonce_uses().front().key_number);
  CHECK_FALSE(world.vault.nonce_reused());
}

TEST_CASE("invariant 3: no nonce twice: storage that is rolled back or cloned leads to other keys") {
  VehicleWorld world;
  { Driver provision(world); }
  const std::vector<uint8_t> snapshot = world.state_flash.image();
  std::set<Blob> transcripts;
  std::map<uint64_t, int> prekey_uses;
  for (int life = 0; life < 3; ++life) {
    world.state_flash.set_image(snapshot);
    Driver driver(world, 0);
    const BackendSession known = driver.open_both();
    CHECK(known.counter == 1);  // the storage cannot know better; the backend sees it and raises an alarm
    CHECK(transcripts.insert(Blob(std::begin(known.th.data), std::end(known.th.data))).second);
    ++prekey_uses[known.prekey_id];
    SealedRecord record;
    for (int i = 0; i < 3; ++i) {
      REQUIRE(driver.seal({static_cast<uint8_t>(life), static_cast<uint8_t>(i)}, record) == Status::kOk);
      CHECK(world.backend.open(driver.sealed_bytes(record)).has_value());
    }
  }
  CHECK(prekey_uses.begin()->second == 3);  // one prekey, three transcripts: the alarm
  CHECK_FALSE(world.vault.nonce_reused());
  std::set<uint32_t> keys;
  for (const auto& use : world.vault.nonce_uses()) keys.insert(use.key_number);
  CHECK(keys.size() == 3);
}

TEST_CASE("invariant 3: no nonce twice: a power cut at any write of opening leads to a new session") {
  VehicleWorld world;
  {
    VehicleLife life(world);
    REQUIRE(life.fetch(kPrekeysMax).bundle == Status::kOk);
  }
  const std::vector<uint8_t> before = world.state_flash.image();
  int cuts = 0;
  for (uint64_t n = 1;; ++n) {
    world.state_flash.set_image(before);
    bool cut = false;
    uint64_t counter = 0;
    {
      Driver driver(world, 0);
      world.state_flash.cut_power_at(n, test::CutMode::kTorn);
      const Status status = driver.open();
      cut = !world.state_flash.powered();
      if (status == Status::kOk)
        counter = world.backend.take_open(view(driver.open_bytes).first(driver.open_size))->counter;
    }
    if (!cut) break;
    ++cuts;
    world.state_flash.power_on();
    Driver driver(world, 0);
    const BackendSession known = driver.open_both();
    CHECK(known.counter > counter);
    SealedRecord record;
    REQUIRE(driver.seal({1}, record) == Status::kOk);
  }
  CHECK(cuts >= 4);
  CHECK_FALSE(world.vault.nonce_reused());
}

TEST_CASE("session: keys are destroyed when it ends") {
  VehicleWorld world;
  {
    Driver driver(world);
    driver.open_both();
    CHECK(world.vault.live_session_keys() == 2);
    driver.open_both();
    CHECK(world.vault.live_session_keys() == 2);
    driver.session.close();
    CHECK(world.vault.live_session_keys() == 0);
    driver.open_both();
  }
  CHECK(world.vault.live_session_keys() == 0);
}

TEST_CASE("session: arguments out of range take no number") {
  VehicleWorld world;
  Driver driver(world);
  driver.open_both();
  SealedRecord record;
  const Blob large(kContentMax + 1);
  CHECK(driver.session.seal(view(large), mutable_view(driver.sealed), record) == Status::kInvalidArgument);
  CHECK(driver.session.seal(view(large).first(2), mutable_view(driver.sealed), record) ==
        Status::kInvalidArgument);
  CHECK(driver.session.seal(view(large).first(9), {driver.sealed.data(), sealed_size(9) - 1}, record) ==
        Status::kBufferTooSmall);
  CHECK(driver.session.last_sequence() == 0);
  CHECK(driver.session.seal(view(large).first(kContentMax), mutable_view(driver.sealed), record) ==
        Status::kOk);
}

}  // namespace
}  // namespace wayseal
