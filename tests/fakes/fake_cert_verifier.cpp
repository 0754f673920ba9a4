// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_cert_verifier.hpp"

#include <algorithm>

#include "fakes/soft_crypto.hpp"

namespace wayseal::fakes {
namespace {

constexpr char kMagic[] = {'F', 'A', 'K', 'E'};
// magic, kind, role, name length, name in a fixed field, point, two dates, hash
constexpr size_t kNameAt = 7;
constexpr size_t kPointAt = kNameAt + kVehicleIdMax;
constexpr size_t kDatesAt = kPointAt + EcPoint::kSize;
constexpr size_t kHashAt = kDatesAt + 16;
constexpr size_t kSize = kHashAt + Digest::kSize;

Digest keyed_hash(const std::string& root, Bytes content) {
  std::vector<uint8_t> input(root.begin(), root.end());
  input.insert(input.end(), content.begin(), content.end());
  return sha256(Bytes{input.data(), input.size()});
}

}  // namespace

CertChain FakeChain::view() const {
  CertChain chain;
  chain.certificates[0] = {leaf.data(), leaf.size()};
  chain.certificates[1] = {intermediate.data(), intermediate.size()};
  chain.count = 2;
  return chain;
}

std::vector<uint8_t> FakeCertVerifier::certificate(Kind kind, const FakeIdentity& identity) const {
  std::vector<uint8_t> bytes(kSize);
  std::copy(std::begin(kMagic), std::end(kMagic), bytes.begin());
  bytes[4] = static_cast<uint8_t>(kind);
  bytes[5] = static_cast<uint8_t>(identity.role);
  bytes[6] = static_cast<uint8_t>(std::min(identity.name.size(), kVehicleIdMax));
  std::copy_n(identity.name.begin(), bytes[6], bytes.begin() + kNameAt);
  std::copy(std::begin(identity.public_key.data), std::end(identity.public_key.data), bytes.begin() + kPointAt);
  store_be64(&bytes[kDatesAt], static_cast<uint64_t>(identity.not_before.ms));
  store_be64(&bytes[kDatesAt + 8], static_cast<uint64_t>(identity.not_after.ms));
  const Digest hash = keyed_hash(root_, {bytes.data(), kHashAt});
  std::copy(std::begin(hash.data), std::end(hash.data), bytes.begin() + kHashAt);
  return bytes;
}

FakeChain FakeCertVerifier::issue(const FakeIdentity& identity) const {
  return issue_mixed(identity, identity.role);
}

FakeChain FakeCertVerifier::issue_mixed(const FakeIdentity& identity, Role intermediate_role) const {
  FakeIdentity issuer;
  issuer.role = intermediate_role;
  issuer.name = "intermediate";
  issuer.not_after = {INT64_MAX};
  return {certificate(Kind::kLeaf, identity), certificate(Kind::kIntermediate, issuer)};
}

Status FakeCertVerifier::read(Bytes certificate, Kind kind, Role role, CertInfo& info) const {
  if (certificate.size() != kSize || !std::equal(std::begin(kMagic), std::end(kMagic), certificate.begin()))
    return Status::kMalformed;
  const Digest hash = keyed_hash(root_, certificate.first(kHashAt));
  if (!equal(hash.bytes(), certificate.from(kHashAt))) return Status::kNotAuthentic;
  if (certificate[4] != static_cast<uint8_t>(kind) || certificate[5] != static_cast<uint8_t>(role))
    return Status::kNotAuthentic;
  info.subject.size = certificate[6];
  std::copy_n(certificate.begin() + kNameAt, certificate[6], info.subject.text);
  std::copy_n(certificate.begin() + kPointAt, EcPoint::kSize, info.public_key.data);
  info.not_before = {static_cast<int64_t>(load_be64(certificate.data() + kDatesAt))};
  info.not_after = {static_cast<int64_t>(load_be64(certificate.data() + kDatesAt + 8))};
  return Status::kOk;
}

Status FakeCertVerifier::do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) {
  ++verified_;
  if (chain.count != 2) return Status::kNotAuthentic;
  CertInfo issuer;
  WAYSEAL_TRY(read(chain.certificates[1], Kind::kIntermediate, role, issuer));
  WAYSEAL_TRY(read(chain.certificates[0], Kind::kLeaf, role, info));
  if (dates.check == CertificateDates::Check::kIgnored) return Status::kOk;
  const bool valid = info.not_before <= dates.now && dates.now <= info.not_after;
  return valid ? Status::kOk : Status::kStale;
}

}  // namespace wayseal::fakes
