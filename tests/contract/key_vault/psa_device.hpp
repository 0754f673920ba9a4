// SPDX-License-Identifier: Apache-2.0
/// \file
/// A device without PKCS#11, in this process: mbedTLS's PSA Crypto, its storage on flash in memory, a vault.
#ifndef WAYSEAL_TESTS_CONTRACT_KEY_VAULT_PSA_DEVICE_HPP
#define WAYSEAL_TESTS_CONTRACT_KEY_VAULT_PSA_DEVICE_HPP

#include <optional>

#include "fakes/fake_flash.hpp"
#include "wayseal/psa/psa_provisioning.hpp"
#include "wayseal/psa_its/psa_its.hpp"

namespace wayseal::test {

/// PSA is one for the process, so one device at a time. The operating system gives the random bytes.
class PsaDevice {
 public:
  /// Powers on a device whose flash is blank.
  PsaDevice();
  /// Powers off.
  ~PsaDevice();
  PsaDevice(const PsaDevice&) = delete;
  PsaDevice& operator=(const PsaDevice&) = delete;

  /// Everything in RAM goes: PSA's keys, the vault. The flash stays.
  void power_off();
  /// \return the storage's state, then the vault's.
  Status power_on();

  PsaVault& vault() { return *vault_; }
  FakeFlash& flash() { return flash_; }

 private:
  FakeFlash flash_;
  std::optional<PsaIts> its_;
  std::optional<PsaVault> vault_;
};

}  // namespace wayseal::test

#endif
