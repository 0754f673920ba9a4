// SPDX-License-Identifier: Apache-2.0
#include "wayseal/psa/psa_provisioning.hpp"

#include <initializer_list>

namespace wayseal {
namespace {

constexpr size_t kScalarSize = 32;

// CertificationRequestInfo (RFC 2986, 4.1) up to the key's name, the name's "wayseal-" included: version 0 and one common name.
constexpr uint8_t kInfoHead[] = {0x30, 0x78, 0x02, 0x01, 0x00, 0x30, 0x16, 0x31, 0x14, 0x30, 0x12, 0x06, 0x03,
                                 0x55, 0x04, 0x03, 0x0C, 0x0B, 'w',  'a',  'y',  's',  'e',  'a',  'l',  '-'};
constexpr size_t kNameSize = 3;
// SubjectPublicKeyInfo of a P-256 key (RFC 5480, 2) up to the point.
constexpr uint8_t kKeyHead[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
                                0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr uint8_t kNoAttributes[] = {0xA0, 0x00};
constexpr size_t kInfoSize =
    sizeof kInfoHead + kNameSize + sizeof kKeyHead + EcPoint::kSize + sizeof kNoAttributes;
static_assert(kInfoSize == 2 + 0x78, "the lengths inside are right");
// ecdsa-with-SHA256 (RFC 5758, 3.2).
constexpr uint8_t kAlgorithm[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
constexpr size_t kIntegerMax = 2 + 1 + kScalarSize;
static_assert(kSigningRequestMax == 3 + kInfoSize + sizeof kAlgorithm + 5 + 2 * kIntegerMax, "all of it");

uint8_t* append(uint8_t* to, Bytes bytes) {
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

// An unsigned number as DER INTEGER: no leading zeros but the one that keeps it positive.
uint8_t* append_integer(uint8_t* to, const uint8_t* number) {
  Bytes bytes(number, kScalarSize);
  while (bytes.size() > 1 && bytes[0] == 0) bytes = bytes.from(1);
  const bool padded = (bytes[0] & 0x80) != 0;
  *to++ = 0x02;
  *to++ = static_cast<uint8_t>(bytes.size() + (padded ? 1 : 0));
  if (padded) *to++ = 0;
  return append(to, bytes);
}

void write_info(IdentityKey key, const EcPoint& point, uint8_t (&info)[kInfoSize]) {
  static constexpr uint8_t kNames[2][kNameSize] = {{'t', 'l', 's'}, {'e', '2', 'e'}};
  uint8_t* at = append(info, Bytes{kInfoHead});
  at = append(at, Bytes{kNames[static_cast<size_t>(key)]});
  at = append(at, Bytes{kKeyHead});
  at = append(at, point.bytes());
  (void)append(at, Bytes{kNoAttributes});
}

size_t write_request(const uint8_t (&info)[kInfoSize], const EcSignature& signature, uint8_t* out) {
  uint8_t numbers[2 * kIntegerMax];
  uint8_t* end = append_integer(append_integer(numbers, signature.data), signature.data + kScalarSize);
  const Bytes both(numbers, static_cast<size_t>(end - numbers));
  // Below the outermost sequence, every length fits one byte; the whole is always longer than 127.
  uint8_t* at = out + 3;
  at = append(at, Bytes{info});
  at = append(at, Bytes{kAlgorithm});
  *at++ = 0x03;
  *at++ = static_cast<uint8_t>(both.size() + 3);
  *at++ = 0x00;
  *at++ = 0x30;
  *at++ = static_cast<uint8_t>(both.size());
  at = append(at, both);
  out[0] = 0x30;
  out[1] = 0x81;
  out[2] = static_cast<uint8_t>(at - out - 3);
  return static_cast<size_t>(at - out);
}

// A cut or mistyped paste is told here; what is inside is judged by those who use it.
bool is_sequence(Bytes der) {
  if (der.size() < 2 || der[0] != 0x30) return false;
  if (der[1] < 0x80) return der.size() == 2U + der[1];
  if (der[1] == 0x81) return der.size() >= 3 && der.size() == 3U + der[2];
  return der[1] == 0x82 && der.size() >= 4 && der.size() == 4U + load_be16(der.data() + 2);
}

bool is_root(VaultObject object) {
  return object == VaultObject::kDataRoot || object == VaultObject::kGatewayCa;
}

}  // namespace

Result<PsaProvisioningState> PsaProvisioning::state() {
  for (const IdentityKey key : {IdentityKey::kTls, IdentityKey::kE2e}) {
    EcPoint point;
    const Status status = vault_.public_key(key, point);
    if (status == Status::kNotFound) return PsaProvisioningState::kBlank;
    if (status != Status::kOk) return status;
  }
  // The gateway may need no intermediate of the TLS certificate; everything else is needed.
  for (const VaultObject object :
       {VaultObject::kTlsCertificate, VaultObject::kE2eCertificate, VaultObject::kE2eIntermediate,
        VaultObject::kDataRoot, VaultObject::kGatewayCa}) {
    psa_storage_info_t info = {};
    const psa_status_t error = psa_its_get_info(psa_uid_of(object), &info);
    if (error == PSA_ERROR_DOES_NOT_EXIST) return PsaProvisioningState::kKeysMade;
    if (error != PSA_SUCCESS) return vault_.fail(error);
  }
  return PsaProvisioningState::kComplete;
}

Status PsaProvisioning::make_keys() {
  for (const IdentityKey key : {IdentityKey::kTls, IdentityKey::kE2e}) {
    EcPoint point;
    Status status = vault_.public_key(key, point);
    if (status == Status::kNotFound) status = make_key(key);
    WAYSEAL_TRY(status);
  }
  return Status::kOk;
}

Status PsaProvisioning::make_key(IdentityKey key) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_id(&attributes, vault_.identity(key));
  psa_set_key_lifetime(&attributes, PSA_KEY_LIFETIME_PERSISTENT);
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  psa_key_id_t made = 0;
  const psa_status_t error = psa_generate_key(&attributes, &made);
  if (error == PSA_ERROR_INSUFFICIENT_STORAGE) return Status::kFull;
  WAYSEAL_TRY(vault_.check(error));
  (void)psa_purge_key(made);
  return Status::kOk;
}

Result<size_t> PsaProvisioning::request(IdentityKey key, MutableBytes out) {
  EcPoint point;
  Status status = vault_.public_key(key, point);
  if (status != Status::kOk) return status;
  uint8_t info[kInfoSize];
  write_info(key, point, info);
  Digest digest;
  size_t size = 0;
  status =
      vault_.check(psa_hash_compute(PSA_ALG_SHA_256, info, sizeof info, digest.data, Digest::kSize, &size));
  EcSignature signature;
  if (status == Status::kOk) status = vault_.sign(key, digest, signature);
  if (status != Status::kOk) return status;
  uint8_t made[kSigningRequestMax];
  const size_t used = write_request(info, signature, made);
  if (used > out.size()) return Status::kBufferTooSmall;
  std::memcpy(out.data(), made, used);
  return used;
}

// A certificate holds its key's point as it is, and the OEM's signature over it is judged by the other side.
Status PsaProvisioning::check_leaf(IdentityKey key, Bytes der) {
  EcPoint point;
  WAYSEAL_TRY(vault_.public_key(key, point));
  for (size_t at = 0; at + EcPoint::kSize <= der.size(); ++at) {
    if (equal(der.from(at).first(EcPoint::kSize), point.bytes())) return Status::kOk;
  }
  return Status::kNotAuthentic;
}

Status PsaProvisioning::install(VaultObject object, Bytes der) {
  if (der.empty() || der.size() > kCertificateMax) return Status::kInvalidArgument;
  if (!is_sequence(der)) return Status::kMalformed;
  if (object == VaultObject::kTlsCertificate) WAYSEAL_TRY(check_leaf(IdentityKey::kTls, der));
  if (object == VaultObject::kE2eCertificate) WAYSEAL_TRY(check_leaf(IdentityKey::kE2e, der));
  uint8_t held[kCertificateMax];
  const Result<size_t> size = vault_.read_object(object, MutableBytes{held});
  if (size.ok() && equal(Bytes{held}.first(size.value()), der)) return Status::kOk;
  if (size.status() == Status::kTokenLost) return size.status();
  const psa_storage_create_flags_t flags =
      is_root(object) ? PSA_STORAGE_FLAG_WRITE_ONCE : PSA_STORAGE_FLAG_NONE;
  const psa_status_t error = psa_its_set(psa_uid_of(object), der.size(), der.data(), flags);
  if (error == PSA_ERROR_NOT_PERMITTED) return Status::kBadState;
  if (error == PSA_ERROR_INSUFFICIENT_STORAGE) return Status::kFull;
  return vault_.check(error);
}

}  // namespace wayseal
