// SPDX-License-Identifier: Apache-2.0
#include "flash/nor_flash.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "contract/storage/storage_contract.hpp"
#include "flash/memory_nor.hpp"

namespace wayseal::test {
namespace {

using flash::MemoryNor;
using flash::NorFault;
using flash::NorFlash;

constexpr uint32_t kBlock = 256;
constexpr uint32_t kBlocks = 4;
constexpr size_t kBlockWords = kBlock / 4;
constexpr uint32_t kErased = 0xFFFFFFFF;
static_assert(flash::is_nor_area({nullptr, kBlock, kBlocks, 4}));
static_assert(!flash::is_nor_area({nullptr, 384, kBlocks, 4}));
static_assert(!flash::is_nor_area({nullptr, kBlock, 1, 4}));
static_assert(!flash::is_nor_area({nullptr, kBlock, kBlocks, 2}));

/// The power goes before call number `cut` of the chip; what comes later does nothing. 0: it stays.
class CutNor final : public flash::NorChip {
 public:
  explicit CutNor(size_t cut = 0) : cut_(cut) {}
  size_t calls() const { return calls_; }
  bool cut() const { return cut_ != 0 && calls_ >= cut_; }

  void program_word(uint32_t* address, uint32_t word) override {
    if (on()) chip_.program_word(address, word);
  }
  void erase_sector(uint32_t* address, size_t size) override {
    if (on()) chip_.erase_sector(address, size);
  }
  bool wait() override { return on() && chip_.wait(); }

 private:
  bool on() { return ++calls_ < cut_ || cut_ == 0; }
  size_t cut_;
  size_t calls_ = 0;
  MemoryNor chip_;
};

/// A chip some of whose bits do not change any more.
class WornNor final : public flash::NorChip {
 public:
  explicit WornNor(uint32_t* worn) : worn_(worn) {}
  void program_word(uint32_t* address, uint32_t word) override { chip_.program_word(address, word); }
  void erase_sector(uint32_t* address, size_t size) override { chip_.erase_sector(address, size); }
  bool wait() override {
    const bool good = chip_.wait();
    *worn_ |= 0x10;
    if (stuck_low) *worn_ &= ~uint32_t{0x100};
    return good;
  }
  bool stuck_low = false;

