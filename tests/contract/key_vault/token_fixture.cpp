// SPDX-License-Identifier: Apache-2.0
#include "contract/key_vault/token_fixture.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace wayseal::test {
namespace {

namespace fs = std::filesystem;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// A file that exists, or a plain name for the dynamic loader to find.
std::string first_existing(std::initializer_list<std::string> candidates) {
  for (const std::string& candidate : candidates) {
    if (!candidate.empty() && fs::exists(candidate)) return candidate;
  }
  return "";
}

std::vector<uint8_t> make_certificate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0x123456);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const uint8_t*>("test root"), -1, -1,
                             0);
  X509_set_issuer_name(certificate, name);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  std::vector<uint8_t> out(der, der + size);
  OPENSSL_free(der);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return out;
}

std::set<std::string> entries(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path());
  return names;
}

void must(CK_RV rv, const char* what) {
  if (rv != CKR_OK) throw TokenError(what, rv);
}

}  // namespace

std::string nss_path() {
  const std::string given = from_environment("WAYSEAL_NSS_MODULE");
  return given.empty() ? "libsoftokn3.so" : given;
}

std::string nss_parameters(const std::string& directory, const std::string& label) {
  return "configdir='sql:" + directory +
         "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=noModDB dbTokenDescription='" + label +
         "' updatedir='' ";
}

// NSS has no uninitialised tokens: its database gets its first PIN from a security officer without one.
void initialize_nss(Pkcs11Module& module) {
  const CK_FUNCTION_LIST* functions = module.functions();
  constexpr CK_SLOT_ID kDatabaseSlot = 2;
  CK_SESSION_HANDLE session = 0;
  CK_BYTE nothing = 0;
  std::string pin = kTestPin;
  must(functions->C_OpenSession(kDatabaseSlot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
       "C_OpenSession");
  must(functions->C_Login(session, CKU_SO, &nothing, 0), "C_Login as security officer");
  must(functions->C_InitPIN(session, reinterpret_cast<CK_BYTE_PTR>(pin.data()), pin.size()), "C_InitPIN");
  functions->C_Logout(session);
  functions->C_CloseSession(session);
}

Result<size_t> MemoryPin::do_read(MutableBytes out) {
  ++reads;
  if (pin_.size() > out.size()) return Status::kBufferTooSmall;
  std::memcpy(out.data(), pin_.data(), pin_.size());
  return pin_.size();
}

TemporaryDirectory::TemporaryDirectory() {
  path_ = (fs::temp_directory_path() / "wayseal-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

TokenFixture& TokenFixture::softhsm() {
  static TokenFixture fixture(Kind::kSoftHsm);
  return fixture;
}

std::string TokenFixture::softhsm_path() {
  return first_existing({from_environment("WAYSEAL_SOFTHSM_MODULE"), "/usr/lib/softhsm/libsofthsm2.so",
                         "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                         "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
                         "/usr/local/lib/softhsm/libsofthsm2.so"});
}

TokenFixture& TokenFixture::nss() {
  static TokenFixture fixture(Kind::kNss);
  return fixture;
}

TokenFixture::TokenFixture(Kind kind) : certificate_(make_certificate()) {
  if (kind == Kind::kSoftHsm) {
    start_softhsm();
  } else {
    start_nss();
  }
}

void TokenFixture::start_softhsm() {
  path_ = softhsm_path();
  if (path_.empty()) {
    missing_ = "SoftHSM2 is not installed (Debian: softhsm2), and WAYSEAL_SOFTHSM_MODULE is not set";
    return;
  }
  fs::create_directory(directory_.path() + "/tokens");
  std::ofstream(configuration()) << "directories.tokendir = " << directory_.path() << "/tokens\n"
                                 << "objectstore.backend = file\nlog.level = ERROR\n";
  setenv("SOFTHSM2_CONF", configuration().c_str(), 1);
  if (module_.load(path_.c_str()) != Status::kOk) throw std::runtime_error("cannot load " + path_);
  add_token(token_label());
}

void TokenFixture::start_nss() {
  path_ = nss_path();
  reserved_ = nss_parameters(directory_.path(), token_label());
  const Status loaded = module_.load(path_.c_str(), reserved_.c_str());
  if (loaded == Status::kNotFound) {
    missing_ = "NSS softoken is not installed (Debian: libnss3), and WAYSEAL_NSS_MODULE is not set";
    return;
  }
  if (loaded != Status::kOk) throw std::runtime_error("NSS softoken does not start");
  initialize_nss(module_);
  provision(token_label());
}

std::string TokenFixture::add_token(const std::string& label) {
  const std::string tokens = directory_.path() + "/tokens";
  const std::set<std::string> before = entries(tokens);
  MemoryPin so_pin(kTestSoPin);
  initialize_token(module_, label, so_pin, pin_);
  provision(label);
  for (const std::string& path : entries(tokens)) {
    if (before.count(path) == 0) return path;
  }
  throw std::runtime_error("no directory of the new token");
}

void TokenFixture::provision(const std::string& label) {
  ProvisioningToken token(module_, label, pin_);
  static_cast<void>(token.generate_identity("tls", {1}, IdentityUse::kSign));
  static_cast<void>(token.generate_identity("e2e", {2}, IdentityUse::kSign));
  token.write_certificate("data-root", {3}, {certificate_.data(), certificate_.size()});
}

}  // namespace wayseal::test
