// SPDX-License-Identifier: Apache-2.0
/// \file
/// Transport port to fill in: TCP, as TlsChannel (hal/mbedtls) needs it.
#ifndef WAYSEAL_HAL_TEMPLATE_MY_TRANSPORT_HPP
#define WAYSEAL_HAL_TEMPLATE_MY_TRANSPORT_HPP

#include "wayseal/hal/transport.hpp"

namespace wayseal {

/// FILL IN: the stack or modem, the peer it is configured with.
///
/// One connection at a time, and no call waits for the network, a name look-up included. The contract's own half has refused empty
/// spans. The bytes are TLS: nothing needs to be hidden here, and nothing may be trusted.
class MyTransport final : public Transport {
 private:
  Status do_connect() override;
  Status do_progress() override;
  Result<size_t> do_send(Bytes data) override;
  Result<size_t> do_receive(MutableBytes out) override;
  void do_close() override;
  int32_t do_diagnostic() const override;
};

}  // namespace wayseal

#endif
