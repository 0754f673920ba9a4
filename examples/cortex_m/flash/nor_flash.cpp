// SPDX-License-Identifier: Apache-2.0
#include "flash/nor_flash.hpp"

#include <atomic>

namespace flash {
namespace {

using wayseal::Status;

constexpr uint32_t kErased = 0xFFFFFFFF;
constexpr size_t kWord = sizeof(uint32_t);

/// The first word that is not erased; `end` when all are.
const uint32_t* find_programmed(const uint32_t* at, const uint32_t* end) {
  while (at != end && *at == kErased) ++at;
  return at;
}

}  // namespace

Status NorFlash::do_read(uint64_t offset, wayseal::MutableBytes out) {
  std::memcpy(out.data(), reinterpret_cast<const uint8_t*>(area_.base) + offset, out.size());
  return Status::kOk;
}

Status NorFlash::do_program(uint64_t offset, wayseal::Bytes data) {
  uint32_t* const begin = area_.base + offset / kWord;
  const uint32_t* const end = begin + data.size() / kWord;
  const uint32_t* const programmed = find_programmed(begin, end);
  if (programmed != end) return fail(NorFault::kNotErased, programmed);
  const uint8_t* from = data.data();
  for (uint32_t* at = begin; at != end; ++at, from += kWord) {
    uint32_t word;
    std::memcpy(&word, from, kWord);
    WAYSEAL_TRY(program_word(at, word));
  }
  return Status::kOk;
}

Status NorFlash::program_word(uint32_t* at, uint32_t word) {
  chip_.program_word(at, word);
  if (!wait()) return fail(NorFault::kChip, at);
  return *at == word ? Status::kOk : fail(NorFault::kNotTaken, at);
}

Status NorFlash::do_erase(uint32_t block) {
  uint32_t* const begin = area_.base + size_t{block} * (area_.block_size / kWord);
  const uint32_t* const end = begin + area_.block_size / kWord;
  if (block < erases_.size()) ++erases_[block];
  chip_.erase_sector(begin, area_.block_size);
  if (!wait()) return fail(NorFault::kChip, begin);
  const uint32_t* const programmed = find_programmed(begin, end);
  return programmed == end ? Status::kOk : fail(NorFault::kNotTaken, programmed);
}

Status NorFlash::fail(NorFault fault, const uint32_t* at) {
  fault_ = fault;
  fault_offset_ = static_cast<uint64_t>(at - area_.base) * kWord;
  return Status::kStorageFailed;
}

/// The chip changes memory behind the compiler's back: what was read before is not to be trusted afterwards.
bool NorFlash::wait() {
  const bool good = chip_.wait();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return good;
}

}  // namespace flash
