// SPDX-License-Identifier: Apache-2.0
#include "vault_access.hpp"

#include <iostream>
#include <stdexcept>

#include "contract/key_vault/psa_device.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "fakes/fake_vault.hpp"

namespace wayseal {

/// The vault's friend: brings keys in with C_CreateObject, with the attributes that the vault itself gives.
struct Pkcs11VaultTestAccess {
  static SessionKey import_key(Pkcs11Vault& vault, fakes::Secret32 value, pkcs11::KeyUse use) {
    CK_OBJECT_CLASS type = CKO_SECRET_KEY;
    CK_KEY_TYPE key_type = CKK_AES;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    const bool encrypts = use == pkcs11::KeyUse::kEncrypt;
    CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &type, sizeof type},
                                 {CKA_KEY_TYPE, &key_type, sizeof key_type},
                                 {CKA_TOKEN, &no, 1},
                                 {CKA_PRIVATE, &yes, 1},
                                 {CKA_SENSITIVE, &yes, 1},
                                 {CKA_EXTRACTABLE, &no, 1},
                                 {CKA_ENCRYPT, encrypts ? &yes : &no, 1},
                                 {CKA_DECRYPT, encrypts ? &no : &yes, 1},
                                 {CKA_VALUE, value.data(), value.size()}};
    Pkcs11Vault::Slot* slot = vault.free_slot();
    CK_OBJECT_HANDLE object = 0;
    const pkcs11::Token token = vault.sealing();
    if (slot == nullptr || token.functions->C_CreateObject(token.session, attributes, 9, &object) != CKR_OK)
      return {};
    *slot = {object, vault.next_handle(), use};
    return {slot->handle};
  }

  static EphemeralKey import_ephemeral(Pkcs11Vault& vault, fakes::Scalar scalar) {
    static constexpr uint8_t kP256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
    CK_OBJECT_CLASS type = CKO_PRIVATE_KEY;
    CK_KEY_TYPE key_type = CKK_EC;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    uint8_t curve[sizeof kP256];
    std::memcpy(curve, kP256, sizeof curve);
    CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &type, sizeof type},
                                 {CKA_KEY_TYPE, &key_type, sizeof key_type},
                                 {CKA_TOKEN, &no, 1},
                                 {CKA_PRIVATE, &yes, 1},
                                 {CKA_SENSITIVE, &yes, 1},
                                 {CKA_EXTRACTABLE, &no, 1},
                                 {CKA_DERIVE, &yes, 1},
                                 {CKA_EC_PARAMS, curve, sizeof curve},
                                 {CKA_VALUE, scalar.data(), scalar.size()}};
    CK_OBJECT_HANDLE object = 0;
    const pkcs11::Token token = vault.sealing();
    vault.destroy_ephemeral();
    if (token.functions->C_CreateObject(token.session, attributes, 9, &object) != CKR_OK) return {};
    vault.ephemeral_ = object;
    vault.ephemeral_handle_ = vault.next_handle();
    return {vault.ephemeral_handle_};
  }

  static Status seal(Pkcs11Vault& vault, SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext,
                     MutableBytes out) {
    return vault.do_seal(key, nonce, aad, plaintext, out);
  }
};

/// The same with psa_import_key.
struct PsaVaultTestAccess {
  static SessionKey import_key(PsaVault& vault, const fakes::Secret32& value, psa_key_usage_t use) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    psa_set_key_usage_flags(&attributes, use);
    psa_set_key_algorithm(&attributes, PSA_ALG_GCM);
    PsaVault::Slot* slot = vault.find_slot(0);
    psa_key_id_t key = 0;
    if (slot == nullptr || psa_import_key(&attributes, value.data(), value.size(), &key) != PSA_SUCCESS)
      return {};
    *slot = {key, vault.next_handle(), use};
    return {slot->handle};
  }

  static EphemeralKey import_ephemeral(PsaVault& vault, const fakes::Scalar& scalar) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
    psa_set_key_algorithm(&attributes, PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)));
    vault.destroy_ephemeral();
    if (psa_import_key(&attributes, scalar.data(), scalar.size(), &vault.ephemeral_) != PSA_SUCCESS) return {};
    vault.ephemeral_handle_ = vault.next_handle();
    return {vault.ephemeral_handle_};
  }

  static Status seal(PsaVault& vault, SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext,
                     MutableBytes out) {
    return vault.do_seal(key, nonce, aad, plaintext, out);
  }
};

