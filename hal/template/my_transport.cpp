// SPDX-License-Identifier: Apache-2.0
#include "wayseal/template/my_transport.hpp"

namespace wayseal {

// FILL IN: begin, and return at once.
Status MyTransport::do_connect() { return Status::kDisconnected; }

// FILL IN: kWouldBlock while connecting, kOk when connected; kBadState when closed.
Status MyTransport::do_progress() { return Status::kBadState; }

// FILL IN: at least 1, or kWouldBlock; kBadState unless connected.
Result<size_t> MyTransport::do_send(Bytes /*data*/) { return Status::kBadState; }

// FILL IN: what has arrived before the peer closed is given first, kDisconnected after it; kBadState unless connected.
Result<size_t> MyTransport::do_receive(MutableBytes /*out*/) { return Status::kBadState; }

// FILL IN: always allowed, also twice.
void MyTransport::do_close() {}

// FILL IN: the stack's own number of the last failure.
int32_t MyTransport::do_diagnostic() const { return 0; }

}  // namespace wayseal
