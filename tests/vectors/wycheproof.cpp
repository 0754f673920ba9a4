// SPDX-License-Identifier: Apache-2.0
#include "wycheproof.hpp"

#include <psa/crypto.h>

extern "C" {
#include <mbedtls/psa_util.h>  // has no linkage specification of its own
}

#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "tally.hpp"
#include "vault_access.hpp"
#include "wayseal/pkcs11_tools/der.hpp"

namespace wayseal::vectors {
namespace {

using nlohmann::json;
using Octets = std::vector<uint8_t>;

Octets octets(const json& hex) {
  const std::string text = hex.get<std::string>();
  if (text.size() % 2 != 0) throw std::invalid_argument("odd hexadecimal");
  Octets out;
  for (size_t i = 0; i < text.size(); i += 2) {
    out.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

Bytes view(const Octets& bytes) { return {bytes.data(), bytes.size()}; }

enum class Expected { kValid, kInvalid, kAcceptable };

// One case, with what is common to all kinds.
struct Case {
  const json& group;
  const json& test;
  std::string id;
  Expected expected;
  Case(const json& g, const json& t)
      : group(g),
        test(t),
        id("tcId " + std::to_string(t.at("tcId").get<int>())),
        expected(Expected::kAcceptable) {
    const std::string result = t.at("result").get<std::string>();
    if (result == "valid") expected = Expected::kValid;
    if (result == "invalid") expected = Expected::kInvalid;
  }
};

std::string unsupported_gcm(const json& group) {
  if (group.at("keySize") != 256) return "AES key of another size than 256 bits";
  if (group.at("ivSize") != 96) return "nonce of another size than 96 bits";
  if (group.at("tagSize") != 128) return "tag of another size than 128 bits";
  return "";
}

struct GcmValues {
  fakes::Secret32 key{};
  Nonce nonce;
  Octets aad;
  Octets message;
  Octets sealed;
  explicit GcmValues(const json& test)
      : aad(octets(test.at("aad"))), message(octets(test.at("msg"))), sealed(octets(test.at("ct"))) {
    const Octets key_bytes = octets(test.at("key"));
    const Octets iv = octets(test.at("iv"));
    const Octets tag = octets(test.at("tag"));
    if (key_bytes.size() != key.size() || iv.size() != Nonce::kSize)
      throw std::invalid_argument("sizes do not match");
    std::copy(key_bytes.begin(), key_bytes.end(), key.begin());
    std::copy(iv.begin(), iv.end(), nonce.data);
    sealed.insert(sealed.end(), tag.begin(), tag.end());
  }
};

std::string check_seal(ImportingVault& vault, const GcmValues& values) {
  SessionKeys keys;
  keys.vehicle_to_backend = vault.import_seal_key(values.key);
  if (keys.vehicle_to_backend.handle == 0) return "the token did not take the key";
  Octets out(values.message.size() + kGcmTagSize);
  const Status status = vault.seal(keys.vehicle_to_backend, values.nonce, view(values.aad),
                                   view(values.message), {out.data(), out.size()});
  vault.vault().destroy(keys);
  if (status != Status::kOk) return std::string("sealing gave ") + status_name(status);
  return out == values.sealed ? "" : "sealed to other bytes";
}

std::string check_open(ImportingVault& vault, const GcmValues& values, Expected expected) {
  SessionKeys keys;
  keys.backend_to_vehicle = vault.import_open_key(values.key);
  if (keys.backend_to_vehicle.handle == 0) return "the token did not take the key";
  Octets out(values.sealed.size() - kGcmTagSize, 0xEE);
  const Status status = vault.vault().open(keys.backend_to_vehicle, values.nonce, view(values.aad),
                                           view(values.sealed), {out.data(), out.size()});
  vault.vault().destroy(keys);
  if (expected == Expected::kInvalid) {
    if (status != Status::kNotAuthentic) return std::string("a forgery gave ") + status_name(status);
    const bool zeros = std::all_of(out.begin(), out.end(), [](uint8_t byte) { return byte == 0; });
    return zeros ? "" : "a forgery's plaintext was shown";
  }
  if (status != Status::kOk) return std::string("opening gave ") + status_name(status);
  return out == values.message ? "" : "opened to other bytes";
}

void run_gcm(ImportingVault& vault, const Case& test, Tally& tally) {
  const std::string reason = unsupported_gcm(test.group);
  if (!reason.empty()) return tally.skip(reason);
  const GcmValues values(test.test);
  std::string wrong = check_open(vault, values, test.expected);
  if (wrong.empty() && test.expected == Expected::kValid) wrong = check_seal(vault, values);
  wrong.empty() ? tally.pass() : tally.fail(test.id, wrong);
}

// The 65 bytes of an uncompressed point, bare or in the one SubjectPublicKeyInfo that names P-256.
std::optional<EcPoint> point_of(const json& test, bool spki) {
  static const Octets kPrefix = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
                                 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
  Octets bytes = octets(test.at("public"));
  if (spki) {
    if (bytes.size() < kPrefix.size() || !std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin()))
      return std::nullopt;
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<long>(kPrefix.size()));
  }
  if (bytes.size() != EcPoint::kSize) return std::nullopt;
  EcPoint point;
  std::copy(bytes.begin(), bytes.end(), point.data);
  return point;
}

std::optional<fakes::Scalar> scalar_of(const json& test) {
  Octets bytes = octets(test.at("private"));
  while (bytes.size() > 32 && bytes[0] == 0) bytes.erase(bytes.begin());
  if (bytes.size() > 32) return std::nullopt;
  fakes::Scalar scalar{};
  std::copy(bytes.begin(), bytes.end(), scalar.end() - static_cast<long>(bytes.size()));
  if (!fakes::is_scalar(scalar)) return std::nullopt;
  return scalar;
}

// Whether the vault's keys are those that follow from the expected shared secret.
std::string check_keys(KeyVault& vault, Suite suite, const SessionKeys& keys, const Octets& shared,
                       const Digest& transcript) {
  fakes::Secret32 z{};
  if (shared.size() != z.size()) return "the shared secret has another size";
  std::copy(shared.begin(), shared.end(), z.begin());
  static const Octets kMessage = {'m', 'e', 's', 's', 'a', 'g', 'e'};
  const Nonce nonce;
  Octets sealed = fakes::gcm_seal(fakes::derive_key(suite, z, fakes::kBackendToVehicleLabel, transcript), nonce,
                                  {}, view(kMessage));
  Octets opened(kMessage.size());
  const Status status =
      vault.open(keys.backend_to_vehicle, nonce, {}, view(sealed), {opened.data(), opened.size()});
  return status == Status::kOk && opened == kMessage ? "" : "agreed on another secret";
}

std::string check_ecdh(ImportingVault& importing, Suite suite, const Case& test, const EcPoint& peer,
                       const fakes::Scalar& scalar) {
  KeyVault& vault = importing.vault();
  const EphemeralKey ephemeral = importing.import_ephemeral(scalar);
  if (ephemeral.handle == 0) return "the token did not take the key";
  Digest transcript;
  transcript.data[0] = 1;
  SessionKeys keys;
  const Status status = vault.derive(ephemeral, suite, peer, transcript, keys);
  if (status == Status::kNotAuthentic && test.expected != Expected::kValid) return "";
  if (status != Status::kOk) return std::string("deriving gave ") + status_name(status);
  std::string wrong = test.expected == Expected::kInvalid
                          ? "took an invalid point"
                          : check_keys(vault, suite, keys, octets(test.test.at("shared")), transcript);
  vault.destroy(keys);
  return wrong;
}

void run_ecdh(ImportingVault& vault, const Case& test, Tally& tally) {
  if (test.group.at("curve") != "secp256r1") return tally.skip("curve other than P-256");
  const bool spki = test.group.at("type") == "EcdhTest";
  const auto peer = point_of(test.test, spki);
  if (!peer) {
    return tally.skip(spki ? "public key that is not P-256 named by its OID with an uncompressed point"
                           : "point that is not 65 bytes: the interface takes no other");
  }
  const auto scalar = scalar_of(test.test);
  if (!scalar) return tally.skip("private key outside 1 to n-1");
  for (const Suite suite : {Suite::kP256HkdfSha256Aes256Gcm, Suite::kP256CmacKdfAes256Gcm}) {
    if (!vault.vault().capabilities().suites.has(suite)) continue;
    const std::string wrong = check_ecdh(vault, suite, test, *peer, *scalar);
    if (!wrong.empty()) return tally.fail(test.id, wrong);
  }
  tally.pass();
}

Octets sha256(const Octets& message) {
  Octets digest(32);
  size_t size = 0;
  if (psa_hash_compute(PSA_ALG_SHA_256, message.data(), message.size(), digest.data(), digest.size(), &size) !=
      PSA_SUCCESS) {
    throw std::runtime_error("psa_hash_compute");
  }
  return digest;
}

// r and s as the wire carries them: the library verifies with psa_verify_hash.
bool verify_raw(const json& group, const Octets& digest, const Octets& signature) {
  const Octets point = octets(group.at("publicKey").at("uncompressed"));
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
  psa_key_id_t key = 0;
  if (psa_import_key(&attributes, point.data(), point.size(), &key) != PSA_SUCCESS) return false;
  const psa_status_t status = psa_verify_hash(key, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest.data(), digest.size(),
                                              signature.data(), signature.size());
  psa_destroy_key(key);
  return status == PSA_SUCCESS;
}

// Signatures travel raw in Wayseal; DER occurs in certificates alone, which mbedTLS checks. A DER signature is
// brought to raw with mbedTLS's own conversion, and must be the one DER encoding of that: the conversion alone
// takes some BER as well.
bool verify_der(const json& group, const Octets& digest, const Octets& signature, size_t& lenient) {
  EcSignature raw;
  size_t size = 0;
  if (mbedtls_ecdsa_der_to_raw(256, signature.data(), signature.size(), raw.data, EcSignature::kSize, &size) !=
      0) {
    return false;
  }
  if (!verify_raw(group, digest, Octets(raw.data, raw.data + size))) return false;
  if (pkcs11_tools::encode_signature(raw) == signature) return true;
  ++lenient;
  return false;
}

void run_ecdsa(const Case& test, Tally& tally, size_t& lenient) {
  if (test.group.at("publicKey").at("curve") != "secp256r1") return tally.skip("curve other than P-256");
  if (test.group.at("sha") != "SHA-256") return tally.skip("hash other than SHA-256");
  const Octets digest = sha256(octets(test.test.at("msg")));
  const Octets signature = octets(test.test.at("sig"));
  const bool der = test.group.at("type") == "EcdsaVerify";
  const bool verified =
      der ? verify_der(test.group, digest, signature, lenient) : verify_raw(test.group, digest, signature);
  if (test.expected == Expected::kAcceptable || verified == (test.expected == Expected::kValid))
    return tally.pass();
  tally.fail(test.id, verified ? "an invalid signature was accepted" : "a valid signature was refused");
}

enum class Kind { kGcm, kEcdh, kEcdsa, kOther };

Kind kind_of(const json& file, const json& group) {
  const std::string type = group.at("type").get<std::string>();
  if (type == "AeadTest" && file.at("algorithm") == "AES-GCM") return Kind::kGcm;
  if (type == "EcdhTest" || type == "EcdhEcpointTest") return Kind::kEcdh;
  if (type == "EcdsaVerify" || type == "EcdsaP1363Verify") return Kind::kEcdsa;
  return Kind::kOther;
}

void run_case(Kind kind, ImportingVault* vault, const Case& test, Tally& tally, size_t& lenient) {
  try {
    switch (kind) {
      case Kind::kGcm: return run_gcm(*vault, test, tally);
      case Kind::kEcdh: return run_ecdh(*vault, test, tally);
      case Kind::kEcdsa: return run_ecdsa(test, tally, lenient);
      case Kind::kOther: return tally.skip("kind of test that Wayseal has no use for");
    }
  } catch (const std::exception& error) {
    tally.fail(test.id, error.what());
  }
}

Tally run_file(const std::string& name, const json& file, ImportingVault* vault) {
  Tally tally(vault == nullptr ? name : name + " on " + vault->name());
  size_t lenient = 0;
  for (const json& group : file.at("testGroups")) {
    const Kind kind = kind_of(file, group);
    for (const json& test : group.at("tests")) run_case(kind, vault, Case(group, test), tally, lenient);
  }
  tally.print();
  if (lenient != 0) {
    std::cout << "  note: " << lenient
              << " right signatures in BER, refused here; mbedTLS alone would take them in a certificate\n";
  }
  return tally;
}

// ECDSA verification needs no vault; so one run is enough.
bool needs_vault(const json& file) {
  for (const json& group : file.at("testGroups")) {
    const Kind kind = kind_of(file, group);
    if (kind == Kind::kGcm || kind == Kind::kEcdh) return true;
  }
  return false;
}

void run_path(const std::string& path, const std::vector<std::unique_ptr<ImportingVault>>& vaults,
              Tally& total) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot be read");
  const json file = json::parse(stream);
  const std::string name = path.substr(path.find_last_of('/') + 1);
  if (!needs_vault(file)) return total.add(run_file(name, file, nullptr));
  for (const auto& vault : vaults) total.add(run_file(name, file, vault.get()));
}

}  // namespace

Tally run_wycheproof(const std::vector<std::string>& files) {
  if (psa_crypto_init() != PSA_SUCCESS) throw std::runtime_error("psa_crypto_init");
  const auto vaults = importing_vaults();
  Tally total("wycheproof");
  for (const std::string& path : files) {
    try {
      run_path(path, vaults, total);
    } catch (const std::exception& error) {
      total.fail(path, error.what());
    }
  }
  return total;
}

}  // namespace wayseal::vectors
