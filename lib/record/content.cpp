// SPDX-License-Identifier: Apache-2.0
#include "wayseal/record/content.hpp"

namespace wayseal {
namespace {

unsigned floor_log2(size_t value) {
  unsigned log = 0;
  while (value > 1) {
    value >>= 1;
    ++log;
  }
  return log;
}

bool known(uint8_t type) { return (type >= 1 && type <= 5) || type == static_cast<uint8_t>(ContentType::kAck); }

}  // namespace

size_t content_bucket(size_t length, size_t limit) {
  if (length < 8) return length;
  const unsigned exponent = floor_log2(length);
  const unsigned kept = floor_log2(exponent) + 1;
  const size_t step = size_t{1} << (exponent - kept);
  const size_t bucket = (length + step - 1) & ~(step - 1);
  return bucket < limit ? bucket : limit;
}

Result<size_t> frame_content(ContentType type, size_t payload_bytes, MutableBytes area) {
  const size_t limit = area.size() < kContentMax ? area.size() : kContentMax;
  if (limit < kContentHeaderSize || payload_bytes > limit - kContentHeaderSize) return Status::kInvalidArgument;
  const size_t used = kContentHeaderSize + payload_bytes;
  const size_t size = content_bucket(used, limit);
  area[0] = static_cast<uint8_t>(type);
  store_be16(area.data() + 1, static_cast<uint16_t>(payload_bytes));
  std::memset(area.data() + used, 0, size - used);
  return size;
}

Status parse_content(Bytes content, ContentView& out) {
  if (content.size() < kContentHeaderSize) return Status::kMalformed;
  const size_t length = load_be16(content.data() + 1);
  if (length > content.size() - kContentHeaderSize) return Status::kMalformed;
  uint8_t padding = 0;
  for (const uint8_t byte : content.from(kContentHeaderSize + length))
    padding = static_cast<uint8_t>(padding | byte);
  if (padding != 0) return Status::kMalformed;
  if (!known(content[0])) return Status::kUnsupported;
  out.type = static_cast<ContentType>(content[0]);
  out.payload = content.from(kContentHeaderSize).first(length);
  return Status::kOk;
}

}  // namespace wayseal
