// SPDX-License-Identifier: Apache-2.0
// Which sequences of a session are stored or settled, and when a session is done (PROTOCOL.md, 11 and 13).
#ifndef WAYSEAL_CLOUD_SETTLEMENT_HPP
#define WAYSEAL_CLOUD_SETTLEMENT_HPP

#include "delivery.pb.h"
#include "store.hpp"

namespace cloud {

class Settlement {
 public:
  explicit Settlement(Store& store) : store_(store) {}

  /// Moves `contiguous` on, as far as records and losses allow. Inside a transaction.
  /// \return whether the session has become settled: its keys and its one-time prekey are to be destroyed.
  bool advance(SessionRow& session);

  /// What an ack says about the session.
  void describe(const SessionRow& session, wayseal::v1::SessionAck* ack);

 private:
  std::vector<LossRow> settled_losses(const SessionRow& session);
  Store& store_;
};

}  // namespace cloud

#endif
