// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the fuzz targets share: taking inputs apart, and saying that a property does not hold.
#ifndef WAYSEAL_TESTS_FUZZ_FUZZ_HPP
#define WAYSEAL_TESTS_FUZZ_FUZZ_HPP

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "wayseal/core/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace wayseal::fuzz {

/// Ends the program when a property does not hold: the fuzzer then keeps the input.
inline void require(bool holds, const char* property) {
  if (holds) return;
  static_cast<void>(std::fprintf(stderr, "PROPERTY DOES NOT HOLD: %s\n", property));
  std::abort();
}

inline std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline Bytes bytes_of(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

/// Bytes with nothing behind them, so that a sanitizer sees the first step too far.
class ExactCopy {
 public:
  explicit ExactCopy(Bytes bytes) : bytes_(std::make_unique<uint8_t[]>(bytes.size())), size_(bytes.size()) {
    if (size_ != 0) std::memcpy(bytes_.get(), bytes.data(), size_);
  }
  Bytes view() const { return {bytes_.get(), size_}; }
  MutableBytes mutable_view() { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_;
};

/// Whether `part` lies in `whole`; an empty one lies everywhere.
inline bool inside(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// An input read from front to back, little-endian. Behind its end everything is 0.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  size_t size() const { return rest_.size(); }
  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  /// At most `count` bytes; fewer at the end.
  Bytes bytes(size_t count) {
    const Bytes taken = rest_.first(count);
    rest_ = rest_.from(count);
    return taken;
  }
  Bytes rest() { return bytes(rest_.size()); }
  /// Copies what is there into `out` and leaves the rest of `out` as it is.
  void fill(MutableBytes out) {
    const Bytes taken = bytes(out.size());
    if (!taken.empty()) std::memcpy(out.data(), taken.data(), taken.size());
  }

 private:
  uint64_t number(size_t count) {
    const Bytes taken = bytes(count);
    uint64_t value = 0;
    for (size_t i = 0; i < taken.size(); ++i) value |= static_cast<uint64_t>(taken[i]) << (8 * i);
    return value;
  }

  Bytes rest_;
};

/// Writes what `Input` reads: for the program that makes the seeds.
class Output {
 public:
  Output& u8(uint64_t value) { return number(value, 1); }
  Output& u16(uint64_t value) { return number(value, 2); }
  Output& u32(uint64_t value) { return number(value, 4); }
  Output& u64(uint64_t value) { return number(value, 8); }
  Output& bytes(Bytes more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  const std::vector<uint8_t>& all() const { return bytes_; }

 private:
  Output& number(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return *this;
  }

  std::vector<uint8_t> bytes_;
};

}  // namespace wayseal::fuzz

#endif
