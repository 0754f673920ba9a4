// SPDX-License-Identifier: Apache-2.0
#include "p256_point.hpp"

namespace wayseal::pkcs11 {
namespace {

// 256 bits, least significant word first.
struct Number {
  uint32_t word[8] = {};
};

// SP 800-186, 3.2.1.3.
constexpr Number kPrime = {{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, 1, 0xFFFFFFFF}};
constexpr Number kB = {
    {0x27D2604B, 0x3BCE3C3E, 0xCC53B0F6, 0x651D06B0, 0x769886BC, 0xB3EBBD55, 0xAA3A93E7, 0x5AC635D8}};

bool less(const Number& a, const Number& b) {
  for (int i = 7; i >= 0; --i) {
    if (a.word[i] != b.word[i]) return a.word[i] < b.word[i];
  }
  return false;
}

void subtract_in_place(Number& a, const Number& b) {
  uint64_t borrow = 0;
  for (int i = 0; i < 8; ++i) {
    const uint64_t difference = static_cast<uint64_t>(a.word[i]) - b.word[i] - borrow;
    a.word[i] = static_cast<uint32_t>(difference);
    borrow = (difference >> 32) & 1;
  }
}

// All arguments and results below are less than p.
Number add(const Number& a, const Number& b) {
  Number sum;
  uint64_t carry = 0;
  for (int i = 0; i < 8; ++i) {
    carry += static_cast<uint64_t>(a.word[i]) + b.word[i];
    sum.word[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  if (carry != 0 || !less(sum, kPrime)) subtract_in_place(sum, kPrime);
  return sum;
}

Number multiply(const Number& a, const Number& b) {
  Number product;
  for (int bit = 255; bit >= 0; --bit) {
    product = add(product, product);
    if (((a.word[bit / 32] >> (bit % 32)) & 1U) != 0) product = add(product, b);
  }
  return product;
}

Number load(const uint8_t* big_endian) {
  Number number;
  for (int i = 0; i < 8; ++i) number.word[i] = load_be32(big_endian + 4 * (7 - i));
  return number;
}

}  // namespace

bool is_p256_point(const EcPoint& point) {
  if (point.data[0] != 0x04) return false;
  const Number x = load(point.data + 1);
  const Number y = load(point.data + 33);
  if (!less(x, kPrime) || !less(y, kPrime)) return false;
  const Number x3_plus_b = add(multiply(multiply(x, x), x), kB);
  const Number left = add(multiply(y, y), add(x, add(x, x)));  // y^2 + 3x
  return !less(left, x3_plus_b) && !less(x3_plus_b, left);
}

}  // namespace wayseal::pkcs11
