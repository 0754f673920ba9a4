// SPDX-License-Identifier: Apache-2.0
/// \file
/// KeyVault port to fill in. Look first whether hal/pkcs11 (a token with PKCS#11, also one that is linked in) or hal/psa (PSA Crypto) will do.
#ifndef WAYSEAL_HAL_TEMPLATE_MY_VAULT_HPP
#define WAYSEAL_HAL_TEMPLATE_MY_VAULT_HPP

#include "wayseal/hal/key_vault.hpp"

namespace wayseal {

/// FILL IN: the token, and what it guarantees: SECURITY.md says what is claimed of one.
///
/// One thread. Any call may find the token lost: then every handle is gone, `epoch` grows, and kTokenLost is returned until
/// `reopen`. Private and session keys never leave the token, the ephemeral and Z are destroyed inside `do_derive`.
class MyVault final : public KeyVault {
 private:
  VaultCapabilities do_capabilities() const override;
  uint32_t do_epoch() const override;
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
};

}  // namespace wayseal

#endif
