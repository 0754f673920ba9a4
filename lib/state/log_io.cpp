// SPDX-License-Identifier: Apache-2.0
#include "state/log_io.hpp"

#include "wayseal/core/config.hpp"

namespace wayseal::log {

namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41, reflected

// What is left of the lowest `bits` bits of a value once they have been shifted out.
constexpr uint32_t shifted_out(uint32_t value, int bits) {
  for (int i = 0; i < bits; ++i) value = (value & 1U) != 0 ? (value >> 1) ^ kPolynomial : value >> 1;
  return value;
}

// entries[n][i]: what byte i has become n bytes later. Without such tables, what half a byte becomes.
struct Tables {
  static constexpr int kBits = kChecksumTables == 0 ? 4 : 8;
  static constexpr size_t kRows = kChecksumTables == 0 ? 1 : kChecksumTables;
  uint32_t entries[kRows][size_t{1} << kBits] = {};
  constexpr Tables() {
    for (uint32_t i = 0; i < 1U << kBits; ++i) entries[0][i] = shifted_out(i, kBits);
    for (size_t n = 1; n < kRows; ++n) {
      for (size_t i = 0; i < 256; ++i) {
        const uint32_t before = entries[n - 1][i];
        entries[n][i] = entries[0][before & 0xFFU] ^ (before >> 8);
      }
    }
  }
};
constexpr Tables kTables;

}  // namespace

uint32_t crc32c(uint32_t crc, Bytes data) {
  crc = ~crc;
  const uint8_t* at = data.begin();
  if constexpr (kChecksumTables == 4) {
    const auto& t = kTables.entries;
    for (; data.end() - at >= 4; at += 4) {
      crc ^= load_le32(at);
      crc = t[3][crc & 0xFFU] ^ t[2][(crc >> 8) & 0xFFU] ^ t[1][(crc >> 16) & 0xFFU] ^ t[0][crc >> 24];
    }
  }
  const auto& table = kTables.entries[0];
  for (; at != data.end(); ++at) {
    if constexpr (kChecksumTables == 0) {
      crc = table[(crc ^ *at) & 0xFU] ^ (crc >> 4);
      crc = table[(crc ^ (*at >> 4)) & 0xFU] ^ (crc >> 4);
    } else {
      crc = table[(crc ^ *at) & 0xFFU] ^ (crc >> 8);
    }
  }
  return ~crc;
}

Status crc32c_stored(Storage& storage, uint64_t offset, uint64_t size, uint32_t& crc) {
  uint8_t piece[kProgramMax];
  crc = 0;
  while (size > 0) {
    const size_t count = size < sizeof piece ? static_cast<size_t>(size) : sizeof piece;
    WAYSEAL_TRY(storage.read(offset, {piece, count}));
    crc = crc32c(crc, {piece, count});
    offset += count;
    size -= count;
  }
  return Status::kOk;
}

Result<bool> is_blank(Storage& storage, uint64_t from, uint64_t to) {
  uint8_t piece[kProgramMax];
  while (from < to) {
    const size_t count = to - from < sizeof piece ? static_cast<size_t>(to - from) : sizeof piece;
    WAYSEAL_TRY(storage.read(from, {piece, count}));
    if (!is_blank(Bytes{piece, count})) return false;
    from += count;
  }
  return true;
}

Status Writer::program(Bytes data) {
  while (!data.empty()) {
    const uint64_t room = geometry_.block_size - (offset_ & (geometry_.block_size - 1));
    const Bytes part = data.size() < room ? data : data.first(static_cast<size_t>(room));
    WAYSEAL_TRY(storage_.program(offset_, part));
    offset_ += part.size();
    data = data.from(part.size());
  }
  return Status::kOk;
}

Status Writer::flush_staged() {
  const size_t count = staged_;
  staged_ = 0;
  return program({stage_, count});
}

Status Writer::write(Bytes data) {
  while (!data.empty()) {
    const size_t whole = data.size() - (data.size() & (geometry_.program_size - 1));
    if (staged_ == 0 && whole >= kProgramMax) {
      WAYSEAL_TRY(program(data.first(whole)));
      data = data.from(whole);
      continue;
    }
    const Bytes part = data.first(kProgramMax - staged_);
    std::memcpy(stage_ + staged_, part.data(), part.size());
    staged_ += part.size();
    data = data.from(part.size());
    if (staged_ == kProgramMax) WAYSEAL_TRY(flush_staged());
  }
  return Status::kOk;
}

Status Writer::copy(uint64_t from, uint32_t size) {
  while (size > 0) {
    const size_t room = kProgramMax - staged_;
    const size_t count = size < room ? size : room;
    WAYSEAL_TRY(storage_.read(from, {stage_ + staged_, count}));
    staged_ += count;
    from += count;
    size -= static_cast<uint32_t>(count);
    if (staged_ == kProgramMax) WAYSEAL_TRY(flush_staged());
  }
  return Status::kOk;
}

Status Writer::finish() {
  while ((staged_ & (geometry_.program_size - 1)) != 0) stage_[staged_++] = 0xFF;
  return flush_staged();
}

}  // namespace wayseal::log
