// SPDX-License-Identifier: Apache-2.0
/// \file
/// Ports written in C++ for firmware written in C: the handle of wayseal.h that stands for an object, and back.
#ifndef WAYSEAL_CAPI_HANDLES_HPP
#define WAYSEAL_CAPI_HANDLES_HPP

#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/hal/storage.hpp"
#include "wayseal/hal/transport.hpp"
#include "wayseal/wayseal.h"

/// A handle is the address of the contract's object, so both ways cost nothing and the object outlives the handle. `port`
/// takes handles from `handle` and from wayseal_..._adapt, never null. Any thread; never blocks.
namespace wayseal::capi {

inline wayseal_can_bus* handle(CanBus& port) { return reinterpret_cast<wayseal_can_bus*>(&port); }
inline wayseal_key_vault* handle(KeyVault& port) { return reinterpret_cast<wayseal_key_vault*>(&port); }
inline wayseal_cert_verifier* handle(CertVerifier& port) {
  return reinterpret_cast<wayseal_cert_verifier*>(&port);
}
inline wayseal_channel* handle(Channel& port) { return reinterpret_cast<wayseal_channel*>(&port); }
inline wayseal_transport* handle(Transport& port) { return reinterpret_cast<wayseal_transport*>(&port); }
inline wayseal_clock* handle(Clock& port) { return reinterpret_cast<wayseal_clock*>(&port); }
inline wayseal_storage* handle(Storage& port) { return reinterpret_cast<wayseal_storage*>(&port); }

inline CanBus& port(wayseal_can_bus* handle) { return *reinterpret_cast<CanBus*>(handle); }
inline KeyVault& port(wayseal_key_vault* handle) { return *reinterpret_cast<KeyVault*>(handle); }
inline CertVerifier& port(wayseal_cert_verifier* handle) { return *reinterpret_cast<CertVerifier*>(handle); }
inline Channel& port(wayseal_channel* handle) { return *reinterpret_cast<Channel*>(handle); }
inline Transport& port(wayseal_transport* handle) { return *reinterpret_cast<Transport*>(handle); }
inline Clock& port(wayseal_clock* handle) { return *reinterpret_cast<Clock*>(handle); }
inline Storage& port(wayseal_storage* handle) { return *reinterpret_cast<Storage*>(handle); }

}  // namespace wayseal::capi

#endif
