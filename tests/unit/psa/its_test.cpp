// SPDX-License-Identifier: Apache-2.0
// Internal trusted storage over flash: what is kept, what may change, and what a power cut leaves.
#include <psa/internal_trusted_storage.h>

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <optional>
#include <string>

#include "fakes/fake_flash.hpp"
#include "wayseal/psa_its/psa_its.hpp"

namespace wayseal::test {
namespace {

constexpr StorageGeometry kGeometry{4096, 8, 4};
using Value = std::optional<std::string>;

psa_status_t set(psa_storage_uid_t uid, const std::string& value,
                 psa_storage_create_flags_t flags = PSA_STORAGE_FLAG_NONE) {
  return psa_its_set(uid, value.size(), value.data(), flags);
}

Value get(psa_storage_uid_t uid) {
  psa_storage_info_t info = {};
  if (psa_its_get_info(uid, &info) != PSA_SUCCESS) return {};
  std::string out(info.size + 5, '\0');
  size_t size = 0;
  REQUIRE(psa_its_get(uid, 0, out.size(), out.data(), &size) == PSA_SUCCESS);
  CHECK(size == info.size);
  out.resize(size);
  return out;
}

/// Mounted anew, as after a reset.
struct Mounted {
  explicit Mounted(FakeFlash& flash) : its(flash) { REQUIRE(its.mount() == Status::kOk); }
  PsaIts its;
};

/// What stands under a uid after each step of a life, oldest first.
struct Step {
  psa_storage_uid_t uid;
  Value value;  // nothing: removed
};
const Step kLife[] = {{1, std::string(100, 'a')},
                      {2, std::string(900, 'b')},
                      {1, std::string(140, 'c')},
                      {3, std::string(1, 'd')},
                      {2, {}},
                      {4, std::string(1000, 'e')},
                      {1, std::string(1060, 'f')},
                      {2, std::string(50, 'g')},
                      {4, std::string(1000, 'h')},
                      {1, std::string(900, 'i')},
                      {4, std::string(1, 'j')},
                      {1, std::string(1080, 'k')},
                      {3, {}},
                      {1, std::string(1000, 'l')},
                      {2, std::string(1000, 'm')},
                      {4, std::string(900, 'n')},
                      {1, std::string(1000, 'o')},
                      {2, std::string(1000, 'p')},
                      {4, std::string(900, 'q')},
                      {1, std::string(1000, 'r')}};

psa_status_t take(const Step& step) {
  return step.value ? set(step.uid, *step.value) : psa_its_remove(step.uid);
}

/// Lives until the power is cut at writing operation `n`. \return whether it was.
bool cut_at(uint64_t n, CutMode mode) {
  FakeFlash flash(kGeometry, n);
  flash.cut_power_at(n, mode);
  std::map<psa_storage_uid_t, Value> before;
  std::map<psa_storage_uid_t, Value> after;
  {
    PsaIts its(flash);
    if (its.mount() == Status::kOk) {
      for (const Step& step : kLife) {
        after[step.uid] = step.value;
        if (take(step) != PSA_SUCCESS) break;
        before = after;
      }
    }
  }
  if (flash.powered()) return false;
  flash.power_on();
  Mounted next(flash);
  for (const psa_storage_uid_t uid : {1U, 2U, 3U, 4U}) {
    CAPTURE(n, uid);
    const Value found = get(uid);
    CHECK((found == before[uid] || found == after[uid]));
  }
  CHECK(set(5, "goes on") == PSA_SUCCESS);
  CHECK(flash.violations() == 0);
  return true;
}

}  // namespace

TEST_CASE("its: a value is had whole, in part and by its size, before and after a reset") {
  FakeFlash flash(kGeometry);
  {
    Mounted device(flash);
    CHECK(set(0x5753000000000001, "certificate") == PSA_SUCCESS);
    CHECK(set(7, "") == PSA_SUCCESS);
  }
  Mounted device(flash);
  CHECK(get(0x5753000000000001) == "certificate");
  CHECK(get(7) == "");
  char part[4] = {};
  size_t size = 0;
  CHECK(psa_its_get(0x5753000000000001, 2, sizeof part, part, &size) == PSA_SUCCESS);
  CHECK(std::string(part, size) == "rtif");
  CHECK(psa_its_get(0x5753000000000001, 9, sizeof part, part, &size) == PSA_SUCCESS);
  CHECK(std::string(part, size) == "te");
  CHECK(psa_its_get(0x5753000000000001, 11, sizeof part, part, &size) == PSA_SUCCESS);
  CHECK(size == 0);
  CHECK(psa_its_get(0x5753000000000001, 12, sizeof part, part, &size) == PSA_ERROR_INVALID_ARGUMENT);
  CHECK(psa_its_get(8, 0, sizeof part, part, &size) == PSA_ERROR_DOES_NOT_EXIST);
  psa_storage_info_t info = {};
  CHECK(psa_its_get_info(8, &info) == PSA_ERROR_DOES_NOT_EXIST);
  CHECK(psa_its_remove(7) == PSA_SUCCESS);
  CHECK(psa_its_remove(7) == PSA_ERROR_DOES_NOT_EXIST);
  CHECK_FALSE(get(7));
}

TEST_CASE("its: what was written once is neither replaced nor removed, after a reset either") {
  FakeFlash flash(kGeometry);
  {
    Mounted device(flash);
    REQUIRE(set(1, "root", PSA_STORAGE_FLAG_WRITE_ONCE) == PSA_SUCCESS);
    CHECK(set(1, "root") == PSA_ERROR_NOT_PERMITTED);
  }
  Mounted device(flash);
  CHECK(set(1, "another") == PSA_ERROR_NOT_PERMITTED);
  CHECK(set(1, "another", PSA_STORAGE_FLAG_WRITE_ONCE) == PSA_ERROR_NOT_PERMITTED);
  CHECK(psa_its_remove(1) == PSA_ERROR_NOT_PERMITTED);
  CHECK(get(1) == "root");
  psa_storage_info_t info = {};
  REQUIRE(psa_its_get_info(1, &info) == PSA_SUCCESS);
  CHECK(info.flags == PSA_STORAGE_FLAG_WRITE_ONCE);
}

TEST_CASE("its: what does not fit is refused, and what is there stays") {
  FakeFlash flash(kGeometry);
  Mounted device(flash);
  CHECK(set(1, std::string(kItsValueMax, 'x')) == PSA_SUCCESS);
  CHECK(set(1, std::string(kItsValueMax + 1, 'y')) == PSA_ERROR_INSUFFICIENT_STORAGE);
  CHECK(get(1) == std::string(kItsValueMax, 'x'));
  CHECK(set(0, "no uid") == PSA_ERROR_INVALID_ARGUMENT);
  CHECK(psa_its_set(2, 1, nullptr, 0) == PSA_ERROR_INVALID_ARGUMENT);
  CHECK(set(2, "unknown flag", 1U << 20) == PSA_ERROR_NOT_SUPPORTED);
  CHECK_FALSE(get(2));
  for (psa_storage_uid_t uid = 2; uid <= kItsEntriesMax; ++uid) CHECK(set(uid, "small") == PSA_SUCCESS);
  CHECK(set(100, "one more") == PSA_ERROR_INSUFFICIENT_STORAGE);
  CHECK(set(3, "a known one") == PSA_SUCCESS);
  CHECK(psa_its_remove(2) == PSA_SUCCESS);
  CHECK(set(100, "one more") == PSA_SUCCESS);
  for (psa_storage_uid_t uid = 4; uid <= kItsEntriesMax; ++uid) CHECK(get(uid) == "small");
}

TEST_CASE("its: a medium that fails is told, and without a storage nothing is kept") {
  size_t size = 0;
  char out[4];
  psa_storage_info_t info = {};
  FakeFlash flash(kGeometry);
  {
    PsaIts blank(flash);
    CHECK(set(1, "v") == PSA_ERROR_STORAGE_FAILURE);  // not mounted
    Mounted device(flash);
    REQUIRE(set(1, "old") == PSA_SUCCESS);
    flash.fail_write_at(1, Status::kStorageFailed);
    CHECK(set(1, "new and longer") == PSA_ERROR_STORAGE_FAILURE);
    CHECK(get(1) == "old");
    flash.fail_write_at(1, Status::kStorageFailed);
    CHECK(set(2, "first") == PSA_ERROR_STORAGE_FAILURE);
    CHECK_FALSE(get(2));
    flash.make_unreadable(0, flash.image().size());
    CHECK(psa_its_get(1, 0, sizeof out, out, &size) == PSA_ERROR_STORAGE_FAILURE);
    CHECK(size == 0);
    flash.make_unreadable(0, 0);
  }
  CHECK(set(1, "v") == PSA_ERROR_STORAGE_FAILURE);
  CHECK(psa_its_get(1, 0, sizeof out, out, &size) == PSA_ERROR_STORAGE_FAILURE);
  CHECK(psa_its_get_info(1, &info) == PSA_ERROR_STORAGE_FAILURE);
  CHECK(psa_its_remove(1) == PSA_ERROR_STORAGE_FAILURE);
}

TEST_CASE("its: a power cut at any write leaves the old value or the new one") {
  uint64_t cuts = 0;
  for (const CutMode mode : {CutMode::kClean, CutMode::kTorn, CutMode::kLoseUnsynced}) {
    uint64_t n = 1;
    while (cut_at(n, mode)) ++n;
    cuts += n - 1;
  }
  CHECK(cuts > 150);
  INFO(cuts << " cuts");
}

}  // namespace wayseal::test
