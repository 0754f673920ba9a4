// SPDX-License-Identifier: Apache-2.0
// Covers Spool and SegmentLog: mount (find_newest, find_unheaded, complete, find_end, step), load_checkpoint, replay,
// next, read, append_open, append, roll, release_segment, settle, refuse, sync, flush, format; LossLedger.
//
// Whatever bytes the medium holds: mounting ends, writes nothing, and finds the same every time; what it offers can be
// read or is counted as damaged, and the end comes. From then on the spool keeps its word: what is appended and synced is
// given back bit by bit after a restart, until it is settled or stands in the ledger. Only erased bytes are programmed.
//
// Input: steps that write the medium, with right checksums where it does not say otherwise, a 7, then steps that use
// the spool.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "ram_flash.hpp"
#include "spool/format.hpp"
#include "wayseal/spool/spool.hpp"

namespace {

using namespace wayseal;
namespace format = spool_format;

constexpr uint32_t kSegment =
    28 * 1024;  // as Spool lays it out on this geometry; the author's segments must fit
constexpr uint32_t kSegments = 4;
constexpr uint32_t kUnit = 64;  // larger ones make mounting faster
constexpr StorageGeometry kGeometry{4096, kSegments* kSegment / 4096, kUnit};
constexpr uint32_t kHeaderArea = 64;

SessionId session_id(uint16_t number) {
  SessionId id;
  store_le16(id.data, number);
  id.data[15] = 0x5E;
  return id;
}

/// Writes a medium as lib/spool/format.hpp describes it, right or wrong as the input says.
class Author {
 public:
  explicit Author(std::vector<uint8_t>& image) : image_(image) {}

  void run(fuzz::Input& in) {
    while (!in.empty()) {
      switch (in.u8() % 8) {
        case 0: raw(in); break;
        case 1: header(in); break;
        case 2: entry(in, LogKind::kSessionOpen); break;
        case 3: checkpoint(in); break;
        case 4: at_ += in.u8() * kUnit; break;
        case 7: return;
        default: entry(in, LogKind::kRecord); break;
      }
    }
  }

 private:
  void put(uint64_t offset, Bytes bytes) {
    const uint64_t base = number_ % kSegments * kSegment;
    for (size_t i = 0; i < bytes.size() && offset + i < kSegment; ++i) image_[base + offset + i] = bytes[i];
  }

  void raw(fuzz::Input& in) {
    const uint32_t offset = in.u16() % kSegment;
    put(offset, in.bytes(in.u8()));
  }

  void header(fuzz::Input& in) {
    const uint8_t how = in.u8();
    number_ = (how & 1U) != 0 ? fuzz::lively_u64(in) : number_ + 1;
    at_ = kHeaderArea;
    uint8_t out[format::kSegmentHeaderSize];
    std::memcpy(out, format::kMagic, sizeof format::kMagic);
    store_le64(out + 16, number_);
    store_le32(out + 24, (how & 2U) != 0 ? in.u32() : kSegment);
    store_le32(out + 28, kSegments);
    store_le32(out + 32, (how & 4U) != 0 ? in.u8() : format::kVersion);
    store_le32(out + 36, log::crc32c(0, {out, 36}) ^ ((how & 8U) != 0 ? 1U : 0U));
    if ((how & 16U) == 0) put(0, out);
  }

  void write_entry(uint8_t how, uint8_t kind, uint32_t sequence, uint8_t session, Bytes payload,
                   uint32_t size) {
    uint8_t out[format::kEntryHeaderSize] = {};
    store_le32(out + 4, log::crc32c(0, payload) ^ ((how & 1U) != 0 ? 1U : 0U));
    store_le32(out + 8, kind | (size << 8));
    store_le32(out + 12, sequence);
    const SessionId id = session_id(session);
    std::memcpy(out + 16, id.data, SessionId::kSize);
    uint8_t seed[8];
    store_le64(seed, number_);
    const uint32_t crc = log::crc32c(log::crc32c(0, seed), {out + 4, format::kEntryHeaderSize - 4});
    store_le32(out, crc ^ ((how & 2U) != 0 ? 1U : 0U));
    put(at_, out);
    put(at_ + format::kEntryHeaderSize, payload);
    at_ += log::align_up(format::kEntryHeaderSize + size, kUnit);
  }

