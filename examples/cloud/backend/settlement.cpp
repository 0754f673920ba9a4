// SPDX-License-Identifier: Apache-2.0
#include "settlement.hpp"

#include <algorithm>

namespace cloud {
namespace {
constexpr int64_t kChunk = 4096;
constexpr uint64_t kBeyondBits = 256;
}  // namespace

// An unmerged range is settled as it stands. A merged one covers sequences that are not lost but still on
// their way:
// it is settled when no more are missing than it says, that is, when all others have come. They may be fewer: one that
// was reported lost may come all the same.
std::vector<LossRow> Settlement::settled_losses(const SessionRow& session) {
  std::vector<LossRow> losses = store_.losses_after(session, session.contiguous);
  losses.erase(std::remove_if(losses.begin(), losses.end(),
                              [&](const LossRow& loss) {
                                const uint64_t span = loss.last - loss.first + 1;
                                if (loss.count == span) return false;
                                return span - store_.stored_between(session.row, loss.first, loss.last) >
                                       loss.count;
                              }),
               losses.end());
  return losses;
}

bool Settlement::advance(SessionRow& session) {
  const uint64_t before = session.contiguous;
  const std::vector<LossRow> losses = settled_losses(session);
  bool moved = true;
  while (moved) {
    const uint64_t from = session.contiguous;
    for (const LossRow& loss : losses) {
      const uint64_t next = session.contiguous + 1;
      if (loss.first <= next && next <= loss.last) session.contiguous = loss.last;
    }
    for (const uint64_t sequence : store_.sequences_after(session.row, session.contiguous, kChunk)) {
      if (sequence != session.contiguous + 1) break;
      session.contiguous = sequence;
    }
    moved = session.contiguous != from;
    // Without losses one look is enough, unless the chunk was too short.
    if (losses.empty() && session.contiguous - from < static_cast<uint64_t>(kChunk)) break;
  }
  if (session.contiguous != before) store_.set_contiguous(session.row, session.contiguous);
  if (session.state != SessionState::kOpen || !session.last_durable) return false;
  if (session.contiguous < store_.last_known(session)) return false;
  store_.settle(session.row);
  store_.doom_prekey_of(session.row);
  session.state = SessionState::kSettled;
  return true;
}

void Settlement::describe(const SessionRow& session, wayseal::v1::SessionAck* ack) {
  ack->set_session_id(session.session_id);
  ack->set_contiguous(session.contiguous);
  Blob beyond(kBeyondBits / 8, '\0');
  const uint64_t first = session.contiguous + 2;
  const auto mark = [&](uint64_t sequence) {
    if (sequence < first || sequence - first >= kBeyondBits) return;
    const uint64_t bit = sequence - first;
    beyond[bit / 8] = static_cast<char>(static_cast<unsigned char>(beyond[bit / 8]) | (1U << (bit % 8)));
  };
  for (const uint64_t sequence :
       store_.sequences_after(session.row, session.contiguous, static_cast<int64_t>(kBeyondBits))) {
    mark(sequence);
  }
  for (const LossRow& loss : settled_losses(session)) {
    const uint64_t last = std::min(loss.last, first + kBeyondBits);
    for (uint64_t sequence = std::max(loss.first, first); sequence <= last; ++sequence) mark(sequence);
  }
  beyond.resize(beyond.find_last_not_of('\0') + 1);
  ack->set_beyond(beyond);
}

}  // namespace cloud
