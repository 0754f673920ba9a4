// SPDX-License-Identifier: Apache-2.0
#include "unit/collect/plain_table.hpp"

#include <cstring>

namespace wayseal::test {
namespace {

namespace fmt = table_format;

class Writer {
 public:
  uint8_t* add(size_t bytes, uint8_t fill = 0) {
    bytes_.resize(bytes_.size() + bytes, fill);
    return bytes_.data() + bytes_.size() - bytes;
  }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

uint8_t slot_bits_for(size_t messages) {
  uint8_t bits = 1;
  while ((size_t{1} << bits) < 2 * messages + 1) ++bits;
  return bits;
}

void add_slots(Writer& core, const std::vector<PlainMessage>& messages, uint8_t bits, uint32_t multiplier) {
  const size_t count = size_t{1} << bits;
  uint8_t* const slots = core.add(count * fmt::slot::kSize);
  for (size_t i = 0; i < count; ++i) {
    store_le32(slots + i * fmt::slot::kSize + fmt::slot::kKey, fmt::slot::kEmptyKey);
    store_le16(slots + i * fmt::slot::kSize + fmt::slot::kMessage, fmt::slot::kNoMessage);
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const uint32_t key = fmt::kStandardKey | messages[i].id;
    size_t at = fmt::home_slot(key, 0, multiplier, 32U - bits);
    while (load_le32(slots + at * fmt::slot::kSize) != fmt::slot::kEmptyKey) at = (at + 1) % count;
    store_le32(slots + at * fmt::slot::kSize + fmt::slot::kKey, key);
    store_le16(slots + at * fmt::slot::kSize + fmt::slot::kMessage, static_cast<uint16_t>(i));
  }
}

void add_geometry(Writer& core, const std::vector<PlainMessage>& messages) {
  for (size_t m = 0; m < messages.size(); ++m) {
    for (const PlainSignal& signal : messages[m].signals) {
      uint8_t* const p = core.add(fmt::geometry::kSize);
      const bool far = 8 * signal.byte + signal.bits > 64;
      const int offset = !far ? 0 : signal.byte < 56 ? signal.byte : 56;
      const int skipped = 8 * (signal.byte - offset);
      p[fmt::geometry::kOffset] = static_cast<uint8_t>(offset);
      p[fmt::geometry::kLeft] = static_cast<uint8_t>(64 - skipped - signal.bits);
      p[fmt::geometry::kRight] = static_cast<uint8_t>(64 - signal.bits);
      p[fmt::geometry::kKind] = static_cast<uint8_t>((signal.is_signed ? fmt::geometry::kSigned : 0) |
                                                     (far ? fmt::geometry::kFar : 0));
      p[fmt::geometry::kNeeded] = static_cast<uint8_t>(signal.byte + (signal.bits + 7) / 8);
      store_le16(p + fmt::geometry::kGroup, static_cast<uint16_t>(m));
    }
  }
}

void add_messages_and_groups(Writer& core, const std::vector<PlainMessage>& messages) {
  for (size_t i = 0; i < messages.size(); ++i) {
    uint8_t* const p = core.add(fmt::message::kSize);
    store_le32(p + fmt::message::kId, messages[i].id);
    p[fmt::message::kLength] = messages[i].length;
    p[fmt::message::kFlags] = messages[i].length > 8 ? fmt::message::kFd : 0;
    store_le16(p + fmt::message::kFirstGroup, static_cast<uint16_t>(i));
    store_le16(p + fmt::message::kGroupCount, 1);
  }
  size_t first = 0;
  for (size_t i = 0; i < messages.size(); ++i) {
    uint8_t* const p = core.add(fmt::group::kSize);
    store_le16(p + fmt::group::kMessage, static_cast<uint16_t>(i));
    store_le16(p + fmt::group::kFirstSignal, static_cast<uint16_t>(first));
    store_le16(p + fmt::group::kSignalCount, static_cast<uint16_t>(messages[i].signals.size()));
    store_le16(p + fmt::group::kParent, fmt::group::kNoParent);
    first += messages[i].signals.size();
  }
}

void add_values(Writer& core, const std::vector<PlainMessage>& messages) {
  const double one = 1;
  for (const PlainMessage& message : messages) {
    for (const PlainSignal& signal : message.signals) {
      uint8_t* const p = core.add(fmt::value::kSize);
      std::memcpy(p + fmt::value::kScale, &one, sizeof one);
      store_le32(p + fmt::value::kMinInterval, signal.rule.min_interval_ms);
      p[fmt::value::kRule] = static_cast<uint8_t>((signal.rule.collected ? fmt::value::kCollected : 0) |
                                                  (signal.rule.on_change ? fmt::value::kOnChange : 0));
      p[fmt::value::kType] =
          static_cast<uint8_t>(signal.is_signed ? SignalType::kSigned : SignalType::kUnsigned);
    }
  }
}

}  // namespace

std::vector<uint8_t> make_plain_table(const std::vector<PlainMessage>& messages) {
  constexpr uint32_t kMultiplier = 0x9E3779B1;
  const uint8_t bits = slot_bits_for(messages.size());
  size_t signals = 0;
  for (const PlainMessage& message : messages) signals += message.signals.size();

  Writer core;
  uint8_t* const p = core.add(fmt::core::kFixedSize);
  store_le32(p + fmt::core::kVersion, 1);
  store_le16(p + fmt::core::kMessageCount, static_cast<uint16_t>(messages.size()));
  store_le16(p + fmt::core::kGroupCount, static_cast<uint16_t>(messages.size()));
  store_le16(p + fmt::core::kSignalCount, static_cast<uint16_t>(signals));
  p[fmt::core::kSlotBits] = bits;
  store_le32(p + fmt::core::kHashMultiplier, kMultiplier);
  add_slots(core, messages, bits, kMultiplier);
  add_geometry(core, messages);
  add_messages_and_groups(core, messages);
  add_values(core, messages);

  std::vector<uint8_t> table(fmt::kHeaderSize);
  std::memcpy(table.data(), fmt::kMagic, sizeof fmt::kMagic);
  store_le32(table.data() + fmt::header::kCoreSize, static_cast<uint32_t>(core.bytes().size()));
  store_le32(table.data() + fmt::header::kCoreCrc, fmt::crc32({core.bytes().data(), core.bytes().size()}));
  store_le32(table.data() + fmt::header::kNamesCrc, fmt::crc32({}));
  store_be64(table.data() + fmt::header::kId, kPlainTableId);
  store_le32(table.data() + fmt::header::kHeaderCrc, fmt::crc32({table.data(), fmt::header::kHeaderCrc}));
  table.insert(table.end(), core.bytes().begin(), core.bytes().end());
  return table;
}

}  // namespace wayseal::test