namespace vectors {
namespace {

class FakeImporting final : public ImportingVault {
 public:
  const char* name() const override { return "fake vault"; }
  KeyVault& vault() override { return vault_; }
  SessionKey import_seal_key(const fakes::Secret32& key) override { return vault_.import_seal_key(key); }
  SessionKey import_open_key(const fakes::Secret32& key) override { return vault_.import_open_key(key); }
  EphemeralKey import_ephemeral(const fakes::Scalar& scalar) override {
    return vault_.import_ephemeral(scalar);
  }
  Status seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) override {
    return vault_.seal_with_nonce(key, nonce, aad, plaintext, out);
  }

 private:
  fakes::FakeVault vault_;
};

class TokenImporting final : public ImportingVault {
 public:
  TokenImporting(const char* name, test::TokenFixture& fixture)
      : name_(name), vault_(fixture.module(), fixture.pin()) {
    Pkcs11VaultOptions options;
    options.token_label = fixture.token_label();
    if (vault_.open(options) != Status::kOk)
      throw std::runtime_error(std::string("cannot open the token of ") + name);
  }
  const char* name() const override { return name_; }
  KeyVault& vault() override { return vault_; }
  SessionKey import_seal_key(const fakes::Secret32& key) override {
    return Pkcs11VaultTestAccess::import_key(vault_, key, pkcs11::KeyUse::kEncrypt);
  }
  SessionKey import_open_key(const fakes::Secret32& key) override {
    return Pkcs11VaultTestAccess::import_key(vault_, key, pkcs11::KeyUse::kDecrypt);
  }
  EphemeralKey import_ephemeral(const fakes::Scalar& scalar) override {
    return Pkcs11VaultTestAccess::import_ephemeral(vault_, scalar);
  }
  Status seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) override {
    return Pkcs11VaultTestAccess::seal(vault_, key, nonce, aad, plaintext, out);
  }

 private:
  const char* name_;
  Pkcs11Vault vault_;
};

class PsaImporting final : public ImportingVault {
 public:
  const char* name() const override { return "PSA Crypto"; }
  KeyVault& vault() override { return device_.vault(); }
  SessionKey import_seal_key(const fakes::Secret32& key) override {
    return PsaVaultTestAccess::import_key(device_.vault(), key, PSA_KEY_USAGE_ENCRYPT);
  }
  SessionKey import_open_key(const fakes::Secret32& key) override {
    return PsaVaultTestAccess::import_key(device_.vault(), key, PSA_KEY_USAGE_DECRYPT);
  }
  EphemeralKey import_ephemeral(const fakes::Scalar& scalar) override {
    return PsaVaultTestAccess::import_ephemeral(device_.vault(), scalar);
  }
  Status seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) override {
    return PsaVaultTestAccess::seal(device_.vault(), key, nonce, aad, plaintext, out);
  }

 private:
  test::PsaDevice device_;
};

}  // namespace

std::vector<std::unique_ptr<ImportingVault>> importing_vaults() {
  std::vector<std::unique_ptr<ImportingVault>> vaults;
  vaults.push_back(std::make_unique<FakeImporting>());
  vaults.push_back(std::make_unique<PsaImporting>());
  const auto add = [&](const char* name, test::TokenFixture& fixture) {
    if (fixture.missing().empty()) {
      vaults.push_back(std::make_unique<TokenImporting>(name, fixture));
    } else {
      std::cout << "not on " << name << ": " << fixture.missing() << '\n';
    }
  };
  add("SoftHSM2", test::TokenFixture::softhsm());
  add("NSS softoken", test::TokenFixture::nss());
  return vaults;
}

}  // namespace vectors
}  // namespace wayseal
