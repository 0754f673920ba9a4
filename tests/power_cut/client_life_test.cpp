// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "power_cut/life_watch.hpp"
#include "power_cut/seeded_random.hpp"

namespace wayseal::test {
namespace {

using namespace fakes;

constexpr int64_t kNowMs = BackendHalf::kNowMs;
constexpr CutMode kModes[] = {CutMode::kClean, CutMode::kTorn, CutMode::kLoseUnsynced};
constexpr uint64_t kSeeds = 4;
constexpr uint64_t kPerSeed = 100000;  // cuts are numbered seed * kPerSeed + n
constexpr size_t kFailuresMax = 3;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kStride = 5;
#else
constexpr uint64_t kStride = 1;
#endif

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Every stride-th cut is made, or one alone.
struct Choice {
  uint64_t stride = number_from("WAYSEAL_CUT_STRIDE", kStride);
  uint64_t only = number_from("WAYSEAL_CUT_ONLY", 0);

  bool takes(uint64_t cut) const { return only != 0 ? cut == only : cut % stride == 0; }
  bool takes_seed(uint64_t seed) const { return only == 0 || only / kPerSeed == seed; }
};

struct Tally {
  uint64_t cuts = 0;
  uint64_t torn = 0;
  uint64_t passed_over = 0;
  uint64_t phases[kPhases] = {};
  std::vector<std::string> failures;

  void print(const char* what, const Choice& choice) const {
    std::printf("%s: %llu cuts, %llu of them torn or out of order, every %llu. of %llu;", what,
                static_cast<unsigned long long>(cuts), static_cast<unsigned long long>(torn),
                static_cast<unsigned long long>(choice.stride),
                static_cast<unsigned long long>(cuts + passed_over));
    for (size_t i = 0; i < kPhases; ++i)
      std::printf(" %s %llu%s", kPhaseNames[i], static_cast<unsigned long long>(phases[i]),
                  i + 1 < kPhases ? "," : "\n");
  }
};

struct Provisioned {
  Provisioned() {
    identity.id = "vehicle-7";
    identity.key = random_scalar();
    const FakeChain chain = verifier.issue(
        {Role::kVehicle, identity.id, public_point(identity.key), {0}, {kNowMs + 365 * kMsPerDay}});
    identity.leaf = chain.leaf;
    identity.intermediate = chain.intermediate;
    identity.verifier = &verifier;
  }
  FakeCertVerifier verifier;
  LifeIdentity identity;
};

/// What both ends look like after a life. Empty, or what is wrong.
std::string judge(const ClientLife& life, const LifeWorld& world, LifeBackend& backend) {
  if (!life.wrong().empty()) return life.wrong();
  if (!backend.wrong.empty()) return backend.wrong;
  if (!backend.db.alarms.empty()) return "alarm " + *backend.db.alarms.begin();
  if (!backend.missing().empty()) return backend.missing();
  if (world.spool.violations() + world.state.violations() != 0) return "programmed what was not erased";
  const SpoolView left = look_at_spool(world.spool);
  if (!left.wrong.empty()) return left.wrong;
  for (const auto& [name, bytes] : left.entries) {
    if (name.second != 0 && !backend.accounts_for(name)) return name_text(name) + " was never delivered";
  }
  return "";
}

/// One life, and at each of its writes the other courses that it would take if the power went then.
class CutEverywhere {
 public:
  CutEverywhere(uint64_t seed, const Choice& choice, Tally& tally)
      : random_(seed),
        backend_(who_.verifier, who_.identity.id),
        world_(seed, who_.identity, kNowMs, backend_),
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
    for (const CutMode mode : kModes) {
      const uint64_t cut = seed_ * kPerSeed + ++cuts_;
      if (!choice_.takes(cut) || tally_.failures.size() >= kFailuresMax) {
        ++tally_.passed_over;
        continue;
      }
      ++tally_.cuts;
      tally_.torn += mode == CutMode::kClean ? 0 : 1;
      ++tally_.phases[world_.phase];
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

  void note(const std::string& what, const std::string& wrong) {
    if (!wrong.empty()) tally_.failures.push_back("seed " + std::to_string(seed_) + ", " + what + ": " + wrong);
  }

  // The life has to contain what its phases are named after.
  void check_script(const ClientStats& totals) const {
    CHECK(totals.spool.evicted > 0);
    CHECK(totals.sealer.refusals > 0);
    CHECK(totals.sealer.token_reopens > 0);
    CHECK(totals.sealer.loss_reports > 0);
    CHECK(backend_.db.last_resorts_used() > 0);
  }

  SeededRandom random_;
  Provisioned who_;
  LifeBackend backend_;
  LifeWorld world_;
  LifeWatch watch_;
  uint64_t seed_;
  const Choice& choice_;
  Tally& tally_;
  uint64_t cuts_ = 0;
};

void report(const Tally& tally) {
  for (const std::string& failure : tally.failures) UNSCOPED_INFO(failure);
  CHECK(tally.failures.empty());
}

}  // namespace

TEST_CASE("invariants 3, 4, 5, 8: power cut anywhere in a whole life, both ends") {
  const Choice choice;
  Tally tally;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    if (choice.takes_seed(seed)) CutEverywhere(seed, choice, tally).run();
  }
  tally.print("life", choice);
  report(tally);
  if (choice.only == 0) CHECK((tally.cuts + tally.passed_over >= 5000 || !tally.failures.empty()));
}

}  // namespace wayseal::test
