// SPDX-License-Identifier: Apache-2.0
// What a loss report's count means once ranges were merged and the power was cut: "at most so many are missing".
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>
#include <set>

#include "power_cut/life_watch.hpp"

namespace wayseal::test {
namespace {

constexpr StorageGeometry kGeometry{4096, 28, 4};

struct Life {
  SessionId session;
  std::set<uint64_t> stored;   // durable records
  std::set<uint64_t> missing;  // numbers without one
};

// Every second or third number is void, so that there are more ranges than the ledger keeps apart.
Life seal_with_voids(FakeFlash& flash, uint64_t seed) {
  std::mt19937_64 random(seed);
  Spool spool(flash);
  Life life;
  life.session.data[0] = static_cast<uint8_t>(seed + 1);
  const Blob open(700, 1);
  const Blob record(60, 2);
  REQUIRE(spool.mount() == Status::kOk);
  REQUIRE(spool.append_open(life.session, {open.data(), open.size()}) == Status::kOk);
  const uint64_t last = 6 * kLossRangesMax;
  for (uint64_t sequence = 1; sequence <= last; ++sequence) {
    if (sequence != last && random() % 5 < 2) {
      spool.note_void(life.session, sequence);
      life.missing.insert(sequence);
    } else {
      REQUIRE(spool.append(life.session, sequence, {record.data(), record.size()}) == Status::kOk);
      life.stored.insert(sequence);
    }
    // Not all voids are in a checkpoint when the power goes: those are found again as gaps.
    if (sequence == last * 3 / 4) REQUIRE(spool.sync() == Status::kOk);
  }
  flash.cut_power(CutMode::kClean);
  flash.power_on();
  return life;
}

uint64_t missing_in(const Life& life, const LossRange& range) {
  const auto from = life.missing.lower_bound(range.first);
  return static_cast<uint64_t>(std::distance(from, life.missing.upper_bound(range.last)));
}

}  // namespace

TEST_CASE(
    "invariant 4: nothing vanishes (a merged range counts at most what it spans and at least what is "
    "missing)") {
  uint64_t merged = 0;
  uint64_t counted_twice = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    FakeFlash flash(kGeometry, seed);
    const Life life = seal_with_voids(flash, seed);
    const SpoolView left = look_at_spool(flash);
    REQUIRE(left.wrong.empty());
    for (const LossRange& range : left.losses) {
      const uint64_t span = range.last - range.first + 1;
      const uint64_t missing = missing_in(life, range);
      CHECK(range.count <= span);
      CHECK(range.count >= missing);  // so it settles once all others have arrived: PROTOCOL.md, 11
      merged += missing < span ? 1 : 0;
      counted_twice += range.count > missing ? 1 : 0;
    }
    for (const uint64_t sequence : life.missing) CHECK(left.counts_as_lost({id_blob(life.session), sequence}));
    for (const uint64_t sequence : life.stored)
      CHECK(left.entries.count({id_blob(life.session), sequence}) == 1);
  }
  CHECK(merged > 0);
  CHECK(counted_twice > 0);
}

}  // namespace wayseal::test