 private:
  uint32_t* worn_;
  MemoryNor chip_;
};

std::vector<uint32_t> erased_memory() { return std::vector<uint32_t>(kBlockWords * kBlocks, kErased); }
flash::NorArea area_of(std::vector<uint32_t>& memory) { return {memory.data(), kBlock, kBlocks, 4}; }

}  // namespace

TEST_CASE("storage contract: NOR flash") {
  for (const uint32_t program_size : {4U, 8U, 32U, 256U}) {
    std::vector<uint32_t> memory(4096 / 4 * 8, kErased);
    MemoryNor chip;
    NorFlash storage(chip, {memory.data(), 4096, 8, program_size});
    check_storage_contract(storage);
    CHECK(storage.fault() == NorFault::kNone);
  }
}

TEST_CASE("an area touches nothing beside itself") {
  std::vector<uint32_t> memory(kBlockWords * 6, 0x12345678);
  MemoryNor chip;
  NorFlash storage(chip, {memory.data() + kBlockWords, kBlock, 4, 4});
  for (uint32_t block = 0; block < 4; ++block) REQUIRE(storage.erase(block) == Status::kOk);
  for (size_t i = 0; i < kBlockWords; ++i) {
    REQUIRE(memory[i] == 0x12345678);
    REQUIRE(memory[kBlockWords * 5 + i] == 0x12345678);
  }
  CHECK(memory[kBlockWords] == kErased);
  CHECK(memory[kBlockWords * 5 - 1] == kErased);
}

TEST_CASE("what is programmed already is not programmed again, and stays as it is") {
  std::vector<uint32_t> memory = erased_memory();
  MemoryNor chip;
  NorFlash storage(chip, area_of(memory));
  const uint8_t first[8] = {0xF0, 1, 2, 3, 4, 5, 6, 7};
  const uint8_t second[12] = {};
  REQUIRE(storage.program(8, first) == Status::kOk);
  CHECK(storage.program(4, second) ==
        Status::kStorageFailed);  // begins in erased bytes, ends in programmed ones
  CHECK(storage.fault() == NorFault::kNotErased);
  CHECK(storage.fault_offset() == 8);
  uint8_t out[12] = {};
  REQUIRE(storage.read(4, out) == Status::kOk);
  CHECK(out[0] == 0xFF);
  CHECK(equal(Bytes(out).from(4), first));
}

TEST_CASE("the chip itself clears bits only") {
  uint32_t word = kErased;
  MemoryNor chip;
  chip.program_word(&word, 0xF0F0F0F0);
  REQUIRE(chip.wait());
  chip.program_word(&word, 0x3C3C3C3C);
  REQUIRE(chip.wait());
  CHECK(word == 0x30303030);
}

TEST_CASE("a cut in the middle of programming leaves the words before whole and those behind erased") {
  const uint8_t data[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  size_t torn_words = 0;
  for (size_t cut = 1; cut <= 8; ++cut) {
    CAPTURE(cut);
    std::vector<uint32_t> memory = erased_memory();
    CutNor chip(cut);
    NorFlash storage(chip, area_of(memory));
    CHECK(storage.program(kBlock, data) == Status::kStorageFailed);
    const size_t done = (cut - 1) / 2;  // two calls a word
    const bool started = cut % 2 == 0;
    CHECK(std::memcmp(&memory[kBlockWords], data, done * 4) == 0);
    const uint32_t next = memory[kBlockWords + done];
    CHECK((next == kErased) == !started);
    if (started && std::memcmp(&next, data + done * 4, 4) != 0) ++torn_words;
    for (size_t i = kBlockWords + done + 1; i < memory.size(); ++i) REQUIRE(memory[i] == kErased);
    for (size_t i = 0; i < kBlockWords; ++i) REQUIRE(memory[i] == kErased);
  }
  CHECK(torn_words == 4);
}

TEST_CASE("a cut in the middle of erasing leaves that block in no good state, and all others as they were") {
  std::vector<uint32_t> memory(kBlockWords * kBlocks, 0xA5A5A5A5);
  CutNor chip(2);
  NorFlash storage(chip, area_of(memory));
  CHECK(storage.erase(1) == Status::kStorageFailed);
  CHECK(storage.fault() == NorFault::kChip);
  for (size_t i = 0; i < memory.size(); ++i) {
    const bool in_block = i / kBlockWords == 1;
    REQUIRE(memory[i] == (in_block ? 0U : 0xA5A5A5A5U));
  }
  MemoryNor again;
  NorFlash restarted(again, area_of(memory));
  CHECK(restarted.erase(1) == Status::kOk);
  CHECK(memory[kBlockWords] == kErased);
}

TEST_CASE("worn cells are noticed, whether they do not clear or do not rise") {
  std::vector<uint32_t> memory = erased_memory();
  WornNor chip(&memory[2]);
  NorFlash storage(chip, area_of(memory));
  const uint8_t data[16] = {};
  CHECK(storage.program(0, data) == Status::kStorageFailed);
  CHECK(storage.fault() == NorFault::kNotTaken);
  CHECK(storage.fault_offset() == 8);
  CHECK(storage.erase(0) == Status::kOk);
  chip.stuck_low = true;
  CHECK(storage.erase(0) == Status::kStorageFailed);
  CHECK(storage.fault() == NorFault::kNotTaken);
  CHECK(storage.fault_offset() == 8);
}

TEST_CASE("erasures are counted block by block") {
  std::vector<uint32_t> memory = erased_memory();
  MemoryNor chip;
  uint32_t erases[kBlocks] = {};
  NorFlash storage(chip, area_of(memory), erases);
  for (const uint32_t block : {0U, 2U, 2U, 3U, 2U}) REQUIRE(storage.erase(block) == Status::kOk);
  CHECK(erases[0] == 1);
  CHECK(erases[1] == 0);
  CHECK(erases[2] == 3);
  CHECK(erases[3] == 1);
}

}  // namespace wayseal::test
