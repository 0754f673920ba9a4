// SPDX-License-Identifier: Apache-2.0
// Bookkeeping of the spool, written and read as one entry.
#include "spool/format.hpp"
#include "state/log_io.hpp"
#include "wayseal/spool/spool.hpp"

namespace wayseal {

namespace format = spool_format;

namespace {

struct CrcSink {
  uint32_t crc = 0;
  Status write(Bytes data) {
    crc = log::crc32c(crc, data);
    return Status::kOk;
  }
};

// Bits one place further: the ack's bitmap begins with contiguous + 2, ours with contiguous + 1.
void shift_down(const uint8_t* in, uint8_t* out) {
  for (size_t i = 0; i < kAckBeyondMax; ++i) out[i] = static_cast<uint8_t>((in[i] >> 1) | (in[i + 1] << 7));
}

void shift_up(const uint8_t* in, uint8_t* out) {
  uint8_t carry = 0;
  for (size_t i = 0; i < kAckBeyondMax; ++i) {
    out[i] = static_cast<uint8_t>((in[i] << 1) | carry);
    carry = static_cast<uint8_t>(in[i] >> 7);
  }
  out[kAckBeyondMax] = carry;
}

}  // namespace

uint32_t Spool::checkpoint_size() const {
  return format::kCheckpointHeadSize + format::kCheckpointSessionSize * static_cast<uint32_t>(session_count_) +
         format::kCheckpointRangeSize * static_cast<uint32_t>(ledger_.size());
}

template <typename Sink>
Status Spool::emit_checkpoint(Sink& sink) const {
  uint8_t raw[format::kCheckpointSessionSize] = {};
  store_le64(raw, tail_);
  store_le16(raw + 8, static_cast<uint16_t>(session_count_));
  store_le16(raw + 10, static_cast<uint16_t>(ledger_.size()));
  WAYSEAL_TRY(sink.write({raw, format::kCheckpointHeadSize}));
  for (size_t i = 0; i < session_count_; ++i) {
    const Session& session = sessions_[i];
    std::memset(raw, 0, sizeof raw);
    std::memcpy(raw, session.id.data, SessionId::kSize);
    store_le32(raw + 16, session.marks.contiguous);
    store_le32(raw + 20, session.last);
    store_le32(raw + 24, session.accounted);
    raw[28] = session.open_acked ? format::kFlagOpenAcked : 0;
    shift_down(session.marks.beyond, raw + 32);
    WAYSEAL_TRY(sink.write({raw, format::kCheckpointSessionSize}));
  }
  for (size_t i = 0; i < ledger_.size(); ++i) {
    const LossLedger::Range& range = ledger_[i];
    std::memset(raw, 0, sizeof raw);
    std::memcpy(raw, range.session.data, SessionId::kSize);
    store_le32(raw + 16, range.first);
    store_le32(raw + 20, range.last);
    store_le32(raw + 24, range.count);
    raw[28] = static_cast<uint8_t>(range.cause);
    WAYSEAL_TRY(sink.write({raw, format::kCheckpointRangeSize}));
  }
  return Status::kOk;
}

Status Spool::fill_checkpoint(void* context, log::Writer& writer) {
  return static_cast<const Spool*>(context)->emit_checkpoint(writer);
}

Status Spool::write_checkpoint() {
  CrcSink sum;
  WAYSEAL_TRY(emit_checkpoint(sum));
  LogEntry entry;
  entry.kind = LogKind::kCheckpoint;
  entry.size = checkpoint_size();
  entry.check = sum.crc;
  unsynced_ = true;
  WAYSEAL_TRY(log_.append(entry, fill_checkpoint, this));
  ++stats_.checkpoints;
  unmarked_ = 0;
  marks_dirty_ = false;
  ledger_dirty_ = false;
  return Status::kOk;
}

Status Spool::load_session(const LogEntry& entry, uint32_t offset) {
  uint8_t raw[format::kCheckpointSessionSize];
  WAYSEAL_TRY(log_.read(entry, offset, raw));
  SessionId id;
  std::memcpy(id.data, raw, SessionId::kSize);
  Session* session = add_session(id, tail_position());
  session->marks.contiguous = load_le32(raw + 16);
  session->last = load_le32(raw + 20);
  session->accounted = load_le32(raw + 24);
  session->open_acked = (raw[28] & format::kFlagOpenAcked) != 0;
  shift_up(raw + 32, session->marks.beyond);
  return Status::kOk;
}

Status Spool::load_range(const LogEntry& entry, uint32_t offset) {
  uint8_t raw[format::kCheckpointRangeSize];
  WAYSEAL_TRY(log_.read(entry, offset, raw));
  LossLedger::Range range;
  std::memcpy(range.session.data, raw, SessionId::kSize);
  range.first = load_le32(raw + 16);
  range.last = load_le32(raw + 20);
  range.count = load_le32(raw + 24);
  range.cause = raw[28] <= static_cast<uint8_t>(LossCause::kDamaged) ? static_cast<LossCause>(raw[28])
                                                                     : LossCause::kMixed;
  ledger_.load(range);
  return Status::kOk;
}

// Takes over a checkpoint whose checksum is right.
Status Spool::load_checkpoint(const LogEntry& entry) {
  uint8_t raw[format::kCheckpointHeadSize];
  WAYSEAL_TRY(log_.read(entry, 0, raw));
  const uint32_t sessions = load_le16(raw + 8);
  const uint32_t ranges = load_le16(raw + 10);
  // A build with other limits.
  if (sessions > kLiveSessionsMax + 1 || ranges > kLossRangesMax) return Status::kUnsupported;
  tail_ = load_le64(raw);
  uint32_t offset = format::kCheckpointHeadSize;
  for (uint32_t i = 0; i < sessions; ++i) {
    WAYSEAL_TRY(load_session(entry, offset));
    offset += format::kCheckpointSessionSize;
  }
  for (uint32_t i = 0; i < ranges; ++i) {
    WAYSEAL_TRY(load_range(entry, offset));
    offset += format::kCheckpointRangeSize;
  }
  return Status::kOk;
}

}  // namespace wayseal
