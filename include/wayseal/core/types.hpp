// SPDX-License-Identifier: Apache-2.0
/// \file
/// The small values that several layers share: identities, cryptographic values, suites.
#ifndef WAYSEAL_CORE_TYPES_HPP
#define WAYSEAL_CORE_TYPES_HPP

#include "wayseal/core/bytes.hpp"

namespace wayseal {

using Digest = Fixed<32, struct DigestTag>;    ///< SHA-256 output.
using EcPoint = Fixed<65, struct EcPointTag>;  ///< P-256 point, uncompressed: 0x04, X, Y (SEC 1, 2.3.3).
using EcSignature = Fixed<64, struct EcSignatureTag>;  ///< ECDSA P-256 r then s, 32 bytes each, big-endian.
using SessionId = Fixed<16, struct SessionIdTag>;      ///< First 16 bytes of the session's transcript hash.
using Nonce = Fixed<12, struct NonceTag>;              ///< AES-GCM nonce (NIST SP 800-38D, 8.2).
using Challenge = Fixed<32, struct ChallengeTag>;      ///< Fresh random value that a signed answer repeats.

inline constexpr size_t kGcmTagSize = 16;
/// The longest vehicle id in bytes. Opaque: [A-Za-z0-9._-], never a VIN.
inline constexpr size_t kVehicleIdMax = 32;

/// Vehicle id held by value: `size` of `text` are used, not terminated.
struct VehicleId {
  char text[kVehicleIdMax] = {};
  uint8_t size = 0;
  Bytes bytes() const { return {reinterpret_cast<const uint8_t*>(text), size}; }
};

/// Key agreement, key derivation and AEAD of a session. The number is the wire's (PROTOCOL.md, "Suites").
enum class Suite : uint8_t {
  kP256HkdfSha256Aes256Gcm = 1,  ///< HKDF-SHA256 (RFC 5869).
  kP256CmacKdfAes256Gcm = 2,     ///< SP 800-108 counter mode with CMAC-AES-256, for PKCS#11 2.40 tokens.
};

/// A set of suites, one bit a suite: bit (number - 1).
struct SuiteSet {
  uint8_t bits = 0;
  constexpr bool has(Suite suite) const { return (bits >> (static_cast<uint8_t>(suite) - 1)) & 1U; }
  constexpr void add(Suite suite) {
    bits = static_cast<uint8_t>(bits | (1U << (static_cast<uint8_t>(suite) - 1)));
  }
  constexpr bool empty() const { return bits == 0; }
  friend constexpr SuiteSet operator&(SuiteSet a, SuiteSet b) {
    return {static_cast<uint8_t>(a.bits & b.bits)};
  }
};

/// What a certificate of the OEM's data root, or of the gateway's CA, may be used for. Each role is one private
/// extended key usage, critical and alone, in the leaf and in its intermediate (PROTOCOL.md, "Roles").
enum class Role : uint8_t {
  kVehicle,  ///< Signs SessionOpen and prekey requests.
  kPrekey,   ///< Signs prekey bundles and refusals.
  kTime,     ///< Signs time.
};

/// What is inside a sealed record. The number is the wire's (PROTOCOL.md, "Content types").
enum class ContentType : uint8_t {
  kBatch = 1,
  kLossReport = 2,
  kSecurityEvent = 3,
  kVersionManifest = 4,
  kDiagnostics = 5,
  kAck = 64,  ///< Backend to vehicle.
};

}  // namespace wayseal

#endif
