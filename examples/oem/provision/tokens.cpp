// SPDX-License-Identifier: Apache-2.0
#include "provision/tokens.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace wayseal::oem {
namespace {

constexpr int kPrekeyDays = 730;
// Vehicles accept at most 90 days: it bounds how far a stolen time key can move a clock.
constexpr int kTimeDays = 90;

class TextPin final : public PinSource {
 public:
  explicit TextPin(std::string pin) : pin_(std::move(pin)) {}
  ~TextPin() { OPENSSL_cleanse(pin_.data(), pin_.size()); }
  TextPin(const TextPin&) = delete;
  TextPin& operator=(const TextPin&) = delete;

 private:
  Result<size_t> do_read(MutableBytes out) override {
    if (pin_.size() > out.size()) return Status::kBufferTooSmall;
    std::memcpy(out.data(), pin_.data(), pin_.size());
    return pin_.size();
  }
  std::string pin_;
};

/// 24 characters of 32: 120 bits.
std::string random_pin() {
  static constexpr char kAlphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
  unsigned char bytes[24];
  if (RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("no randomness");
  std::string pin;
  for (const unsigned char byte : bytes) pin += kAlphabet[byte % 32];
  OPENSSL_cleanse(bytes, sizeof bytes);
  return pin;
}

std::string new_pin(const Path& file) {
  std::string pin = random_pin();
  write_file(file, pin + "\n", kSecret);
  return pin;
}

std::string stored_pin(const TokenPlan& plan) {
  if (plan.pin) return *plan.pin;
  std::string pin = read_file(plan.folder / "pin");
  pin.erase(pin.find_last_not_of("\r\n") + 1);
  return pin;
}

/// Makes this process see the folder's own store. SoftHSM2 reads the variable in C_Initialize, and a module
/// object lives
/// for one token only.
void use_store(const TokenPlan& plan) {
  const Path file = plan.folder / "softhsm2.conf";
  if (::setenv("SOFTHSM2_CONF", file.c_str(), 1) != 0) throw std::runtime_error("cannot set the environment");
}

void make_store(const TokenPlan& plan) {
  const Path tokens = std::filesystem::absolute(plan.folder) / "tokens";
  std::filesystem::create_directories(tokens);
  std::filesystem::permissions(plan.folder, std::filesystem::perms{0700});
  std::filesystem::permissions(tokens, std::filesystem::perms{0700});
  write_file(plan.folder / "softhsm2.conf",
             "directories.tokendir = " + tokens.string() +
                 "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
             kPublic);
  use_store(plan);
}

void load(Pkcs11Module& module, const TokenPlan& plan) {
  if (module.load(plan.module.c_str()) != Status::kOk) {
    throw std::runtime_error("cannot load the PKCS#11 module " + plan.module);
  }
}

void make_token(Pkcs11Module& module, const TokenPlan& plan) {
  TextPin so_pin(new_pin(plan.folder / "so-pin"));
  TextPin user_pin(plan.pin ? *plan.pin : new_pin(plan.folder / "pin"));
  initialize_token(module, plan.label, so_pin, user_pin);
}

void write(ProvisioningToken& token, const std::string& label, uint8_t id, X509* certificate) {
  const std::vector<uint8_t> der = der_of(certificate);
  if (der.size() > 1024) throw std::runtime_error("the certificate '" + label + "' is larger than 1024 bytes");
  token.write_certificate(label, {id}, {der.data(), der.size()});
}

void write_pair(ProvisioningToken& token, const std::string& label, uint8_t id, const OemPki::Issued& issued) {
  write(token, label, id, issued.leaf.get());
  write(token, label + "-intermediate", id, issued.intermediate.get());
}

Key make_identity(ProvisioningToken& token, const std::string& label, uint8_t id) {
  return key_of_point(token.generate_identity(label, {id}, IdentityUse::kSign).data);
}

void must(CK_RV rv, const char* what) {
  if (rv != CKR_OK) throw TokenError(what, rv);
}

/// A session of its own beside a ProvisioningToken, whose login it shares.
class Session {
 public:
  Session(Pkcs11Module& module, const std::string& label) : p11_(module.functions()) {
    CK_SLOT_ID slots[64] = {};
    CK_ULONG count = sizeof slots / sizeof slots[0];
    must(p11_->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count && session_ == 0; ++i) {
      CK_TOKEN_INFO info;
      if (p11_->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
      std::string found(reinterpret_cast<const char*>(info.label), sizeof info.label);
      found.erase(found.find_last_not_of(' ') + 1);
      if (found != label) continue;
      must(p11_->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_),
           "C_OpenSession");
    }
    if (session_ == 0) throw std::runtime_error("there is no token '" + label + "'");
  }
  ~Session() { p11_->C_CloseSession(session_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  const CK_FUNCTION_LIST* operator->() const { return p11_; }
  CK_SESSION_HANDLE handle() const { return session_; }

 private:
  const CK_FUNCTION_LIST* p11_;
  CK_SESSION_HANDLE session_ = 0;
};

/// Gives the objects of a class that have label `from` the label `to`.
void relabel(const Session& session, CK_OBJECT_CLASS type, const std::string& from, const std::string& to) {
  // Templates are of pointers to what is not constant, and only read.
  CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &type, sizeof type},
                           {CKA_LABEL, const_cast<char*>(from.data()), from.size()}};
  CK_ATTRIBUTE label = {CKA_LABEL, const_cast<char*>(to.data()), to.size()};
  CK_OBJECT_HANDLE found[2] = {};
  CK_ULONG count = 0;
  must(session->C_FindObjectsInit(session.handle(), wanted, 2), "C_FindObjectsInit");
  const CK_RV rv = session->C_FindObjects(session.handle(), found, 2, &count);
  session->C_FindObjectsFinal(session.handle());
  must(rv, "C_FindObjects");
  for (CK_ULONG i = 0; i < count; ++i) {
    must(session->C_SetAttributeValue(session.handle(), found[i], &label, 1), "C_SetAttributeValue of a label");
  }
}

}  // namespace

void make_vehicle_token(const TokenPlan& plan, OemPki& pki, const std::string& vehicle_id) {
  make_store(plan);
  Pkcs11Module module;
  load(module, plan);
  make_token(module, plan);
  TextPin pin(stored_pin(plan));
  ProvisioningToken token(module, plan.label, pin);
  const Key tls = make_identity(token, "tls", 1);
  write_pair(token, "tls", 1, pki.issue_tls_client(vehicle_id, tls.get(), kVehicleDays));
  const Key e2e = make_identity(token, "e2e", 2);
  write_pair(token, "e2e", 2, pki.issue_role(Role::kVehicle, vehicle_id, e2e.get(), kVehicleDays));
  write(token, "data-root", 3, pki.certificate("data-root").get());
  write(token, "gateway-ca", 4, pki.certificate(pki.current("gateway-ca")).get());
  if (!pki.has("bootstrap-ca")) return;
  const Key bootstrap = make_identity(token, "bootstrap", 5);
  write(token, "bootstrap", 5, pki.issue_bootstrap(vehicle_id, bootstrap.get(), kBootstrapDays).leaf.get());
}

void make_backend_token(const TokenPlan& plan, OemPki& pki) {
  make_store(plan);
  Pkcs11Module module;
  load(module, plan);
  make_token(module, plan);
  TextPin pin(stored_pin(plan));
  ProvisioningToken token(module, plan.label, pin);
  const Key prekey = make_identity(token, "prekey", 1);
  write_pair(token, "prekey", 1, pki.issue_role(Role::kPrekey, "backend-prekey", prekey.get(), kPrekeyDays));
  const Key time = make_identity(token, "time", 2);
  write_pair(token, "time", 2, pki.issue_role(Role::kTime, "backend-time", time.get(), kTimeDays));
  write(token, "data-root", 3, pki.certificate("data-root").get());
}

void renew_time_certificate(const TokenPlan& plan, OemPki& pki) {
  use_store(plan);
  Pkcs11Module module;
  load(module, plan);
  TextPin pin(stored_pin(plan));
  ProvisioningToken token(module, plan.label, pin);
  const EcPoint point = token.public_key("time");
  const OemPki::Issued issued =
      pki.issue_role(Role::kTime, "backend-time", key_of_point(point.data).get(), kTimeDays);
  token.remove_certificate("time");
  write(token, "time", 2, issued.leaf.get());
}

void rotate_backend_identity(const TokenPlan& plan, OemPki& pki, Role role) {
  if (role == Role::kVehicle) throw std::invalid_argument("the backend has no such identity");
  const bool prekey = role == Role::kPrekey;
  const std::string name = prekey ? "prekey" : "time";
  const std::string next = name + "-next";
  const uint8_t id = prekey ? 1 : 2;
  use_store(plan);
  Pkcs11Module module;
  load(module, plan);
  TextPin pin(stored_pin(plan));
  ProvisioningToken token(module, plan.label, pin);
  const Session session(module, plan.label);
  const auto rename = [&](CK_OBJECT_CLASS type, const std::string& from, const std::string& to) {
    relabel(session, type, from, to);
  };
  // Each step leaves the token so that the next call finds where it was. The half of a pair that is looked at is the private one:
  // it is renamed last when it steps down, and first when it comes into office.
  if (token.has_private_key(name) && !token.has_private_key(next)) {
    rename(CKO_PUBLIC_KEY, next, name);
    make_identity(token, next, id);
  }
  if (token.has_private_key(name)) {
    const std::vector<uint8_t> old = token.read_certificate(name);
    const std::string retired =
        "retired-" + name + "-" + serial_of(certificate_of(old.data(), old.size()).get()).substr(0, 12);
    rename(CKO_PUBLIC_KEY, name, retired);
    rename(CKO_PRIVATE_KEY, name, retired);
  }
  const Key key = key_of_point(token.public_key(next).data);
  const OemPki::Issued issued =
      pki.issue_role(role, "backend-" + name, key.get(), prekey ? kPrekeyDays : kTimeDays);
  for (const char* const part : {"", "-intermediate"}) token.remove_certificate(name + part);
  write_pair(token, name, id, issued);
  rename(CKO_PRIVATE_KEY, next, name);
  rename(CKO_PUBLIC_KEY, next, name);
}

}  // namespace wayseal::oem
