// SPDX-License-Identifier: Apache-2.0
// POST /v1/records: opens records in the token, stores each once, then seals acks (PROTOCOL.md, 9 to 13).
#ifndef WAYSEAL_CLOUD_INGEST_HPP
#define WAYSEAL_CLOUD_INGEST_HPP

#include <map>
#include <set>
#include <vector>

#include "core.hpp"
#include "delivery.pb.h"
#include "envelope.pb.h"
#include "record.pb.h"
#include "sessions.hpp"
#include "settlement.hpp"
#include "wire.hpp"

namespace cloud {

class Ingest {
 public:
  explicit Ingest(Core& core) : core_(core), sessions_(core), settlement_(core.store) {}

  /// Answers an upload: 200, or 400 when the Upload itself does not parse.
  Reply handle(const Blob& body, const Peer& peer);

 private:
  struct Losses {
    wayseal::v1::LossReport report;
    int64_t session;  ///< Row and sequence of the record that carried it.
    uint64_t sequence;
  };
  // What one upload has led to so far.
  struct Work {
    std::map<Blob, SessionRow> sessions;  ///< Touched, by session id.
    std::vector<RecordRow> records;       ///< Opened, to be stored.
    std::map<int64_t, Blob> session_ids;  ///< Of `records`.
    std::vector<Losses> losses;
    std::set<Blob> wanted;
    std::vector<Blob> refusals;
    size_t refusals_left = 4;  ///< As many as an UploadReply holds.
    std::vector<Blob> settled;
  };

  void open_session(const Blob& encoded, const Peer& peer, Work& work);
  void open_record(const Blob& encoded, const Peer& peer, Work& work);
  void take(const Content& content, RecordRow& row, Work& work);
  void take_batch(RecordRow& row);
  void take_loss_report(const RecordRow& row, Work& work);
  SessionRow* find_session(const Blob& session_id, const Peer& peer, Work& work);
  void store(const Peer& peer, Work& work);
  void store_losses(const Losses& losses, const Peer& peer, Work& work);
  void settle(Work& work);
  std::vector<wayseal::v1::Ack> prepare_acks(const Blob& ack_session, const Peer& peer, Work& work);
  Blob seal_ack(const SessionRow& session, const SessionKeys& keys, const wayseal::v1::Ack& ack);

  Core& core_;
  Sessions sessions_;
  Settlement settlement_;
};

}  // namespace cloud

#endif
