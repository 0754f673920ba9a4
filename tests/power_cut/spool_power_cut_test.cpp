// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstdio>

#include "power_cut/spool_life.hpp"

namespace wayseal::test {
namespace {

constexpr CutMode kModes[] = {CutMode::kClean, CutMode::kTorn, CutMode::kLoseUnsynced};

struct Shape {
  const char* name = nullptr;
  StorageGeometry geometry;
};
constexpr Shape kShapes[] = {
    {"4 segments of small blocks", {4096, 28, 8}},
    {"6 segments of one block, large program unit", {32768, 6, 256}},
    {"5 segments, byte-wise", {8192, 20, 1}},
};

struct Counts {
  uint64_t cuts = 0;
  uint64_t lives = 0;
  uint64_t evicted = 0;
  uint64_t delivered = 0;
};

// Goes on living on what a cut left, is cut again somewhere, and must still be right. Empty, or what is wrong.
std::string live_on(FakeFlash& flash, SpoolModel model, uint64_t seed, Counts& counts) {
  std::mt19937_64 random(seed);
  model.cut();
  flash.cut_power_at(1 + random() % 40, kModes[random() % 3]);
  {
    SpoolLife life(flash, model, seed);
    std::string wrong = life.begin();
    if (!wrong.empty()) return wrong;
    for (int i = 0; i < 25 && life.act(); ++i) continue;
    if (flash.powered()) {
      const std::string still = check_mounted(life.spool(), model);
      if (!still.empty()) return "alive: " + still;
    }
  }
  if (flash.powered()) flash.cut_power(CutMode::kLoseUnsynced);
  ++counts.cuts;
  flash.power_on();
  model.cut();
  if (flash.violations() != 0) return "programmed what was not erased";
  const std::string wrong = check_against(flash, model);
  return wrong.empty() ? "" : "second cut: " + wrong;
}

// Cuts inside the write that is about to happen, in each way.
void cut_here(const FakeFlash& flash, const SpoolModel& model, uint64_t seed, Counts& counts) {
  for (const CutMode mode : kModes) {
    const uint64_t cut_seed = seed * 3 + static_cast<uint64_t>(mode);
    FakeFlash after(flash.geometry(), cut_seed);
    after.set_image(flash.image_after_cut(mode, cut_seed));
    SpoolModel left = model;
    left.cut();
    ++counts.cuts;
    std::string wrong = check_against(after, left);
    if (wrong.empty()) wrong = live_on(after, left, cut_seed, counts);
    INFO("cut in mode " << static_cast<int>(mode) << " at write " << flash.writes() << ", seed " << cut_seed);
    if (!wrong.empty()) FAIL(wrong);
  }
}

void cut_everywhere(const Shape& shape, uint64_t seed, int actions, Counts& counts) {
  INFO(shape.name << ", life " << seed);
  FakeFlash flash(shape.geometry, seed);
  SpoolModel model;
  SpoolLife life(flash, model, seed);
  REQUIRE(life.begin().empty());
  flash.before_write = [&] { cut_here(flash, model, seed * 100000 + flash.writes(), counts); };
  for (int i = 0; i < actions; ++i) REQUIRE(life.act());
  REQUIRE(check_mounted(life.spool(), model).empty());
  CHECK(flash.violations() == 0);
  ++counts.lives;
  counts.evicted += life.spool().stats().evicted;
}

// Many restarts after many cuts, on one medium: what was promised in any life holds in all later ones.
void cut_again_and_again(const Shape& shape, uint64_t seed, int cuts, Counts& counts) {
  INFO(shape.name << ", chain " << seed);
  std::mt19937_64 random(seed);
  FakeFlash flash(shape.geometry, seed);
  SpoolModel model;
  for (int i = 0; i < cuts; ++i) {
    flash.cut_power_at(1 + random() % 120, kModes[random() % 3]);
    SpoolLife life(flash, model, random());
    REQUIRE(life.begin().empty());
    while (life.act()) continue;
    REQUIRE_FALSE(flash.powered());
    counts.evicted += life.spool().stats().evicted;
    flash.power_on();
    model.cut();
    ++counts.cuts;
    INFO("cut " << i);
    const std::string wrong = check_against(flash, model);
    if (!wrong.empty()) FAIL(wrong);
  }
  CHECK(flash.violations() == 0);
  ++counts.lives;
}

}  // namespace

TEST_CASE("invariant 8: power cut anywhere (spool)") {
  Counts counts;
  for (const Shape& shape : kShapes) {
    for (uint64_t seed = 1; seed <= 2; ++seed) cut_everywhere(shape, seed, 220, counts);
  }
  std::printf(
      "spool: %llu cuts at every write of %llu lives, each lived on; %llu records evicted and counted\n",
      static_cast<unsigned long long>(counts.cuts), static_cast<unsigned long long>(counts.lives),
      static_cast<unsigned long long>(counts.evicted));
  CHECK(counts.cuts >= 5000);
  CHECK(counts.evicted > 0);
}

TEST_CASE("invariant 8: power cut anywhere (spool), again and again on one medium") {
  Counts counts;
  for (const Shape& shape : kShapes) {
    for (uint64_t seed = 1; seed <= 8; ++seed) cut_again_and_again(shape, seed, 60, counts);
  }
  std::printf("spool: %llu cuts in %llu chains; %llu records evicted and counted\n",
              static_cast<unsigned long long>(counts.cuts), static_cast<unsigned long long>(counts.lives),
              static_cast<unsigned long long>(counts.evicted));
  CHECK(counts.cuts >= 1000);
  CHECK(counts.evicted > 0);
}

}  // namespace wayseal::test
