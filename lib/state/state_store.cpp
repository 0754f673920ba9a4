// SPDX-License-Identifier: Apache-2.0
//
// Each half:  header, header again (one may rot), entries.
//   header, 16 bytes:  0 u32 magic   4 u16 version   6 u16 0   8 u32 generation   12 u32 CRC-32C of the rest
//   entry, 16 bytes:   0 u32 CRC-32C of generation and bytes 4 to 15   4 u32 CRC-32C of the value
//                      8 u16 size   10 u8 item   11 u8 kind   12 u32 number: 1, 2, 3, ... in this half
//   then the value. Little-endian. Headers and entries begin at multiples of the unit, max(16, program_size).
// The generation inside the entry's CRC keeps what a former use of the half left behind from being taken for
// real.
#include "wayseal/state/state_store.hpp"

#include "state/log_io.hpp"

namespace wayseal {

namespace {

constexpr uint32_t kMagic = 0x74735357;  // "WSst"
constexpr uint16_t kVersion = 1;
constexpr uint32_t kHeaderSize = 16;
constexpr uint8_t kValue = 1;
constexpr uint8_t kTombstone = 2;
static_assert(kStateValueMax <= 0xFFFF, "sizes are stored in 16 bits");

struct EntryHeader {
  uint32_t value_crc = 0;
  uint32_t size = 0;
  uint8_t item = 0;
  uint8_t kind = 0;
  uint32_t number = 0;
};

uint32_t unit_of(const StorageGeometry& geometry) {
  return geometry.program_size > kHeaderSize ? geometry.program_size : kHeaderSize;
}

// Generations count round: a half of generation 0 follows one of 2^32 - 1.
bool is_newer(uint32_t generation, uint32_t other) { return generation - other - 1 < 0x7FFFFFFFU; }

uint32_t entry_crc(uint32_t generation, const uint8_t* header) {
  uint8_t seed[4];
  store_le32(seed, generation);
  return log::crc32c(log::crc32c(0, seed), {header + 4, kHeaderSize - 4});
}

void encode(const EntryHeader& entry, uint32_t generation, uint8_t* out) {
  store_le32(out + 4, entry.value_crc);
  store_le16(out + 8, static_cast<uint16_t>(entry.size));
  out[10] = entry.item;
  out[11] = entry.kind;
  store_le32(out + 12, entry.number);
  store_le32(out, entry_crc(generation, out));
}

bool decode(const uint8_t* in, uint32_t generation, EntryHeader& entry) {
  if (load_le32(in) != entry_crc(generation, in)) return false;
  entry.value_crc = load_le32(in + 4);
  entry.size = load_le16(in + 8);
  entry.item = in[10];
  entry.kind = in[11];
  entry.number = load_le32(in + 12);
  return entry.item < kStateItemsMax && (entry.kind == kValue || entry.kind == kTombstone) &&
         entry.size <= kStateValueMax;
}

// The generation of a half; kNotFound when neither header is valid.
Result<uint32_t> read_generation(Storage& storage, uint64_t base, uint32_t unit) {
  for (uint32_t copy = 0; copy < 2; ++copy) {
    uint8_t raw[kHeaderSize];
    WAYSEAL_TRY(storage.read(base + copy * unit, raw));
    if (load_le32(raw) != kMagic || load_le32(raw + 12) != log::crc32c(0, {raw, 12})) continue;
    if (load_le16(raw + 4) != kVersion) return Status::kUnsupported;
    return load_le32(raw + 8);
  }
  return Status::kNotFound;
}

Status erase_range(Storage& storage, uint64_t from, uint32_t size) {
  const uint32_t block_size = storage.geometry().block_size;
  for (uint32_t i = 0; i < size / block_size; ++i) {
    WAYSEAL_TRY(storage.erase(static_cast<uint32_t>(from / block_size) + i));
  }
  return storage.sync();
}

}  // namespace

Status StateStore::mount() {
  mounted_ = false;
  geometry_ = storage_.geometry();
  const uint32_t unit = unit_of(geometry_);
  const uint64_t half_size = static_cast<uint64_t>(geometry_.block_count / 2) * geometry_.block_size;
  const uint64_t needed =
      2 * unit + 3 * log::align_up(kHeaderSize + static_cast<uint32_t>(kStateValueMax), unit);
  if (half_size < needed || half_size > 0x40000000U) return Status::kInvalidArgument;
  half_size_ = static_cast<uint32_t>(half_size);

  Result<uint32_t> found[2] = {Status::kNotFound, Status::kNotFound};
  for (uint8_t half = 0; half < 2; ++half) {
    found[half] = read_generation(storage_, base(half), unit);
    if (!found[half].ok() && found[half].status() != Status::kNotFound) return found[half].status();
  }
  if (!found[0].ok() && !found[1].ok()) return mount_without_header();
  half_ = !found[0].ok() || (found[1].ok() && is_newer(found[1].value(), found[0].value())) ? 1 : 0;
  WAYSEAL_TRY(scan(found[half_].value()));
  mounted_ = true;
  return Status::kOk;
}

// No valid header: the first format was cut, or nothing was ever written, or this is not ours. It is safe to
// format only where no value can have been stored: values follow a valid header, so all is blank behind the
// headers. A half that is dirty in its headers alone shows that a format was cut here, whatever a later cut
// erasure left in the other.
Status StateStore::mount_without_header() {
  const uint32_t data = 2 * unit_of(geometry_);
  bool head_blank[2] = {};
  bool rest_blank[2] = {};
  for (uint8_t half = 0; half < 2; ++half) {
    const Result<bool> head = log::is_blank(storage_, base(half), base(half) + data);
    const Result<bool> rest = log::is_blank(storage_, base(half) + data, base(half) + half_size_);
    if (!head.ok()) return head.status();
    if (!rest.ok()) return rest.status();
    head_blank[half] = head.value();
    rest_blank[half] = rest.value();
  }
  const bool cut_format = (rest_blank[0] && !head_blank[0]) || (rest_blank[1] && !head_blank[1]);
  if (!cut_format && !(rest_blank[0] && rest_blank[1])) return Status::kMalformed;
  const uint8_t half = head_blank[0] && rest_blank[0] ? 0 : 1;
  if (!head_blank[half] || !rest_blank[half]) WAYSEAL_TRY(erase_range(storage_, base(half), half_size_));
  return start_half(half, 1);
}

Status StateStore::format() {
  mounted_ = false;
  geometry_ = storage_.geometry();
  for (uint32_t block = 0; block < geometry_.block_count; ++block) WAYSEAL_TRY(storage_.erase(block));
  WAYSEAL_TRY(storage_.sync());
  return mount();
}

// Writes the headers of a half whose entries, if any, are durable, and makes it the active one if it began
// empty.
Status StateStore::start_half(uint8_t half, uint32_t generation) {
  WAYSEAL_TRY(write_headers(half, generation));
  half_ = half;
  WAYSEAL_TRY(scan(generation));
  mounted_ = true;
  return Status::kOk;
}

Status StateStore::write_headers(uint8_t half, uint32_t generation) {
  uint8_t raw[kHeaderSize] = {};
  store_le32(raw, kMagic);
  store_le16(raw + 4, kVersion);
  store_le32(raw + 8, generation);
  store_le32(raw + 12, log::crc32c(0, {raw, 12}));
  for (uint32_t copy = 0; copy < 2; ++copy) {
    log::Writer writer(storage_, base(half) + copy * unit_of(geometry_));
    WAYSEAL_TRY(writer.write(raw));
    WAYSEAL_TRY(writer.finish());
  }
  return storage_.sync();
}

// Reads the active half's entries into the index.
Status StateStore::scan(uint32_t generation) {
  const uint32_t unit = unit_of(geometry_);
  for (Slot& slot : slots_) slot = Slot();
  generation_ = generation;
  entries_ = 0;
  end_ = 2 * unit;
  tail_dirty_ = false;
  while (end_ + kHeaderSize <= half_size_) {
    uint8_t raw[kHeaderSize];
    WAYSEAL_TRY(storage_.read(base(half_) + end_, raw));
    EntryHeader entry;
    if (!decode(raw, generation, entry) || entry.number != entries_ + 1) break;
    const uint32_t next = log::align_up(end_ + kHeaderSize + entry.size, unit);
    if (next > half_size_) break;
    uint32_t crc = 0;
    WAYSEAL_TRY(log::crc32c_stored(storage_, base(half_) + end_ + kHeaderSize, entry.size, crc));
    // A damaged value that is not the last one has rotted: it stays in the index, and `get` says so.
    if (crc != entry.value_crc) {
      const Result<bool> later = valid_entry_from(next, entry.number);
      if (!later.ok()) return later.status();
      if (!later.value()) break;
    }
    slots_[entry.item] = {entry.kind == kValue ? end_ : 0, entry.size};
    entries_ = entry.number;
    end_ = next;
  }
  return check_tail();
}

// What follows the last entry is erased, or the remains of a put that was cut. Valid entries behind it would
// mean that an entry has rotted of which not even the item is known.
Status StateStore::check_tail() {
  const Result<bool> blank = log::is_blank(storage_, base(half_) + end_, base(half_) + half_size_);
  if (!blank.ok()) return blank.status();
  if (blank.value()) return Status::kOk;
  tail_dirty_ = true;
  const Result<bool> later = valid_entry_from(end_ + unit_of(geometry_), entries_ + 1);
  if (!later.ok()) return later.status();
  return later.value() ? Status::kMalformed : Status::kOk;
}

// True when an entry with a number above `number` stands at or behind `offset` of the active half.
Result<bool> StateStore::valid_entry_from(uint32_t offset, uint32_t number) const {
  const uint32_t unit = unit_of(geometry_);
  for (; offset + kHeaderSize <= half_size_; offset += unit) {
    uint8_t raw[kHeaderSize];
    WAYSEAL_TRY(storage_.read(base(half_) + offset, raw));
    EntryHeader entry;
    if (decode(raw, generation_, entry) && entry.number > number) return true;
  }
  return false;
}

Result<size_t> StateStore::get(StateItem item, MutableBytes out) const {
  const size_t index = static_cast<size_t>(item);
  if (!mounted_) return Status::kBadState;
  if (index >= kStateItemsMax || slots_[index].offset == 0) return Status::kNotFound;
  const Slot& slot = slots_[index];
  if (out.size() < slot.size) return Status::kBufferTooSmall;
  uint8_t raw[kHeaderSize];
  WAYSEAL_TRY(storage_.read(base(half_) + slot.offset, raw));
  EntryHeader entry;
  if (!decode(raw, generation_, entry) || entry.item != index || entry.size != slot.size)
    return Status::kMalformed;
  const MutableBytes value = out.first(slot.size);
  if (!value.empty()) WAYSEAL_TRY(storage_.read(base(half_) + slot.offset + kHeaderSize, value));
  return log::crc32c(0, value) == entry.value_crc ? Result<size_t>(value.size()) : Status::kMalformed;
}

Status StateStore::put(StateItem item, Bytes value) {
  if (!mounted_) return Status::kBadState;
  if (static_cast<size_t>(item) >= kStateItemsMax || value.size() > kStateValueMax)
    return Status::kInvalidArgument;
  return store(item, value, kValue);
}

Status StateStore::remove(StateItem item) {
  const size_t index = static_cast<size_t>(item);
  if (!mounted_) return Status::kBadState;
  if (index >= kStateItemsMax) return Status::kInvalidArgument;
  // After a put that failed, a value may be on the medium that only the next mount would find.
  if (slots_[index].offset == 0 && !tail_dirty_) return Status::kOk;
  return store(item, {}, kTombstone);
}

Status StateStore::store(StateItem item, Bytes value, uint8_t kind) {
  const uint32_t size = log::align_up(kHeaderSize + static_cast<uint32_t>(value.size()), unit_of(geometry_));
  if (tail_dirty_ || size > half_size_ - end_) return compact(item, value, kind);
  tail_dirty_ = true;  // until it is known that it went well
  WAYSEAL_TRY(write_entry({half_, generation_, end_, entries_ + 1}, item, value, kind));
  WAYSEAL_TRY(storage_.sync());
  tail_dirty_ = false;
  slots_[static_cast<size_t>(item)] = {kind == kValue ? end_ : 0, static_cast<uint32_t>(value.size())};
  end_ += size;
  ++entries_;
  return Status::kOk;
}

Status StateStore::write_entry(const Place& place, StateItem item, Bytes value, uint8_t kind) {
  uint8_t raw[kHeaderSize];
  const EntryHeader entry{log::crc32c(0, value), static_cast<uint32_t>(value.size()),
                          static_cast<uint8_t>(item), kind, place.number};
  encode(entry, place.generation, raw);
  log::Writer writer(storage_, base(place.half) + place.offset);
  WAYSEAL_TRY(writer.write(raw));
  WAYSEAL_TRY(writer.write(value));
  return writer.finish();
}

// Copies an entry of the active half. The CRC of its value goes along unchecked, so that rot stays visible.
Status StateStore::copy_entry(const Place& to, const Slot& slot) {
  uint8_t raw[kHeaderSize];
  WAYSEAL_TRY(storage_.read(base(half_) + slot.offset, raw));
  EntryHeader entry;
  if (!decode(raw, generation_, entry) || entry.size != slot.size) return Status::kMalformed;
  entry.number = to.number;
  encode(entry, to.generation, raw);
  log::Writer writer(storage_, base(to.half) + to.offset);
  WAYSEAL_TRY(writer.write(raw));
  WAYSEAL_TRY(writer.copy(base(half_) + slot.offset + kHeaderSize, slot.size));
  return writer.finish();
}

// Writes the newest values, with `item` replaced, into the other half and makes that the active one. Until its
// headers are durable, the old half is what a mount finds.
Status StateStore::compact(StateItem item, Bytes value, uint8_t kind) {
  const uint32_t unit = unit_of(geometry_);
  const size_t replaced = static_cast<size_t>(item);
  uint32_t needed = 2 * unit + log::align_up(kHeaderSize + static_cast<uint32_t>(value.size()), unit);
  for (size_t i = 0; i < kStateItemsMax; ++i) {
    if (i != replaced && slots_[i].offset != 0) needed += log::align_up(kHeaderSize + slots_[i].size, unit);
  }
  if (needed > half_size_) return Status::kFull;

  // From here on the other half may turn out to be the newer one after a failure: no more entries into this
  // one.
  tail_dirty_ = true;
  Place place{static_cast<uint8_t>(half_ ^ 1U), generation_ + 1, 2 * unit, 1};
  WAYSEAL_TRY(erase_range(storage_, base(place.half), half_size_));
  Slot moved[kStateItemsMax];
  for (size_t i = 0; i < kStateItemsMax; ++i) {
    if (i == replaced || slots_[i].offset == 0) continue;
    WAYSEAL_TRY(copy_entry(place, slots_[i]));
    moved[i] = {place.offset, slots_[i].size};
    place.offset += log::align_up(kHeaderSize + slots_[i].size, unit);
    ++place.number;
  }
  WAYSEAL_TRY(write_entry(place, item, value, kind));
  WAYSEAL_TRY(storage_.sync());
  WAYSEAL_TRY(write_headers(place.half, place.generation));

  moved[replaced] = {kind == kValue ? place.offset : 0, static_cast<uint32_t>(value.size())};
  for (size_t i = 0; i < kStateItemsMax; ++i) slots_[i] = moved[i];
  half_ = place.half;
  generation_ = place.generation;
  entries_ = place.number;
  end_ = needed;
  tail_dirty_ = false;
  return Status::kOk;
}

}  // namespace wayseal
