// SPDX-License-Identifier: Apache-2.0
/// \file
/// Clock, storage, bus, transport and channel that work, but for one mistake each.
#ifndef WAYSEAL_TESTS_UNIT_SELFTEST_FAULTY_DEVICES_HPP
#define WAYSEAL_TESTS_UNIT_SELFTEST_FAULTY_DEVICES_HPP

#include <set>

#include "fakes/fake_can_bus.hpp"
#include "fakes/fake_flash.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/transport.hpp"

namespace wayseal::test {

enum class ClockFault : uint8_t { kNone, kStepsBack, kStandsStill, kContinuityMoves };

/// A millisecond at every tenth reading.
class FaultyClock final : public Clock {
 public:
  explicit FaultyClock(ClockFault fault) : fault_(fault) {}

 private:
  MonotonicTime do_now() const override {
    ++readings_;
    if (fault_ == ClockFault::kStandsStill) return {};
    const int64_t back = fault_ == ClockFault::kStepsBack && readings_ == 500 ? kNsPerSecond : 0;
    return {kNsPerSecond + readings_ / 10 * kNsPerMs - back};
  }
  uint64_t do_continuity() const override {
    return fault_ == ClockFault::kContinuityMoves ? static_cast<uint64_t>(readings_) : 1;
  }
  const ClockFault fault_;
  mutable int64_t readings_ = 0;
};

enum class StorageFault : uint8_t {
  kNone,
  kOddBlockSize,
  kOneBlock,
  kLargeUnit,
  kShapeChanges,
  kEraseDoesNothing,
  kEraseGivesZeros,
  kEraseFails,
  kProgramLosesLastByte,
  kProgramFails,
  kSyncFails,
  kSyncLosesAll,
  kProgramSpillsOver,
  kReadsWholeUnitsOnly,
  kAddressWraps,
  kEndIsMissing,
  kEraseTakesAll,
  kProgramsOnce,
};

/// Blocks of 1 KiB, units of 16 bytes.
class FaultyStorage final : public Storage {
 public:
  explicit FaultyStorage(StorageFault fault);
  ~FaultyStorage() = default;
  FaultyStorage(const FaultyStorage&) = delete;
  FaultyStorage& operator=(const FaultyStorage&) = delete;
  FakeFlash& inner() { return inner_; }

 private:
  bool has(StorageFault fault) const { return fault_ == fault; }
  StorageGeometry do_geometry() const override;
  Status do_read(uint64_t offset, MutableBytes out) override;
  Status do_program(uint64_t offset, Bytes data) override;
  Status do_erase(uint32_t block) override;
  Status do_sync() override;
  uint64_t place(uint64_t offset) const;

  const StorageFault fault_;
  FakeFlash inner_;
  std::set<uint64_t> programmed_;
  mutable uint32_t geometries_ = 0;
};

enum class BusFault : uint8_t {
  kNone,
  kNoBus,
  kBeyondIsUp,
  kBeyondCounts,
  kFiltersRefused,
  kOneTooMany,
  kBadStatus,
  kLongClassicFrame,
  kLargeId,
  kWrongBus,
  kUnknownFlag,
  kDoesNotCount,
};

class FaultyBus final : public CanBus {
 public:
  explicit FaultyBus(BusFault fault) : fault_(fault) {}
  ~FaultyBus() = default;
  FaultyBus(const FaultyBus&) = delete;
  FaultyBus& operator=(const FaultyBus&) = delete;
  fakes::FakeCanBus& inner() { return inner_; }

 private:
  bool has(BusFault fault) const { return fault_ == fault; }
  Status do_set_filters(Span<const CanFilter> filters) override;
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override { return has(BusFault::kNoBus) ? 0 : inner_.bus_count(); }
  BusState do_state(uint8_t bus) const override;
  BusCounters do_counters(uint8_t bus) const override;
  TimeBase do_time_base() const override { return inner_.time_base(); }

  const BusFault fault_;
  fakes::FakeCanBus inner_{2};
};

enum class LineFault : uint8_t { kNone, kProgresses, kSends, kReceives, kNoName };

class FaultyTransport final : public Transport {
 public:
  explicit FaultyTransport(LineFault fault) : fault_(fault) {}

 private:
  Status do_connect() override { return Status::kDisconnected; }
  Status do_progress() override { return fault_ == LineFault::kProgresses ? Status::kOk : Status::kBadState; }
  Result<size_t> do_send(Bytes data) override {
    return fault_ == LineFault::kSends ? Result<size_t>(data.size()) : Result<size_t>(Status::kBadState);
  }
  Result<size_t> do_receive(MutableBytes) override {
    return fault_ == LineFault::kReceives ? Status::kWouldBlock : Status::kBadState;
  }
  void do_close() override {}
  int32_t do_diagnostic() const override { return 0; }
  const LineFault fault_;
};

class FaultyChannel final : public Channel {
 public:
  explicit FaultyChannel(LineFault fault) : fault_(fault) {}

 private:
  Status do_open(CertificateDates) override { return Status::kDisconnected; }
  Status do_progress() override { return fault_ == LineFault::kProgresses ? Status::kOk : Status::kBadState; }
  Result<size_t> do_write(Bytes data) override {
    return fault_ == LineFault::kSends ? Result<size_t>(data.size()) : Result<size_t>(Status::kBadState);
  }
  Result<size_t> do_read(MutableBytes) override {
    return fault_ == LineFault::kReceives ? Status::kWouldBlock : Status::kBadState;
  }
  void do_close() override {}
  Bytes do_authority() const override {
    static constexpr uint8_t kName[] = {'g'};
    return fault_ == LineFault::kNoName ? Bytes() : Bytes(kName);
  }
  ChannelDiagnostic do_diagnostic() const override { return {}; }
  uint64_t do_wire_bytes() const override { return 0; }
  const LineFault fault_;
};

}  // namespace wayseal::test

#endif
