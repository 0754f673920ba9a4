// SPDX-License-Identifier: Apache-2.0
/// \file
/// The contracts of the HAL that the whole way needs, handed in together.
#ifndef WAYSEAL_FLOW_PORTS_HPP
#define WAYSEAL_FLOW_PORTS_HPP

#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/hal/storage.hpp"
#include "wayseal/http/authorization.hpp"

namespace wayseal {

/// All outlive what they are handed to. `bus` is the bus side's, `clock` anybody's, the rest the cloud side's.
struct Ports {
  CanBus& bus;
  KeyVault& vault;
  CertVerifier& verifier;
  Channel& channel;
  Clock& clock;
  Storage& spool;
  Storage& state;
  /// What the gateway wants besides the client certificate; null: nothing. An AccessToken.
  Authorization* authorization = nullptr;
};

}  // namespace wayseal

#endif
