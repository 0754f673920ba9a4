// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: an unprotected byte stream that a Channel port runs its protocol over (TCP, most often).
#ifndef WAYSEAL_HAL_TRANSPORT_HPP
#define WAYSEAL_HAL_TRANSPORT_HPP

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/result.hpp"

namespace wayseal {

/// One connection at a time to one fixed peer. States: closed, connecting, connected.
///
/// Threads: one thread, the cloud side's. Blocking: no call waits for the network, nor for the name
/// service.
class Transport {
 public:
  /// Starts to connect. Closes what was open.
  /// \return kOk: now call `progress`; kNotFound when there is no name or nobody to look it up; kDisconnected
  ///         when it failed at once.
  Status connect() {
    do_close();
    return do_connect();
  }

  /// \return kOk when connected; kWouldBlock while connecting; kNotFound when the name does not resolve,
  ///         kDisconnected or kTimeout when it failed: the transport is closed then; kBadState when closed.
  Status progress() { return do_progress(); }

  /// Takes bytes to send.
  /// \return how many were taken, at least 1; kWouldBlock when none; kDisconnected; kBadState unless connected;
  ///         kInvalidArgument for none.
  Result<size_t> send(Bytes data) {
    if (data.empty()) return Status::kInvalidArgument;
    return do_send(data);
  }

  /// Gives bytes received.
  /// \return how many, at least 1; kWouldBlock when none waits; kDisconnected when the peer has closed or
  ///         reset; kBadState unless connected; kInvalidArgument for an empty `out`.
  Result<size_t> receive(MutableBytes out) {
    if (out.empty()) return Status::kInvalidArgument;
    return do_receive(out);
  }

  /// Ends the connection. Always allowed.
  void close() { do_close(); }

  /// The port's own code of the last failure (errno on POSIX); 0 when there was none since `connect`.
  int32_t diagnostic() const { return do_diagnostic(); }

 protected:
  ~Transport() = default;

 private:
  virtual Status do_connect() = 0;
  virtual Status do_progress() = 0;
  virtual Result<size_t> do_send(Bytes data) = 0;
  virtual Result<size_t> do_receive(MutableBytes out) = 0;
  virtual void do_close() = 0;
  virtual int32_t do_diagnostic() const = 0;
};

}  // namespace wayseal

#endif
