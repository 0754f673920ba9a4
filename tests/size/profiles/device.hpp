// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a device gives to the programs that are measured. The functions stand in a file that the optimiser does not see
/// through.
#ifndef WAYSEAL_TESTS_SIZE_DEVICE_HPP
#define WAYSEAL_TESTS_SIZE_DEVICE_HPP

#include <new>

#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/hal/storage.hpp"
#include "wayseal/seal/opening_source.hpp"

extern "C" {

wayseal::CanBus& device_bus();
wayseal::KeyVault& device_vault();
wayseal::CertVerifier& device_verifier();
wayseal::Channel& device_channel();
wayseal::Clock& device_clock();
wayseal::Storage& device_spool();
wayseal::Storage& device_state();
wayseal::OpeningSource& device_openings();
const uint8_t* device_table();
size_t device_table_size();
/// Takes away something that the program made, so that it is made.
void device_take(const void* bytes);
[[noreturn]] void reset();

}  // extern "C"

/// Memory for an object that is made when the device starts: no static constructor.
template <class T>
struct Place {
  alignas(T) unsigned char bytes[sizeof(T)];

  template <class... Args>
  T& make(Args&&... args) {
    return *new (bytes) T(static_cast<Args&&>(args)...);
  }
};

#endif
