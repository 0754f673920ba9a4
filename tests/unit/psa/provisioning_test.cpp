// SPDX-License-Identifier: Apache-2.0
// A device that makes its keys, asks for certificates and takes them: what the OEM gets, and what the device takes.
#include "wayseal/psa/psa_provisioning.hpp"

#include <openssl/x509.h>

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>

#include "contract/key_vault/psa_device.hpp"
#include "fakes/test_pki.hpp"
#include "wayseal/psa/provisioning_line.hpp"

namespace wayseal::test {
namespace {

using State = PsaProvisioningState;

struct Request {
  std::string name;
  EcPoint point;
  bool verifies = false;
};

/// As the OEM's side reads it, by OpenSSL.
Request read_request(Bytes der) {
  const uint8_t* at = der.data();
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> parsed(
      d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())), X509_REQ_free);
  REQUIRE(parsed);
  REQUIRE(at == der.data() + der.size());
  Request request;
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(parsed.get()), NID_commonName, name, sizeof name);
  request.name = name;
  X509_PUBKEY* key = X509_REQ_get_X509_PUBKEY(parsed.get());
  const unsigned char* bytes = nullptr;
  int size = 0;
  X509_PUBKEY_get0_param(nullptr, &bytes, &size, nullptr, key);
  REQUIRE(size == static_cast<int>(EcPoint::kSize));
  std::memcpy(request.point.data, bytes, EcPoint::kSize);
  request.verifies = X509_REQ_verify(parsed.get(), X509_REQ_get0_pubkey(parsed.get())) == 1;
  return request;
}

/// The OEM's answers for one device.
struct Answers {
  fakes::TestIdentity data_root = fakes::make_root(fakes::root_spec("data root"));
  fakes::TestIdentity gateway_ca = fakes::make_root(fakes::root_spec("gateway ca"));
  fakes::TestIdentity e2e_intermediate = fakes::issue(data_root, fakes::role_intermediate_spec(Role::kVehicle));
  fakes::TestIdentity tls;
  fakes::TestIdentity e2e;

  explicit Answers(PsaVault& vault) {
    EcPoint point;
    REQUIRE(vault.public_key(IdentityKey::kTls, point) == Status::kOk);
    tls = fakes::issue(gateway_ca, fakes::role_leaf_spec(Role::kVehicle, "v-1"), fakes::key_from(point));
    REQUIRE(vault.public_key(IdentityKey::kE2e, point) == Status::kOk);
    e2e = fakes::issue(e2e_intermediate, fakes::role_leaf_spec(Role::kVehicle, "v-1"), fakes::key_from(point));
  }
};

Status install_all(PsaProvisioning& device, const Answers& answers) {
  WAYSEAL_TRY(device.install(VaultObject::kDataRoot, answers.data_root.bytes()));
  WAYSEAL_TRY(device.install(VaultObject::kGatewayCa, answers.gateway_ca.bytes()));
  WAYSEAL_TRY(device.install(VaultObject::kTlsCertificate, answers.tls.bytes()));
  WAYSEAL_TRY(device.install(VaultObject::kE2eCertificate, answers.e2e.bytes()));
  return device.install(VaultObject::kE2eIntermediate, answers.e2e_intermediate.bytes());
}

bool holds(KeyVault& vault, VaultObject object, Bytes der) {
  uint8_t out[kCertificateMax];
  const Result<size_t> size = vault.read_object(object, MutableBytes{out});
  return size.ok() && equal(Bytes{out}.first(size.value()), der);
}

}  // namespace

