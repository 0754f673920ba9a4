// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "unit/spool/spool_fixture.hpp"
#include "wayseal/spool/loss_ledger.hpp"

namespace wayseal::test {

TEST_CASE("loss ledger: no loss is no entry") {
  LossLedger ledger;
  ledger.add(session_id(1), 5, 5, 0, LossCause::kVoid);
  CHECK(ledger.size() == 0);
  CHECK_FALSE(ledger.unreported());
}

TEST_CASE("loss ledger: a range never counts more than it has numbers") {
  LossLedger ledger;
  ledger.add(session_id(1), 1, 100, 90, LossCause::kEvicted);
  ledger.add(session_id(1), 20, 50, 31, LossCause::kDamaged);
  REQUIRE(ledger.size() == 1);
  CHECK(ledger[0].count == 100);
  CHECK(ledger.counts(session_id(1), 7));
  CHECK_FALSE(ledger.counts(session_id(2), 7));
  CHECK_FALSE(ledger.counts(session_id(1), 101));
  CHECK_FALSE(ledger.counts(session_id(1), 0));
}

TEST_CASE("loss ledger: counts of nameless losses stop at their largest value instead of going round") {
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  LossLedger ledger;
  for (uint32_t session = 1; session <= kLossRangesMax + 3; ++session) {
    ledger.add(session_id(session), 1, kMost - 1, kMost - 1, LossCause::kRefused);
  }
  REQUIRE(ledger.size() == kLossRangesMax);
  uint32_t most = 0;
  for (size_t i = 0; i < ledger.size(); ++i) most = ledger[i].count > most ? ledger[i].count : most;
  CHECK(most == kMost);
}

TEST_CASE("loss ledger: two ranges that overlap become one that counts each number once") {
  LossLedger ledger;
  // Ranges of other sessions take all the room, so that the two of session 1 must become one.
  ledger.add(session_id(1), 1, 10, 10, LossCause::kEvicted);
  for (uint32_t session = 2; session <= kLossRangesMax; ++session) {
    ledger.add(session_id(session), 1, 1, 1, LossCause::kVoid);
  }
  ledger.add(session_id(1), 6, 15, 10, LossCause::kDamaged);
  REQUIRE(ledger.size() == kLossRangesMax);
  CHECK(ledger[0].first == 1);
  CHECK(ledger[0].last == 15);
  CHECK(ledger[0].count == 15);
  CHECK(ledger[0].cause == LossCause::kMixed);
}

TEST_CASE("loss ledger: a stored range that no ledger makes is left out, and later losses are still told") {
  const SessionId id = session_id(1);
  const LossLedger::Range forged[] = {
      {id, 9, 3, 1, 1, LossCause::kVoid},          {id, 0, 3, 1, 1, LossCause::kVoid},
      {id, 3, 9, 0, 1, LossCause::kVoid},          {id, 3, 9, 8, 1, LossCause::kVoid},
      {id, 0, 0, 4, 1, LossCause::kVoid},          {{}, 1, 0, 4, 1, LossCause::kVoid},
      {id, 0, 0xFFFFFFFF, 1, 1, LossCause::kVoid},
  };
  LossLedger ledger;
  for (const LossLedger::Range& range : forged) ledger.load(range);
  CHECK(ledger.size() == 0);
  ledger.add(id, 4, 5, 2, LossCause::kDamaged);
  CHECK(ledger.counts(id, 4));
  ledger.clear();
  ledger.load({id, 3, 9, 7, 1, LossCause::kVoid});
  ledger.load({{}, 0, 0, 4, 1, LossCause::kMixed});
  CHECK(ledger.size() == 2);
}

}  // namespace wayseal::test
