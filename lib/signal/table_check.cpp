// SPDX-License-Identifier: Apache-2.0
#include "table_check.hpp"

namespace wayseal {

namespace fmt = table_format;

namespace {

/// Infinities and NaN in a scale would spread into every value.
bool finite(const uint8_t* p) { return ((load_le64(p) >> 52) & 0x7FFU) != 0x7FFU; }

}  // namespace

Status SignalTable::load(Bytes table) {
  *this = SignalTable();
  SignalTable candidate;
  WAYSEAL_TRY(TableCheck(candidate).run(table));
  *this = candidate;
  return Status::kOk;
}

Status SignalTable::load_built_in(Bytes table) {
  *this = SignalTable();
  SignalTable candidate;
  WAYSEAL_TRY(TableCheck(candidate).lay_out(table));
  *this = candidate;
  return Status::kOk;
}

Status TableCheck::lay_out(Bytes bytes) {
  WAYSEAL_TRY(header(bytes));
  WAYSEAL_TRY(place(core_));
  if (!names_.empty()) table_.names_ = names_.data();
  return Status::kOk;
}

Status TableCheck::run(Bytes bytes) {
  WAYSEAL_TRY(lay_out(bytes));
  WAYSEAL_TRY(messages());
  WAYSEAL_TRY(groups());
  WAYSEAL_TRY(selectors());
  WAYSEAL_TRY(signals());
  WAYSEAL_TRY(slots());
  return names();
}

Status TableCheck::header(Bytes bytes) {
  if (bytes.size() < fmt::kHeaderSize + fmt::core::kFixedSize) return Status::kMalformed;
  const uint8_t* p = bytes.data();
  if (std::memcmp(p, fmt::kMagic, 3) != 0) return Status::kMalformed;
  if (p[3] != fmt::kMagic[3]) return Status::kUnsupported;
  if (fmt::crc32(bytes.first(fmt::header::kHeaderCrc)) != load_le32(p + fmt::header::kHeaderCrc)) {
    return Status::kMalformed;
  }
  const uint32_t core_size = load_le32(p + fmt::header::kCoreSize);
  const uint32_t names_size = load_le32(p + fmt::header::kNamesSize);
  const size_t rest = bytes.size() - fmt::kHeaderSize;
  if (core_size > rest) return Status::kMalformed;
  const size_t after = rest - core_size;
  if (after != 0 && after != names_size) return Status::kMalformed;
  core_ = bytes.from(fmt::kHeaderSize).first(core_size);
  names_ = after == 0 ? Bytes{} : bytes.from(fmt::kHeaderSize + core_size);
  if (fmt::crc32(core_) != load_le32(p + fmt::header::kCoreCrc)) return Status::kMalformed;
  if (!names_.empty() && fmt::crc32(names_) != load_le32(p + fmt::header::kNamesCrc)) return Status::kMalformed;
  table_.id_ = load_be64(p + fmt::header::kId);
  return Status::kOk;
}

Status TableCheck::place(Bytes core) {
  if (core.size() < fmt::core::kFixedSize) return Status::kMalformed;
  const uint8_t* p = core.data();
  table_.core_ = p;
  table_.bus_count_ = load_le16(p + fmt::core::kBusCount);
  table_.message_count_ = load_le16(p + fmt::core::kMessageCount);
  table_.group_count_ = load_le16(p + fmt::core::kGroupCount);
  table_.selector_count_ = load_le16(p + fmt::core::kSelectorCount);
  table_.case_count_ = load_le16(p + fmt::core::kCaseCount);
  table_.signal_count_ = load_le16(p + fmt::core::kSignalCount);
  table_.flags_ = p[fmt::core::kFlags];
  table_.hash_multiplier_ = load_le32(p + fmt::core::kHashMultiplier);
  table_.bus_mask_ = table_.bus_count_ == 0 ? 0 : 0xFF;
  const unsigned slot_bits = p[fmt::core::kSlotBits];
  if (slot_bits < 1 || slot_bits > 16 || (table_.hash_multiplier_ & 1U) == 0 || table_.bus_count_ > 255 ||
      load_le16(p + fmt::core::kReserved) != 0 ||
      (table_.flags_ & ~(fmt::kHasJ1939 | fmt::kHasSharedPgn)) != 0) {
    return Status::kMalformed;
  }
  table_.hash_shift_ = static_cast<uint8_t>(32 - slot_bits);
  const struct {
    const uint8_t** place;
    size_t bytes;
  } arrays[] = {
      {&table_.slots_, (size_t{1} << slot_bits) * fmt::slot::kSize},
      {&table_.geometry_, table_.signal_count_ * fmt::geometry::kSize},
      {&table_.messages_, table_.message_count_ * fmt::message::kSize},
      {&table_.groups_, table_.group_count_ * fmt::group::kSize},
      {&table_.selectors_, table_.selector_count_ * fmt::selector::kSize},
      {&table_.cases_, table_.case_count_ * fmt::mux_case::kSize},
      {&table_.values_, table_.signal_count_ * fmt::value::kSize},
      {&table_.buses_, table_.bus_count_ * fmt::kBusNameSize},
  };
  Bytes rest = core.from(fmt::core::kFixedSize);
  for (const auto& array : arrays) {
    if (array.bytes > rest.size()) return Status::kMalformed;
    *array.place = rest.data();
    rest = rest.from(array.bytes);
  }
  return rest.empty() ? Status::kOk : Status::kMalformed;
}

Status TableCheck::messages() const {
  uint32_t groups = 0;
  for (uint16_t i = 0; i < table_.message_count_; ++i) WAYSEAL_TRY(message(i, groups));
  return groups == table_.group_count_ ? Status::kOk : Status::kMalformed;
}

Status TableCheck::message(uint16_t index, uint32_t& groups) const {
  const MessageInfo info = table_.message(index);
  const uint32_t id_max = info.extended() ? kCanExtendedIdMax : kCanStandardIdMax;
  const uint16_t buses = table_.bus_count_ == 0 ? 1 : table_.bus_count_;
  const bool good = info.id <= id_max && info.bus < buses && info.length <= kCanDataMax && info.flags <= 7 &&
                    (!info.j1939() || info.extended()) &&
                    table_.message_record(index)[fmt::message::kPadding] == 0 && info.first_group == groups &&
                    info.group_count >= 1;
  groups += info.group_count;
  return good && groups <= table_.group_count_ ? Status::kOk : Status::kMalformed;
}

Status TableCheck::groups() const {
  uint32_t signals = 0;
  uint32_t selectors = 0;
  for (uint16_t i = 0; i < table_.group_count_; ++i) WAYSEAL_TRY(group(i, signals, selectors));
  return signals == table_.signal_count_ && selectors == table_.selector_count_ ? Status::kOk
                                                                                : Status::kMalformed;
}

Status TableCheck::group(uint16_t index, uint32_t& signals, uint32_t& selectors) const {
  const uint8_t* p = table_.group_record(index);
  const GroupInfo info = table_.group(index);
  const uint16_t selector_count = load_le16(p + fmt::group::kSelectorCount);
  if (info.message >= table_.message_count_) return Status::kMalformed;
  const MessageInfo owner = table_.message(info.message);
  const bool inside = index >= owner.first_group && index - owner.first_group < owner.group_count;
  const bool good = inside && info.first_signal == signals &&
                    load_le16(p + fmt::group::kFirstSelector) == selectors &&
                    selector_count <= info.signal_count;
  signals += info.signal_count;
  selectors += selector_count;
  if (!good || signals > table_.signal_count_ || selectors > table_.selector_count_) return Status::kMalformed;
  const uint16_t opened_by = load_le16(p + fmt::group::kParent);
  if (index == owner.first_group) return opened_by == fmt::group::kNoParent ? Status::kOk : Status::kMalformed;
  return parent(index);
}

/// A condition's switch lies in an earlier group of the same message, so conditions cannot go round in circles.
Status TableCheck::parent(uint16_t index) const {
  uint16_t at = index;
  for (size_t depth = 0; depth < kMuxDepthMax; ++depth) {
    const uint8_t* p = table_.group_record(at);
    const uint16_t selector = load_le16(p + fmt::group::kParent);
    if (selector >= table_.selector_count_) return Status::kMalformed;
    const uint16_t above = load_le16(table_.selector_record(selector) + fmt::selector::kGroup);
    if (above >= at || table_.group(above).message != table_.group(index).message) return Status::kMalformed;
    if (load_le16(table_.group_record(above) + fmt::group::kParent) == fmt::group::kNoParent)
      return Status::kOk;
    at = above;
  }
  return Status::kMalformed;
}

Status TableCheck::selectors() const {
  uint32_t cases_so_far = 0;
  for (uint16_t i = 0; i < table_.selector_count_; ++i) {
    const uint8_t* p = table_.selector_record(i);
    const uint16_t signal = load_le16(p + fmt::selector::kSignal);
    const uint16_t group = load_le16(p + fmt::selector::kGroup);
    if (group >= table_.group_count_) return Status::kMalformed;
    const uint8_t* owner = table_.group_record(group);
    const uint16_t first = load_le16(owner + fmt::group::kFirstSelector);
    const GroupInfo info = table_.group(group);
    const bool mutual = i >= first && i - first < load_le16(owner + fmt::group::kSelectorCount);
    const bool in_group = signal >= info.first_signal && signal - info.first_signal < info.signal_count;
    if (!mutual || !in_group || load_le16(p + fmt::selector::kFirstCase) != cases_so_far)
      return Status::kMalformed;
    cases_so_far += load_le16(p + fmt::selector::kCaseCount);
    if (cases_so_far > table_.case_count_) return Status::kMalformed;
    WAYSEAL_TRY(cases(i));
  }
  return cases_so_far == table_.case_count_ ? Status::kOk : Status::kMalformed;
}

/// Sorted and disjoint, so that the binary search is right and no group opens twice for one value.
Status TableCheck::cases(uint16_t selector) const {
  const uint8_t* record = table_.selector_record(selector);
  const uint16_t first = load_le16(record + fmt::selector::kFirstCase);
  const uint16_t count = load_le16(record + fmt::selector::kCaseCount);
  for (uint16_t i = 0; i < count; ++i) {
    const uint8_t* p = table_.case_record(static_cast<uint16_t>(first + i));
    const uint64_t low = load_le64(p + fmt::mux_case::kLow);
    const uint64_t high = load_le64(p + fmt::mux_case::kHigh);
    const uint16_t group = load_le16(p + fmt::mux_case::kGroup);
    if (low > high || group >= table_.group_count_ || load_le16(p + fmt::mux_case::kPadding) != 0 ||
        load_le16(table_.group_record(group) + fmt::group::kParent) != selector) {
      return Status::kMalformed;
    }
    if (i == 0) continue;
    const uint8_t* before = p - fmt::mux_case::kSize;
    const uint64_t high_before = load_le64(before + fmt::mux_case::kHigh);
    const bool same = load_le64(before + fmt::mux_case::kLow) == low && high_before == high &&
                      load_le16(before + fmt::mux_case::kGroup) < group;
    if (!same && low <= high_before) return Status::kMalformed;
  }
  return Status::kOk;
}

Status TableCheck::signals() const {
  for (uint16_t i = 0; i < table_.signal_count_; ++i) WAYSEAL_TRY(signal(i));
  for (uint16_t i = 0; i < table_.selector_count_; ++i) {
    const SignalType type = table_.type(load_le16(table_.selector_record(i) + fmt::selector::kSignal));
    if (type != SignalType::kUnsigned && type != SignalType::kSigned) return Status::kMalformed;
  }
  return Status::kOk;
}

Status TableCheck::signal(uint16_t index) const {
  const uint8_t* g = table_.geometry_record(index);
  const uint8_t* v = table_.value_record(index);
  const uint16_t group = table_.group_of(index);
  if (group >= table_.group_count_) return Status::kMalformed;
  const GroupInfo owner = table_.group(group);
  if (index < owner.first_signal || index - owner.first_signal >= owner.signal_count) return Status::kMalformed;

  const unsigned offset = g[fmt::geometry::kOffset];
  const unsigned left = g[fmt::geometry::kLeft];
  const unsigned right = g[fmt::geometry::kRight];
  const unsigned kind = g[fmt::geometry::kKind];
  const bool nine = (kind & fmt::geometry::kNineBytes) != 0;
  const bool far = (kind & fmt::geometry::kFar) != 0;
  if (offset > kCanDataMax - 8 || right > 63 || left > 63 || kind > 15) return Status::kMalformed;
  if (!far && (offset != 0 || nine)) return Status::kMalformed;
  const unsigned width = 64 - right;
  // What is shifted out on the left comes after an Intel signal and before a Motorola one.
  const bool before = nine || (kind & fmt::geometry::kMotorola) != 0;
  if (!nine && left + width > 64) return Status::kMalformed;
  if (nine && (left > 7 || left + width <= 64 || offset + 9 > kCanDataMax)) return Status::kMalformed;
  const unsigned skipped = before ? left : 64 - left - width;
  const unsigned needed = offset + (skipped + width + 7) / 8;
  if (g[fmt::geometry::kNeeded] != needed || needed > table_.message(owner.message).length)
    return Status::kMalformed;

  const unsigned type = v[fmt::value::kType];
  const bool is_signed = (kind & fmt::geometry::kSigned) != 0;
  if (type > static_cast<unsigned>(SignalType::kDouble)) return Status::kMalformed;
  if (is_signed != (table_.type(index) == SignalType::kSigned)) return Status::kMalformed;
  if (table_.type(index) == SignalType::kFloat && width != 32) return Status::kMalformed;
  if (table_.type(index) == SignalType::kDouble && width != 64) return Status::kMalformed;
  const bool good = g[fmt::geometry::kPadding] == 0 && load_le16(v + fmt::value::kPadding) == 0 &&
                    v[fmt::value::kRule] <= 3 && finite(v + fmt::value::kScale) &&
                    finite(v + fmt::value::kOffset);
  return good ? Status::kOk : Status::kMalformed;
}

/// Every key is where the search finds it, every message can be found, and a search for anything else ends
/// soon.
Status TableCheck::slots() const {
  const uint32_t count = 1U << (32 - table_.hash_shift_);
  size_t run = 0;
  for (uint32_t i = 0; i < count + fmt::slot::kRunMax; ++i) {
    const bool empty = load_le32(table_.slot_record(i & (count - 1)) + fmt::slot::kKey) == fmt::slot::kEmptyKey;
    run = empty ? 0 : run + 1;
    if (run > fmt::slot::kRunMax) return Status::kMalformed;
  }
  for (uint32_t i = 0; i < count; ++i) WAYSEAL_TRY(slot(i));
  for (uint16_t i = 0; i < table_.message_count_; ++i) {
    const MessageInfo info = table_.message(i);
    const uint32_t key = info.id | (info.extended() ? fmt::kExtendedKey : fmt::kStandardKey);
    if (table_.probe(key, info.bus) != i) return Status::kMalformed;
  }
  return Status::kOk;
}

Status TableCheck::slot(uint32_t index) const {
  const uint8_t* p = table_.slot_record(index);
  const uint32_t key = load_le32(p + fmt::slot::kKey);
  const uint16_t target = load_le16(p + fmt::slot::kMessage);
  if (p[fmt::slot::kBus + 1] != 0) return Status::kMalformed;
  if (key == fmt::slot::kEmptyKey) {
    return target == fmt::slot::kNoMessage && p[fmt::slot::kBus] == 0 ? Status::kOk : Status::kMalformed;
  }
  if (target >= table_.message_count_) return Status::kMalformed;
  const MessageInfo info = table_.message(target);
  if (info.bus != p[fmt::slot::kBus]) return Status::kMalformed;
  const bool by_id = key == (info.id | (info.extended() ? fmt::kExtendedKey : fmt::kStandardKey));
  const bool by_group = info.j1939() && (key == fmt::pgn_key(info.id) || key == fmt::source_key(info.id));
  if (!by_id && !by_group) return Status::kMalformed;
  // The search must arrive here and not at another slot with the same key.
  uint32_t at = fmt::home_slot(key, info.bus, table_.hash_multiplier_, table_.hash_shift_);
  while (at != index) {
    const uint8_t* other = table_.slot_record(at);
    const uint32_t found = load_le32(other + fmt::slot::kKey);
    if (found == fmt::slot::kEmptyKey || (found == key && other[fmt::slot::kBus] == info.bus))
      return Status::kMalformed;
    at = (at + 1) & (0xFFFFFFFFU >> table_.hash_shift_);
  }
  return Status::kOk;
}

Status TableCheck::text(const uint8_t* reference, const uint8_t* texts) const {
  const uint32_t at = load_le32(reference);
  const Bytes rest = Bytes(texts, load_le32(names_.data() + fmt::names::kTextBytes)).from(at);
  if (rest.size() < 2 || load_le16(rest.data()) > rest.size() - 2) return Status::kMalformed;
  return Status::kOk;
}

Status TableCheck::names() const {
  if (names_.empty()) return Status::kOk;
  if (names_.size() < fmt::names::kFixedSize) return Status::kMalformed;
  const uint32_t values = load_le32(names_.data() + fmt::names::kValueCount);
  const uint64_t records = fmt::names::kFixedSize + uint64_t{table_.message_count_} * fmt::names::kMessageSize +
                           uint64_t{table_.signal_count_} * fmt::names::kSignalSize +
                           uint64_t{values} * fmt::names::kValueSize;
  if (records + load_le32(names_.data() + fmt::names::kTextBytes) != names_.size()) return Status::kMalformed;
  const uint8_t* texts = names_.data() + records;
  const uint8_t* p = names_.data() + fmt::names::kFixedSize;
  for (uint16_t i = 0; i < table_.message_count_; ++i, p += fmt::names::kMessageSize)
    WAYSEAL_TRY(text(p, texts));
  for (uint16_t i = 0; i < table_.signal_count_; ++i, p += fmt::names::kSignalSize) {
    const uint64_t end =
        uint64_t{load_le32(p + fmt::names::kSignalFirstValue)} + load_le16(p + fmt::names::kSignalValueCount);
    if (end > values || load_le16(p + fmt::names::kSignalFlags) > fmt::names::kHasLimits)
      return Status::kMalformed;
    WAYSEAL_TRY(text(p + fmt::names::kSignalName, texts));
    WAYSEAL_TRY(text(p + fmt::names::kSignalUnit, texts));
  }
  for (uint32_t i = 0; i < values; ++i, p += fmt::names::kValueSize) {
    WAYSEAL_TRY(text(p + fmt::names::kValueText, texts));
  }
  return Status::kOk;
}

}  // namespace wayseal
