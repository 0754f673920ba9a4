// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/opening_source.hpp"

#include "wayseal/state/state_store.hpp"

namespace wayseal {
namespace {

constexpr size_t kCounterSize = 8;

}  // namespace

Status StoredOpenings::do_next_counter(uint64_t& counter) {
  uint8_t bytes[kCounterSize];
  const Result<size_t> size = state_.get(StateItem::kSessionCounter, bytes);
  uint64_t last = 0;
  if (size.ok() && size.value() == kCounterSize) {
    last = load_be64(bytes);
  } else if (size.status() != Status::kNotFound) {
    return size.ok() ? Status::kStorageFailed : size.status();
  }
  if (last == UINT64_MAX) return Status::kExhausted;
  counter = last + 1;
  store_be64(bytes, counter);
  return state_.put(StateItem::kSessionCounter, bytes);
}

}  // namespace wayseal
