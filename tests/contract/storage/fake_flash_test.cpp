// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_flash.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "contract/storage/storage_contract.hpp"

namespace wayseal::test {
namespace {

constexpr StorageGeometry kSmall{256, 4, 4};
constexpr uint8_t kData[8] = {1, 2, 3, 4, 5, 6, 7, 8};

std::vector<uint8_t> head(const FakeFlash& flash) { return {flash.image().begin(), flash.image().begin() + 8}; }
const std::vector<uint8_t> kErased(8, 0xFF);
const std::vector<uint8_t> kWritten(kData, kData + 8);

}  // namespace

TEST_CASE("storage contract: fake flash") {
  for (const uint32_t program_size : {1U, 8U, 32U, 256U}) {
    FakeFlash flash({4096, 8, program_size});
    check_storage_contract(flash);
    CHECK(flash.violations() == 0);
  }
}

TEST_CASE("fake flash notices a second program of the same byte and clears bits only") {
  FakeFlash flash(kSmall);
  const uint8_t first[4] = {0xF0, 0xFF, 0xFF, 0xFF};
  const uint8_t second[4] = {0x3C, 0xFF, 0xFF, 0xFF};
  REQUIRE(flash.program(0, first) == Status::kOk);
  CHECK(flash.violations() == 0);
  REQUIRE(flash.program(0, second) == Status::kOk);
  CHECK(flash.violations() == 1);
  CHECK(flash.image()[0] == 0x30);
}

TEST_CASE("fake flash keeps what was synced and may lose the rest") {
  std::set<std::vector<uint8_t>> outcomes;
  for (uint64_t seed = 0; seed < 64; ++seed) {
    FakeFlash flash(kSmall, seed);
    REQUIRE(flash.program(256, kData) == Status::kOk);
    REQUIRE(flash.sync() == Status::kOk);
    REQUIRE(flash.program(0, kData) == Status::kOk);
    flash.cut_power(CutMode::kLoseUnsynced);
    CHECK(flash.program(0, kData) == Status::kStorageFailed);
    flash.power_on();
    outcomes.insert(head(flash));
    CHECK(std::vector<uint8_t>(flash.image().begin() + 256, flash.image().begin() + 264) == kWritten);
  }
  CHECK(outcomes.count(kErased) == 1);
  CHECK(outcomes.count(kWritten) == 1);
  CHECK(outcomes.size() > 4);  // torn ones too
}

TEST_CASE("fake flash cuts inside the operation asked for") {
  std::set<std::vector<uint8_t>> outcomes;
  for (uint64_t seed = 0; seed < 64; ++seed) {
    FakeFlash flash(kSmall, seed);
    flash.cut_power_at(2, seed % 2 == 0 ? CutMode::kTorn : CutMode::kClean);
    REQUIRE(flash.program(256, kData) == Status::kOk);
    CHECK(flash.program(0, kData) == Status::kStorageFailed);
    CHECK_FALSE(flash.powered());
    if (seed % 2 == 0) outcomes.insert(head(flash));
    if (seed % 2 == 1) CHECK(head(flash) == kErased);
    CHECK(std::vector<uint8_t>(flash.image().begin() + 256, flash.image().begin() + 264) == kWritten);
  }
  CHECK(outcomes.size() > 8);
}

TEST_CASE("fake flash fails, rots and counts on demand") {
  FakeFlash flash(kSmall);
  flash.fail_write_at(2, Status::kFull);
  CHECK(flash.program(0, kData) == Status::kOk);
  CHECK(flash.sync() == Status::kFull);
  CHECK(flash.sync() == Status::kOk);
  flash.fail_read_at(1, Status::kStorageFailed);
  uint8_t out[8] = {};
  CHECK(flash.read(0, out) == Status::kStorageFailed);
  CHECK(flash.read(0, out) == Status::kOk);
  flash.flip(3, 0x80);
  CHECK(flash.read(0, out) == Status::kOk);
  CHECK(out[3] == (4 ^ 0x80));
  CHECK(flash.erase(0) == Status::kOk);
  CHECK(flash.wear()[0] == 1);
  CHECK(flash.wear()[1] == 0);
  CHECK(flash.programs() == 1);
  CHECK(flash.erases() == 1);
  CHECK(flash.syncs() == 1);
  CHECK(flash.writes() == 4);
}

}  // namespace wayseal::test
