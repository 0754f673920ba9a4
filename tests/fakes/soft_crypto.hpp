// SPDX-License-Identifier: Apache-2.0
/// \file
/// The same cryptography as a token's, in software with OpenSSL 3: what the fake vault computes with, and what
/// tests use to play the backend. Independent of mbedTLS and PKCS#11. Failures of OpenSSL itself throw.
#ifndef WAYSEAL_TESTS_FAKES_SOFT_CRYPTO_HPP
#define WAYSEAL_TESTS_FAKES_SOFT_CRYPTO_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "wayseal/core/types.hpp"

namespace wayseal::fakes {

using Scalar = std::array<uint8_t, 32>;    ///< P-256 private key, big-endian, 1 to n-1.
using Secret32 = std::array<uint8_t, 32>;  ///< Z of an agreement, or an AES-256 key.

/// The two labels of DESIGN 6.4, 7 bytes each.
inline constexpr char kVehicleToBackendLabel[] = "ws1.v2b";
inline constexpr char kBackendToVehicleLabel[] = "ws1.b2v";

Digest sha256(Bytes data);

/// A fresh private key from OpenSSL's generator.
Scalar random_scalar();
/// Whether 1 <= scalar < n.
bool is_scalar(const Scalar& scalar);
/// scalar * G.
EcPoint public_point(const Scalar& scalar);
/// Whether it is an uncompressed point of P-256 (SP 800-56A, 5.6.2.3.4).
bool is_point(const EcPoint& point);

/// ECDH; Z keeps its leading zeros. Nothing when `peer` is no point of the curve.
std::optional<Secret32> ecdh(const Scalar& mine, const EcPoint& peer);
/// One session key from Z as DESIGN 6.5 says. `label` has 7 characters.
Secret32 derive_key(Suite suite, const Secret32& z, const char* label, const Digest& transcript);

EcSignature ecdsa_sign(const Scalar& scalar, const Digest& digest);
bool ecdsa_verify(const EcPoint& point, const Digest& digest, const EcSignature& signature);

/// Ciphertext, then the 16 bytes of the tag.
std::vector<uint8_t> gcm_seal(const Secret32& key, const Nonce& nonce, Bytes aad, Bytes plaintext);
/// The plaintext; nothing when the tag does not fit.
std::optional<std::vector<uint8_t>> gcm_open(const Secret32& key, const Nonce& nonce, Bytes aad, Bytes sealed);

}  // namespace wayseal::fakes

#endif
