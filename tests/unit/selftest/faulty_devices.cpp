// SPDX-License-Identifier: Apache-2.0
#include "unit/selftest/faulty_devices.hpp"

namespace wayseal::test {
namespace {

constexpr StorageGeometry kShape{1024, 8, 16};

}  // namespace

FaultyStorage::FaultyStorage(StorageFault fault) : fault_(fault), inner_(kShape) {
  inner_.fill(0x5A);  // somebody has used it before
}

StorageGeometry FaultyStorage::do_geometry() const {
  StorageGeometry out = kShape;
  if (has(StorageFault::kOddBlockSize)) out.block_size = 1000;
  if (has(StorageFault::kOneBlock)) out.block_count = 1;
  if (has(StorageFault::kLargeUnit)) out.program_size = 512;
  if (has(StorageFault::kShapeChanges)) out.block_count -= geometries_++ % 2;
  return out;
}

uint64_t FaultyStorage::place(uint64_t offset) const {
  return has(StorageFault::kAddressWraps) ? offset % kShape.block_size : offset;
}

Status FaultyStorage::do_read(uint64_t offset, MutableBytes out) {
  if (!has(StorageFault::kReadsWholeUnitsOnly)) return inner_.read(place(offset), out);
  return inner_.read(offset - offset % kShape.program_size, out);
}

Status FaultyStorage::do_program(uint64_t offset, Bytes data) {
  if (has(StorageFault::kProgramFails)) return Status::kStorageFailed;
  const bool second = !programmed_.insert(offset).second;
  if (has(StorageFault::kProgramsOnce) && offset == 0 && second) return Status::kOk;
  const bool at_end = offset + data.size() == kShape.size();
  if (has(StorageFault::kEndIsMissing) && at_end) return Status::kOk;
  std::vector<uint8_t> bytes(data.begin(), data.end());
  if (has(StorageFault::kProgramLosesLastByte) && !bytes.empty()) bytes[data.size() - 1] = 0xFF;
  if (has(StorageFault::kProgramSpillsOver) && bytes.size() == kShape.program_size) {
    bytes.resize(2 * bytes.size(), 0);
  }
  return inner_.program(place(offset), {bytes.data(), bytes.size()});
}

Status FaultyStorage::do_erase(uint32_t block) {
  if (has(StorageFault::kEraseFails)) return Status::kStorageFailed;
  if (has(StorageFault::kEraseDoesNothing)) return Status::kOk;
  if (has(StorageFault::kAddressWraps)) return inner_.erase(0);
  for (uint32_t i = 0; has(StorageFault::kEraseTakesAll) && i < kShape.block_count; ++i) {
    if (inner_.erase(i) != Status::kOk) return Status::kStorageFailed;
  }
  const Status status = inner_.erase(block);
  if (!has(StorageFault::kEraseGivesZeros)) return status;
  const std::vector<uint8_t> zeros(kShape.block_size);
  return inner_.program(static_cast<uint64_t>(block) * kShape.block_size, {zeros.data(), zeros.size()});
}

Status FaultyStorage::do_sync() {
  if (has(StorageFault::kSyncFails)) return Status::kStorageFailed;
  if (has(StorageFault::kSyncLosesAll)) inner_.fill(0xFF);
  return inner_.sync();
}

Status FaultyBus::do_set_filters(Span<const CanFilter> filters) {
  return has(BusFault::kFiltersRefused) ? Status::kInvalidArgument : inner_.set_filters(filters);
}

Result<size_t> FaultyBus::do_receive(Span<CanFrame> frames) {
  if (has(BusFault::kBadStatus)) return Status::kMalformed;
  if (has(BusFault::kOneTooMany)) return inner_.receive({frames.data(), frames.size() + 1});
  const Result<size_t> got = inner_.receive(frames);
  if (got.value() == 0) return got;
  CanFrame& last = frames[got.value() - 1];
  if (has(BusFault::kLongClassicFrame)) last.length = 9;
  if (has(BusFault::kLargeId)) last.id = kCanStandardIdMax + 1;
  if (has(BusFault::kWrongBus)) last.bus = 2;
  if (has(BusFault::kUnknownFlag)) last.flags = 0x40;
  return got;
}

BusState FaultyBus::do_state(uint8_t bus) const {
  return has(BusFault::kBeyondIsUp) && bus >= 2 ? BusState::kActive : inner_.state(bus);
}

BusCounters FaultyBus::do_counters(uint8_t bus) const {
  BusCounters out = inner_.counters(bus);
  if (has(BusFault::kBeyondCounts) && bus >= 2) out.frames_dropped = 1;
  if (has(BusFault::kDoesNotCount)) out.frames = 0;
  return out;
}

}  // namespace wayseal::test
