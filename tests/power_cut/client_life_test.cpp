// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "power_cut/life_rig.hpp"
#include "power_cut/seeded_random.hpp"

namespace wayseal::test {
namespace {

using namespace fakes;

constexpr uint64_t kSeeds = 4;

/// One life, and at each of its writes the other courses that it would take if the power went then.
class CutEverywhere {
 public:
  CutEverywhere(uint64_t seed, const CutChoice& choice, CutTally& tally)
      : random_(seed),
        backend_(who_.verifier, who_.identity.id),
        world_(seed, who_.identity, BackendHalf::kNowMs, backend_),
        watch_(world_),
        seed_(seed),
        choice_(choice),
        tally_(tally) {}

  void run() {
    world_.spool.before_write = [this] { cut_here(world_.spool); };
    world_.state.before_write = [this] { cut_here(world_.state); };
    world_.sent = [this](const Blob& record) { watch_.sent(record); };
    ClientLife life(world_);
    static_cast<void>(life.run());
    watch_.look();
    world_.spool.before_write = nullptr;
    world_.state.before_write = nullptr;
    note("without a cut", watch_.wrong().empty() ? judge(life, world_, backend_) : watch_.wrong());
    check_script(life.totals());
  }

 private:
  void cut_here(const FakeFlash& writing) {
    watch_.look();
    for (const CutMode mode : kCutModes) {
      const uint64_t cut = seed_ * kCutsPerSeed + ++cuts_;
      if (!choice_.takes(cut) || tally_.enough()) {
        ++tally_.passed_over;
        continue;
      }
      tally_.add(mode, world_.phase);
      note("cut WAYSEAL_CUT_ONLY=" + std::to_string(cut) + " in mode " +
               std::to_string(static_cast<int>(mode)) + " of the " +
               (&writing == &world_.spool ? "spool" : "state") + ", " + kPhaseNames[world_.phase],
           live_on(writing, mode, cut));
    }
  }

  // The power goes in the middle of a write to `writing`, comes back, and a fresh client goes on to the end.
  std::string live_on(const FakeFlash& writing, CutMode mode, uint64_t cut) {
    const SeededRandom random(mix(seed_, cut));
    LifeBackend backend = backend_;
    LifeWorld world = world_;
    world.end = &backend;
    world.seed = mix(seed_, cut);
    world.sent = nullptr;
    for (FakeFlash* flash : {&world.spool, &world.state}) {
      const bool torn = (flash == &world.spool) == (&writing == &world_.spool);
      flash->before_write = nullptr;
      if (torn) {
        flash->set_image(flash->image_after_cut(mode, mix(cut, 1)));
      } else {
        flash->cut_power(mode);
      }
      flash->power_on();
    }
    const std::string wrong = watch_.compare(world.spool, world.state, backend);
    if (!wrong.empty()) return wrong;
    world.owed.clear();
    for (const auto& [name, bytes] : watch_.durable()) {
      if (name.second != 0) world.owed.insert(name);
    }
    ClientLife life(world);
    static_cast<void>(life.run());
    return judge(life, world, backend);
  }

  void note(const std::string& what, const std::string& wrong) { tally_.note(seed_, what, wrong); }

  // The life has to contain what its phases are named after.
  void check_script(const ClientStats& totals) const {
    CHECK(totals.spool.evicted > 0);
    CHECK(totals.sealer.refusals > 0);
    CHECK(totals.sealer.token_reopens > 0);
    CHECK(totals.sealer.loss_reports > 0);
    CHECK(backend_.db.last_resorts_used() > 0);
  }

  SeededRandom random_;
  FakeProvisioning who_;
  LifeBackend backend_;
  LifeWorld world_;
  LifeWatch watch_;
  uint64_t seed_;
  const CutChoice& choice_;
  CutTally& tally_;
  uint64_t cuts_ = 0;
};

/// One world that is cut again and again, in recoveries as well, and must still be complete in the end.
class CutAgain {
 public:
  CutAgain(uint64_t seed, CutTally& tally)
      : random_(seed),
        dice_(seed),
        backend_(who_.verifier, who_.identity.id),
        world_(seed, who_.identity, BackendHalf::kNowMs, backend_),
        watch_(world_),
        seed_(seed),
        tally_(tally) {
    world_.spool.before_write = [this] { count_down(world_.spool, world_.state); };
    world_.state.before_write = [this] { count_down(world_.state, world_.spool); };
    world_.sent = [this](const Blob& record) { watch_.sent(record); };
  }

  void run(int cuts) {
    for (int i = 0; i < cuts && !tally_.enough();) {
      left_ = 1 + dice_() % 150;
      mode_ = kCutModes[dice_() % 3];
      ClientLife life(world_);
      if (life.run()) {
        world_.phase = 1;  // once more
        continue;
      }
      ++i;
      tally_.add(mode_, world_.phase);
      tally_.note(seed_, "cut " + std::to_string(i) + " of a chain", watch_.power_on_again(life, backend_));
    }
    left_ = 0;
    ClientLife life(world_);
    static_cast<void>(life.run());
    tally_.note(seed_, "end of a chain", judge(life, world_, backend_));
  }

 private:
  void count_down(FakeFlash& writing, FakeFlash& other) {
    watch_.look();
    if (left_ == 0 || --left_ != 0) return;
    writing.cut_power_at(1, mode_);
    other.cut_power(mode_);
  }

  SeededRandom random_;
  std::mt19937_64 dice_;
  FakeProvisioning who_;
  LifeBackend backend_;
  LifeWorld world_;
  LifeWatch watch_;
  uint64_t seed_;
  CutTally& tally_;
  uint64_t left_ = 0;
  CutMode mode_ = CutMode::kClean;
};

}  // namespace

TEST_CASE("invariants 3, 4, 5, 8: power cut anywhere in a whole life, both ends") {
  const CutChoice choice;
  CutTally tally;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    if (choice.takes_seed(seed)) CutEverywhere(seed, choice, tally).run();
  }
  tally.print("whole life", choice);
  tally.check();
  if (choice.only == 0) CHECK((tally.cuts + tally.passed_over >= 5000 || tally.enough()));
}

TEST_CASE("invariants 3, 4, 5, 8: power cut again and again on one vehicle, both ends") {
  const CutChoice choice;
  CutTally tally;
  for (uint64_t seed = 1; seed <= 6; ++seed) CutAgain(seed, tally).run(100);
  tally.print("again and again", choice);
  tally.check();
}

}  // namespace wayseal::test
