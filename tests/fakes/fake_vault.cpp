// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_vault.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace wayseal::fakes {

FakeVault::FakeVault(const FakeVaultOptions& options)
    : options_(options),
      tls_key_(options.tls_key ? *options.tls_key : random_scalar()),
      e2e_key_(options.e2e_key ? *options.e2e_key : random_scalar()) {}

void FakeVault::set_object(VaultObject object, Bytes content) {
  objects_[object].assign(content.begin(), content.end());
}

void FakeVault::fail(VaultCall call, unsigned nth, Status status) { faults_.push_back({call, nth, status}); }

void FakeVault::heal() {
  faults_.clear();
  std::fill(std::begin(always_), std::end(always_), Status::kOk);
  present_ = true;
  pin_wrong_ = false;
  pin_denied_ = false;
}

void FakeVault::lose_token() {
  if (lost_) return;
  lost_ = true;
  ++epoch_;
  keys_.clear();
  ephemeral_.reset();
}

void FakeVault::remove_token() {
  lose_token();
  present_ = false;
}

std::optional<Secret32> FakeVault::reveal(SessionKey key) const {
  const auto found = keys_.find(key.handle);
  if (found == keys_.end()) return std::nullopt;
  return found->second.value;
}

EphemeralKey FakeVault::import_ephemeral(const Scalar& scalar) {
  ephemeral_ = scalar;
  ephemeral_handle_ = next_handle_++;
  return {ephemeral_handle_};
}

// Counts the call, and says whether it may go on.
Status FakeVault::begin(VaultCall call) {
  ++calls_[index(call)];
  if (hook_) hook_(call);
  Status ordered = always_[index(call)];
  for (auto& fault : faults_) {
    if (fault.call == call && fault.countdown != 0 && --fault.countdown == 0) ordered = fault.status;
  }
  if (ordered == Status::kTokenLost) lose_token();
  if (ordered != Status::kOk) {
    last_fault_ = ordered;
    return ordered;
  }
  if (lost_ && call != VaultCall::kReopen) return Status::kTokenLost;
  return Status::kOk;
}

void FakeVault::fill(MutableBytes out) {
  if (!options_.seed) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("RAND_bytes");
    return;
  }
  for (size_t done = 0; done < out.size();) {
    uint8_t input[16];
    store_be64(input, *options_.seed);
    store_be64(input + 8, random_blocks_++);
    const Digest block = sha256(Bytes{input});
    const size_t part = std::min(out.size() - done, Digest::kSize);
    std::memcpy(out.data() + done, block.data, part);
    done += part;
  }
}

Scalar FakeVault::next_scalar() {
  if (!options_.seed) return random_scalar();
  Scalar scalar;
  do {
    fill({scalar.data(), scalar.size()});
  } while (!is_scalar(scalar));
  return scalar;
}

SessionKey FakeVault::add_key(const Secret32& value, Direction direction) {
  const uint32_t handle = next_handle_++;
  keys_[handle] = {value, direction, next_key_number_++};
  return {handle};
}

const FakeVault::Key* FakeVault::find(SessionKey key, Direction direction) const {
  const auto found = keys_.find(key.handle);
  if (found == keys_.end() || found->second.direction != direction) return nullptr;
  return &found->second;
}

bool FakeVault::first_use(uint32_t key_number, const Nonce& nonce) {
  std::array<uint8_t, Nonce::kSize> bytes = {};
  std::copy(std::begin(nonce.data), std::end(nonce.data), bytes.begin());
  return used_nonces_.emplace(key_number, bytes).second;
}

VaultCapabilities FakeVault::do_capabilities() const {
  VaultCapabilities capabilities;
  capabilities.suites = options_.suites;
  capabilities.monotonic_counter = options_.counter.has_value();
  return capabilities;
}

Status FakeVault::do_reopen() {
  WAYSEAL_TRY(begin(VaultCall::kReopen));
  if (pin_denied_) return Status::kDenied;
  if (!present_) return Status::kTokenLost;
  ++logins_;
  if (pin_wrong_) {
    pin_denied_ = true;
    return Status::kDenied;
  }
  lose_token();
  lost_ = false;
  return Status::kOk;
}

Status FakeVault::do_random(MutableBytes out) {
  WAYSEAL_TRY(begin(VaultCall::kRandom));
  fill(out);
  return Status::kOk;
}

