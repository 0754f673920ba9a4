// SPDX-License-Identifier: Apache-2.0
/// \file
/// A KeyVault in software for tests: does everything a token does, records what it was asked, and fails on
/// demand.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_VAULT_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_VAULT_HPP

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "fakes/soft_crypto.hpp"
#include "wayseal/hal/key_vault.hpp"

namespace wayseal::fakes {

/// The calls of a KeyVault, for counting and for faults.
enum class VaultCall : uint8_t {
  kReopen,
  kRandom,
  kSign,
  kPublicKey,
  kReadObject,
  kMakeEphemeral,
  kDerive,
  kSeal,
  kOpen,
  kDestroy,
  kCounter,  ///< Both calls of the monotonic counter.
};
inline constexpr size_t kVaultCallCount = 11;

/// What a FakeVault is made of.
struct FakeVaultOptions {
  SuiteSet suites{3};             ///< Suites 1 and 2.
  std::optional<Scalar> tls_key;  ///< Made fresh when absent.
  std::optional<Scalar> e2e_key;
  std::optional<uint64_t> seed;     ///< Makes `random` and the ephemerals repeat; signatures stay random.
  std::optional<uint64_t> counter;  ///< First value of the monotonic counter; without it there is none.
};

/// One use of a nonce by `seal` that reached the token, also when it failed there.
struct NonceUse {
  uint32_t key_number = 0;  ///< Number of the key since the vault was made; never used again, unlike a handle.
  Nonce nonce;
  Status status = Status::kOk;
  Digest key_digest;      ///< SHA-256 of the key: the same in every copy of this vault.
  Digest content_digest;  ///< SHA-256 of the plaintext.
};

/// One thread at a time, as the contract says. Never sleeps; `on_call` may. Where a token breaks the rule that
/// no nonce is used twice, this one refuses with kInvalidArgument and `nonce_reused` says so for good.
class FakeVault final : public KeyVault {
 public:
  explicit FakeVault(const FakeVaultOptions& options = {});
  ~FakeVault() = default;
  FakeVault(const FakeVault&) = delete;
  FakeVault& operator=(const FakeVault&) = delete;

  // Provisioning.
  void set_object(VaultObject object, Bytes content);
  void remove_object(VaultObject object) { objects_.erase(object); }
  const Scalar& private_key(IdentityKey key) const { return key == IdentityKey::kTls ? tls_key_ : e2e_key_; }

  // Faults.
  /// The `nth` call of this kind from now (1: the next one) returns `status` and does nothing else. With
  /// kTokenLost the token is lost at that moment, as with `lose_token`.
  void fail(VaultCall call, unsigned nth, Status status);
  /// Every call of this kind returns `status` until `heal`.
  void fail_always(VaultCall call, Status status) { always_[index(call)] = status; }
  /// Ends every fault ordered by `fail`, `fail_always`, `remove_token` and `set_wrong_pin`.
  void heal();
  /// Loses all session keys, like a reset: every call returns kTokenLost until `reopen`.
  void lose_token();
  /// Like `lose_token`, and `reopen` returns kTokenLost until `insert_token`.
  void remove_token();
  void insert_token() { present_ = true; }
  /// `reopen` tries to log in once, is refused with kDenied, and never tries again.
  void set_wrong_pin() { pin_wrong_ = true; }
  /// Called at the start of each call: to let a fake clock pass (a slow token), or to look.
  void on_call(std::function<void(VaultCall)> hook) { hook_ = std::move(hook); }

  // Observation.
  uint32_t calls(VaultCall call) const { return calls_[index(call)]; }
  /// Logins tried by `reopen`.
  uint32_t logins() const { return logins_; }
  const std::vector<NonceUse>& nonce_uses() const { return uses_; }
  bool nonce_reused() const { return nonce_reused_; }
  size_t live_session_keys() const { return keys_.size(); }
  bool ephemeral_alive() const { return ephemeral_.has_value(); }
  /// The key behind a living handle, for a test that plays the backend.
  std::optional<Secret32> reveal(SessionKey key) const;

  // Import, for test vectors. The caller destroys the keys as usual.
  SessionKey import_seal_key(const Secret32& key) { return add_key(key, Direction::kSeals); }
  SessionKey import_open_key(const Secret32& key) { return add_key(key, Direction::kOpens); }
  EphemeralKey import_ephemeral(const Scalar& scalar);
  /// `seal` under a nonce that no counter gave.
  Status seal_with_nonce(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
    return do_seal(key, nonce, aad, plaintext, out);
  }

 private:
  enum class Direction : uint8_t { kSeals, kOpens };
  struct Key {
    Secret32 value;
    Direction direction;
    uint32_t number;
  };
  struct Fault {
    VaultCall call;
    unsigned countdown;
    Status status;
  };

  static size_t index(VaultCall call) { return static_cast<size_t>(call); }
  Status begin(VaultCall call);
  void fill(MutableBytes out);
  Scalar next_scalar();
  SessionKey add_key(const Secret32& value, Direction direction);
  const Key* find(SessionKey key, Direction direction) const;
  bool first_use(uint32_t key_number, const Nonce& nonce);  // and remembers it

  VaultCapabilities do_capabilities() const override;
  uint32_t do_epoch() const override { return epoch_; }
  Status do_reopen() override;
  Status do_random(MutableBytes out) override;
  Status do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) override;
  Status do_public_key(IdentityKey key, EcPoint& point) override;
  Result<size_t> do_read_object(VaultObject object, MutableBytes out) override;
  Status do_make_ephemeral(EphemeralKey& key, EcPoint& point) override;
  Status do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                   SessionKeys& keys) override;
  Status do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) override;
  Status do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) override;
  void do_destroy(const SessionKeys& keys) override;
  Result<uint64_t> do_monotonic_counter() override;
  Result<uint64_t> do_increment_monotonic_counter() override;
  uint64_t do_diagnostic() const override { return static_cast<uint64_t>(last_fault_); }

  FakeVaultOptions options_;
  Scalar tls_key_;
  Scalar e2e_key_;
  std::map<VaultObject, std::vector<uint8_t>> objects_;
  std::map<uint32_t, Key> keys_;  // by handle
  std::optional<Scalar> ephemeral_;
  uint32_t ephemeral_handle_ = 0;
  uint32_t next_handle_ = 1;
  uint32_t next_key_number_ = 1;
  uint64_t random_blocks_ = 0;
  uint32_t epoch_ = 1;
  bool lost_ = false;
  bool present_ = true;
  bool pin_wrong_ = false;
  bool pin_denied_ = false;
  bool nonce_reused_ = false;
  uint32_t logins_ = 0;
  Status last_fault_ = Status::kOk;
  std::vector<Fault> faults_;
  Status always_[kVaultCallCount] = {};
  uint32_t calls_[kVaultCallCount] = {};
  std::vector<NonceUse> uses_;
  std::set<std::pair<uint32_t, std::array<uint8_t, Nonce::kSize>>> used_nonces_;
  std::function<void(VaultCall)> hook_;
};

}  // namespace wayseal::fakes

#endif
