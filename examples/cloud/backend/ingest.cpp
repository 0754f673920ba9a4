// SPDX-License-Identifier: Apache-2.0
#include "ingest.hpp"

#include <algorithm>

#include "batch.hpp"
#include "contract.hpp"

namespace cloud {
namespace {

using wayseal::v1::Ack;
using wayseal::v1::Batch;
using wayseal::v1::LossReport;
using wayseal::v1::Upload;
using wayseal::v1::UploadItem;
using wayseal::v1::UploadReply;

constexpr int kSessionsPerAck = 32;
constexpr int kAcksMax = 4;
// No vehicle counts as far as this; sums of such counts stay far from overflow.
constexpr uint64_t kCountMax = uint64_t{1} << 40;
constexpr size_t kWantedMax = 32;

}  // namespace

SessionRow* Ingest::find_session(const Blob& session_id, const Peer& peer, Work& work) {
  const auto known = work.sessions.find(session_id);
  if (known != work.sessions.end()) return &known->second;
  const auto session = core_.store.session(peer.row, session_id);
  if (!session) return nullptr;
  return &work.sessions.emplace(session_id, *session).first->second;
}

void Ingest::open_session(const Blob& encoded, const Peer& peer, Work& work) {
  const OpenOutcome outcome = sessions_.accept(encoded, peer, work.refusals_left);
  if (outcome.kind == OpenOutcome::Kind::kRefused) work.refusals.push_back(outcome.refusal);
  if (outcome.kind != OpenOutcome::Kind::kOpened) return;
  work.wanted.erase(outcome.session_id);
  const SessionRow* session = find_session(outcome.session_id, peer, work);
  // Its predecessor may be complete now that its end is known.
  if (session == nullptr) return;
  const auto previous =
      core_.store.database().bytes("SELECT previous_session FROM sessions WHERE id = ?", session->row);
  if (previous && !previous->empty()) {
    work.sessions.erase(*previous);
    find_session(*previous, peer, work);
  }
}

void Ingest::open_record(const Blob& encoded, const Peer& peer, Work& work) {
  wayseal::v1::Sealed sealed;
  if (encoded.size() > kSealedMax || !sealed.ParseFromString(encoded) || !in_form(sealed, peer, core_.log)) {
    core_.count("malformed", 1);
    return;
  }
  const auto header = parse_header(sealed.header());
  if (!header) {
    core_.count("malformed", 1);
    return;
  }
  SessionRow* session = find_session(header->session_id, peer, work);
  if (session == nullptr) {
    core_.count("unknown_session", 1);
    work.wanted.insert(header->session_id);
    return;
  }
  RecordRow row;
  row.session = session->row;
  row.sequence = header->sequence;
  row.digest = sha256(sealed.ciphertext());
  const auto stored = core_.store.record_digest(row.session, row.sequence);
  if (stored && *stored == row.digest) {
    core_.count("duplicates", 1);
    return;
  }
  const auto keys = core_.ring.get(*session);
  if (!keys) {
    // Settled: the keys are gone, so nothing new can come of it. Or the token lacks the prekey: an operator's
    // matter.
    core_.alarm(peer, session->state == SessionState::kSettled ? "after-settled" : "prekey-missing",
                session->session_id);
    core_.count("not_opened", 1);
    return;
  }
  const auto plaintext =
      core_.token.open(*keys, record_nonce(row.sequence), sealed.header(), sealed.ciphertext());
  if (!plaintext) {
    core_.alarm(peer, "record-not-authentic", session->session_id);
    core_.count("not_authentic", 1);
    return;
  }
  const auto content = unframe(*plaintext);
  if (!content || content->type == kTypeAck) {
    core_.count("malformed", 1);
    return;
  }
  core_.count("sealed_bytes", static_cast<int64_t>(encoded.size()));
  work.session_ids[session->row] = session->session_id;
  take(*content, row, work);
}

void Ingest::take(const Content& content, RecordRow& row, Work& work) {
  row.type = content.type;
  row.payload = content.payload;
  if (row.type == kTypeBatch) {
    take_batch(row);
  } else if (row.type == kTypeLossReport) {
    take_loss_report(row, work);
  } else if (row.type > 5) {
    core_.count("unknown_type", 1);
  }
  work.records.push_back(std::move(row));
}

void Ingest::take_batch(RecordRow& row) {
  Batch batch;
  const bool parsed = batch.ParseFromString(row.payload);
  const auto summary = parsed ? summarise(batch) : std::nullopt;
  if (!summary) {
    // It is authentic, so it is kept and settled; that it cannot be read is for the operator to see.
    core_.count("undecodable", 1);
    return;
  }
  row.table_id = batch.table_id();
  row.samples = summary->samples;
  if (batch.time_quality() == Batch::TIME_UNTRUSTED) return;
  const int64_t offset = batch.time_quality() == Batch::TIME_TRUSTED ? batch.utc_offset_us() : 0;
  int64_t from_us = 0;
  int64_t to_us = 0;
  // A vehicle's own numbers: a time that does not exist is none.
  if (__builtin_add_overflow(summary->from_us, offset, &from_us) ||
      __builtin_add_overflow(summary->to_us, offset, &to_us)) {
    core_.count("undecodable", 1);
    return;
  }
  row.from_us = from_us;
  row.to_us = to_us;
}

void Ingest::take_loss_report(const RecordRow& row, Work& work) {
  LossReport report;
  if (report.ParseFromString(row.payload)) {
    work.losses.push_back({std::move(report), row.session, row.sequence});
  } else {
    core_.count("undecodable", 1);
  }
}

void Ingest::store(const Peer& peer, Work& work) {
  const int64_t now = now_ms();
  for (const RecordRow& row : work.records) {
    if (core_.store.add_record(row, now)) {
      core_.count("records_stored", 1);
      core_.count("payload_bytes", static_cast<int64_t>(row.payload.size()));
      core_.count("samples", static_cast<int64_t>(row.samples));
    } else if (core_.store.record_digest(row.session, row.sequence) == row.digest) {
      core_.count("duplicates", 1);
    } else {
      // Both are authentic: the vehicle used a number, and so a nonce, twice. The first one stays.
      core_.alarm(peer, "two-records-one-number", work.session_ids[row.session]);
    }
  }
  for (const Losses& losses : work.losses) store_losses(losses, peer, work);
  settle(work);
}

void Ingest::store_losses(const Losses& losses, const Peer& peer, Work& work) {
  const LossReport& report = losses.report;
  for (const auto& range : report.ranges()) {
    const Blob& id = range.session_id();
    const bool without_session = id == Blob(kSessionIdSize, '\0') && range.first() == 0 && range.last() == 0;
    const bool fits = range.first() >= 1 && range.first() <= range.last() && range.last() <= kSequenceMax &&
                      range.count() >= 1 && range.count() <= range.last() - range.first() + 1;
    if (id.size() != kSessionIdSize || (!fits && !without_session) || range.count() > kCountMax) {
      core_.count("undecodable", 1);
      continue;
    }
    if (without_session) {
      core_.store.add_nameless_loss(losses.session, losses.sequence, range.count());
      continue;
    }
    core_.store.add_loss(peer.row, id, {range.first(), range.last(), range.count()}, range.cause());
    find_session(id, peer, work);
  }
  const auto clamp = [](uint64_t value) { return static_cast<int64_t>(std::min(value, kCountMax)); };
  core_.store.add_start(peer.row, report.epoch(), std::min(report.batches_dropped(), kCountMax),
                        std::min(report.samples_dropped(), kCountMax));
  for (const auto& bus : report.buses()) {
    core_.store.add_bus(
        peer.row, report.epoch(),
        {int64_t{bus.bus()}, clamp(bus.frames()), clamp(bus.frames_dropped()), clamp(bus.error_frames()),
         clamp(bus.bus_off_events()), clamp(bus.down_events()), clamp(bus.frames_unknown())});
  }
}

void Ingest::settle(Work& work) {
  for (auto& [id, session] : work.sessions) {
    if (settlement_.advance(session)) work.settled.push_back(id);
  }
}

std::vector<Ack> Ingest::prepare_acks(const Blob& ack_session, const Peer& peer, Work& work) {
  std::vector<Ack> acks;
  SessionRow* const under = find_session(ack_session, peer, work);
  if (under == nullptr) {
    if (ack_session.size() == kSessionIdSize) work.wanted.insert(ack_session);
    return acks;
  }
  std::set<Blob> named;
  const auto name = [&](const SessionRow& session) {
    if (!named.insert(session.session_id).second) return;
    if (acks.empty() || acks.back().sessions_size() >= kSessionsPerAck) {
      if (acks.size() == kAcksMax) return;
      acks.emplace_back();
    }
    settlement_.describe(session, acks.back().add_sessions());
  };
  name(*under);
  for (const auto& [id, session] : work.sessions) name(session);
  // Room that is left goes to other living sessions, in case that an earlier ack was lost.
  if (named.size() < kSessionsPerAck) {
    for (const SessionRow& session : core_.store.open_sessions(peer.row, 8)) {
      if (named.size() < kSessionsPerAck) name(session);
    }
  }
  // Counted before they are sealed: the bound holds after a crash as well.
  if (core_.store.count_acks(under->row, static_cast<int64_t>(acks.size())) > kAcksPerSessionMax) {
    core_.alarm(peer, "acks-exhausted", ack_session);
    acks.clear();
  }
  return acks;
}

Blob Ingest::seal_ack(const SessionRow& session, const SessionKeys& keys, const Ack& ack) {
  const Blob nonce = core_.token.random(12);
  wayseal::v1::Sealed sealed;
  sealed.set_header(reply_header(session.suite, session.session_id, nonce));
  sealed.set_ciphertext(
      core_.token.seal(keys, nonce, sealed.header(), frame(kTypeAck, ack.SerializeAsString())));
  return sealed.SerializeAsString();
}

Reply Ingest::handle(const Blob& body, const Peer& peer) {
  Upload upload;
  if (!upload.ParseFromString(body) || !in_form(upload, peer, core_.log)) {
    core_.count("uploads_malformed", 1);
    return {400, {}};
  }
  Work work;
  core_.count("upload_bytes", static_cast<int64_t>(body.size()));
  core_.count("uploads", 1);
  for (const UploadItem& item : upload.items()) {
    if (item.item_case() == UploadItem::kSessionOpen) {
      open_session(item.session_open(), peer, work);
    } else if (item.item_case() == UploadItem::kSealed) {
      open_record(item.sealed(), peer, work);
    } else {
      core_.count("malformed", 1);
    }
  }
  std::vector<Ack> acks;
  {
    Transaction transaction(core_.store.database());
    store(peer, work);
    acks = prepare_acks(upload.ack_session(), peer, work);
    core_.flush();
    transaction.commit();
  }
  // From here on everything that the acks name is durable.
  UploadReply reply;
  if (!acks.empty()) {
    const SessionRow& under = work.sessions.at(upload.ack_session());
    if (const auto keys = core_.ring.get(under)) {
      for (const Ack& ack : acks) reply.add_acks(seal_ack(under, *keys, ack));
    }
  }
  for (const Blob& id : work.settled) core_.ring.drop(work.sessions.at(id).row);
  for (const Blob& refusal : work.refusals) reply.add_refusals()->set_refusal(refusal);
  for (const Blob& id : work.wanted) {
    if (static_cast<size_t>(reply.open_wanted_size()) < kWantedMax) reply.add_open_wanted(id);
  }
  return {200, reply.SerializeAsString()};
}

}  // namespace cloud
