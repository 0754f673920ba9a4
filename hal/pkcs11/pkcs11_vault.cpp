// SPDX-License-Identifier: Apache-2.0
// The life of a vault: open, log in, lose the token, open again. Its keys are in vault_keys.cpp.
#include "wayseal/pkcs11/pkcs11_vault.hpp"

#include <initializer_list>

#include "attributes.hpp"
#include "host.hpp"
#include "session_keys.hpp"
#include "token_status.hpp"

namespace wayseal {
namespace {

constexpr size_t kTokenLabelSize = 32;
constexpr CK_ULONG kSlotsMax = 32;

// A PIN for the time of one login.
struct PinBuffer {
  PinBuffer() { pkcs11::lock_memory(MutableBytes{data}); }
  ~PinBuffer() {
    wipe(MutableBytes{data});
    pkcs11::unlock_memory(MutableBytes{data});
  }
  PinBuffer(const PinBuffer&) = delete;
  PinBuffer& operator=(const PinBuffer&) = delete;
  uint8_t data[kPinMax] = {};
};

// Token labels are padded with blanks.
bool has_label(const CK_TOKEN_INFO& info, const char* label) {
  const size_t size = std::strlen(label);
  if (std::memcmp(info.label, label, size) != 0) return false;
  for (size_t i = size; i < kTokenLabelSize; ++i) {
    if (info.label[i] != ' ') return false;
  }
  return true;
}

bool last_try(const CK_TOKEN_INFO& info) {
  return (info.flags & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY)) != 0;
}

}  // namespace

Pkcs11Vault::~Pkcs11Vault() { close_sessions(); }

Status Pkcs11Vault::open(const Pkcs11VaultOptions& options) {
  if (open_) return Status::kBadState;
  if (options.token_label == nullptr) return Status::kInvalidArgument;
  const size_t size = std::strlen(options.token_label);
  if (size == 0 || size > kTokenLabelSize) return Status::kInvalidArgument;
  options_ = options;
  configured_ = true;
  return connect();
}

Status Pkcs11Vault::do_reopen() {
  if (!configured_) return Status::kBadState;
  if (denied_) return Status::kDenied;
  mark_lost();
  return connect();
}

Status Pkcs11Vault::connect() {
  if (denied_) return Status::kDenied;
  close_sessions();
  CK_SLOT_ID slot = 0;
  CK_TOKEN_INFO info = {};
  WAYSEAL_TRY(find_token(slot, info));
  if (last_try(info)) return Status::kDenied;
  generation_ = module_.generation();
  slot_ = slot;
  Status status = open_sessions(slot);
  if (status == Status::kOk) status = login(info);
  if (status == Status::kOk) status = find_identities();
  if (status == Status::kOk) status = probe(slot, info);
  if (status != Status::kOk) {
    close_sessions();
    return status;
  }
  open_ = true;
  return Status::kOk;
}

// Libraries that look for tokens only when they are initialised are initialised again before the token counts
// as absent.
Status Pkcs11Vault::find_token(CK_SLOT_ID& slot, CK_TOKEN_INFO& info) {
  WAYSEAL_TRY(module_.initialize());
  if (look_for_token(slot, info) == Status::kOk) return Status::kOk;
  if (module_.restart() != Status::kOk) return Status::kTokenLost;
  return look_for_token(slot, info);
}

Status Pkcs11Vault::look_for_token(CK_SLOT_ID& slot, CK_TOKEN_INFO& info) {
  const CK_FUNCTION_LIST* functions = module_.functions();
  CK_SLOT_ID slots[kSlotsMax];
  CK_ULONG count = kSlotsMax;
  const CK_RV rv = functions->C_GetSlotList(CK_TRUE, slots, &count);
  if (rv != CKR_OK) {
    static_cast<void>(fail(rv));
    return Status::kTokenLost;
  }
  for (CK_ULONG i = 0; i < count; ++i) {
    if (functions->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) == 0 || !has_label(info, options_.token_label)) continue;
    slot = slots[i];
    return Status::kOk;
  }
  diagnostic_ = CKR_TOKEN_NOT_PRESENT;
  return Status::kTokenLost;
}

// Read-only sessions hold session objects as well, and can't change what provisioning wrote.
Status Pkcs11Vault::open_sessions(CK_SLOT_ID slot) {
  const CK_FUNCTION_LIST* functions = module_.functions();
  for (CK_SESSION_HANDLE* session : {&signing_session_, &sealing_session_}) {
    const CK_RV rv = functions->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, session);
    if (rv == CKR_OK) continue;
    *session = 0;
    return fail(rv);
  }
  return Status::kOk;
}

