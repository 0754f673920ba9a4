// SPDX-License-Identifier: Apache-2.0
#include "wayseal/enrol/enrolment.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "unit/enrol/enrolment_rig.hpp"

namespace wayseal::test {
namespace {

using namespace fakes;

struct Rig {
  Rig() { REQUIRE(boot.restore() == Status::kOk); }
  IdentityPlace& at(IdentityKey key, IdentitySlot slot) { return world.token.at(key, slot); }
  EnrolmentWorld world;
  EnrolmentBoot boot{world};
};

/// Whatever went wrong: the former identity is in use, whole, and another try succeeds.
void stays_and_recovers(Rig& rig, IdentityKey key) {
  CHECK(rig.boot.identities.used(key) == IdentitySlot::kA);
  CHECK(rig.at(key, IdentitySlot::kA).whole());
  CHECK_FALSE(rig.boot.enrolment->busy());
  CHECK_FALSE(rig.boot.enrolment->on_trial(key));
  CHECK(rig.boot.changes.empty());
}

}  // namespace

TEST_CASE("a key and its certificate are replaced, tried, and the former ones erased when confirmed") {
  const IdentityKey key = GENERATE(IdentityKey::kTls, IdentityKey::kE2e);
  Rig rig;
  rig.world.est.intermediate_first = GENERATE(false, true);  // a SET has no order
  const Scalar before = *rig.at(key, IdentitySlot::kA).key;
  REQUIRE(rig.boot.replace(key) == Status::kOk);

  CHECK(rig.boot.enrolment->on_trial(key));
  CHECK(rig.boot.enrolment->slot(key) == IdentitySlot::kB);
  CHECK(rig.boot.identities.used(key) == IdentitySlot::kB);
  CHECK(rig.boot.changes == std::vector<IdentityKey>{key});
  CHECK(rig.world.est.paths == std::vector<std::string>{key == IdentityKey::kTls
                                                            ? "/.well-known/est/tls/simplereenroll"
                                                            : "/.well-known/est/e2e/simplereenroll"});
  const ReadRequest request = read_request(rig.world.est.requests.at(0));
  CHECK(request.good);
  CHECK(request.subject == "/CN=vehicle-7");
  IdentityPlace& fresh = rig.at(key, IdentitySlot::kB);
  REQUIRE(fresh.whole());
  CHECK(*fresh.key != before);
  CHECK(request.point == public_point(*fresh.key));
  CHECK(fresh.intermediate == rig.world.est.intermediate(key == IdentityKey::kE2e));
  CHECK(rig.world.probed.count(fresh.leaf) == (key == IdentityKey::kTls ? 1 : 0));
  CHECK(rig.at(key, IdentitySlot::kA).whole());  // until confirmed
  CHECK(rig.boot.enrolment->begin(key, EnrolmentAs::kCurrent, vehicle_id("vehicle-7"), {}) ==
        Status::kBadState);

  REQUIRE(rig.boot.enrolment->confirm(key) == Status::kOk);
  CHECK_FALSE(rig.at(key, IdentitySlot::kA).key);
  CHECK(rig.at(key, IdentitySlot::kA).leaf.empty());
  CHECK(rig.boot.enrolment->confirm(key) == Status::kBadState);

  // And back into place A the next time.
  REQUIRE(rig.boot.replace(key) == Status::kOk);
  CHECK(rig.boot.identities.used(key) == IdentitySlot::kA);
}

TEST_CASE("an identity on trial is left again, and what it was is erased") {
  const IdentityKey key = GENERATE(IdentityKey::kTls, IdentityKey::kE2e);
  Rig rig;
  REQUIRE(rig.boot.replace(key) == Status::kOk);
  REQUIRE(rig.boot.enrolment->roll_back(key) == Status::kOk);
  CHECK(rig.boot.identities.used(key) == IdentitySlot::kA);
  CHECK(rig.boot.changes == std::vector<IdentityKey>{key, key});
  CHECK_FALSE(rig.at(key, IdentitySlot::kB).key);
  CHECK(rig.boot.enrolment->roll_back(key) == Status::kBadState);
  CHECK(rig.boot.replace(key) == Status::kOk);
}

TEST_CASE("the choice is durable: a start finds the identity on trial, and after confirmation") {
  Rig rig;
  REQUIRE(rig.boot.replace(IdentityKey::kE2e) == Status::kOk);
  EnrolmentBoot second(rig.world);
  REQUIRE(second.restore() == Status::kOk);
  CHECK(second.identities.used(IdentityKey::kE2e) == IdentitySlot::kB);
  CHECK(second.identities.used(IdentityKey::kTls) == IdentitySlot::kA);
  CHECK(second.enrolment->on_trial(IdentityKey::kE2e));
  REQUIRE(second.enrolment->confirm(IdentityKey::kE2e) == Status::kOk);
  EnrolmentBoot third(rig.world);
  REQUIRE(third.restore() == Status::kOk);
  CHECK(third.identities.used(IdentityKey::kE2e) == IdentitySlot::kB);
  CHECK_FALSE(third.enrolment->on_trial(IdentityKey::kE2e));
}

TEST_CASE("a vehicle without certificates enrols by its bootstrap identity") {
  EnrolmentWorld world;
  for (const IdentityKey key : {IdentityKey::kTls, IdentityKey::kE2e})
    world.token.at(key, IdentitySlot::kA) = {};
  EnrolmentBoot boot(world);
  CHECK(boot.restore() == Status::kNotFound);
  for (const IdentityKey key : {IdentityKey::kTls, IdentityKey::kE2e}) {
    REQUIRE(boot.replace(key, EnrolmentAs::kBootstrap) == Status::kOk);
    REQUIRE(boot.enrolment->confirm(key) == Status::kOk);
  }
  CHECK(boot.asked_as == std::vector<EnrolmentAs>{EnrolmentAs::kBootstrap, EnrolmentAs::kBootstrap});
  CHECK(world.est.paths ==
        std::vector<std::string>{"/.well-known/est/tls/simpleenroll", "/.well-known/est/e2e/simpleenroll"});
  EnrolmentBoot second(world);
  CHECK(second.restore() == Status::kOk);
}

TEST_CASE("what the server or the gateway does wrong leaves the former identity in use") {
  struct Wrong {
    const char* what;
    void (*make)(EnrolmentWorld&);
    Status expected;
    bool tls_only;
    bool e2e_only;
  };
  const Wrong wrong = GENERATE(values<Wrong>({
      {"refused", [](EnrolmentWorld& w) { w.est.status = 403; }, Status::kRefused, false, false},
      {"bad request", [](EnrolmentWorld& w) { w.est.status = 400; }, Status::kRefused, false, false},
      {"redirected", [](EnrolmentWorld& w) { w.est.status = 302; }, Status::kRefused, false, false},
      {"later",
       [](EnrolmentWorld& w) {
         w.est.status = 202;
         w.est.fields = "Retry-After: 77\r\n";
       },
       Status::kFull, false, false},
      {"too often", [](EnrolmentWorld& w) { w.est.status = 429; }, Status::kFull, false, false},
      {"unavailable", [](EnrolmentWorld& w) { w.est.status = 503; }, Status::kFull, false, false},
      {"another vehicle's name", [](EnrolmentWorld& w) { w.est.other_name = "vehicle-8"; },
       Status::kNotAuthentic, false, false},
      {"another key", [](EnrolmentWorld& w) { w.est.other_key = true; }, Status::kNotAuthentic, false, false},
      {"another root", [](EnrolmentWorld& w) { w.est.other_root = true; }, Status::kNotAuthentic, false, true},
      {"no intermediate", [](EnrolmentWorld& w) { w.est.without_intermediate = true; }, Status::kNotAuthentic,
       false, true},
      {"no base64", [](EnrolmentWorld& w) { w.est.instead = "<html>"; }, Status::kMalformed, false, false},
      {"no message", [](EnrolmentWorld& w) { w.est.instead = "MAA="; }, Status::kMalformed, false, false},
      {"too long", [](EnrolmentWorld& w) { w.est.instead = std::string(kEnrolmentWorkspace + 1, 'A'); },
       Status::kUnsupported, false, false},
      {"gateway refuses the handshake", [](EnrolmentWorld& w) { w.gateway_refuses = true; }, Status::kRefused,
       true, false},
      {"gateway knows no such vehicle", [](EnrolmentWorld& w) { w.gateway_status = 403; }, Status::kRefused,
       true, false},
      {"gateway cannot tell", [](EnrolmentWorld& w) { w.gateway_status = 503; }, Status::kFull, true, false},
  }));
  const IdentityKey key = wrong.tls_only   ? IdentityKey::kTls
                          : wrong.e2e_only ? IdentityKey::kE2e
                                           : GENERATE(IdentityKey::kTls, IdentityKey::kE2e);
  INFO(wrong.what);
  Rig rig;
  wrong.make(rig.world);
  CHECK(rig.boot.replace(key) == wrong.expected);
  if (rig.world.est.status == 202) CHECK(rig.boot.enrolment->retry_after_s() == 77);
  stays_and_recovers(rig, key);

  rig.world.est.status = 200;
  rig.world.est.other_name.clear();
  rig.world.est.other_key = rig.world.est.other_root = rig.world.est.without_intermediate = false;
  rig.world.est.instead.clear();
  rig.world.gateway_refuses = false;
  rig.world.gateway_status = 401;
  rig.boot.probe_channel.heal();
  CHECK(rig.boot.replace(key) == Status::kOk);
}

TEST_CASE("a line that breaks anywhere, and a token that is lost, leave the former identity in use") {
  Rig rig;
  SECTION("no line") {
    rig.boot.no_line = true;
    CHECK(rig.boot.replace(IdentityKey::kTls) == Status::kNotFound);
  }
  SECTION("no connection") {
    rig.boot.est_channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
    CHECK(rig.boot.replace(IdentityKey::kTls) == Status::kDisconnected);
  }
  SECTION("cut on the way there") {
    LineFaults faults;
    faults.cut_after_sent = 100;
    rig.boot.est_channel.set_faults(faults);
    CHECK(rig.boot.replace(IdentityKey::kTls) == Status::kDisconnected);
  }
  SECTION("cut on the way back") {
    LineFaults faults;
    faults.cut_after_received = 200;
    rig.boot.est_channel.set_faults(faults);
    CHECK(rig.boot.replace(IdentityKey::kTls) == Status::kDisconnected);
  }
  SECTION("token lost") {
    rig.boot.identities.always = Status::kTokenLost;
    CHECK(rig.boot.replace(IdentityKey::kTls) == Status::kTokenLost);
    rig.boot.identities.always = Status::kOk;
  }
  SECTION("state not writable") {
    rig.world.flash.fail_all_writes(Status::kStorageFailed);
    CHECK(rig.boot.replace(IdentityKey::kTls) == Status::kStorageFailed);
    rig.world.flash.fail_all_writes(std::nullopt);
  }
  stays_and_recovers(rig, IdentityKey::kTls);
  rig.boot.no_line = false;
  rig.boot.est_channel.heal();
  rig.boot.est_channel.set_faults({});
  CHECK(rig.boot.replace(IdentityKey::kTls) == Status::kOk);
}

TEST_CASE("a line that gives and takes one byte at a time, with stalls, is no trouble") {
  Rig rig;
  LineFaults faults;
  faults.write_max = 1;
  faults.read_max = 1;
  faults.stalls = 1;
  faults.handshake_steps = 5;
  rig.boot.est_channel.set_faults(faults);
  rig.boot.probe_channel.set_faults(faults);
  REQUIRE(rig.boot.enrolment->begin(IdentityKey::kTls, EnrolmentAs::kCurrent, vehicle_id("vehicle-7"), {}) ==
          Status::kOk);
  Status status = Status::kTimeout;
  for (int i = 0; i < 30 && (status == Status::kTimeout || status == Status::kWouldBlock); ++i)
    status = rig.boot.run();
  CHECK(status == Status::kOk);
}

TEST_CASE("without a mounted state nothing begins, and giving up leaves nothing open") {
  EnrolmentWorld world;
  EnrolmentBoot boot(world);
  CHECK(boot.replace(IdentityKey::kTls) == Status::kBadState);
  REQUIRE(boot.restore() == Status::kOk);
  REQUIRE(boot.enrolment->begin(IdentityKey::kTls, EnrolmentAs::kCurrent, vehicle_id("vehicle-7"), {}) ==
          Status::kOk);
  CHECK(boot.enrolment->begin(IdentityKey::kE2e, EnrolmentAs::kCurrent, vehicle_id("vehicle-7"), {}) ==
        Status::kBadState);
  static_cast<void>(boot.enrolment->step({}));
  boot.enrolment->abandon();
  CHECK_FALSE(boot.est_channel.is_open());
  CHECK(boot.enrolment->step({}) == Status::kOk);
}

TEST_CASE("when the place in use has lost its key, the other one is used if it is whole") {
  Rig rig;
  REQUIRE(rig.boot.replace(IdentityKey::kTls) == Status::kOk);
  rig.at(IdentityKey::kTls, IdentitySlot::kB).key.reset();
  EnrolmentBoot second(rig.world);
  CHECK(second.restore() == Status::kOk);
  CHECK(second.identities.used(IdentityKey::kTls) == IdentitySlot::kA);
  CHECK_FALSE(second.enrolment->on_trial(IdentityKey::kTls));
}

TEST_CASE("the end of the certificate in use is known") {
  Rig rig;
  UtcTime end;
  REQUIRE(rig.boot.enrolment->not_after(IdentityKey::kTls, end) == Status::kOk);
  CHECK(end.ms == 4000000000 * kMsPerSecond);
}

TEST_CASE(
    "power cut at every write of a replacement, a confirmation and a roll-back: a whole identity is in use") {
  const IdentityKey key = GENERATE(IdentityKey::kTls, IdentityKey::kE2e);
  const bool confirmed = GENERATE(true, false);
  const CutMode mode = GENERATE(CutMode::kClean, CutMode::kTorn, CutMode::kLoseUnsynced);
  int cuts = 0;
  for (int nth = 1;; ++nth) {
    EnrolmentWorld world;
    bool cut = false;
    {
      EnrolmentBoot boot(world);
      REQUIRE(boot.restore() == Status::kOk);
      int left = nth;
      const auto counts_down = [&] { return !cut && (--left > 0 || !(cut = true)); };
      boot.identities.before_write = [&] {
        if (counts_down()) return true;
        world.flash.cut_power(mode);
        return false;
      };
      world.flash.before_write = [&] {
        if (!counts_down()) world.flash.cut_power_at(1, mode);
      };
      if (boot.replace(key) == Status::kOk && !cut) {
        static_cast<void>(confirmed ? boot.enrolment->confirm(key) : boot.enrolment->roll_back(key));
      }
      world.flash.before_write = nullptr;
    }
    if (!cut) break;
    ++cuts;
    world.flash.power_on();
    EnrolmentBoot again(world);
    INFO("cut " << nth);
    REQUIRE(again.restore() == Status::kOk);
    const auto used = again.identities.used(key);
    REQUIRE(used.has_value());
    REQUIRE(world.token.at(key, *used).whole());
    CertificateFields fields;
    REQUIRE(read_certificate_fields(bytes_of(world.token.at(key, *used).leaf), fields) == Status::kOk);
    CHECK(fields.key == public_point(*world.token.at(key, *used).key));
    // What is left half made is gone, unless it is what a trial may go back to.
    const IdentityPlace& other = world.token.at(key, other_slot(*used));
    CHECK((again.enrolment->on_trial(key) ? other.whole() : !other.key && other.leaf.empty()));
    if (again.enrolment->on_trial(key)) REQUIRE(again.enrolment->confirm(key) == Status::kOk);
    CHECK(again.replace(key) == Status::kOk);
  }
  CHECK(cuts > 10);
}

}  // namespace wayseal::test
