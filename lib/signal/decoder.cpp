// SPDX-License-Identifier: Apache-2.0
#include "wayseal/signal/decoder.hpp"

namespace wayseal::detail {

namespace fmt = table_format;

uint64_t extract_far(const uint8_t* geometry, const uint8_t* data) {
  const uint8_t* p = data + geometry[fmt::geometry::kOffset];
  const unsigned left = geometry[fmt::geometry::kLeft];
  const unsigned right = geometry[fmt::geometry::kRight];
  const unsigned kind = geometry[fmt::geometry::kKind];
  uint64_t bits = (kind & fmt::geometry::kMotorola) != 0 ? load_be64(p) : load_le64(p);
  if ((kind & fmt::geometry::kNineBytes) == 0) {
    bits <<= left;
  } else if ((kind & fmt::geometry::kMotorola) != 0) {
    bits = (bits << left) | (static_cast<uint64_t>(p[8]) >> (8 - left));
  } else {
    // `left` is 1 to 7 here: with 0, eight bytes would have done.
    bits = ((bits >> left) | (static_cast<uint64_t>(p[8]) << (64 - left))) << right;
  }
  if ((kind & fmt::geometry::kSigned) != 0) return static_cast<uint64_t>(static_cast<int64_t>(bits) >> right);
  return bits >> right;
}

void GroupWalk::enter(uint16_t group) {
  const uint8_t* record = table_.group_record(group);
  const uint16_t count = load_le16(record + fmt::group::kSelectorCount);
  if (count == 0) return;
  const uint16_t first = load_le16(record + fmt::group::kFirstSelector);
  Level& level = levels_[depth_++];
  level = {first, static_cast<uint16_t>(first + count), 0, 0, 0};
}

/// Binary search for the first case that does not end below the selector's value.
void GroupWalk::find_cases(Level& level) const {
  const uint8_t* record = table_.selector_record(level.selector++);
  const uint8_t* geometry = table_.geometry_record(load_le16(record + fmt::selector::kSignal));
  const uint16_t first = load_le16(record + fmt::selector::kFirstCase);
  const uint16_t count = load_le16(record + fmt::selector::kCaseCount);
  level.case_end = static_cast<uint16_t>(first + count);
  level.mux_case = level.case_end;
  if (geometry[fmt::geometry::kNeeded] > frame_.length) return;
  // As unsigned, whatever the switch's declared sign: the conditions are bit patterns.
  const unsigned right = geometry[fmt::geometry::kRight];
  level.value = (extract(geometry, front_, frame_.data) << right) >> right;
  uint16_t low = first;
  while (low < level.mux_case) {
    const auto middle = static_cast<uint16_t>(low + (level.mux_case - low) / 2);
    if (load_le64(table_.case_record(middle) + fmt::mux_case::kHigh) < level.value) {
      low = static_cast<uint16_t>(middle + 1);
    } else {
      level.mux_case = middle;
    }
  }
}

Result<uint16_t> GroupWalk::next() {
  while (depth_ > 0) {
    Level& level = levels_[depth_ - 1];
    if (level.mux_case != level.case_end) {
      const uint8_t* record = table_.case_record(level.mux_case++);
      if (load_le64(record + fmt::mux_case::kLow) <= level.value) {
        const uint16_t group = load_le16(record + fmt::mux_case::kGroup);
        enter(group);
        return group;
      }
      level.mux_case = level.case_end;
    } else if (level.selector != level.selector_end) {
      find_cases(level);
    } else {
      --depth_;
    }
  }
  return Status::kNotFound;
}

}  // namespace wayseal::detail