TEST_CASE("provisioning: from a blank device to a complete one, which power off does not change") {
  PsaDevice device;
  PsaProvisioning provisioning(device.vault());
  CHECK(provisioning.state().value() == State::kBlank);
  uint8_t out[kSigningRequestMax];
  CHECK(provisioning.request(IdentityKey::kTls, MutableBytes{out}).status() == Status::kNotFound);
  REQUIRE(provisioning.make_keys() == Status::kOk);
  CHECK(provisioning.state().value() == State::kKeysMade);
  const Answers answers(device.vault());
  REQUIRE(install_all(provisioning, answers) == Status::kOk);
  CHECK(provisioning.state().value() == State::kComplete);

  device.power_off();
  REQUIRE(device.power_on() == Status::kOk);
  PsaProvisioning later(device.vault());
  CHECK(later.state().value() == State::kComplete);
  CHECK(holds(device.vault(), VaultObject::kDataRoot, answers.data_root.bytes()));
  CHECK(holds(device.vault(), VaultObject::kE2eCertificate, answers.e2e.bytes()));
  const Answers same_keys(device.vault());
  CHECK(later.make_keys() == Status::kOk);  // keeps those that are there
  CHECK(install_all(later, answers) == Status::kOk);
  CHECK(later.install(VaultObject::kTlsCertificate, same_keys.tls.bytes()) == Status::kOk);
}

TEST_CASE(
    "provisioning: a request names its key, is signed by it, and OpenSSL takes it, whatever the numbers") {
  PsaDevice device;
  PsaProvisioning provisioning(device.vault());
  REQUIRE(provisioning.make_keys() == Status::kOk);
  const IdentityKey keys[] = {IdentityKey::kTls, IdentityKey::kE2e};
  const char* const names[] = {"wayseal-tls", "wayseal-e2e"};
  size_t sizes[kSigningRequestMax + 1] = {};
  for (size_t round = 0; round < 600; ++round) {
    uint8_t out[kSigningRequestMax];
    const IdentityKey key = keys[round % 2];
    const Result<size_t> size = provisioning.request(key, MutableBytes{out});
    REQUIRE(size.ok());
    ++sizes[size.value()];
    const Request request = read_request(Bytes{out}.first(size.value()));
    EcPoint point;
    REQUIRE(device.vault().public_key(key, point) == Status::kOk);
    CHECK(request.name == names[round % 2]);
    CHECK(request.point == point);
    CHECK(request.verifies);
    if (round > 0) continue;
    out[60] ^= 1;  // in the point's place
    CHECK_FALSE(read_request(Bytes{out}.first(size.value())).verifies);
    CHECK(provisioning.request(key, MutableBytes{out}.first(100)).status() == Status::kBufferTooSmall);
  }
  // Numbers with and without their highest bit, and some that begin with a zero byte.
  CHECK(sizes[kSigningRequestMax] > 0);
  CHECK(sizes[kSigningRequestMax - 1] > 0);
  CHECK(sizes[kSigningRequestMax - 2] > 0);
}

TEST_CASE("provisioning: what is not this device's, or not whole, is refused, and roots stay") {
  PsaDevice device;
  PsaProvisioning provisioning(device.vault());
  REQUIRE(provisioning.make_keys() == Status::kOk);
  const Answers answers(device.vault());
  // Another device's certificate, and this device's for its other key.
  const fakes::TestIdentity foreign = fakes::issue(answers.gateway_ca, fakes::server_spec("x"));
  CHECK(provisioning.install(VaultObject::kTlsCertificate, foreign.bytes()) == Status::kNotAuthentic);
  CHECK(provisioning.install(VaultObject::kTlsCertificate, answers.e2e.bytes()) == Status::kNotAuthentic);
  CHECK(provisioning.install(VaultObject::kE2eCertificate, answers.tls.bytes()) == Status::kNotAuthentic);
  const Bytes root = answers.data_root.bytes();
  CHECK(provisioning.install(VaultObject::kDataRoot, root.first(root.size() - 1)) == Status::kMalformed);
  CHECK(provisioning.install(VaultObject::kDataRoot, root.from(1)) == Status::kMalformed);
  CHECK(provisioning.install(VaultObject::kDataRoot, {}) == Status::kInvalidArgument);
  const std::vector<uint8_t> large(kCertificateMax + 1, 0x30);
  CHECK(provisioning.install(VaultObject::kDataRoot, {large.data(), large.size()}) == Status::kInvalidArgument);
  CHECK(provisioning.state().value() == State::kKeysMade);

  REQUIRE(install_all(provisioning, answers) == Status::kOk);
  const Answers others(device.vault());
  CHECK(provisioning.install(VaultObject::kDataRoot, others.data_root.bytes()) == Status::kBadState);
  CHECK(provisioning.install(VaultObject::kGatewayCa, others.gateway_ca.bytes()) == Status::kBadState);
  CHECK(holds(device.vault(), VaultObject::kDataRoot, root));
  CHECK(provisioning.install(VaultObject::kTlsCertificate, others.tls.bytes()) == Status::kOk);
  CHECK(holds(device.vault(), VaultObject::kTlsCertificate, others.tls.bytes()));
}