  void entry(fuzz::Input& in, LogKind kind) {
    const uint8_t how = in.u8();
    const uint8_t session = in.u8();
    const uint32_t sequence = kind == LogKind::kRecord ? fuzz::lively_u32(in) : 0;
    const uint32_t size = (how & 4U) != 0 ? in.u16() : in.u8();
    const std::vector<uint8_t> payload = fuzz::pattern(sequence, size);
    const uint8_t number = (how & 8U) != 0 ? in.u8() : static_cast<uint8_t>(kind);
    const uint32_t said = (how & 16U) != 0 ? in.u32() & 0xFFFFFFU : size;
    write_entry(how, number, sequence, session, fuzz::bytes_of(payload), said);
  }

  void range(fuzz::Input& in, uint8_t* at) {
    const uint8_t session = in.u8();
    if (session != 0) std::memcpy(at, session_id(session).data, SessionId::kSize);
    for (size_t field = 16; field < 28; field += 4) store_le32(at + field, fuzz::lively_u32(in));
    at[28] = in.u8();
  }

  void checkpoint(fuzz::Input& in) {
    const uint8_t how = in.u8();
    const unsigned sessions = in.u8() % (kLiveSessionsMax + 2);
    const unsigned ranges = in.u8() % (kLossRangesMax + 1);
    std::vector<uint8_t> out(16 + 64 * size_t{sessions} + 32 * size_t{ranges});
    store_le64(out.data(), (how & 4U) != 0 ? fuzz::lively_u64(in) : number_);
    store_le16(out.data() + 8, static_cast<uint16_t>((how & 8U) != 0 ? in.u8() : sessions));
    store_le16(out.data() + 10, static_cast<uint16_t>((how & 16U) != 0 ? in.u8() : ranges));
    uint8_t* at = out.data() + 16;
    for (unsigned i = 0; i < sessions; ++i, at += 64) {
      std::memcpy(at, session_id(in.u8()).data, SessionId::kSize);
      store_le32(at + 16, fuzz::lively_u32(in));
      store_le32(at + 20, fuzz::lively_u32(in));
      store_le32(at + 24, fuzz::lively_u32(in));
      at[28] = in.u8();
      in.fill({at + 32, in.u8() % size_t{33}});
    }
    for (unsigned i = 0; i < ranges; ++i, at += 32) range(in, at);
    write_entry(how, static_cast<uint8_t>(LogKind::kCheckpoint), 0, 0, fuzz::bytes_of(out),
                static_cast<uint32_t>(out.size()));
  }

  std::vector<uint8_t>& image_;
  uint64_t number_ = 0;
  uint64_t at_ = kHeaderArea;
};

/// One entry that the spool gave.
struct Given {
  SpoolEntryKind kind = SpoolEntryKind::kRecord;
  uint16_t session = 0;
  uint64_t sequence = 0;
  std::vector<uint8_t> bytes;
  Status status = Status::kOk;
  friend bool operator==(const Given& a, const Given& b) {
    return a.kind == b.kind && a.session == b.session && a.sequence == b.sequence && a.bytes == b.bytes &&
           a.status == b.status;
  }
};

std::vector<Given> drain(Spool& spool) {
  std::vector<Given> all;
  std::vector<uint8_t> room(kRecordMax > kSessionOpenMax ? kRecordMax : kSessionOpenMax);
  SpoolCursor cursor;
  SpoolEntry entry;
  Status status = Status::kOk;
  // Every entry takes 32 bytes at least, and may bring a SessionOpen with it.
  const size_t most = 2 * size_t{kSegments} * kSegment / 32;
  while ((status = spool.next(cursor, entry)) == Status::kOk) {
    fuzz::require(all.size() <= most, "the end comes");
    Given given{entry.kind, load_le16(entry.session.data), entry.sequence, {}, Status::kOk};
    given.status = spool.read(entry, {room.data(), room.size()});
    if (given.status == Status::kOk) given.bytes.assign(room.begin(), room.begin() + entry.size);
    fuzz::require(given.status == Status::kOk || given.status == Status::kMalformed ||
                      given.status == Status::kNotFound || given.status == Status::kBufferTooSmall,
                  "an entry can be read, is damaged, or is gone");
    all.push_back(given);
  }
  fuzz::require(status == Status::kNotFound, "at the end there is no more");
  return all;
}

struct Seen {
  std::vector<Given> entries;
  uint64_t waiting = 0;
  uint64_t lost = 0;
  friend bool operator==(const Seen& a, const Seen& b) {
    return a.entries == b.entries && a.waiting == b.waiting && a.lost == b.lost;
  }
};

std::vector<LossRange> losses(const Spool& spool) {
  std::vector<LossRange> ranges(kLossRangesMax);
  ranges.resize(spool.losses({ranges.data(), ranges.size()}).count);
  return ranges;
}

Seen look(Spool& spool) {
  fuzz::require(spool.mount() == Status::kOk, "a spool that was mounted mounts again");
  Seen seen;
  seen.waiting = spool.stats().waiting_records;
  for (const LossRange& range : losses(spool)) seen.lost += range.count;
  seen.entries = drain(spool);
  return seen;
}

/// Uses a spool and knows what it must still have.
class User {
 public:
  explicit User(Spool& spool) : spool_(spool) {}

