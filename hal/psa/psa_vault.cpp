// SPDX-License-Identifier: Apache-2.0
// A vault's life: opening, loss, fork.
#include "wayseal/psa/psa_vault.hpp"

#if defined(__unix__)
#include <unistd.h>
#endif

namespace wayseal {
namespace {

// Without processes there is one, which never changes.
int32_t current_process() {
#if defined(__unix__)
  return static_cast<int32_t>(getpid());
#else
  return 1;
#endif
}

bool is_user_key(psa_key_id_t key) { return key >= PSA_KEY_ID_USER_MIN && key <= PSA_KEY_ID_USER_MAX; }

// The generator of P-256 (SP 800-186, 3.2.1.3): a peer that is a point for sure.
constexpr EcPoint kGenerator = {{0x04, 0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5,
                                 0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4,
                                 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A,
                                 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE, 0x33,
                                 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5}};

}  // namespace

PsaVault::~PsaVault() { mark_lost(); }

Status PsaVault::open(const PsaVaultOptions& options) {
  if (open_) return Status::kBadState;
  if (!is_user_key(options.tls_key) || !is_user_key(options.e2e_key) || options.tls_key == options.e2e_key) {
    return Status::kInvalidArgument;
  }
  options_ = options;
  configured_ = true;
  return connect();
}

Status PsaVault::do_reopen() {
  if (!configured_) return Status::kBadState;
  mark_lost();
  return connect();
}

// Random bytes are asked for at once: a device without a source is told so here, not when its first key is made.
Status PsaVault::connect() {
  diagnostic_ = psa_crypto_init();
  if (diagnostic_ != PSA_SUCCESS) return Status::kTokenLost;
  process_ = current_process();
  open_ = true;
  uint8_t fresh[16];
  const Status status = do_random(MutableBytes{fresh});
  if (status != Status::kOk) {
    mark_lost();
    return Status::kTokenLost;
  }
  return probed_ ? Status::kOk : probe();
}

// What a platform says it can do, and what it does, differ; so the suite counts only when it worked.
Status PsaVault::probe() {
  suites_.add(Suite::kP256HkdfSha256Aes256Gcm);
  EphemeralKey ephemeral;
  EcPoint point;
  SessionKeys keys;
  Status status = make_ephemeral(ephemeral, point);
  if (status == Status::kOk) {
    status = derive(ephemeral, Suite::kP256HkdfSha256Aes256Gcm, kGenerator, Digest{}, keys);
  }
  if (status == Status::kOk) status = probe_session(keys);
  destroy(keys);
  if (status != Status::kOk) suites_ = {};
  // A device that ran out of memory or lost its PSA is asked again at the next opening.
  if (status == Status::kTokenLost || status == Status::kFull) {
    mark_lost();
    return Status::kTokenLost;
  }
  probed_ = true;
  return Status::kOk;
}

Status PsaVault::probe_session(const SessionKeys& keys) {
  static constexpr uint8_t kText[] = {'w', 'a', 'y', 's', 'e', 'a', 'l'};
  uint8_t sealed[sizeof kText + kGcmTagSize];
  uint8_t opened[sizeof kText];
  const Nonce nonce;
  WAYSEAL_TRY(do_seal(keys.vehicle_to_backend, nonce, {}, Bytes{kText}, MutableBytes{sealed}));
  const Status status = do_open(keys.backend_to_vehicle, nonce, {}, Bytes{sealed}, MutableBytes{opened});
  if (status == Status::kNotAuthentic) return Status::kOk;
  return status == Status::kOk ? Status::kUnsupported : status;
}

bool PsaVault::usable() const { return open_ && process_ == current_process(); }

Status PsaVault::begin() {
  if (usable()) return Status::kOk;
  mark_lost();
  return Status::kTokenLost;
}

void PsaVault::mark_lost() {
  if (!open_) return;
  open_ = false;
  ++epoch_;
  destroy_ephemeral();
  for (Slot& slot : slots_) {
    if (slot.handle != 0) (void)psa_destroy_key(slot.key);
    slot = {};
  }
}

// Anything without a better meaning is a loss: opening again and starting a new session is always safe.
Status PsaVault::fail(psa_status_t error) {
  diagnostic_ = error;
  switch (error) {
    case PSA_ERROR_INSUFFICIENT_MEMORY: return Status::kFull;
    case PSA_ERROR_NOT_SUPPORTED: return Status::kUnsupported;
    case PSA_ERROR_NOT_PERMITTED: return Status::kDenied;
    case PSA_ERROR_INVALID_SIGNATURE: return Status::kNotAuthentic;
    default: mark_lost(); return Status::kTokenLost;
  }
}

psa_key_id_t PsaVault::identity(IdentityKey key) const {
  return key == IdentityKey::kTls ? options_.tls_key : options_.e2e_key;
}

VaultCapabilities PsaVault::do_capabilities() const {
  VaultCapabilities capabilities;
  capabilities.suites = suites_;
  capabilities.monotonic_counter = options_.counter.read != nullptr && options_.counter.increment != nullptr;
  return capabilities;
}

// A loss that nobody has noticed yet counts already: the next call will find it.
uint32_t PsaVault::do_epoch() const { return open_ && !usable() ? epoch_ + 1 : epoch_; }

Result<uint64_t> PsaVault::do_monotonic_counter() {
  if (!do_capabilities().monotonic_counter) return Status::kUnsupported;
  return options_.counter.read(options_.counter.context);
}

Result<uint64_t> PsaVault::do_increment_monotonic_counter() {
  if (!do_capabilities().monotonic_counter) return Status::kUnsupported;
  return options_.counter.increment(options_.counter.context);
}

}  // namespace wayseal
