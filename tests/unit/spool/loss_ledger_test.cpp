// SPDX-License-Identifier: Apache-2.0
#include "wayseal/spool/loss_ledger.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>
#include <utility>

#include "unit/spool/spool_fixture.hpp"

namespace wayseal::test {

namespace {

uint64_t total(const LossLedger& ledger) {
  uint64_t count = 0;
  for (size_t i = 0; i < ledger.size(); ++i) count += ledger[i].count;
  return count;
}

}  // namespace

TEST_CASE("loss ledger: neighbours of one cause become one range, and nothing is counted twice") {
  LossLedger ledger;
  ledger.add(session_id(1), 5, 5, 1, LossCause::kEvicted);
  ledger.add(session_id(1), 6, 6, 1, LossCause::kEvicted);
  ledger.add(session_id(1), 4, 4, 1, LossCause::kEvicted);
  ledger.add(session_id(1), 5, 5, 1, LossCause::kDamaged);
  CHECK(ledger.size() == 1);
  CHECK(total(ledger) == 3);
  ledger.add(session_id(1), 7, 7, 1, LossCause::kVoid);
  ledger.add(session_id(2), 7, 7, 1, LossCause::kEvicted);
  CHECK(ledger.size() == 3);
  CHECK(ledger.counts(session_id(1), 4));
  CHECK_FALSE(ledger.counts(session_id(1), 8));
  CHECK_FALSE(ledger.counts(session_id(3), 4));
}

TEST_CASE("loss ledger: a range that was merged does not say of each number within that it is counted") {
  LossLedger ledger;
  for (uint32_t i = 0; i <= kLossRangesMax; ++i) {
    ledger.add(session_id(1), 1 + 10 * i, 1 + 10 * i, 1, LossCause::kVoid);
  }
  REQUIRE(ledger.size() == kLossRangesMax);
  CHECK_FALSE(ledger.counts(session_id(1), 5));
  CHECK(ledger.counts(session_id(1), 21));
  ledger.add(session_id(1), 2, 10, 9, LossCause::kDamaged);
  CHECK(ledger.counts(session_id(1), 5));
}

TEST_CASE("loss ledger: it never grows too large and never forgets a count") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    LossLedger ledger;
    std::set<std::pair<uint32_t, uint32_t>> truth;
    const uint32_t sessions = 1 + static_cast<uint32_t>(random() % 60);
    for (int i = 0; i < 400; ++i) {
      const uint32_t session = 1 + static_cast<uint32_t>(random() % sessions);
      const uint32_t sequence = 1 + static_cast<uint32_t>(random() % 1000);
      if (!truth.emplace(session, sequence).second) continue;
      ledger.add(session_id(session), sequence, sequence, 1, static_cast<LossCause>(1 + random() % 4));
      REQUIRE(ledger.size() <= kLossRangesMax);
      REQUIRE(total(ledger) == truth.size());
    }
    CHECK(total(ledger) == truth.size());
    for (size_t i = 0; i < ledger.size(); ++i) {
      if (ledger[i].last != 0) CHECK(ledger[i].count <= ledger[i].last - ledger[i].first + 1);
    }
  }
}

TEST_CASE("loss ledger: of more ranges than a report takes, the rest goes into the next") {
  LossLedger ledger;
  for (uint32_t i = 1; i <= 10; ++i) ledger.add(session_id(i), 1, 3, 2, LossCause::kEvicted);
  uint64_t reported = 0;
  int reports = 0;
  while (ledger.unreported()) {
    LossRange out[4];
    const LossSnapshot snapshot = ledger.snapshot(out);
    for (size_t i = 0; i < snapshot.count; ++i) reported += out[i].count;
    ledger.report_sent(snapshot.token, session_id(99), 1);
    CHECK(ledger.report_is(session_id(99), 1));
    ledger.report_settled();
    REQUIRE(++reports < 10);
  }
  CHECK(reports == 3);
  CHECK(reported == 20);
  CHECK(ledger.size() == 0);
}

}  // namespace wayseal::test