  void step(fuzz::Input& in) {
    const uint8_t step = in.u8();
    const bool other = (step & 8U) != 0;
    switch (step % 8) {
      case 0: open(in); break;
      case 1: append(in); break;
      case 2:
        if (other) sequence_ = std::max<uint64_t>(sequence_, kSessionRecordsMax - 4);
        append(in);
        break;
      case 3: settle(in); break;
      case 4: other ? note_void() : refuse(in); break;
      case 5: must_sync(other ? spool_.probe() : spool_.flush()); break;
      case 6: other ? report(in) : must_sync(spool_.sync()); break;
      default: restart(); break;
    }
  }

  void restart() {
    must_sync(spool_.sync());
    const Seen seen = look(spool_);
    report_.reset();  // after a restart its losses are reported anew
    current_.reset();
    std::set<Record> there;
    for (const Given& given : seen.entries) {
      const auto known = expected_.find({given.session, given.sequence});
      if (given.kind != SpoolEntryKind::kRecord || known == expected_.end()) continue;
      fuzz::require(given.status == Status::kOk, "what was synced can be read");
      fuzz::require(given.bytes == fuzz::pattern(given.sequence, known->second), "and is what was appended");
      there.insert(known->first);
    }
    for (const auto& [record, size] : expected_) {
      fuzz::require(there.count(record) != 0 || is_lost(record),
                    "a record is there, was settled, or is in the ledger");
    }
  }

 private:
  using Record = std::pair<uint16_t, uint64_t>;

  /// Sessions of ours, and with high numbers those that the author of the medium has.
  static uint16_t own(uint8_t number) { return static_cast<uint16_t>(0x100 | number); }
  static uint16_t any(uint8_t number) {
    return number < 0xC0 ? own(number) : static_cast<uint16_t>(number - 0xC0);
  }

  void must_sync(Status status) {
    fuzz::require(status == Status::kOk, "a medium without faults can be synced");
  }

  bool is_lost(const Record& record) const {
    for (const LossRange& range : losses(spool_)) {
      if (range.session == SessionId()) return true;
      if (range.session == session_id(record.first) && range.first <= record.second &&
          record.second <= range.last)
        return true;
    }
    return false;
  }

  void open(fuzz::Input& in) {
    const uint16_t session = own(in.u8());
    const std::vector<uint8_t> bytes = fuzz::pattern(session, 1 + in.u16() % kSessionOpenMax);
    // A session's id is a hash over fresh random numbers: none comes twice, not even one that is gone.
    if (!opened_.insert(session).second) return;
    const Status status = spool_.append_open(session_id(session), fuzz::bytes_of(bytes));
    fuzz::require(status == Status::kOk, "a session that was never here opens");
    current_ = session;
    sequence_ = 0;
  }

