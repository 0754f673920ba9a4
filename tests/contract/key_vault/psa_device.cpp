// SPDX-License-Identifier: Apache-2.0
#include "contract/key_vault/psa_device.hpp"

#include <sys/random.h>
#include <wayseal_vault_driver.h>

#include <stdexcept>

namespace wayseal::test {
namespace {

psa_status_t system_random(void*, uint8_t* out, size_t size) {
  while (size > 0) {
    const ssize_t got = getrandom(out, size, 0);
    if (got <= 0) return PSA_ERROR_INSUFFICIENT_ENTROPY;
    out += got;
    size -= static_cast<size_t>(got);
  }
  return PSA_SUCCESS;
}

}  // namespace

PsaDevice::PsaDevice() : flash_({4096, 8, 4}) {
  if (power_on() != Status::kOk) throw std::runtime_error("the device does not start");
}

PsaDevice::~PsaDevice() {
  power_off();
  wayseal_psa_set_platform_random(nullptr, nullptr);
}

void PsaDevice::power_off() {
  vault_.reset();
  mbedtls_psa_crypto_free();
  its_.reset();
}

Status PsaDevice::power_on() {
  wayseal_psa_set_platform_random(system_random, nullptr);
  WAYSEAL_TRY(its_.emplace(flash_).mount());
  return vault_.emplace().open();
}

}  // namespace wayseal::test
