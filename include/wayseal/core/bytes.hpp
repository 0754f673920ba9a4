// SPDX-License-Identifier: Apache-2.0
/// \file
/// Pointer and length, always together, and byte-order helpers.
#ifndef WAYSEAL_CORE_BYTES_HPP
#define WAYSEAL_CORE_BYTES_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wayseal {

/// A view over `size()` bytes of T that somebody else owns. Two words; copied by value.
/// The owner keeps the memory alive and unchanged for as long as the view is used.
template <typename T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T* data, size_t size) : data_(data), size_(size) {}
  template <size_t N>
  constexpr Span(T (&array)[N]) : data_(array), size_(N) {}
  /// A mutable span converts to a constant one.
  constexpr operator Span<const T>() const { return {data_, size_}; }

  constexpr T* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  constexpr T& operator[](size_t index) const { return data_[index]; }

  /// The first `count` elements; all of them when there are fewer.
  constexpr Span first(size_t count) const { return {data_, count < size_ ? count : size_}; }
  /// What follows the first `offset` elements; empty when there are fewer.
  constexpr Span from(size_t offset) const {
    return offset < size_ ? Span{data_ + offset, size_ - offset} : Span{};
  }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

using Bytes = Span<const uint8_t>;
using MutableBytes = Span<uint8_t>;

/// `N` bytes held by value, of a kind of its own: two Fixed types with different tags do not mix.
template <size_t N, typename Tag>
struct Fixed {
  static constexpr size_t kSize = N;
  uint8_t data[N] = {};

  Bytes bytes() const { return {data, N}; }
  MutableBytes mutable_bytes() { return {data, N}; }
  /// Not constant-time: for public values only.
  friend bool operator==(const Fixed& a, const Fixed& b) { return std::memcmp(a.data, b.data, N) == 0; }
  friend bool operator!=(const Fixed& a, const Fixed& b) { return !(a == b); }
};

/// Same length and content. Not constant-time: for public values only.
inline bool equal(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// Same content, in a time that depends on the length alone. Lengths are public.
bool equal_constant_time(Bytes a, Bytes b);

/// Overwrites memory in a way that the compiler may not remove. Use it on every secret before it goes.
void wipe(MutableBytes bytes);

/// Whether the machine's own numbers are little-endian, as far as the compiler says: then the least code is a copy, which
/// may lie anywhere.
#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)
inline constexpr bool kLittleEndian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
#else
inline constexpr bool kLittleEndian = false;
#endif

template <typename T>
T load_copy(const uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

inline uint16_t load_le16(const uint8_t* p) {
  if constexpr (kLittleEndian) return load_copy<uint16_t>(p);
  return static_cast<uint16_t>(p[0] | (p[1] << 8));
}
inline uint32_t load_le32(const uint8_t* p) {
  if constexpr (kLittleEndian) return load_copy<uint32_t>(p);
  return static_cast<uint32_t>(p[0]) | (static_cast<uint32_t>(p[1]) << 8) |
         (static_cast<uint32_t>(p[2]) << 16) | (static_cast<uint32_t>(p[3]) << 24);
}
inline uint64_t load_le64(const uint8_t* p) {
  if constexpr (kLittleEndian) return load_copy<uint64_t>(p);
  return static_cast<uint64_t>(load_le32(p)) | (static_cast<uint64_t>(load_le32(p + 4)) << 32);
}
inline uint16_t load_be16(const uint8_t* p) { return static_cast<uint16_t>((p[0] << 8) | p[1]); }
inline uint32_t load_be32(const uint8_t* p) {
  return (static_cast<uint32_t>(p[0]) << 24) | (static_cast<uint32_t>(p[1]) << 16) |
         (static_cast<uint32_t>(p[2]) << 8) | static_cast<uint32_t>(p[3]);
}
inline uint64_t load_be64(const uint8_t* p) {
  return (static_cast<uint64_t>(load_be32(p)) << 32) | static_cast<uint64_t>(load_be32(p + 4));
}
inline void store_le16(uint8_t* p, uint16_t v) {
  if constexpr (kLittleEndian) {
    std::memcpy(p, &v, sizeof v);
    return;
  }
  p[0] = static_cast<uint8_t>(v);
  p[1] = static_cast<uint8_t>(v >> 8);
}
inline void store_le32(uint8_t* p, uint32_t v) {
  if constexpr (kLittleEndian) {
    std::memcpy(p, &v, sizeof v);
    return;
  }
  p[0] = static_cast<uint8_t>(v);
  p[1] = static_cast<uint8_t>(v >> 8);
  p[2] = static_cast<uint8_t>(v >> 16);
  p[3] = static_cast<uint8_t>(v >> 24);
}
inline void store_le64(uint8_t* p, uint64_t v) {
  store_le32(p, static_cast<uint32_t>(v));
  store_le32(p + 4, static_cast<uint32_t>(v >> 32));
}
inline void store_be16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
inline void store_be32(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 24);
  p[1] = static_cast<uint8_t>(v >> 16);
  p[2] = static_cast<uint8_t>(v >> 8);
  p[3] = static_cast<uint8_t>(v);
}
inline void store_be64(uint8_t* p, uint64_t v) {
  store_be32(p, static_cast<uint32_t>(v >> 32));
  store_be32(p + 4, static_cast<uint32_t>(v));
}

}  // namespace wayseal

#endif