TEST_CASE("provisioning: a power cut at any write, then the whole again, gives a complete device") {
  for (uint64_t n = 1;; ++n) {
    CAPTURE(n);
    PsaDevice device;
    device.flash().cut_power_at(n, CutMode::kTorn);
    {
      PsaProvisioning provisioning(device.vault());
      if (provisioning.make_keys() == Status::kOk) {
        static_cast<void>(install_all(provisioning, Answers(device.vault())));
      }
    }
    if (device.flash().powered()) {
      CHECK(n > 15);
      return;
    }
    device.power_off();
    device.flash().power_on();
    REQUIRE(device.power_on() == Status::kOk);
    PsaProvisioning again(device.vault());
    REQUIRE(again.make_keys() == Status::kOk);
    const Answers answers(device.vault());
    for (const VaultObject object : {VaultObject::kTlsCertificate, VaultObject::kE2eCertificate}) {
      const Bytes der = object == VaultObject::kTlsCertificate ? answers.tls.bytes() : answers.e2e.bytes();
      CHECK(again.install(object, der) == Status::kOk);
    }
    // Roots that a former run has written stay; the line has the same in its hands, this test has not.
    for (const auto& [object, der] :
         {std::pair{VaultObject::kDataRoot, answers.data_root.bytes()},
          std::pair{VaultObject::kGatewayCa, answers.gateway_ca.bytes()},
          std::pair{VaultObject::kE2eIntermediate, answers.e2e_intermediate.bytes()}}) {
      const Status status = again.install(object, der);
      CHECK((status == Status::kOk || status == Status::kBadState));
    }
    CHECK(again.state().value() == State::kComplete);
  }
}

TEST_CASE("provisioning: lines carry requests out and objects in") {
  const uint8_t request[] = {0x30, 0x01, 0xFF};
  char line[kRequestLineMax];
  Result<size_t> size = write_request_line(IdentityKey::kE2e, Bytes{request}, Span<char>{line});
  REQUIRE(size.ok());
  CHECK(std::string(line, size.value()) == "wayseal-request e2e 3001ff\n");
  CHECK(write_request_line(IdentityKey::kTls, Bytes{request}, Span<char>{line}.first(26)).status() ==
        Status::kBufferTooSmall);

  VaultObject object = VaultObject::kDataRoot;
  uint8_t out[4];
  const auto read = [&](const std::string& text) {
    return read_object_line({text.data(), text.size()}, object, MutableBytes{out});
  };
  size = read("wayseal-object tls-intermediate 3001fF\r\n");
  REQUIRE(size.ok());
  CHECK(object == VaultObject::kTlsIntermediate);
  CHECK(equal(Bytes{out}.first(size.value()), Bytes{request}));
  CHECK(read("wayseal-object gateway-ca 00").value() == 1);
  CHECK(object == VaultObject::kGatewayCa);
  CHECK(read("wayseal-object tls 0102030405").status() == Status::kBufferTooSmall);
  for (const char* const bad : {"wayseal-object ", "wayseal-object tls", "wayseal-object tls ",
                                "wayseal-object tls 0", "wayseal-object tls 0g", "wayseal-object tlsx 00",
                                "wayseal-object tls  00", "wayseal-object tls 00 "}) {
    CAPTURE(bad);
    CHECK(read(bad).status() == Status::kMalformed);
  }
  for (const char* const other : {"", "hello", "wayseal-object", "WAYSEAL-OBJECT tls 00"}) {
    CHECK(read(other).status() == Status::kNotFound);
  }
}

}  // namespace wayseal::test
