// SPDX-License-Identifier: Apache-2.0
// The tools that set a token up, on SoftHSM2, and read back with OpenSSL.
#include "wayseal/pkcs11_tools/provisioning.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>

#include "contract/key_vault/rigs.hpp"
#include "wayseal/pkcs11_tools/der.hpp"

namespace wayseal::test {
namespace {

TokenFixture& softhsm() {
  TokenFixture& fixture = TokenFixture::softhsm();
  if (!fixture.missing().empty()) SKIP(fixture.missing());
  return fixture;
}

// A token of its own, for each label once.
ProvisioningToken& token() {
  static const std::string made = softhsm().add_token("provisioned");
  static ProvisioningToken token(softhsm().module(), "provisioned", softhsm().pin());
  return token;
}

bool openssl_verifies(const std::vector<uint8_t>& spki, const Digest& digest, const std::vector<uint8_t>& der) {
  const uint8_t* cursor = spki.data();
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &cursor, static_cast<long>(spki.size()));
  REQUIRE(key != nullptr);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
  REQUIRE(EVP_PKEY_verify_init(context) == 1);
  const bool verified = EVP_PKEY_verify(context, der.data(), der.size(), digest.data, Digest::kSize) == 1;
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  return verified;
}

}  // namespace

TEST_CASE("an identity key made in a token signs what OpenSSL verifies") {
  softhsm();
  const EcPoint point = token().generate_identity("signer", {0x10}, IdentityUse::kSign);
  CHECK(token().has_private_key("signer"));
  CHECK(token().public_key("signer") == point);
  for (uint8_t i = 0; i < 40; ++i) {  // Enough for integers with and without a leading bit.
    const Digest digest = transcript_of(i);
    CHECK(
        openssl_verifies(token().public_key_spki("signer"), digest, token().sign_digest_der("signer", digest)));
  }
  CHECK(fakes::ecdsa_verify(point, transcript_of(3), token().sign_digest("signer", transcript_of(3))));
}

TEST_CASE("an identity is never made over an existing one") {
  softhsm();
  const EcPoint point = token().generate_identity("once", {0x11}, IdentityUse::kSign);
  CHECK_THROWS_AS(token().generate_identity("once", {0x12}, IdentityUse::kSign), TokenError);
  CHECK(token().public_key("once") == point);
  CHECK_THROWS_AS(token().generate_identity("", {0x12}, IdentityUse::kSign), TokenError);
}

TEST_CASE("a key for deriving does not sign, and no identity key leaves its token") {
  softhsm();
  static_cast<void>(token().generate_identity("deriver", {0x13}, IdentityUse::kDerive));
  CHECK_THROWS_AS(token().sign_digest("deriver", transcript_of(1)), TokenError);
  CHECK_THROWS_AS(token().sign_digest("no such key", transcript_of(1)), TokenError);
  CHECK_THROWS_AS(token().public_key("no such key"), TokenError);
  for (const TokenObjectInfo& object : token().list()) {
    if (object.kind != TokenObjectInfo::Kind::kPrivateKey) continue;
    CHECK(object.sensitive);
    CHECK_FALSE(object.extractable);
  }
}

TEST_CASE("a certificate is written once, read back, listed and removed") {
  softhsm();
  const std::vector<uint8_t>& der = softhsm().certificate();
  CHECK_FALSE(token().has_certificate("gateway-ca"));
  token().write_certificate("gateway-ca", {0x20}, view(der));
  CHECK_THROWS_AS(token().write_certificate("gateway-ca", {0x20}, view(der)), TokenError);
  CHECK(token().read_certificate("gateway-ca") == der);
  const auto objects = token().list();
  CHECK(std::any_of(objects.begin(), objects.end(), [&](const TokenObjectInfo& object) {
    return object.kind == TokenObjectInfo::Kind::kCertificate && object.label == "gateway-ca" &&
           object.id == TokenId{0x20} && object.size_bytes == der.size();
  }));
  CHECK(token().remove_certificate("gateway-ca"));
  CHECK_FALSE(token().remove_certificate("gateway-ca"));
  CHECK_THROWS_AS(token().read_certificate("gateway-ca"), TokenError);
}

TEST_CASE("what is no certificate is not written") {
  softhsm();
  std::vector<uint8_t> der = softhsm().certificate();
  for (size_t size = 0; size < der.size(); ++size) {
    CHECK_THROWS_AS(token().write_certificate("broken", {1}, view(der).first(size)), std::invalid_argument);
  }
  der.push_back(0);
  CHECK_THROWS_AS(token().write_certificate("broken", {1}, view(der)), std::invalid_argument);
  CHECK_FALSE(token().has_certificate("broken"));
}

TEST_CASE("the fields of a certificate object are those of the certificate") {
  const std::vector<uint8_t>& der = softhsm().certificate();
  const pkcs11_tools::CertificateFields fields = pkcs11_tools::parse_certificate(view(der));
  const uint8_t serial[] = {0x02, 0x03, 0x12, 0x34, 0x56};
  CHECK(equal(fields.serial_number, Bytes{serial}));
  const uint8_t* cursor = der.data();
  X509* certificate = d2i_X509(nullptr, &cursor, static_cast<long>(der.size()));
  uint8_t* name = nullptr;
  const int size = i2d_X509_NAME(X509_get_subject_name(certificate), &name);
  CHECK(equal(fields.subject, Bytes(name, static_cast<size_t>(size))));
  CHECK(equal(fields.issuer, Bytes(name, static_cast<size_t>(size))));
  OPENSSL_free(name);
  X509_free(certificate);
}

TEST_CASE("a token is made once, and opened with its PIN alone") {
  TokenFixture& fixture = softhsm();
  token();
  CHECK(token_exists(fixture.module(), "provisioned"));
  CHECK_FALSE(token_exists(fixture.module(), "provision"));
  MemoryPin so_pin(kTestSoPin);
  CHECK_THROWS_AS(initialize_token(fixture.module(), "provisioned", so_pin, fixture.pin()), TokenError);
  CHECK_THROWS_AS(initialize_token(fixture.module(), "", so_pin, fixture.pin()), TokenError);
  CHECK_THROWS_AS(initialize_token(fixture.module(), std::string(33, 'x'), so_pin, fixture.pin()), TokenError);
  CHECK_THROWS_AS(ProvisioningToken(fixture.module(), "no such token", fixture.pin()), TokenError);
  fixture.add_token("locked out");
  MemoryPin wrong(kWrongPin);
  try {
    ProvisioningToken refused(fixture.module(), "locked out", wrong);
    FAIL("a wrong PIN was taken");
  } catch (const TokenError& error) {
    CHECK(error.rv() == CKR_PIN_INCORRECT);
    CHECK(wrong.reads == 1);
  }
}

}  // namespace wayseal::test
