// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/storage.hpp"

namespace wayseal {
namespace {

// Written so that offset + size cannot overflow.
bool inside(uint64_t offset, size_t size, const StorageGeometry& shape) {
  return offset <= shape.size() && size <= shape.size() - offset;
}

}  // namespace

void Storage::count_operation() {
  if (++operations_ < kStorageOperationsBetweenKeepAlives) return;
  operations_ = 0;
  alive();
}

Status Storage::read(uint64_t offset, MutableBytes out) {
  if (!inside(offset, out.size(), do_geometry())) return Status::kInvalidArgument;
  if (out.empty()) return Status::kOk;
  count_operation();
  return do_read(offset, out);
}

Status Storage::program(uint64_t offset, Bytes data) {
  const StorageGeometry shape = do_geometry();
  if (!inside(offset, data.size(), shape)) return Status::kInvalidArgument;
  if (offset % shape.program_size != 0 || data.size() % shape.program_size != 0)
    return Status::kInvalidArgument;
  if (data.empty()) return Status::kOk;
  const uint64_t last = offset + data.size() - 1;
  if (offset / shape.block_size != last / shape.block_size) return Status::kInvalidArgument;
  count_operation();
  return do_program(offset, data);
}

Status Storage::erase(uint32_t block) {
  if (block >= do_geometry().block_count) return Status::kInvalidArgument;
  alive();
  return do_erase(block);
}

Status Storage::sync() {
  alive();
  return do_sync();
}

}  // namespace wayseal