  void append(fuzz::Input& in) {
    if (!current_) return;
    sequence_ += 1 + in.u8() % 4;
    const size_t size = 1 + in.u16() % 4096;
    const std::vector<uint8_t> bytes = fuzz::pattern(sequence_, size);
    const Status status = spool_.append(session_id(*current_), sequence_, fuzz::bytes_of(bytes));
    fuzz::require(status == Status::kOk || status == Status::kBadState || sequence_ > kSessionRecordsMax,
                  "a record finds room");
    if (status == Status::kOk) expected_[{*current_, sequence_}] = size;
  }

  void require_freed(uint16_t session, uint64_t contiguous) {
    SpoolCursor cursor;
    SpoolEntry entry;
    while (spool_.next(cursor, entry) == Status::kOk) {
      const bool named = entry.kind == SpoolEntryKind::kRecord && entry.session == session_id(session) &&
                         entry.sequence <= contiguous;
      fuzz::require(!named, "what an ack has named is not given again");
    }
  }

  void note_void() {
    if (current_) spool_.note_void(session_id(*current_), ++sequence_);
  }

  /// A record that carries the losses. Once it is settled, they are forgotten.
  void report(fuzz::Input& in) {
    std::vector<LossRange> ranges(1 + in.u8() % kLossRangesMax);
    const LossSnapshot snapshot = spool_.losses({ranges.data(), ranges.size()});
    const uint64_t before = sequence_;
    append(in);
    if (!current_ || expected_.count({*current_, sequence_}) == 0 || sequence_ == before) return;
    lost_.clear();
    for (const auto& [record, size] : expected_) {
      if (is_lost(record)) lost_.insert(record);
    }
    spool_.losses_reported(snapshot.token, session_id(*current_), sequence_);
    report_ = Record{*current_, sequence_};
  }

  void settle(fuzz::Input& in) {
    const uint16_t session = any(in.u8());
    const uint64_t contiguous = fuzz::lively_u64(in);
    const Bytes beyond = in.bytes(in.u8() % 34);
    const Status status = spool_.settle(session_id(session), contiguous, beyond);
    if (status != Status::kOk) return;
    require_freed(session, contiguous);
    if (report_ && report_->first == session && names(contiguous, beyond, report_->second)) forget_losses();
    for (auto record = expected_.begin(); record != expected_.end();) {
      const bool named = record->first.first == session && names(contiguous, beyond, record->first.second);
      record = named ? expected_.erase(record) : std::next(record);
    }
  }

  /// What was in the ledger when its report was settled need not stand there any more.
  void forget_losses() {
    for (auto record = expected_.begin(); record != expected_.end();) {
      const bool gone = lost_.count(record->first) != 0;
      record = gone ? expected_.erase(record) : std::next(record);
    }
    report_.reset();
  }

  static bool names(uint64_t contiguous, Bytes beyond, uint64_t sequence) {
    if (sequence <= contiguous) return true;
    const uint64_t bit = sequence - contiguous - 2;
    return sequence >= contiguous + 2 && bit / 8 < beyond.size() && ((beyond[bit / 8] >> (bit % 8)) & 1U) != 0;
  }

  void refuse(fuzz::Input& in) { static_cast<void>(spool_.refuse(session_id(any(in.u8())))); }

  Spool& spool_;
  std::set<Record> lost_;
  std::optional<Record> report_;
  std::set<uint16_t> opened_;
  std::map<Record, size_t> expected_;
  std::optional<uint16_t> current_;
  uint64_t sequence_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  fuzz::RamFlash flash(kGeometry);
  Author author(flash.image());
  author.run(in);
  const auto spool = std::make_unique<Spool>(flash);
  const Status mounted = spool->mount();
  fuzz::require(mounted == Status::kOk || mounted == Status::kMalformed || mounted == Status::kUnsupported,
                "mounting says what it found");
  fuzz::require(flash.writes() == 0, "mounting writes nothing");
  if (mounted != Status::kOk) {
    fuzz::require(spool->sync() == Status::kBadState, "a spool that is not mounted does nothing");
    fuzz::require(spool->format() == Status::kOk, "every medium can be formatted");
  }
  const Seen seen = look(*spool);
  const auto again = std::make_unique<Spool>(flash);
  fuzz::require(look(*again) == seen, "a second mount finds the same");
  User user(*spool);
  for (int steps = 0; steps < 64 && !in.empty(); ++steps) user.step(in);
  user.restart();
  return 0;
}
