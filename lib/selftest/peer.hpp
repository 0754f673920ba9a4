// SPDX-License-Identifier: Apache-2.0
#ifndef WAYSEAL_SELFTEST_PEER_HPP
#define WAYSEAL_SELFTEST_PEER_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"

namespace wayseal::selftest {

inline constexpr size_t kKeySize = 32;

/// The public point of a peer whose private key is 1, the generator: what is agreed with it is the x of the other's public point,
/// so that a device without arithmetic on the curve can play it. Such a session is worth nothing but a test.
extern const EcPoint kPeerPoint;

enum class Toward : uint8_t { kBackend, kVehicle };

/// A session's key as the peer computes it (PROTOCOL.md, "Suites").
/// \param vehicle the vault's ephemeral point.
/// \return kOk; kUnsupported: the device's PSA Crypto lacks what the suite needs; kBadState.
Status peer_key(Suite suite, const EcPoint& vehicle, const Digest& transcript, Toward toward,
                uint8_t (&key)[kKeySize]);

/// AES-256-GCM. `out` is plaintext.size() + kGcmTagSize bytes. \return kOk; kUnsupported; kBadState.
Status peer_seal(const uint8_t (&key)[kKeySize], const Nonce& nonce, Bytes aad, Bytes plaintext,
                 MutableBytes out);

}  // namespace wayseal::selftest

#endif
