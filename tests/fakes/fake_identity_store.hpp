// SPDX-License-Identifier: Apache-2.0
/// \file
/// An IdentityStore in software whose contents outlive the power, and which loses it in the middle of a call.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_IDENTITY_STORE_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_IDENTITY_STORE_HPP

#include <functional>
#include <optional>
#include <vector>

#include "fakes/soft_crypto.hpp"
#include "wayseal/hal/identity_store.hpp"

namespace wayseal::fakes {

/// What one place of a token holds.
struct IdentityPlace {
  std::optional<Scalar> key;
  std::vector<uint8_t> leaf;
  std::vector<uint8_t> intermediate;
  bool whole() const { return key && !leaf.empty(); }
};

/// The token itself, which stays when the program goes.
struct IdentityMedium {
  IdentityPlace places[2][2];  // by key and slot
  IdentityPlace& at(IdentityKey key, IdentitySlot slot) {
    return places[static_cast<size_t>(key)][static_cast<size_t>(slot)];
  }
};

class FakeIdentityStore final : public IdentityStore {
 public:
  explicit FakeIdentityStore(IdentityMedium& medium) : medium_(medium) {}

  /// Called before each piece that is written: false means that the power is gone, now.
  std::function<bool()> before_write;
  /// Every call returns this unless it is kOk.
  Status always = Status::kOk;

  std::optional<IdentitySlot> used(IdentityKey key) const { return used_[static_cast<size_t>(key)]; }

 private:
  bool writes() { return !before_write || before_write(); }

  Status do_make_key(IdentityKey key, IdentitySlot slot, EcPoint& point) override;
  Status do_sign(IdentityKey key, IdentitySlot slot, const Digest& digest, EcSignature& signature) override;
  Status do_public_key(IdentityKey key, IdentitySlot slot, EcPoint& point) override;
  Status do_write_chain(IdentityKey key, IdentitySlot slot, Bytes leaf, Bytes intermediate) override;
  Result<size_t> do_read_certificate(IdentityKey key, IdentitySlot slot, IdentityPart part,
                                     MutableBytes out) override;
  Status do_erase(IdentityKey key, IdentitySlot slot) override;
  Status do_use(IdentityKey key, IdentitySlot slot) override;

  IdentityMedium& medium_;
  std::optional<IdentitySlot> used_[2];
};

}  // namespace wayseal::fakes

#endif
