// SPDX-License-Identifier: Apache-2.0
/// \file
/// What opens a session: its fields, their transcript hash, their coding as SessionOpen. PROTOCOL.md, "Opening
/// a session" and "Transcript".
#ifndef WAYSEAL_SEAL_OPENING_HPP
#define WAYSEAL_SEAL_OPENING_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/status.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/cert_verifier.hpp"

namespace wayseal {

/// Largest SessionOpen as encoded, in bytes.
inline constexpr size_t kSessionOpenBytesMax = 512 + kChainMax * kCertificateMax;

/// The session that a vehicle had before.
struct PreviousSession {
  enum class Known : uint8_t { kNo, kYes };
  Known known = Known::kNo;  ///< kNo: this is the vehicle's first session.
  SessionId id;
  uint64_t last_durable = 0;  ///< Highest sequence of it that reached storage.
};

/// Everything under the signature of a SessionOpen, except the certificate and the name in it. About 360 bytes.
struct Opening {
  uint8_t suite = 0;
  uint32_t offer = 0;  ///< SuiteSet bits.
  uint64_t prekey_id = 0;
  EcPoint prekey_point;
  Digest bundle_digest;
  Digest backend_certificate_digest;
  EcPoint ephemeral;
  Challenge nonce;
  uint64_t counter = 0;
  PreviousSession previous;
};

/// The transcript hash `th`. \param certificate_digest SHA-256 of the vehicle's e2e certificate.
/// \return kOk; kBadState when hashing is not possible.
Status transcript_hash(const Opening& opening, const Digest& certificate_digest, const VehicleId& vehicle,
                       Digest& th);

/// The first 16 bytes of `th`.
SessionId session_id_of(const Digest& th);

/// \param out kSessionOpenBytesMax bytes are always enough. \return kOk; kBufferTooSmall.
Status encode_session_open(const Opening& opening, const CertChain& chain, const EcSignature& signature,
                           MutableBytes out, size_t& size);

/// Reads back a SessionOpen of our own from storage. Verifies nothing: who needs it recomputes `th`.
/// \param[out] chain views into `bytes`. \return kOk; kMalformed; kUnsupported (version).
Status decode_session_open(Bytes bytes, Opening& opening, CertChain& chain);

}  // namespace wayseal

#endif
