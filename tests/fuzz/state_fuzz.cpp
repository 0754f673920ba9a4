// SPDX-License-Identifier: Apache-2.0
// Covers StateStore: mount (read_generation, scan, check_tail, mount_without_header), get, put, remove, compact, format.
//
// Whatever bytes the medium holds: mounting ends, says whether they are a store, and programs nothing that is not
// erased. A store that mounts gives the same values at every mount, and from then on keeps its word: each value is the
// one put last, the others stay as they were.
//
// Input: steps that write the medium, with right checksums where it does not say otherwise, a 7, then steps that use
// the store.
#include <map>
#include <optional>

#include "ram_flash.hpp"
#include "state/log_io.hpp"
#include "wayseal/state/state_store.hpp"

namespace {

using namespace wayseal;

constexpr StorageGeometry kGeometry{4096, 8, 64};
constexpr uint32_t kHalf = 4 * 4096;
constexpr uint32_t kUnit = 64;

/// Writes a medium as lib/state/state_store.cpp describes it, right or wrong as the input says.
class Author {
 public:
  explicit Author(std::vector<uint8_t>& image) : image_(image) {}

  void run(fuzz::Input& in) {
    while (!in.empty()) {
      switch (in.u8() % 8) {
        case 0: raw(in); break;
        case 1: header(in); break;
        case 2: at_[half_] = in.u16() % kHalf / kUnit * kUnit; break;
        case 3: half_ ^= 1U; break;
        case 7: return;
        default: entry(in); break;
      }
    }
  }

 private:
  void put(uint32_t offset, Bytes bytes) {
    for (size_t i = 0; i < bytes.size() && offset + i < kHalf; ++i)
      image_[half_ * kHalf + offset + i] = bytes[i];
  }

  void raw(fuzz::Input& in) {
    const uint32_t offset = in.u16() % kHalf;
    put(offset, in.bytes(in.u8()));
  }

  void header(fuzz::Input& in) {
    const uint8_t how = in.u8();
    generation_[half_] = fuzz::lively_u32(in);
    uint8_t out[16] = {};
    store_le32(out, 0x74735357);
    store_le16(out + 4, (how & 4U) != 0 ? in.u16() : uint16_t{1});
    store_le32(out + 8, generation_[half_]);
    store_le32(out + 12, log::crc32c(0, {out, 12}) ^ ((how & 8U) != 0 ? 1U : 0U));
    if ((how & 1U) == 0) put(0, out);
    if ((how & 2U) == 0) put(kUnit, out);
  }

  void entry(fuzz::Input& in) {
    const uint8_t how = in.u8();
    const uint8_t item = in.u8();
    const uint32_t size = (how & 1U) != 0 ? in.u16() : in.u8();
    number_[half_] = (how & 2U) != 0 ? fuzz::lively_u32(in) : number_[half_] + 1;
    const std::vector<uint8_t> value = fuzz::pattern(in.u8(), size);
    uint8_t out[16] = {};
    store_le32(out + 4, log::crc32c(0, fuzz::bytes_of(value)) ^ ((how & 4U) != 0 ? 1U : 0U));
    store_le16(out + 8, static_cast<uint16_t>(size));
    out[10] = (how & 8U) != 0 ? item : item % kStateItemsMax;
    out[11] = (how & 16U) != 0 ? in.u8() : uint8_t{1};
    store_le32(out + 12, number_[half_]);
    uint8_t seed[4];
    store_le32(seed, generation_[half_]);
    store_le32(out, log::crc32c(log::crc32c(0, seed), {out + 4, 12}) ^ ((how & 32U) != 0 ? 1U : 0U));
    put(at_[half_], out);
    put(at_[half_] + 16, fuzz::bytes_of(value));
    at_[half_] += log::align_up(16 + size, kUnit);
    if (at_[half_] >= kHalf) at_[half_] = 2 * kUnit;
  }

  std::vector<uint8_t>& image_;
  uint32_t half_ = 0;
  uint32_t generation_[2] = {};
  uint32_t number_[2] = {};
  uint32_t at_[2] = {2 * kUnit, 2 * kUnit};
};

/// What `get` says of every item: a value, or why there is none.
struct Value {
  Status status = Status::kNotFound;
  std::vector<uint8_t> bytes;
  friend bool operator==(const Value& a, const Value& b) { return a.status == b.status && a.bytes == b.bytes; }
};
using Values = std::vector<Value>;

Value value_of(const StateStore& store, size_t item) {
  static uint8_t room[kStateValueMax];
  const Result<size_t> got = store.get(static_cast<StateItem>(item), room);
  fuzz::require(got.ok() || got.status() == Status::kNotFound || got.status() == Status::kMalformed,
                "a value is there, is not, or has rotted");
  return {got.status(), {room, room + got.value()}};
}

Values all_values(const StateStore& store) {
  Values values(kStateItemsMax);
  for (size_t i = 0; i < values.size(); ++i) values[i] = value_of(store, i);
  return values;
}

void use(StateStore& store, Values& values, fuzz::Input& in) {
  const uint8_t step = in.u8();
  const size_t item = (step >> 4) % kStateItemsMax;
  const auto name = static_cast<StateItem>(item);
  if (step % 4 == 0) {
    fuzz::require(store.mount() == Status::kOk, "a store that was mounted mounts again");
  } else if (step % 4 == 1) {
    const Status status = store.remove(name);
    fuzz::require(status == Status::kOk || status == Status::kFull, "a value can be removed");
    if (status == Status::kOk) values[item] = {};
  } else {
    const std::vector<uint8_t> value =
        fuzz::pattern(step, step % 4 == 2 ? in.u8() : in.u16() % (kStateValueMax + 1));
    const Status status = store.put(name, fuzz::bytes_of(value));
    fuzz::require(status == Status::kOk || status == Status::kFull, "a value can be put");
    if (status == Status::kOk) values[item] = {Status::kOk, value};
  }
  fuzz::require(value_of(store, item) == values[item], "a value is the one put last");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  fuzz::RamFlash flash(kGeometry);
  Author(flash.image()).run(in);
  StateStore store(flash);
  const Status mounted = store.mount();
  fuzz::require(mounted == Status::kOk || mounted == Status::kMalformed || mounted == Status::kUnsupported,
                "mounting says what it found");
  if (mounted != Status::kOk) {
    fuzz::require(flash.writes() == 0, "what is not ours is not written to");
    fuzz::require(store.put(StateItem::kPolicy, {}) == Status::kBadState,
                  "a store that is not mounted takes nothing");
    fuzz::require(store.format() == Status::kOk, "every medium can be formatted");
  }
  Values values = all_values(store);
  StateStore again(flash);
  fuzz::require(again.mount() == Status::kOk && all_values(again) == values, "a second mount finds the same");
  for (int steps = 0; steps < 40 && !in.empty(); ++steps) use(store, values, in);
  fuzz::require(again.mount() == Status::kOk && all_values(again) == values, "a mount finds what was put");
  return 0;
}
