// SPDX-License-Identifier: Apache-2.0
// What travels: the Upload, put together piece by piece from the spool, and the UploadReply, taken apart.
#include <delivery.pb.h>

#include "trust/wire.hpp"
#include "wayseal/flow/courier.hpp"

namespace wayseal {
namespace {

// Tags of delivery.proto, all of them length-delimited. Written by hand, since nanopb cannot leave room for
// bytes that come from the spool later.
constexpr uint8_t kAckSessionTag = wayseal_v1_Upload_ack_session_tag << 3 | 2;
constexpr uint8_t kItemTag = wayseal_v1_Upload_items_tag << 3 | 2;
constexpr uint8_t kSessionOpenTag = wayseal_v1_UploadItem_session_open_tag << 3 | 2;
constexpr uint8_t kSealedTag = wayseal_v1_UploadItem_sealed_tag << 3 | 2;
// A field that UploadItem does not have: skipped by every reader.
constexpr uint8_t kFillerTag = 15 << 3 | 2;
constexpr size_t kHeadSize = 2 + SessionId::kSize;

constexpr size_t kAcksMax = 4;
constexpr size_t kRefusalsMax = 4;
constexpr size_t kOpenWantedMax = 32;

size_t varint_size(size_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

size_t put_varint(size_t value, uint8_t* out) {
  size_t size = 0;
  while (value >= 0x80) {
    out[size++] = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  out[size++] = static_cast<uint8_t>(value);
  return size;
}

size_t field_size(size_t payload) { return 1 + varint_size(payload) + payload; }
size_t item_size(const SpoolEntry& entry) { return field_size(field_size(entry.size)); }

/// Slices of a repeated field, up to a limit.
template <size_t N>
struct Slices {
  Bytes items[N];
  size_t count = 0;
  Span<const Bytes> all() const { return {items, count}; }
};

template <size_t N>
bool note_one(pb_istream_t* stream, const pb_field_t* /*field*/, void** arg) {
  auto& slices = *static_cast<Slices<N>*>(*arg);
  if (slices.count >= N) return false;
  slices.items[slices.count++] = wire::rest_of(stream);
  return pb_read(stream, nullptr, stream->bytes_left);
}

template <size_t N>
pb_callback_t into(Slices<N>& slices) {
  pb_callback_t callback = {};
  callback.funcs.decode = note_one<N>;
  callback.arg = &slices;
  return callback;
}

}  // namespace

Status Courier::plan_upload(const SessionId& ack_session) {
  ack_session_ = ack_session;
  plan_count_ = 0;
  plan_sent_ = 0;
  plan_headed_ = false;
  plan_bytes_ = kHeadSize;
  const bool known = opened_known_ && known_session_ == ack_session;
  if (!known && !open_skipped_) plan_open(ack_session);
  for (size_t i = 0; i < wanted_count_; ++i) plan_open(wanted_[i]);
  wanted_count_ = 0;
  return plan_records();
}

Status Courier::plan_records() {
  at_end_ = false;
  while (plan_count_ < upload_items_) {
    SpoolEntry entry;
    const Status status = plan_next(entry);
    if (status == Status::kNotFound) {
      at_end_ = true;
      lingering_ = false;
      seen_appended_ = parts_.spool.stats().appended;
      return Status::kOk;
    }
    WAYSEAL_TRY(status);
    if (plan_add(entry)) continue;
    held_ = entry;
    holds_ = true;
    return Status::kOk;
  }
  return Status::kOk;
}

Status Courier::plan_next(SpoolEntry& entry) {
  if (!holds_) return parts_.spool.next(cursor_, entry);
  entry = held_;
  holds_ = false;
  return Status::kOk;
}

// False when the upload is full. The first item always fits.
bool Courier::plan_add(const SpoolEntry& entry) {
  for (size_t i = 0; entry.kind == SpoolEntryKind::kSessionOpen && i < plan_count_; ++i) {
    if (plan_[i].kind == SpoolEntryKind::kSessionOpen && plan_[i].session == entry.session) return true;
  }
  const size_t size = item_size(entry);
  if (plan_count_ > 0 && plan_bytes_ + size > upload_bytes_) return false;
  plan_[plan_count_++] = entry;
  plan_bytes_ += size;
  return true;
}

void Courier::plan_open(const SessionId& session) {
  SpoolEntry entry;
  if (plan_count_ >= upload_items_ || parts_.spool.find_open(session, entry) != Status::kOk) return;
  static_cast<void>(plan_add(entry));
}

Result<Bytes> Courier::do_next() {
  if (state_ != State::kUpload) {
    const Bytes request = piece().first(static_cast<size_t>(plan_bytes_));
    return request;
  }
  const MutableBytes out = piece();
  size_t used = 0;
  if (!plan_headed_) {
    out[used++] = kAckSessionTag;
    out[used++] = SessionId::kSize;
    std::memcpy(out.data() + used, ack_session_.data, SessionId::kSize);
    used += SessionId::kSize;
    plan_headed_ = true;
  }
  while (plan_sent_ < plan_count_ && item_size(plan_[plan_sent_]) <= out.size() - used) {
    WAYSEAL_TRY(append_item(plan_[plan_sent_], used));
    ++plan_sent_;
  }
  if (used == 0) return Status::kBufferTooSmall;
  const Bytes filled = out.first(used);
  return filled;
}

Status Courier::append_item(const SpoolEntry& entry, size_t& used) {
  uint8_t* out = piece().data() + used;
  size_t at = 0;
  out[at++] = kItemTag;
  at += put_varint(field_size(entry.size), out + at);
  uint8_t& tag = out[at++];
  tag = entry.kind == SpoolEntryKind::kSessionOpen ? kSessionOpenTag : kSealedTag;
  at += put_varint(entry.size, out + at);
  const Status status = parts_.spool.read(entry, {out + at, entry.size});
  if (status == Status::kNotFound || status == Status::kMalformed) {
    tag = kFillerTag;
    std::memset(out + at, 0, entry.size);
    ++stats_.items_gone;
  } else {
    WAYSEAL_TRY(status);
  }
  used += at + entry.size;
  return Status::kOk;
}

// True when something in it was authentic and is now done. What cannot be read releases nothing.
bool Courier::take_reply(Bytes body) {
  Slices<kAcksMax> acks;
  Slices<kRefusalsMax> refusals;
  Slices<kOpenWantedMax> wanted;
  wayseal_v1_UploadReply reply = {};
  reply.acks = into(acks);
  reply.refusals = into(refusals);
  reply.open_wanted = into(wanted);
  if (wire::decode(body, wayseal_v1_UploadReply_fields, &reply) != Status::kOk) return false;
  const bool acked = take_acks(acks.all());
  const bool refused = take_refusals(refusals.all());
  for (const Bytes session : wanted.all()) want_open(session);
  return acked || refused;
}

bool Courier::take_acks(Span<const Bytes> acks) {
  bool taken = false;
  for (const Bytes ack : acks) {
    if (parts_.sealer.take_ack(ack) != Status::kOk) continue;
    taken = true;
    opened_known_ = true;
    known_session_ = ack_session_;
  }
  return taken;
}

bool Courier::take_refusals(Span<const Bytes> refusals) {
  bool taken = false;
  for (const Bytes message : refusals) {
    Bytes refusal;
    wayseal_v1_SignedRefusalBytes wrapped = {};
    wrapped.refusal = wire::into(refusal);
    if (wire::decode(message, wayseal_v1_SignedRefusalBytes_fields, &wrapped) != Status::kOk) continue;
    if (parts_.sealer.take_refusal(refusal) == Status::kOk) taken = true;
  }
  return taken;
}

void Courier::want_open(Bytes session) {
  if (session.size() != SessionId::kSize || wanted_count_ >= kWantedMax) return;
  SessionId id;
  std::memcpy(id.data, session.data(), SessionId::kSize);
  for (size_t i = 0; i < wanted_count_; ++i) {
    if (wanted_[i] == id) return;
  }
  SpoolEntry entry;
  if (parts_.spool.find_open(id, entry) == Status::kOk) wanted_[wanted_count_++] = id;
}

}  // namespace wayseal
