// SPDX-License-Identifier: Apache-2.0
#include "wayseal/spool/segment_log.hpp"

#include "spool/format.hpp"
#include "state/log_io.hpp"

namespace wayseal {

namespace format = spool_format;

namespace {

// A medium that starts a segment every millisecond gets there in 34 years. Positions stay far from overflow.
constexpr uint64_t kSegmentNumberMax = uint64_t{1} << 40;

// Records of the largest size that a segment takes beyond the first, and the segments that there must be then.
constexpr uint32_t kMoreRecordsMax = 3;
constexpr uint64_t kSegmentsForMore = 16;

uint32_t header_crc(uint64_t segment, const uint8_t* header) {
  uint8_t seed[8];
  store_le64(seed, segment);
  return log::crc32c(log::crc32c(0, seed), {header + 4, format::kEntryHeaderSize - 4});
}

void encode(const LogEntry& entry, uint64_t segment, uint8_t* out) {
  store_le32(out + 4, entry.check);
  store_le32(out + 8, static_cast<uint32_t>(entry.kind) | (entry.size << 8));
  store_le32(out + 12, entry.sequence);
  std::memcpy(out + 16, entry.session.data, SessionId::kSize);
  store_le32(out, header_crc(segment, out));
}

bool decode(const uint8_t* in, uint64_t segment, LogEntry& entry) {
  if (load_le32(in) != header_crc(segment, in)) return false;
  if (in[8] < static_cast<uint8_t>(LogKind::kCheckpoint) || in[8] > static_cast<uint8_t>(LogKind::kRecord))
    return false;
  entry.check = load_le32(in + 4);
  entry.kind = static_cast<LogKind>(in[8]);
  entry.size = load_le32(in + 8) >> 8;
  entry.sequence = load_le32(in + 12);
  std::memcpy(entry.session.data, in + 16, SessionId::kSize);
  return true;
}

struct CopySource {
  uint64_t from;
  uint32_t size;
};

Status fill_from_memory(void* context, log::Writer& writer) {
  return writer.write(*static_cast<const Bytes*>(context));
}

Status fill_from_medium(void* context, log::Writer& writer) {
  const CopySource* source = static_cast<const CopySource*>(context);
  return writer.copy(source->from, source->size);
}

}  // namespace

uint32_t SegmentLog::footprint(uint32_t payload) const {
  return log::align_up(format::kEntryHeaderSize + payload, unit_);
}

bool SegmentLog::has_room(uint32_t bytes) const {
  return place_.head != 0 && !sealed_ && bytes <= start_of(place_.head + 1) - place_.end;
}

// A segment takes at least what a new one must hold at once: two SessionOpens carried over, its checkpoint, and the
// largest that may come then, be it a record, or a checkpoint with a SessionOpen. Where there is room for many
// segments, each takes a few records more, so that less of it stays empty and is erased for nothing.
Status SegmentLog::measure(uint32_t checkpoint_max) {
  geometry_ = storage_.geometry();
  unit_ = geometry_.program_size > format::kUnitMin ? geometry_.program_size : format::kUnitMin;
  header_area_ = log::align_up(format::kSegmentHeaderSize, unit_);
  const uint32_t open = footprint(static_cast<uint32_t>(kSessionOpenMax));
  const uint32_t record = footprint(static_cast<uint32_t>(kRecordMax));
  const uint32_t needed =
      header_area_ + 2 * open + 2 * footprint(checkpoint_max) + (record > open ? record : open);
  segment_size_ = log::align_up(needed, geometry_.block_size);
  for (uint32_t records = 1; records <= kMoreRecordsMax; ++records) {
    const uint32_t larger = log::align_up(needed + records * record, geometry_.block_size);
    if (geometry_.size() / larger < kSegmentsForMore) break;
    segment_size_ = larger;
  }
  segment_count_ = static_cast<uint32_t>(geometry_.size() / segment_size_);
  ring_size_ = static_cast<uint64_t>(segment_count_) * segment_size_;
  return segment_count_ >= 4 ? Status::kOk : Status::kInvalidArgument;
}

Status SegmentLog::erase_all() {
  for (uint32_t block = 0; block < storage_.geometry().block_count; ++block) WAYSEAL_TRY(storage_.erase(block));
  return storage_.sync();
}

// Some segment's header can be read: what fails beside it is a bad place, not the medium.
bool SegmentLog::medium_answers() const {
  uint8_t raw[format::kSegmentHeaderSize];
  for (uint32_t index = 0; index < segment_count_; ++index) {
    if (storage_.read(static_cast<uint64_t>(index) * segment_size_, raw) == Status::kOk) return true;
  }
  return false;
}

// Tries twice. kMalformed when this place alone cannot be read, which is damage like any other.
Status SegmentLog::read_medium(uint64_t at, MutableBytes out) const {
  Status status = storage_.read(at, out);
  if (status == Status::kStorageFailed) status = storage_.read(at, out);
  return status == Status::kStorageFailed && medium_answers() ? Status::kMalformed : status;
}

// What cannot be read is not blank.
Result<bool> SegmentLog::blank(uint64_t from, uint64_t to) const {
  Result<bool> result = log::is_blank(storage_, from, to);
  if (result.status() == Status::kStorageFailed) result = log::is_blank(storage_, from, to);
  if (result.status() == Status::kStorageFailed && medium_answers()) return false;
  return result;
}

// kOk with the number of the segment at `index`; kNotFound, also when it cannot be read; kUnsupported for another
// version or layout.
Status SegmentLog::read_segment_header(uint32_t index, uint64_t& segment) const {
  uint8_t raw[format::kSegmentHeaderSize];
  const Status status = read_medium(static_cast<uint64_t>(index) * segment_size_, raw);
  if (status == Status::kMalformed) return Status::kNotFound;
  if (status != Status::kOk) return status;
  if (!equal({raw, sizeof format::kMagic}, format::kMagic)) return Status::kNotFound;
  if (load_le32(raw + 36) != log::crc32c(0, {raw, 36})) return Status::kNotFound;
  segment = load_le64(raw + 16);
  const bool ours = load_le32(raw + 24) == segment_size_ && load_le32(raw + 28) == segment_count_ &&
                    load_le32(raw + 32) == format::kVersion && segment != 0 && segment <= kSegmentNumberMax &&
                    segment % segment_count_ == index;
  return ours ? Status::kOk : Status::kUnsupported;
}

// The highest segment number; 0 when there is none.
Status SegmentLog::find_newest(uint64_t& newest) const {
  newest = 0;
  bool other_layout = false;
  for (uint32_t index = 0; index < segment_count_; ++index) {
    uint64_t segment = 0;
    const Status status = read_segment_header(index, segment);
    if (status == Status::kStorageFailed) return status;
    other_layout = other_layout || status == Status::kUnsupported;
    if (status == Status::kOk && segment > newest) newest = segment;
  }
  return newest == 0 && other_layout ? Status::kUnsupported : Status::kOk;
}

// The header of the newest segment may have rotted: its entries are known by their own checksums all the same.
Status SegmentLog::find_unheaded(uint64_t& newest) const {
  uint64_t other = 0;
  const Status status = read_segment_header(static_cast<uint32_t>((newest + 1) % segment_count_), other);
  if (status == Status::kStorageFailed) return status;
  if (status == Status::kOk) return Status::kOk;  // of a former lap
  const Result<bool> found = complete(newest + 1);
  if (!found.ok()) return found.status();
  if (found.value()) ++newest;
  return Status::kOk;
}

// Without any header the medium must be blank, but for what a cut of the very first start_segment can have
// left, and for blocks that cannot be read.
Status SegmentLog::check_blank() const {
  const uint64_t dirt = header_area_ + footprint(format::kCheckpointHeadSize);
  for (uint32_t index = 0; index < segment_count_; ++index) {
    const uint64_t base = static_cast<uint64_t>(index) * segment_size_;
    for (uint64_t at = base + dirt; at < base + segment_size_; at = block_behind(at)) {
      const Result<bool> found = log::is_blank(storage_, at, block_behind(at));
      if (found.ok() && !found.value()) return Status::kMalformed;
      if (!found.ok() && !medium_answers()) return found.status();
    }
  }
  return Status::kOk;
}

// True unless the segment shows nothing that was written after it had become the head: its start was cut. A
// record alone is proof enough, so that a rotten checkpoint does not cost the segment.
Result<bool> SegmentLog::complete(uint64_t segment) const {
  uint64_t position = start_of(segment);
  LogEntry entry;
  Status status = Status::kOk;
  while ((status = step(position, start_of(segment + 1), entry)) == Status::kOk) {
    if (entry.kind == LogKind::kRecord) return true;
    if (entry.kind != LogKind::kCheckpoint) continue;
    const Result<bool> whole = intact(entry);
    if (!whole.ok() || whole.value()) return whole;
  }
  return status == Status::kNotFound ? Result<bool>(false) : status;
}

Status SegmentLog::mount(uint32_t checkpoint_max) {
  place_ = Place();
  sealed_ = false;
  WAYSEAL_TRY(measure(checkpoint_max));
  WAYSEAL_TRY(find_newest(newest_header_));
  if (newest_header_ == 0) return check_blank();
  WAYSEAL_TRY(find_unheaded(newest_header_));
  for (uint64_t segment = newest_header_; segment > 0 && segment + segment_count_ > newest_header_; --segment) {
    const Result<bool> found = complete(segment);
    if (!found.ok()) return found.status();
    if (!found.value()) continue;
    place_.head = segment;
    return find_end();
  }
  return Status::kOk;
}

// The end of the head is behind the last byte that is not erased. When the bytes right behind the last entry
// read as erased but dirt follows, a reader would stop there: then the head takes nothing more.
Status SegmentLog::find_end() {
  const uint64_t limit = start_of(place_.head + 1);
  uint64_t position = start_of(place_.head) + header_area_;
  uint64_t behind = position;
  LogEntry entry;
  Status status = Status::kOk;
  while ((status = step(position, limit, entry)) == Status::kOk) behind = position;
  if (status != Status::kNotFound) return status;
  place_.end = behind;
  bool first_blank = true;
  for (uint64_t at = behind; at < limit; at += unit_) {
    const Result<bool> empty = blank(address(at), address(at) + unit_);
    if (!empty.ok()) return empty.status();
    if (at < behind + format::kEntryHeaderSize) first_blank = first_blank && empty.value();
    if (!empty.value()) place_.end = at + unit_;
  }
  sealed_ = first_blank && place_.end != behind;
  return Status::kOk;
}

Status SegmentLog::step(uint64_t& position, uint64_t limit, LogEntry& out) const {
  bool searching = false;  // behind a damaged header: blank bytes may be part of a payload then
  while (position < limit) {
    const uint64_t segment = segment_of(position);
    const uint64_t next = start_of(segment + 1);
    if (position - start_of(segment) < header_area_) position = start_of(segment) + header_area_;
    const uint64_t border = next < limit ? next : limit;
    if (position + format::kEntryHeaderSize > border) {
      if (border == limit) break;
      position = next;
      searching = false;
      continue;
    }
    uint8_t raw[format::kEntryHeaderSize];
    const Status read = read_medium(address(position), raw);
    if (read == Status::kMalformed) {
      searching = true;
      position = block_behind(position);
      continue;
    }
    WAYSEAL_TRY(read);
    if (decode(raw, segment, out) && footprint(out.size) <= next - position) {
      out.position = position;
      position += footprint(out.size);
      return Status::kOk;
    }
    if (log::is_blank(Bytes(raw)) && !searching) {
      if (border == limit) break;
      position = next;
      continue;
    }
    searching = true;
    position += unit_;
  }
  if (searching) position = limit;
  return Status::kNotFound;
}

Result<bool> SegmentLog::intact(const LogEntry& entry) const {
  const uint64_t payload = address(entry.position) + format::kEntryHeaderSize;
  uint32_t crc = 0;
  Status status = log::crc32c_stored(storage_, payload, entry.size, crc);
  if (status == Status::kStorageFailed) status = log::crc32c_stored(storage_, payload, entry.size, crc);
  if (status == Status::kStorageFailed && medium_answers()) return false;
  if (status != Status::kOk) return status;
  return crc == entry.check;
}

Status SegmentLog::read(const LogEntry& entry, uint32_t offset, MutableBytes out) const {
  return read_medium(address(entry.position) + format::kEntryHeaderSize + offset, out);
}

// The first segment ever. Prefers one that is blank, so that nothing needs to be erased and a cut leaves only
// what check_blank knows.
Status SegmentLog::choose_first(uint64_t& segment) {
  for (uint64_t candidate = newest_header_ + 1; candidate <= newest_header_ + segment_count_; ++candidate) {
    const uint64_t base = address(start_of(candidate));
    const Result<bool> empty = blank(base, base + segment_size_);
    if (!empty.ok()) return empty.status();
    segment = candidate;
    if (empty.value()) return Status::kOk;
  }
  segment = newest_header_ + 1;
  return erase_segment(segment);
}

// No sync: what an erasure that got lost leaves behind fails the checksums of the new lap.
Status SegmentLog::erase_segment(uint64_t segment) {
  const uint32_t blocks = segment_size_ / geometry_.block_size;
  const uint32_t first = static_cast<uint32_t>(segment % segment_count_) * blocks;
  for (uint32_t block = first; block < first + blocks; ++block) WAYSEAL_TRY(storage_.erase(block));
  return Status::kOk;
}

Status SegmentLog::start_segment() {
  uint64_t segment = place_.head + 1;
  if (place_.head == 0) {
    WAYSEAL_TRY(choose_first(segment));
  } else {
    WAYSEAL_TRY(erase_segment(segment));
  }
  uint8_t raw[format::kSegmentHeaderSize];
  std::memcpy(raw, format::kMagic, sizeof format::kMagic);
  store_le64(raw + 16, segment);
  store_le32(raw + 24, segment_size_);
  store_le32(raw + 28, segment_count_);
  store_le32(raw + 32, format::kVersion);
  store_le32(raw + 36, log::crc32c(0, {raw, 36}));
  if (segment > newest_header_) newest_header_ = segment;
  log::Writer writer(storage_, address(start_of(segment)));
  WAYSEAL_TRY(writer.write(raw));
  WAYSEAL_TRY(writer.finish());
  place_ = {segment, start_of(segment) + header_area_};
  sealed_ = false;
  return Status::kOk;
}

Status SegmentLog::append(LogEntry& entry, Fill fill, void* context) {
  const uint32_t size = footprint(entry.size);
  if (!has_room(size)) return Status::kFull;
  entry.position = place_.end;
  uint8_t raw[format::kEntryHeaderSize];
  encode(entry, place_.head, raw);
  log::Writer writer(storage_, address(place_.end));
  Status status = writer.write(raw);
  if (status == Status::kOk) status = fill(context, writer);
  if (status == Status::kOk) status = writer.finish();
  if (status != Status::kOk) {
    skip_failed(entry, size);
    return status;
  }
  place_.end += size;
  return Status::kOk;
}

// A program that failed may have left anything, and the bytes cannot be used before they are erased. Readers
// get across it only when its first bytes are not blank. They will see the entry when its header is whole.
void SegmentLog::skip_failed(LogEntry& entry, uint32_t size) {
  uint8_t raw[format::kEntryHeaderSize];
  const bool readable = storage_.read(address(place_.end), raw) == Status::kOk;
  LogEntry found;
  if (!readable || !decode(raw, place_.head, found)) entry.position = 0;
  if (readable && !log::is_blank(Bytes(raw))) {
    place_.end += size;
  } else {
    sealed_ = true;
  }
}

Status SegmentLog::append(LogEntry& entry, Bytes payload) {
  entry.size = static_cast<uint32_t>(payload.size());
  entry.check = log::crc32c(0, payload);
  return append(entry, fill_from_memory, &payload);
}

Status SegmentLog::append_copy(LogEntry& entry) {
  CopySource source{address(entry.position) + format::kEntryHeaderSize, entry.size};
  return append(entry, fill_from_medium, &source);
}

}  // namespace wayseal
