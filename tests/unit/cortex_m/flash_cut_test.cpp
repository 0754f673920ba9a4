// SPDX-License-Identifier: Apache-2.0
// The state store on NOR flash that loses its power at each call of the chip.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <vector>

#include "flash/memory_nor.hpp"
#include "flash/nor_flash.hpp"
#include "wayseal/state/state_store.hpp"

namespace wayseal::test {
namespace {

constexpr uint32_t kBlock = 16384;
constexpr uint32_t kBlocks = 4;
constexpr uint64_t kPuts = 40;
// So that some puts fill a half, which is copied then.
constexpr size_t kBigValue = 2048;

/// The power goes before call number `cut` of the chip.
class CutNor final : public flash::NorChip {
 public:
  explicit CutNor(size_t cut) : cut_(cut) {}
  bool off() const { return calls_ >= cut_; }
  size_t calls() const { return calls_; }

  void program_word(uint32_t* address, uint32_t word) override {
    if (on()) chip_.program_word(address, word);
  }
  void erase_sector(uint32_t* address, size_t size) override {
    if (on()) chip_.erase_sector(address, size);
  }
  bool wait() override { return on() && chip_.wait(); }

 private:
  bool on() { return ++calls_ < cut_; }
  size_t cut_;
  size_t calls_ = 0;
  flash::MemoryNor chip_;
};

using Memory = std::vector<uint32_t>;

flash::NorArea area_of(Memory& memory) { return {memory.data(), kBlock, kBlocks, 4}; }

std::vector<uint8_t> value_of(uint64_t number) {
  std::vector<uint8_t> value(kBigValue, static_cast<uint8_t>(number * 31));
  store_le64(value.data(), number);
  return value;
}

/// Puts one value after the other until the power goes. \return the last that was said to be durable.
uint64_t put_until_cut(Memory& memory, CutNor& chip) {
  flash::NorFlash storage(chip, area_of(memory));
  StateStore store(storage);
  if (store.mount() != Status::kOk) return 0;
  uint64_t done = 0;
  for (uint64_t number = 1; number <= kPuts; ++number) {
    const std::vector<uint8_t> value = value_of(number);
    if (store.put(StateItem::kSessionCounter, {value.data(), value.size()}) != Status::kOk) break;
    done = number;
  }
  return done;
}

/// The number of the value that is there after a restart; 0: none. Fails when it is no whole value, or none can be put.
uint64_t number_after_restart(Memory& memory) {
  flash::MemoryNor chip;
  flash::NorFlash storage(chip, area_of(memory));
  StateStore store(storage);
  REQUIRE(store.mount() == Status::kOk);
  std::vector<uint8_t> value(kBigValue);
  const Result<size_t> size = store.get(StateItem::kSessionCounter, {value.data(), value.size()});
  const uint64_t number = size.ok() ? load_le64(value.data()) : 0;
  REQUIRE((size.ok() ? value == value_of(number) : size.status() == Status::kNotFound));
  const std::vector<uint8_t> next = value_of(number + 1);
  REQUIRE(store.put(StateItem::kSessionCounter, {next.data(), next.size()}) == Status::kOk);
  REQUIRE(storage.fault() == flash::NorFault::kNone);
  return number;
}

}  // namespace

TEST_CASE(
    "state on NOR flash: a cut at any call of the chip leaves the old value or the new one, and goes on") {
  Memory blank(kBlock / 4 * kBlocks, 0xFFFFFFFF);
  Memory whole = blank;
  CutNor uncut(SIZE_MAX);
  REQUIRE(put_until_cut(whole, uncut) == kPuts);
  size_t cuts = 0;
  // Every call of the first puts, then a prime step, so that all kinds of operations are met.
  for (size_t cut = 1; cut <= uncut.calls(); cut += cut < 300 ? 1 : 37) {
    CAPTURE(cut);
    Memory memory = blank;
    CutNor chip(cut);
    const uint64_t done = put_until_cut(memory, chip);
    const uint64_t found = number_after_restart(memory);
    REQUIRE((found == done || found == done + 1));
    ++cuts;
  }
  std::printf("%zu cuts in %zu calls of the chip\n", cuts, uncut.calls());
  CHECK(cuts > 500);
}

}  // namespace wayseal::test
