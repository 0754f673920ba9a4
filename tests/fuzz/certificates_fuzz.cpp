// SPDX-License-Identifier: Apache-2.0
// Covers X509Verifier::verify (mbedtls_x509_crt_parse_der_nocopy, role, usage, name and date checks, check_path), and the
// backend's cloud::Pki::verify (d2i_X509, has_role, X509_verify_cert) on the same chains.
//
// A chain that the vehicle takes is good for one role only, has a name of the allowed characters, and its dates decide
// as they say. Where the backend takes it too, both read the same name. A chain that is not signed as it should be is
// never taken.
//
// Input: a byte of mode (role; 4 and 8: leaf and intermediate are signed anew by the target, so that what is in them is
// reached), a u16 of the leaf's length, leaf, intermediate; or, beginning with 0x30, one certificate as the leaf.
#include "fuzz.hpp"
#include "fuzz_pki.hpp"
#include "pki.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"

namespace {

using namespace wayseal;

struct Scene {
  Scene() : root(fuzz::fuzz_root()), pki(fuzz::text_of(root.bytes()), {}, cloud::Pki::Revocation::kOff) {
    fuzz::require(verifier.set_root(root.bytes()) == Status::kOk, "the root is one");
    for (const Role role : {Role::kVehicle, Role::kPrekey, Role::kTime}) {
      intermediates.push_back(fuzz::text_of(fuzz::fuzz_intermediate(role).bytes()));
    }
  }
  fakes::TestIdentity root;
  X509Verifier verifier;
  cloud::Pki pki;
  std::vector<std::string> intermediates;
};

Scene& scene() {
  static Scene made;
  return made;
}

std::string tlv(uint8_t tag, const std::string& value) {
  std::string out(1, static_cast<char>(tag));
  const size_t size = value.size();
  if (size >= 0x100) {
    out += '\x82';
    out += static_cast<char>(size >> 8);
  } else if (size >= 0x80) {
    out += '\x81';
  }
  return out + static_cast<char>(size) + value;
}

/// The first TLV of `der` with its head; empty when there is none. `value` is where its content begins.
std::string first_tlv(const std::string& der, size_t& value) {
  if (der.size() < 2) return {};
  const auto length = static_cast<uint8_t>(der[1]);
  const size_t more = (length & 0x80U) != 0 ? length & 0x7FU : 0;
  if (more > 2 || der.size() < 2 + more) return {};
  size_t size = more == 0 ? length : 0;
  for (size_t i = 0; i < more; ++i) size = (size << 8) | static_cast<uint8_t>(der[2 + i]);
  value = 2 + more;
  return size <= der.size() - value ? der.substr(0, value + size) : std::string();
}

std::string der_integer(const uint8_t* bytes) {
  size_t skip = 0;
  while (skip < 31 && bytes[skip] == 0) ++skip;
  std::string value(reinterpret_cast<const char*>(bytes) + skip, 32 - skip);
  if ((bytes[skip] & 0x80U) != 0) value.insert(value.begin(), '\0');
  return tlv(0x02, value);
}

/// The certificate's to-be-signed part as it is, with a signature of `key`; as it was when it has no such part.
std::string signed_anew(const std::string& certificate, const fakes::Scalar& key) {
  static const std::string kEcdsaWithSha256("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12);
  size_t value = 0;
  const std::string outer = first_tlv(certificate, value);
  if (outer.empty()) return certificate;
  const std::string tbs = first_tlv(outer.substr(value), value);
  if (tbs.empty()) return certificate;
  const EcSignature signature = fakes::ecdsa_sign(key, fakes::sha256(fuzz::bytes_of(tbs)));
  const std::string pair = tlv(0x30, der_integer(signature.data) + der_integer(signature.data + 32));
  return tlv(0x30, tbs + kEcdsaWithSha256 + tlv(0x03, std::string(1, '\0') + pair));
}

void check_info(const CertInfo& info) {
  const std::string name = fuzz::text_of(info.subject.bytes());
  fuzz::require(!name.empty() && name.size() <= kVehicleIdMax, "a name has 1 to 32 characters");
  fuzz::require(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
                    std::string::npos,
                "of the allowed ones");
  fuzz::require(info.public_key.data[0] == 4 && fakes::is_point(info.public_key),
                "a key is a point of the curve");
}

void check_dates(const CertChain& chain, Role role, const CertInfo& info) {
  CertInfo ignored;
  const auto at = [&](int64_t ms) {
    return scene().verifier.verify(chain, role, {CertificateDates::Check::kAgainst, {ms}}, ignored);
  };
  fuzz::require(at(info.not_before.ms - 1) == Status::kStale, "not before it begins");
  fuzz::require(at(info.not_after.ms + kMsPerSecond) == Status::kStale, "nor after it ends");
}

void check_chain(const std::string& leaf, const std::string& intermediate, Role role, bool as_signed) {
  const fuzz::ExactCopy leaf_bytes(fuzz::bytes_of(leaf));
  const fuzz::ExactCopy intermediate_bytes(fuzz::bytes_of(intermediate));
  CertChain chain;
  chain.certificates[0] = leaf_bytes.view();
  chain.certificates[1] = intermediate_bytes.view();
  chain.count = 2;
  CertInfo info;
  const Status status = scene().verifier.verify(chain, role, {}, info);
  const cloud::Leaf theirs =
      scene().pki.verify({leaf, intermediate}, static_cast<cloud::Role>(static_cast<int>(role) + 1));
  if (status != Status::kOk) {
    fuzz::require(
        status == Status::kMalformed || status == Status::kNotAuthentic || status == Status::kInvalidArgument,
        "a chain is refused for what is wrong with it");
    return;
  }
  fuzz::require(as_signed, "what is not signed is not taken");
  check_info(info);
  check_dates(chain, role, info);
  CertInfo ignored;
  const Role other = static_cast<Role>((static_cast<int>(role) + 1) % 3);
  fuzz::require(scene().verifier.verify(chain, other, {}, ignored) != Status::kOk, "a chain has one role");
  if (theirs.state != cloud::ChainState::kNotAuthentic) {
    fuzz::require(theirs.common_name == fuzz::text_of(info.subject.bytes()), "both sides read the same name");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if (data[0] == 0x30) {
    check_chain(std::string(reinterpret_cast<const char*>(data), size), scene().intermediates[0],
                Role::kVehicle, false);
    return 0;
  }
  fuzz::Input in(data, size);
  const uint8_t mode = in.u8();
  const size_t role = (mode & 3U) % 3;
  const size_t leaf_size = in.u16();
  std::string leaf = fuzz::text_of(in.bytes(leaf_size));
  std::string intermediate = fuzz::text_of(in.rest());
  if (intermediate.empty()) intermediate = scene().intermediates[role];
  if ((mode & 4U) != 0) leaf = signed_anew(leaf, fuzz::kIntermediateKey);
  if ((mode & 8U) != 0) intermediate = signed_anew(intermediate, fuzz::kRootKey);
  // The seeds are signed as well: a chain that is not may still be one of them, unchanged.
  check_chain(leaf, intermediate, static_cast<Role>(role), true);
  return 0;
}
