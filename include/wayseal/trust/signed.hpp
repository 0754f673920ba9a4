// SPDX-License-Identifier: Apache-2.0
/// \file
/// Signed bodies: framing, digest, chain and signature, in this order, before anybody parses a body (invariant
/// 6; PROTOCOL.md, "Signed bodies"). Public operations only, through the PSA Crypto API.
#ifndef WAYSEAL_TRUST_SIGNED_HPP
#define WAYSEAL_TRUST_SIGNED_HPP

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/status.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/cert_verifier.hpp"

namespace wayseal {

/// What a signature says of itself. Each use of a key has its own.
enum class SignedLabel : uint8_t {
  kOpen,            ///< `wayseal/1 open`
  kPrekeysRequest,  ///< `wayseal/1 prekeys-request`
  kPrekeys,         ///< `wayseal/1 prekeys`
  kTime,            ///< `wayseal/1 time`
  kRefuse,          ///< `wayseal/1 refuse`
};

/// The label's text, without a terminator. Static storage.
Bytes label_text(SignedLabel label);

/// Largest body that is accepted under each label, in bytes.
size_t signed_body_max(SignedLabel label);

/// Body, signature and chain of a signed message. Views into the message's bytes.
struct SignedMessage {
  Bytes body;
  Bytes signature;
  CertChain chain;
};

/// Incremental SHA-256 (FIPS 180-4). A failure is remembered and comes out of `finish`. About 250 bytes of
/// stack with mbedTLS. Not copyable.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(Bytes bytes);
  void add_u16(uint16_t value);
  /// u16 length, then the bytes: an item of the transcript. `bytes` is at most 65,535 long.
  void add_item(Bytes bytes);
  /// \return kOk; kBadState when the PSA Crypto API is not usable (a build or start-up error).
  Status finish(Digest& digest);

 private:
  struct Operation;  // psa_hash_operation_t, kept out of this header
  alignas(8) uint8_t memory_[256];
  bool good_ = false;
  Operation& operation();
};

/// SHA-256 of `bytes`. \return kOk; kBadState as above.
Status sha256(Bytes bytes, Digest& digest);

/// SHA-256(u16 length of label, label, body): what is signed.
Status signed_digest(SignedLabel label, Bytes body, Digest& digest);

/// Whether `point` is an uncompressed point of P-256. \return kOk; kNotAuthentic.
Status check_point(const EcPoint& point);

/// ECDSA P-256 (FIPS 186-5). `signature` is r then s. \return kOk; kNotAuthentic, also for a wrong length.
Status verify_signature(const EcPoint& key, const Digest& digest, Bytes signature);

/// Splits a SignedPrekeyBundle, SignedTime or SignedRefusal (they share one layout). Looks at framing only.
/// \return kOk; kMalformed: no protobuf, a body above signed_body_max, no two certificates, no 64-byte
///         signature.
Status split_signed(SignedLabel label, Bytes message, SignedMessage& out);

/// Chain and signature of a split message. Only after kOk may the body be parsed.
/// \param[out] info of the signer's certificate, set with kOk.
/// \return kOk; kNotAuthentic; kStale (outside the chain's validity); kMalformed (a certificate).
Status verify_signed(const SignedMessage& message, SignedLabel label, Role role, CertVerifier& verifier,
                     CertificateDates dates, CertInfo& info);

}  // namespace wayseal

#endif
