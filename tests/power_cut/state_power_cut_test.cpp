// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "fakes/fake_flash.hpp"
#include "wayseal/state/state_store.hpp"

namespace wayseal::test {
namespace {

constexpr CutMode kModes[] = {CutMode::kClean, CutMode::kTorn, CutMode::kLoseUnsynced};
constexpr StorageGeometry kShapes[] = {{4096, 8, 1}, {4096, 8, 16}, {16384, 2, 256}};
constexpr size_t kItems = 6;

using Value = std::optional<std::vector<uint8_t>>;

struct StateModel {
  Value values[kItems];
  std::optional<size_t> changing;  // a put is under way
  Value next;
};

Value get(const StateStore& store, size_t item, std::string& wrong) {
  std::vector<uint8_t> out(kStateValueMax);
  const Result<size_t> size = store.get(static_cast<StateItem>(item + 1), {out.data(), out.size()});
  if (size.status() == Status::kNotFound) return std::nullopt;
  if (!size.ok()) wrong = std::string("get: ") + status_name(size.status());
  out.resize(size.value());
  return out;
}

// Empty, or what is wrong. The model then knows which of old and new it was.
std::string check(const StateStore& store, StateModel& model) {
  std::string wrong;
  for (size_t item = 0; item < kItems && wrong.empty(); ++item) {
    const Value found = get(store, item, wrong);
    const bool may_be_new = model.changing == item && found == model.next;
    if (found != model.values[item] && !may_be_new)
      wrong = "item " + std::to_string(item) + " is neither old nor new";
    model.values[item] = found;
  }
  model.changing.reset();
  return wrong;
}

// One random change. False when it failed.
bool change(StateStore& store, StateModel& model, std::mt19937_64& random) {
  const size_t item = random() % kItems;
  const bool large = random() % 12 == 0 && item == 2;
  Value value;
  if (random() % 15 != 0) {
    value.emplace(large ? kStateValueMax - random() % 100 : random() % 60);
    for (uint8_t& byte : *value) byte = static_cast<uint8_t>(random());
  }
  model.changing = item;
  model.next = value;
  const StateItem name = static_cast<StateItem>(item + 1);
  const Status status = value ? store.put(name, {value->data(), value->size()}) : store.remove(name);
  if (status != Status::kOk) return false;
  model.values[item] = value;
  model.changing.reset();
  return true;
}

// Restarts, lives on, is cut again, restarts.
std::string live_on(FakeFlash& flash, StateModel model, uint64_t seed) {
  std::mt19937_64 random(seed);
  {
    StateStore store(flash);
    const Status status = store.mount();
    if (status != Status::kOk) return std::string("mount: ") + status_name(status);
    std::string wrong = check(store, model);
    if (!wrong.empty()) return wrong;
    flash.cut_power_at(1 + random() % 30, kModes[random() % 3]);
    for (int i = 0; i < 12 && change(store, model, random); ++i) continue;
  }
  if (flash.powered()) flash.cut_power(CutMode::kLoseUnsynced);
  flash.power_on();
  StateStore store(flash);
  const Status status = store.mount();
  if (status != Status::kOk) return std::string("second mount: ") + status_name(status);
  const std::string wrong = check(store, model);
  if (flash.violations() != 0) return "programmed what was not erased";
  return wrong.empty() ? "" : "second cut: " + wrong;
}

}  // namespace

TEST_CASE("invariant 8: power cut anywhere (state)") {
  uint64_t cuts = 0;
  for (const StorageGeometry& geometry : kShapes) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      FakeFlash flash(geometry, seed);
      StateModel model;
      std::mt19937_64 random(seed);
      flash.before_write = [&] {
        for (const CutMode mode : kModes) {
          const uint64_t cut_seed = (seed * 100000 + flash.writes()) * 3 + static_cast<uint64_t>(mode);
          FakeFlash after(geometry, cut_seed);
          after.set_image(flash.image_after_cut(mode, cut_seed));
          INFO("cut in mode " << static_cast<int>(mode) << " at write " << flash.writes() << " of life "
                              << seed);
          const std::string wrong = live_on(after, model, cut_seed);
          cuts += 2;
          if (!wrong.empty()) FAIL(wrong);
        }
      };
      StateStore store(flash);
      REQUIRE(store.mount() == Status::kOk);
      for (int i = 0; i < 220; ++i) REQUIRE(change(store, model, random));
      CHECK(check(store, model).empty());
      CHECK(flash.violations() == 0);
    }
  }
  std::printf("state: %llu cuts at every write\n", static_cast<unsigned long long>(cuts));
  CHECK(cuts >= 5000);
}

}  // namespace wayseal::test
