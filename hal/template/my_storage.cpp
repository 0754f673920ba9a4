// SPDX-License-Identifier: Apache-2.0
#include "wayseal/template/my_storage.hpp"

namespace wayseal {

// FILL IN: powers of two, constant. With error correction in the chip, program_size is its unit: no unit is written twice.
StorageGeometry MyStorage::do_geometry() const { return {4096, 2, 4}; }

// FILL IN: kStorageFailed when the medium says so; the library tries once more and goes on without that record.
Status MyStorage::do_read(uint64_t /*offset*/, MutableBytes /*out*/) { return Status::kStorageFailed; }

// FILL IN: wait until it is done, feed the watchdog meanwhile, read back. Whatever a cut leaves of these bytes is noticed.
Status MyStorage::do_program(uint64_t /*offset*/, Bytes /*data*/) { return Status::kStorageFailed; }

// FILL IN: every byte of the block is 0xFF afterwards. The longest wait of all: some 100 ms on many parts.
Status MyStorage::do_erase(uint32_t /*block*/) { return Status::kStorageFailed; }

// FILL IN: nothing for memory-mapped flash without a cache; else empty the cache. kOk means durable.
Status MyStorage::do_sync() { return Status::kStorageFailed; }

}  // namespace wayseal
