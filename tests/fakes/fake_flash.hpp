// SPDX-License-Identifier: Apache-2.0
/// \file
/// Flash that behaves as badly as the Storage contract allows.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_FLASH_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_FLASH_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "wayseal/hal/storage.hpp"

namespace wayseal::test {

/// What a power cut leaves of the operation under way and of those that no sync covered.
enum class CutMode {
  kClean,         ///< The operation under way did nothing, everything before it happened.
  kTorn,          ///< The operation under way happened in part, everything before it happened.
  kLoseUnsynced,  ///< As kTorn, and any operations since the last sync are missing, torn or out of order.
};

/// NOR flash in memory. Erasing gives 0xFF, programming clears bits; programming what is not erased is recorded
/// as a violation, for the test to assert that there is none. Every random choice comes from the seed.
class FakeFlash final : public Storage {
 public:
  explicit FakeFlash(StorageGeometry geometry, uint64_t seed = 1);

  // Power -----------------------------------------------------------------------------------------------------
  /// Cuts the power inside the n-th writing operation (program, erase, sync) from now, 1 being the next.
  void cut_power_at(uint64_t n, CutMode mode) {
    cut_at_ = writes_ + n;
    cut_mode_ = mode;
  }
  /// Cuts the power now, between two operations.
  void cut_power(CutMode mode) { lose_power(mode, nullptr); }
  /// False after a cut: every operation fails until power_on.
  bool powered() const { return powered_; }
  /// The medium as the cut left it comes back.
  void power_on();
  /// What a cut at this instant, or inside the operation that `before_write` announces, would leave.
  std::vector<uint8_t> image_after_cut(CutMode mode, uint64_t seed) const;

  // Faults ----------------------------------------------------------------------------------------------------
  /// The n-th writing operation from now fails; a program may have happened in part.
  void fail_write_at(uint64_t n, Status status);
  /// The n-th writing operation from now happens whole and is reported as failed.
  void fail_after_write_at(uint64_t n, Status status) {
    fail_at_ = writes_ + n;
    fail_status_ = status;
    fail_whole_ = true;
  }
  /// The n-th read from now fails.
  void fail_read_at(uint64_t n, Status status);
  /// Reads that touch [from, to) fail, whatever is written there.
  void make_unreadable(uint64_t from, uint64_t to) {
    unreadable_from_ = from;
    unreadable_to_ = to;
  }
  /// All writing operations fail until called with nothing.
  void fail_all_writes(std::optional<Status> status) { fail_all_ = status; }
  /// Turns bits over, as rot does.
  void flip(uint64_t offset, uint8_t bits) {
    uint8_t& byte = image_[static_cast<size_t>(offset)];
    byte = static_cast<uint8_t>(byte ^ bits);
  }

  // Looking ---------------------------------------------------------------------------------------------------
  const std::vector<uint8_t>& image() const { return image_; }
  void set_image(std::vector<uint8_t> image);
  /// Sets every byte.
  void fill(uint8_t byte);
  uint64_t writes() const { return writes_; }
  uint64_t programs() const { return programs_; }
  uint64_t erases() const { return erases_; }
  uint64_t syncs() const { return syncs_; }
  uint64_t reads() const { return reads_; }
  uint64_t programmed_bytes() const { return programmed_bytes_; }
  /// Erasures of each block.
  const std::vector<uint32_t>& wear() const { return wear_; }
  /// Broken rules: programs of bytes that were not erased.
  uint64_t violations() const { return violations_; }
  /// Called before each writing operation, with the operation set up so that image_after_cut can tear it.
  std::function<void()> before_write;
  /// Called at the start of each operation, reads included.
  std::function<void()> on_call;

 private:
  enum class Kind { kProgram, kErase, kSync };
  struct Operation {
    Kind kind = Kind::kSync;
    uint64_t offset = 0;
    std::vector<uint8_t> data;    // what the range shall be
    std::vector<uint8_t> before;  // what it was
  };

  StorageGeometry do_geometry() const override { return geometry_; }
  Status do_read(uint64_t offset, MutableBytes out) override;
  Status do_program(uint64_t offset, Bytes data) override;
  Status do_erase(uint32_t block) override;
  Status do_sync() override;

  Status begin(Operation&& operation);
  void apply(const Operation& operation);
  void lose_power(CutMode mode, const Operation* torn);
  static void tear(const Operation& operation, std::vector<uint8_t>& image, std::mt19937_64& random);
  std::vector<uint8_t> survive(CutMode mode, const Operation* torn, std::mt19937_64& random) const;

  StorageGeometry geometry_;
  std::vector<uint8_t> image_;
  std::vector<Operation> unsynced_;
  std::optional<Operation> current_;
  std::vector<uint32_t> wear_;
  mutable std::mt19937_64 random_;
  bool powered_ = true;
  uint64_t cut_at_ = 0;
  CutMode cut_mode_ = CutMode::kClean;
  uint64_t fail_at_ = 0;
  bool fail_whole_ = false;
  Status fail_status_ = Status::kOk;
  uint64_t fail_read_at_ = 0;
  Status fail_read_status_ = Status::kOk;
  std::optional<Status> fail_all_;
  uint64_t unreadable_from_ = 0, unreadable_to_ = 0;
  uint64_t writes_ = 0, programs_ = 0, erases_ = 0, syncs_ = 0, reads_ = 0, programmed_bytes_ = 0,
           violations_ = 0;
};

}  // namespace wayseal::test

#endif
