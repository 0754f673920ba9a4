// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: a mutually authenticated byte stream to the gateway.
#ifndef WAYSEAL_HAL_CHANNEL_HPP
#define WAYSEAL_HAL_CHANNEL_HPP

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/time.hpp"

namespace wayseal {

/// How certificate dates are judged. Nothing else is ever relaxed.
struct CertificateDates {
  enum class Check : uint8_t {
    kAgainst,  ///< Not before, not after and `now` must agree.
    kIgnored,  ///< No trusted time yet. The caller then asks for nothing but prekeys (DESIGN 6, "Time").
  };
  Check check = Check::kIgnored;
  UtcTime now = {};
};

/// Why the last connection failed or ended. Finer than Status, for people and statistics.
enum class ChannelFailure : uint8_t {
  kNone,
  kNameNotFound,  ///< The host name does not resolve.
  kUnreachable,   ///< No TCP connection.
  kTimedOut,
  kServerUntrusted,  ///< The server's chain does not end in the pinned gateway CA.
  kServerWrongName,  ///< The chain is good; the certificate is another host's.
  kServerExpired,    ///< Outside its validity.
  kServerRevoked,
  kServerWrongRole,           ///< The certificate may not be used for a TLS server.
  kProtocolVersion,           ///< The server does not speak TLS 1.3.
  kNoCommonCipher,            ///< TLS 1.3, but not TLS_AES_256_GCM_SHA384 with P-256.
  kClientCertificateRefused,  ///< The server sent an alert about our certificate. In TLS 1.3 it arrives
                              ///< after the handshake looks finished.
  kTokenFailed,               ///< The token did not sign.
  kClosedByPeer,
  kProtocolError,  ///< Anything else that TLS forbids.
};

/// Stable lower-case name for logs, e.g. "server-wrong-name". Never null.
const char* channel_failure_name(ChannelFailure failure);

struct ChannelDiagnostic {
  ChannelFailure failure = ChannelFailure::kNone;
  int32_t native = 0;  ///< The port's own code (for mbedTLS, the negative error).
};

/// One connection at a time to one fixed peer, which the port was configured with. States: closed, opening,
/// open.
///
/// Threads: one thread, the cloud side's. Blocking: no call waits for the network; a call may wait for the token while it
/// signs (`progress`).
class Channel {
 public:
  /// Starts to connect. Closes what was open.
  /// \return kOk: now call `progress`, which reports what goes wrong; kDisconnected when it failed at once.
  Status open(CertificateDates dates);

  /// Drives the handshake.
  /// \return kOk when open; kWouldBlock while opening; kDisconnected or kNotAuthentic or kRefused when
  ///         it failed (see `diagnostic`; the channel is closed then); kTokenLost; kBadState when closed.
  Status progress();

  /// Takes bytes to send.
  /// \return how many were taken, at least 1; kWouldBlock when none; kDisconnected, kRefused (the peer's alert);
  ///         kBadState unless open; kInvalidArgument for none.
  Result<size_t> write(Bytes data);

  /// Gives bytes received.
  /// \return how many, at least 1; kWouldBlock when none waits; kDisconnected when the peer closed; kRefused when it
  ///         refused us (the first read is where TLS 1.3 says so); kBadState unless open.
  Result<size_t> read(MutableBytes out);

  /// Ends the connection; says goodbye when that needs no waiting. Always allowed.
  void close() { do_close(); }

  /// The peer's name for the HTTP Host field: "host" or "host:port". The port owns it; constant.
  Bytes authority() const { return do_authority(); }

  /// About the last failure since `open`.
  ChannelDiagnostic diagnostic() const { return do_diagnostic(); }

  /// Bytes on the wire since start, TLS included, both directions.
  uint64_t wire_bytes() const { return do_wire_bytes(); }

 protected:
  ~Channel() = default;

 private:
  virtual Status do_open(CertificateDates dates) = 0;
  virtual Status do_progress() = 0;
  virtual Result<size_t> do_write(Bytes data) = 0;
  virtual Result<size_t> do_read(MutableBytes out) = 0;
  virtual void do_close() = 0;
  virtual Bytes do_authority() const = 0;
  virtual ChannelDiagnostic do_diagnostic() const = 0;
  virtual uint64_t do_wire_bytes() const = 0;
};

}  // namespace wayseal

#endif
