// SPDX-License-Identifier: Apache-2.0
/// \file
/// Vaults that take given keys, for test vectors only. Outside the tests there is no way to bring a key into a
/// vault.
#ifndef WAYSEAL_TESTS_VECTORS_VAULT_ACCESS_HPP
#define WAYSEAL_TESTS_VECTORS_VAULT_ACCESS_HPP

#include <memory>
#include <string>
#include <vector>

#include "fakes/soft_crypto.hpp"
#include "wayseal/hal/key_vault.hpp"

namespace wayseal::vectors {

/// A vault and the import of keys into it.
class ImportingVault {
 public:
  virtual ~ImportingVault() = default;
  virtual const char* name() const = 0;
  virtual KeyVault& vault() = 0;
  /// Handle 0 when the token takes no such key.
  virtual SessionKey import_seal_key(const fakes::Secret32& key) = 0;
  virtual SessionKey import_open_key(const fakes::Secret32& key) = 0;
  virtual EphemeralKey import_ephemeral(const fakes::Scalar& scalar) = 0;
  /// `seal` under a nonce that no counter gave.
  virtual Status seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) = 0;
};

/// The fake vault, PSA Crypto's, and each real token that is installed; says which are missing on standard output.
std::vector<std::unique_ptr<ImportingVault>> importing_vaults();

}  // namespace wayseal::vectors

#endif