Status Pkcs11Vault::login(const CK_TOKEN_INFO& info) {
  if ((info.flags & CKF_LOGIN_REQUIRED) == 0) return Status::kOk;
  const CK_FUNCTION_LIST* functions = module_.functions();
  CK_RV rv = CKR_OK;
  if ((info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0) {
    rv = functions->C_Login(signing_session_, CKU_USER, nullptr, 0);
  } else {
    PinBuffer pin;
    const Result<size_t> size = pin_.read(MutableBytes{pin.data});
    if (!size.ok()) return Status::kDenied;
    rv = functions->C_Login(signing_session_, CKU_USER, pin.data, static_cast<CK_ULONG>(size.value()));
  }
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return Status::kOk;
  const Status status = fail(rv);
  if (status == Status::kDenied) denied_ = true;
  return status;
}

Status Pkcs11Vault::find_identities() {
  const TokenObjectName* names[] = {&options_.tls_key, &options_.e2e_key};
  for (size_t i = 0; i < 2; ++i) {
    const Status status = find_object(CKO_PRIVATE_KEY, *names[i], identity_[i]);
    if (status != Status::kOk && status != Status::kNotFound) return status;
  }
  return Status::kOk;
}

// A token that was probed before is not probed again after a reset: it costs signatures' worth of time.
Status Pkcs11Vault::probe(CK_SLOT_ID slot, const CK_TOKEN_INFO& info) {
  TokenIdentity identity = {};
  std::memcpy(identity.model, info.model, sizeof identity.model);
  std::memcpy(identity.serial, info.serialNumber, sizeof identity.serial);
  identity.firmware[0] = info.firmwareVersion.major;
  identity.firmware[1] = info.firmwareVersion.minor;
  if (probed_ && std::memcmp(&identity, &probed_token_, sizeof identity) == 0) return Status::kOk;
  for (const Suite suite : {Suite::kP256HkdfSha256Aes256Gcm, Suite::kP256CmacKdfAes256Gcm}) {
    pkcs11::Kdf kdf = pkcs11::find_kdf(module_.functions(), slot, suite);
    CK_RV rv = kdf == pkcs11::Kdf::kNone ? CKR_MECHANISM_INVALID : pkcs11::probe_kdf(sealing(), kdf);
    if (rv != CKR_OK && kdf == pkcs11::Kdf::kCmacNative) {
      kdf = pkcs11::Kdf::kCmacFromEncrypt;
      rv = pkcs11::probe_kdf(sealing(), kdf);
    }
    if (rv != CKR_OK) diagnostic_ = rv;
    kdf_[static_cast<size_t>(suite) - 1] = rv == CKR_OK ? kdf : pkcs11::Kdf::kNone;
  }
  probed_token_ = identity;
  probed_ = true;
  return Status::kOk;
}

// Exactly one object must bear the name: with two, nobody can say which one provisioning meant.
Status Pkcs11Vault::find_object(CK_OBJECT_CLASS type, const TokenObjectName& name, CK_OBJECT_HANDLE& object) {
  object = 0;
  if (name.label == nullptr) return Status::kNotFound;
  const pkcs11::Token token = signing();
  pkcs11::Attributes wanted;
  wanted.add(CKA_CLASS, type).set(CKA_TOKEN).text(CKA_LABEL, name.label);
  if (!name.id.empty()) wanted.add(CKA_ID, name.id.data(), name.id.size());
  CK_RV rv = token.functions->C_FindObjectsInit(token.session, wanted.list(), wanted.count());
  if (rv != CKR_OK) return fail(rv);
  CK_OBJECT_HANDLE found[2] = {};
  CK_ULONG count = 0;
  rv = token.functions->C_FindObjects(token.session, found, 2, &count);
  token.functions->C_FindObjectsFinal(token.session);
  if (rv != CKR_OK) return fail(rv);
  if (count != 1) return Status::kNotFound;
  object = found[0];
  return Status::kOk;
}

// In another process, or after somebody has finalised the library, the handles are not ours to close.
void Pkcs11Vault::close_sessions() {
  const bool ours = module_.same_process() && generation_ == module_.generation();
  for (CK_SESSION_HANDLE* session : {&signing_session_, &sealing_session_}) {
    if (*session != 0 && ours) module_.functions()->C_CloseSession(*session);
    *session = 0;
  }
}

void Pkcs11Vault::mark_lost() {
  if (!open_) return;
  open_ = false;
  ++epoch_;
  ephemeral_ = {};
  ephemeral_handle_ = 0;
  for (Slot& slot : slots_) slot = {};
}

bool Pkcs11Vault::usable() const {
  return open_ && module_.same_process() && generation_ == module_.generation();
}

Status Pkcs11Vault::fail(CK_RV rv) {
  diagnostic_ = rv;
  if (rv == CKR_CRYPTOKI_NOT_INITIALIZED) module_.note_finalized();
  const Status status = pkcs11::token_status(rv);
  if (status == Status::kTokenLost) mark_lost();
  return status;
}

VaultCapabilities Pkcs11Vault::do_capabilities() const {
  VaultCapabilities capabilities;
  for (const Suite suite : {Suite::kP256HkdfSha256Aes256Gcm, Suite::kP256CmacKdfAes256Gcm}) {
    if (kdf(suite) != pkcs11::Kdf::kNone) capabilities.suites.add(suite);
  }
  return capabilities;
}

// A loss that nobody has noticed yet counts already: the next call will find it.
uint32_t Pkcs11Vault::do_epoch() const { return open_ && !usable() ? epoch_ + 1 : epoch_; }

}  // namespace wayseal
