// SPDX-License-Identifier: Apache-2.0
// Copies of a running vehicle: a fork, an image that is resumed twice, flash that is copied. None of them seals
// under a key and nonce that another one has used.
#include <catch2/catch_test_macros.hpp>
#include <sstream>

#include "threads/forked.hpp"
#include "threads/way_rig.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::fakes {
namespace {

constexpr uint32_t kFrames = 200;

/// Time of the test, continuity of the process.
class ProcessClock final : public Clock {
 public:
  explicit ProcessClock(FakeClock& time) : time_(time) {}

 private:
  MonotonicTime do_now() const override { return time_.now(); }
  uint64_t do_continuity() const override { return process_.continuity() + time_.continuity(); }
  FakeClock& time_;
  PosixClock process_;
};

std::string hex(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// What one copy of the vehicle did: its seals from some moment on, as text that fits through a pipe.
struct Deeds {
  struct Seal {
    std::string key;
    std::string nonce;
    std::string content;
  };
  bool delivered = false;  ///< Everything that it collected, before and after, once.
  uint32_t sessions_opened = 0;
  bool derived_first = false;  ///< Its first use of a session key was to make one.
  std::vector<Seal> seals;

  std::string text() const {
    std::ostringstream out;
    out << "deeds " << delivered << ' ' << sessions_opened << ' ' << derived_first << ' ' << seals.size()
        << '\n';
    for (const Seal& seal : seals) out << seal.key << ' ' << seal.nonce << ' ' << seal.content << '\n';
    return out.str();
  }
  static Deeds from(const std::string& text) {
    std::istringstream in(text);
    std::string word;
    size_t count = 0;
    Deeds deeds;
    in >> word >> deeds.delivered >> deeds.sessions_opened >> deeds.derived_first >> count;
    if (word != "deeds") throw std::runtime_error("the child says: " + text);
    deeds.seals.resize(count);
    for (Seal& seal : deeds.seals) in >> seal.key >> seal.nonce >> seal.content;
    return deeds;
  }
};

std::vector<Deeds::Seal> seals_since(const FakeVault& vault, size_t first) {
  std::vector<Deeds::Seal> seals;
  for (size_t i = first; i < vault.nonce_uses().size(); ++i) {
    const NonceUse& use = vault.nonce_uses()[i];
    seals.push_back({hex(use.key_digest.bytes()), hex(use.nonce.bytes()), hex(use.content_digest.bytes())});
  }
  return seals;
}

/// The way goes on, in this process, with frames of its own.
Deeds go_on(Way& way, uint32_t first_frame) {
  WayWorld& world = way.world;
  Deeds deeds;
  const size_t used = world.vault.nonce_uses().size();
  const uint32_t opened = way.client.stats().sealer.sessions_opened;
  const size_t there = delivered(world).frames.size();
  VaultCall first = VaultCall::kReopen;
  way.on_vault = [&](VaultCall call) {
    if (first == VaultCall::kReopen && (call == VaultCall::kSeal || call == VaultCall::kDerive)) first = call;
  };
  way.watch_ports();
  way.next_frame = first_frame;
  way.send(kFrames);
  const bool all = way.deliver_all(world.clock);
  way.on_vault = {};
  const Delivered now = delivered(world);
  deeds.delivered = all && now.repeated + now.wrong == 0 && now.frames.size() > there + kFrames - 1 &&
                    !world.nonce_seen_twice && nonces_are_unique(world.vault) && session_keys_are_unique(world);
  deeds.sessions_opened = way.client.stats().sealer.sessions_opened - opened;
  deeds.derived_first = first == VaultCall::kDerive;
  deeds.seals = seals_since(world.vault, used);
  return deeds;
}

/// No two of them used one key with one nonce.
void check_apart(const std::vector<const Deeds*>& copies) {
  std::set<std::pair<std::string, std::string>> seen;
  size_t seals = 0;
  for (const Deeds* copy : copies) {
    for (const Deeds::Seal& seal : copy->seals) {
      ++seals;
      CHECK(seen.emplace(seal.key, seal.nonce).second);
    }
  }
  CHECK(seals > copies.size());
}

void check_new_session(const Deeds& copy, const Deeds& before) {
  CHECK(copy.delivered);
  CHECK(copy.sessions_opened == 1);
  CHECK(copy.derived_first);
  CHECK_FALSE(copy.seals.empty());
  for (const Deeds::Seal& seal : copy.seals) {
    for (const Deeds::Seal& old : before.seals) CHECK(seal.key != old.key);
  }
}

/// A vehicle in the middle of its day: a session is open, records wait on flash, frames wait in the open batch.
void drive_a_while(Way& way) {
  way.start();
  way.send(kFrames);
  if (!way.deliver_all(way.world.clock)) throw std::runtime_error("the way does not work at all");
  way.world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
  way.world.channel.close();
  way.send(kFrames + 7);
  const auto some_wait = [&] {
    return way.bus.waiting() == 0 && way.client.stats().spool.waiting_records >= 3;
  };
  if (!way.run_until(way.world.clock, some_wait)) throw std::runtime_error("nothing waits on the flash");
  way.world.channel.heal();
}

}  // namespace

TEST_CASE(
    "invariant 3: no nonce twice (fork: the child opens a session of its own, and the parent goes on in its)") {
  if (test::kUnderTsan) SKIP("ThreadSanitizer does not follow a fork");
  WayWorld world;
  ProcessClock clock(world.clock);
  Way way(world, world.vault, clock);
  drive_a_while(way);
  Deeds before;
  before.seals = seals_since(world.vault, 0);
  Forked forked([&] { return go_on(way, 1000000).text(); });
  const Deeds parent = go_on(way, 2000000);
  const Deeds child = Deeds::from(forked.result());
  check_new_session(child, before);
  CHECK(parent.delivered);
  CHECK(parent.sessions_opened == 0);
  check_apart({&before, &parent, &child});
}

TEST_CASE("invariant 3: no nonce twice (an image with session, flash and token in it, resumed twice)") {
  if (test::kUnderTsan) SKIP("ThreadSanitizer does not follow a fork");
  WayWorld world;
  Way way(world, world.vault, world.clock);
  drive_a_while(way);
  Deeds before;
  before.seals = seals_since(world.vault, 0);
  const auto resume = [&](uint32_t first_frame) {
    world.clock.break_continuity();  // both resumes give the same number
    return go_on(way, first_frame).text();
  };
  Forked one([&] { return resume(1000000); });
  Forked two([&] { return resume(2000000); });
  const Deeds first = Deeds::from(one.result());
  const Deeds second = Deeds::from(two.result());
  check_new_session(first, before);
  check_new_session(second, before);
  check_apart({&before, &first, &second});
}

TEST_CASE("invariant 3: no nonce twice (two lives on copies of the flash, with one token)") {
  WayWorld world;
  {
    Way way(world, world.vault, world.clock);
    drive_a_while(way);
  }
  world.vault.lose_token();  // power was off
  test::FakeFlash other_spool{{4096, 64, 4}};
  test::FakeFlash other_state{{4096, 16, 4}};
  other_spool.set_image(world.spool_flash.image());
  other_state.set_image(world.state_flash.image());
  Way one(world, world.vault, world.clock);
  REQUIRE(world.vault.reopen() == Status::kOk);
  one.start();
  Way two(world, world.vault, world.clock, {}, other_spool, other_state);
  two.start();
  two.next_frame = 1000000;
  one.next_frame = 2000000;
  for (int round = 0; round < 5; ++round) {  // by turns, on one line
    for (Way* way : {&one, &two}) {
      way->send(kFrames);
      REQUIRE(way->deliver_all(world.clock));
      way->world.channel.close();
    }
  }
  CHECK(one.client.stats().sealer.sessions_opened == 1);
  CHECK(two.client.stats().sealer.sessions_opened == 1);
  CHECK(nonces_are_unique(world.vault));
  CHECK_FALSE(world.nonce_seen_twice);
  CHECK(session_keys_are_unique(world));
  CHECK(delivered(world).wrong == 0);
}

}  // namespace wayseal::fakes