Status FakeVault::do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) {
  WAYSEAL_TRY(begin(VaultCall::kSign));
  signature = ecdsa_sign(private_key(key), digest);
  return Status::kOk;
}

Status FakeVault::do_public_key(IdentityKey key, EcPoint& point) {
  WAYSEAL_TRY(begin(VaultCall::kPublicKey));
  point = public_point(private_key(key));
  return Status::kOk;
}

Result<size_t> FakeVault::do_read_object(VaultObject object, MutableBytes out) {
  const Status status = begin(VaultCall::kReadObject);
  if (status != Status::kOk) return status;
  const auto found = objects_.find(object);
  if (found == objects_.end()) return Status::kNotFound;
  if (found->second.size() > out.size()) return Status::kBufferTooSmall;
  std::copy(found->second.begin(), found->second.end(), out.begin());
  return found->second.size();
}

Status FakeVault::do_make_ephemeral(EphemeralKey& key, EcPoint& point) {
  ephemeral_.reset();
  WAYSEAL_TRY(begin(VaultCall::kMakeEphemeral));
  key = import_ephemeral(next_scalar());
  point = public_point(*ephemeral_);
  return Status::kOk;
}

Status FakeVault::do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                            SessionKeys& keys) {
  const std::optional<Scalar> scalar = ephemeral_;
  ephemeral_.reset();
  WAYSEAL_TRY(begin(VaultCall::kDerive));
  if (!scalar || key.handle != ephemeral_handle_) return Status::kInvalidArgument;
  if (!options_.suites.has(suite)) return Status::kUnsupported;
  const auto z = ecdh(*scalar, peer);
  if (!z) return Status::kNotAuthentic;
  keys.vehicle_to_backend =
      add_key(derive_key(suite, *z, kVehicleToBackendLabel, transcript), Direction::kSeals);
  keys.backend_to_vehicle =
      add_key(derive_key(suite, *z, kBackendToVehicleLabel, transcript), Direction::kOpens);
  return Status::kOk;
}

Status FakeVault::do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
  const Key* found = find(key, Direction::kSeals);
  const uint32_t number = found != nullptr ? found->number : 0;
  const Digest key_digest = found != nullptr ? sha256({found->value.data(), found->value.size()}) : Digest{};
  Status status = begin(VaultCall::kSeal);
  if (status == Status::kOk && found == nullptr) return Status::kInvalidArgument;
  if (number != 0 && !first_use(number, nonce)) {
    nonce_reused_ = true;
    status = Status::kInvalidArgument;
  }
  if (number != 0) uses_.push_back({number, nonce, status, key_digest, sha256(plaintext)});
  if (status != Status::kOk) return status;
  const auto sealed = gcm_seal(found->value, nonce, aad, plaintext);
  if (sealed.size() != out.size()) return Status::kInvalidArgument;
  std::copy(sealed.begin(), sealed.end(), out.begin());
  return Status::kOk;
}

Status FakeVault::do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) {
  std::fill(out.begin(), out.end(), uint8_t{0});
  WAYSEAL_TRY(begin(VaultCall::kOpen));
  const Key* found = find(key, Direction::kOpens);
  if (found == nullptr || ciphertext.size() != out.size() + kGcmTagSize) return Status::kInvalidArgument;
  const auto plaintext = gcm_open(found->value, nonce, aad, ciphertext);
  if (!plaintext) return Status::kNotAuthentic;
  std::copy(plaintext->begin(), plaintext->end(), out.begin());
  return Status::kOk;
}

void FakeVault::do_destroy(const SessionKeys& keys) {
  static_cast<void>(begin(VaultCall::kDestroy));
  keys_.erase(keys.vehicle_to_backend.handle);
  keys_.erase(keys.backend_to_vehicle.handle);
}

Result<uint64_t> FakeVault::do_monotonic_counter() {
  const Status status = begin(VaultCall::kCounter);
  if (status != Status::kOk) return status;
  if (!options_.counter) return Status::kUnsupported;
  return *options_.counter;
}

Result<uint64_t> FakeVault::do_increment_monotonic_counter() {
  const Status status = begin(VaultCall::kCounter);
  if (status != Status::kOk) return status;
  if (!options_.counter) return Status::kUnsupported;
  return ++*options_.counter;
}

}  // namespace wayseal::fakes
