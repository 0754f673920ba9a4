// SPDX-License-Identifier: Apache-2.0
// Writes records to flash for ever; at each start it says whether the last operation alone is torn. See ../README.md.
#include "board/board.hpp"
#include "board/memory_map.hpp"
#include "flash/memory_nor.hpp"
#include "flash/nor_flash.hpp"

namespace {

using wayseal::Status;

constexpr uint32_t kBlock = 4096;
constexpr uint32_t kBlocks = 8;
constexpr uint32_t kWords = 8;
constexpr uint32_t kSlotsABlock = kBlock / (kWords * sizeof(uint32_t));
constexpr uint32_t kSlots = kBlocks * kSlotsABlock;
constexpr uint32_t kErasedWord = 0xFFFFFFFF;
// Slow enough that a cut falls into an operation rather than between two.
constexpr flash::NorPace kPace = {1000, 500000};

/// Record number `position` is in slot `position` modulo kSlots.
struct Record {
  uint32_t words[kWords];
};

Record make_record(uint32_t position, bool before_is_torn) {
  Record out = {{position, before_is_torn ? 1U : 0U}};
  for (uint32_t i = 2; i < kWords; ++i) out.words[i] = (position + i) * 2654435761U;
  return out;
}

enum class Slot : uint8_t { kErased, kWhole, kOther };

struct Journal {
  flash::MemoryNor chip{kPace};
  flash::NorFlash storage{chip, {reinterpret_cast<uint32_t*>(board::kExternalMemory), kBlock, kBlocks, 4}};
};

[[noreturn]] void broken(const char* what, uint32_t position) {
  board::print("broken: ");
  board::print(what);
  board::print_field("position", position);
  board::print("\n");
  board::exit(1);
}

Slot read_slot(Journal& journal, uint32_t slot, Record& out) {
  const wayseal::MutableBytes bytes(reinterpret_cast<uint8_t*>(out.words), sizeof out.words);
  if (journal.storage.read(uint64_t{slot} * sizeof out, bytes) != Status::kOk) broken("read", slot);
  bool erased = true;
  for (const uint32_t word : out.words) erased = erased && word == kErasedWord;
  if (erased) return Slot::kErased;
  const Record expected = make_record(out.words[0], out.words[1] == 1);
  const bool whole = out.words[0] % kSlots == slot && std::memcmp(&expected, &out, sizeof out) == 0;
  return whole ? Slot::kWhole : Slot::kOther;
}

/// \return false when there is none.
bool find_last(Journal& journal, uint32_t& last) {
  bool found = false;
  Record record;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    if (read_slot(journal, slot, record) != Slot::kWhole) continue;
    if (!found || record.words[0] > last) last = record.words[0];
    found = true;
  }
  return found;
}

/// Records up to `last` are all there, but for those of which the next one says that they were torn.
void check_old(Journal& journal, uint32_t last, uint32_t block) {
  Record record;
  for (uint32_t slot = block * kSlotsABlock; slot < (block + 1) * kSlotsABlock; ++slot) {
    const uint32_t back = (last - slot) % kSlots;
    const Slot found = read_slot(journal, slot, record);
    if (back > last) {  // never written yet
      if (found != Slot::kErased) broken("not erased", slot);
      continue;
    }
    const uint32_t position = last - back;
    if (found == Slot::kWhole && record.words[0] == position) continue;
    if (read_slot(journal, (position + 1) % kSlots, record) == Slot::kWhole &&
        record.words[0] == position + 1 && record.words[1] == 1) {
      continue;
    }
    broken("an old record is damaged", position);
  }
}

/// Behind the last record its block is erased, but for the record that was cut.
bool check_rest_of_block(Journal& journal, uint32_t last) {
  Record record;
  const uint32_t first = last % kSlots + 1;
  const bool torn = read_slot(journal, first, record) != Slot::kErased;
  for (uint32_t slot = first + 1; slot % kSlotsABlock != 0; ++slot) {
    if (read_slot(journal, slot, record) != Slot::kErased) broken("more than the last operation is torn", slot);
  }
  return torn;
}

bool is_block_touched(Journal& journal, uint32_t block) {
  Record record;
  uint32_t others = 0;
  for (uint32_t slot = block * kSlotsABlock; slot < (block + 1) * kSlotsABlock; ++slot) {
    if (read_slot(journal, slot, record) == Slot::kOther) ++others;
  }
  return others > kSlotsABlock / 2;
}

struct Found {
  uint32_t next = 0;  ///< Position to go on at.
  bool torn_record = false;
  bool torn_erase = false;
};

Found check(Journal& journal) {
  Found out;
  uint32_t last = 0;
  if (!find_last(journal, last)) {
    // At most the very first erasure, or the first record, was cut.
    for (uint32_t block = 1; block < kBlocks; ++block) check_old(journal, 0, block);
    out.torn_erase = is_block_touched(journal, 0);
    return out;
  }
  const uint32_t block = last / kSlotsABlock % kBlocks;
  const bool block_is_full = last % kSlotsABlock == kSlotsABlock - 1;
  const uint32_t next_block = (block + 1) % kBlocks;
  for (uint32_t other = 0; other < kBlocks; ++other) {
    if (other != block && !(block_is_full && other == next_block)) check_old(journal, last, other);
  }
  for (uint32_t back = 0; back <= last % kSlotsABlock; ++back) {
    Record record;
    const uint32_t position = last - back;
    if (read_slot(journal, position % kSlots, record) == Slot::kWhole && record.words[0] == position) continue;
    if (read_slot(journal, (position + 1) % kSlots, record) != Slot::kWhole || record.words[1] != 1)
      broken("a record of this block is damaged", position);
  }
  out.next = last + 1;
  if (block_is_full) {
    out.torn_erase = is_block_touched(journal, next_block);
  } else {
    out.torn_record = check_rest_of_block(journal, last);
    if (out.torn_record) ++out.next;
  }
  return out;
}

void write_one(Journal& journal, uint32_t position, bool before_is_torn) {
  const uint32_t slot = position % kSlots;
  if (slot % kSlotsABlock == 0 && journal.storage.erase(slot / kSlotsABlock) != Status::kOk)
    broken("erase", position);
  const Record record = make_record(position, before_is_torn);
  const wayseal::Bytes bytes(reinterpret_cast<const uint8_t*>(record.words), sizeof record.words);
  if (journal.storage.program(uint64_t{slot} * sizeof record, bytes) != Status::kOk)
    broken("program", position);
}

}  // namespace

int main() {
  static Journal journal;
  const Found found = check(journal);
  uint32_t position = found.next;
  write_one(journal, position++, found.torn_record);
  board::print("checked");
  board::print_field("position", found.next);
  board::print_field("torn_record", found.torn_record ? 1 : 0);
  board::print_field("torn_erase", found.torn_erase ? 1 : 0);
  board::print("\n");
  for (;;) write_one(journal, position++, false);
}
