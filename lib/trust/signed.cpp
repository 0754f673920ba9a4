// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/signed.hpp"

#include <psa/crypto.h>

#include <new>

#include "session.pb.h"
#include "trust/wire.hpp"

namespace wayseal {
namespace {

struct LabelRow {
  const char* text;
  uint8_t size;
  uint16_t body_max;
};

// In the order of SignedLabel. The open transcript is not a body; its limit is that of no body.
constexpr LabelRow kLabels[] = {
    {"wayseal/1 open", 14, 0},   {"wayseal/1 prekeys-request", 25, 256}, {"wayseal/1 prekeys", 17, 7168},
    {"wayseal/1 time", 14, 256}, {"wayseal/1 refuse", 16, 256},
};

const LabelRow& row(SignedLabel label) { return kLabels[static_cast<size_t>(label)]; }

// A public key inside PSA for as long as the object lives.
class PublicKey {
 public:
  explicit PublicKey(const EcPoint& point) {
    if (psa_crypto_init() != PSA_SUCCESS) return;
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 256);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    good_ = psa_import_key(&attributes, point.data, EcPoint::kSize, &id_) == PSA_SUCCESS;
  }
  ~PublicKey() {
    if (good_) static_cast<void>(psa_destroy_key(id_));
  }
  PublicKey(const PublicKey&) = delete;
  PublicKey& operator=(const PublicKey&) = delete;

  bool good() const { return good_; }
  psa_key_id_t id() const { return id_; }

 private:
  psa_key_id_t id_ = 0;
  bool good_ = false;
};

constexpr uint8_t kUncompressed = 0x04;

}  // namespace

Bytes label_text(SignedLabel label) {
  return {reinterpret_cast<const uint8_t*>(row(label).text), row(label).size};
}

size_t signed_body_max(SignedLabel label) { return row(label).body_max; }

struct Sha256::Operation {
  psa_hash_operation_t psa;
};

Sha256::Operation& Sha256::operation() { return *std::launder(reinterpret_cast<Operation*>(memory_)); }

Sha256::Sha256() {
  static_assert(sizeof(Operation) <= sizeof memory_ && alignof(Operation) <= 8,
                "memory_ holds the PSA operation");
  new (memory_) Operation{psa_hash_operation_init()};
  good_ = psa_crypto_init() == PSA_SUCCESS && psa_hash_setup(&operation().psa, PSA_ALG_SHA_256) == PSA_SUCCESS;
}

Sha256::~Sha256() { static_cast<void>(psa_hash_abort(&operation().psa)); }

void Sha256::add(Bytes bytes) {
  if (bytes.empty()) return;
  good_ = good_ && psa_hash_update(&operation().psa, bytes.data(), bytes.size()) == PSA_SUCCESS;
}

void Sha256::add_u16(uint16_t value) {
  uint8_t bytes[2];
  store_be16(bytes, value);
  add(bytes);
}

void Sha256::add_item(Bytes bytes) {
  good_ = good_ && bytes.size() <= UINT16_MAX;
  add_u16(static_cast<uint16_t>(bytes.size()));
  add(bytes);
}

Status Sha256::finish(Digest& digest) {
  size_t size = 0;
  const bool done =
      good_ && psa_hash_finish(&operation().psa, digest.data, Digest::kSize, &size) == PSA_SUCCESS;
  good_ = false;
  return done && size == Digest::kSize ? Status::kOk : Status::kBadState;
}

Status sha256(Bytes bytes, Digest& digest) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish(digest);
}

Status signed_digest(SignedLabel label, Bytes body, Digest& digest) {
  Sha256 hash;
  hash.add_item(label_text(label));
  hash.add(body);
  return hash.finish(digest);
}

Status check_point(const EcPoint& point) {
  if (point.data[0] != kUncompressed) return Status::kNotAuthentic;
  return PublicKey(point).good() ? Status::kOk : Status::kNotAuthentic;
}

Status verify_signature(const EcPoint& key, const Digest& digest, Bytes signature) {
  if (signature.size() != EcSignature::kSize || key.data[0] != kUncompressed) return Status::kNotAuthentic;
  const PublicKey imported(key);
  if (!imported.good()) return Status::kNotAuthentic;
  const psa_status_t status = psa_verify_hash(imported.id(), PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest.data,
                                              Digest::kSize, signature.data(), signature.size());
  return status == PSA_SUCCESS ? Status::kOk : Status::kNotAuthentic;
}

Status split_signed(SignedLabel label, Bytes message, SignedMessage& out) {
  out = {};
  // SignedTime and SignedRefusal have the same three fields under the same numbers.
  wayseal_v1_SignedPrekeyBundle fields = {};
  fields.body = wire::into(out.body);
  fields.signature = wire::into(out.signature);
  fields.chain = wire::into(out.chain);
  WAYSEAL_TRY(wire::decode(message, wayseal_v1_SignedPrekeyBundle_fields, &fields));
  const bool sizes = !out.body.empty() && out.body.size() <= signed_body_max(label) &&
                     out.signature.size() == EcSignature::kSize && out.chain.count == kChainMax;
  return sizes ? Status::kOk : Status::kMalformed;
}

Status verify_signed(const SignedMessage& message, SignedLabel label, Role role, CertVerifier& verifier,
                     CertificateDates dates, CertInfo& info) {
  CertInfo signer;
  WAYSEAL_TRY(verifier.verify(message.chain, role, dates, signer));
  Digest digest;
  WAYSEAL_TRY(signed_digest(label, message.body, digest));
  WAYSEAL_TRY(verify_signature(signer.public_key, digest, message.signature));
  info = signer;
  return Status::kOk;
}

}  // namespace wayseal
