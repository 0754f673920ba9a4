// SPDX-License-Identifier: Apache-2.0
// Distinguished encoding rules (X.690), as far as certificates need them. Lengths are definite and the shortest possible.
#ifndef WAYSEAL_LIB_ENROL_DER_HPP
#define WAYSEAL_LIB_ENROL_DER_HPP

#include "wayseal/core/bytes.hpp"

namespace wayseal::der {

inline constexpr uint8_t kInteger = 0x02;
inline constexpr uint8_t kBitString = 0x03;
inline constexpr uint8_t kNull = 0x05;
inline constexpr uint8_t kOid = 0x06;
inline constexpr uint8_t kUtf8String = 0x0C;
inline constexpr uint8_t kPrintableString = 0x13;
inline constexpr uint8_t kUtcTime = 0x17;
inline constexpr uint8_t kGeneralizedTime = 0x18;
inline constexpr uint8_t kSequence = 0x30;
inline constexpr uint8_t kSet = 0x31;
inline constexpr uint8_t kContext0 = 0xA0;  // constructed
inline constexpr uint8_t kContext1 = 0xA1;

inline constexpr uint8_t kEcPublicKeyOid[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
inline constexpr uint8_t kP256Oid[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
inline constexpr uint8_t kEcdsaSha256Oid[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
inline constexpr uint8_t kCommonNameOid[] = {0x55, 0x04, 0x03};
inline constexpr uint8_t kSignedDataOid[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02};
inline constexpr uint8_t kDataOid[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};

/// Walks the elements of one level. Whatever is wrong ends it: every later call fails.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }
  /// Tag of the next element; 0 at the end.
  uint8_t tag() const { return rest_.empty() ? 0 : rest_[0]; }
  /// Takes the next element, which has to have this tag. \param[out] content without tag and length.
  bool take(uint8_t tag, Bytes& content);
  bool skip(uint8_t tag);
  /// Takes an element with exactly this content.
  bool take_exactly(uint8_t tag, Bytes content);
  /// As `take`, with tag and length.
  bool take_whole(uint8_t tag, Bytes& element);

 private:
  Bytes rest_;
};

/// Writes backwards, from the end of a buffer: so that every length is known when its turn comes.
class Writer {
 public:
  explicit Writer(MutableBytes out) : out_(out), at_(out.size()) {}

  void bytes(Bytes content);
  void byte(uint8_t value) { bytes({&value, 1}); }
  /// Puts tag and length before all that was written since `end`, an earlier `position`.
  void wrap(uint8_t tag, size_t end);
  size_t position() const { return at_; }
  bool fits() const { return good_; }
  /// Moves what was written to the beginning. \return its size.
  size_t finish();

 private:
  MutableBytes out_;
  size_t at_;
  bool good_ = true;
};

}  // namespace wayseal::der

#endif
