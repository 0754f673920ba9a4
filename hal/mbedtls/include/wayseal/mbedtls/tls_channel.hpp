// SPDX-License-Identifier: Apache-2.0
/// \file
/// Channel port: TLS 1.3 by mbedTLS 3.6, with the client key in the token.
#ifndef WAYSEAL_MBEDTLS_TLS_CHANNEL_HPP
#define WAYSEAL_MBEDTLS_TLS_CHANNEL_HPP

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/identity_store.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/hal/transport.hpp"

namespace wayseal {

/// Whom to trust and who we are. Every pointer and span is borrowed until the next `configure` or the channel's
/// end: mbedTLS reads the certificates where they lie.
struct TlsConfig {
  const char* server_name = nullptr;  ///< Must be in the server's certificate; sent as SNI (RFC 6066, 3).
  const char* authority = nullptr;    ///< For HTTP's Host field: "host" or "host:port"; null: the server name.
  Bytes gateway_ca;                   ///< DER: the pinned CA, the only one that servers are trusted by. P-256.
  Bytes next_gateway_ca;              ///< DER: another one beside it, while authorities change; empty: none.
  Bytes certificate;                  ///< DER: the certificate of the token's IdentityKey::kTls.
  Bytes intermediate;                 ///< DER: sent after it; empty when the gateway needs none.
  Bytes server_crl;  ///< DER: revoked servers, signed by the gateway CA; empty for none. A list that
                     ///< does not verify makes every server untrusted. Its own dates are not judged,
                     ///< because a vehicle that was off for weeks has an old one.
  /// Key of PSA's own to sign with, P-256 and ECDSA with SHA-256: PSA is asked directly, not through the vault. For
  /// a PSA without Wayseal's driver (TF-M's), and to save a key slot with hal/psa. 0: IdentityKey::kTls of the vault.
  psa_key_id_t psa_key = 0;
  /// Key to sign with in place of IdentityKey::kTls: the bootstrap identity, or one that is being tried. `certificate` is its.
  SigningKey* key = nullptr;
  int64_t handshake_timeout_ms = 30 * 1000;  ///< From `open` until open, TCP included. 1 s to 5 min.
};

/// TLS 1.3 (RFC 8446) as a client, with TLS_AES_256_GCM_SHA384, secp256r1 and ecdsa_secp256r1_sha256 and
/// nothing else: no TLS 1.2, no resumption, no early data. The server's chain must end in the pinned CA, name
/// the server, and allow a TLS server explicitly (extended key usage serverAuth, RFC 5280, 4.2.1.12). Validity
/// dates of leaf and intermediates are judged as `open` says and never against the machine's clock; those of
/// the pinned CA are not, because its provisioning is what it is trusted by. The private key stays in the vault
/// and signs once a handshake. All random bytes come from the vault.
///
/// mbedTLS asks for random bytes without a context, so `configure` makes this channel's vault the random source
/// of the whole process, and so does `open`. Several channels in a process share one vault and one thread; when one of them
/// ends, another has to `open` before it needs random bytes, as it does by itself with its next connection. A source that the platform has set with
/// wayseal_psa_set_platform_random goes before it; a vault on PSA (hal/psa) needs one.
///
/// Memory: the object itself 2.7 KiB on 64-bit machines; mbedTLS allocates besides, see hal/mbedtls/README.md:
/// its buffers at `configure` (23 KiB with 16 KiB records), 7 KiB more while a handshake runs. On targets
/// without an operating system give it an arena first (mbedtls_memory_buffer_alloc_init).
///
/// Native codes in `diagnostic`: mbedTLS's error; the negative TLS alert number when the peer sent an alert;
/// the transport's own code when that failed.
///
/// Threads: one thread, the vault's. Blocking: `progress` while the token signs.
class TlsChannel final : public Channel {
 public:
  TlsChannel(Transport& transport, KeyVault& vault, Clock& clock);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  /// Takes the configuration and allocates. Before the first `open`; again to change anchors or certificates,
  /// which closes the connection.
  /// \return kOk; kMalformed for a certificate or list that does not parse; kInvalidArgument without a name, CA
  ///         or certificate, or when `psa_key` is none; kFull when mbedTLS got no memory; kBadState when PSA cannot start.
  Status configure(const TlsConfig& config);

 private:
  enum class State : uint8_t { kUnconfigured, kClosed, kConnecting, kHandshake, kOpen };

  Status do_open(CertificateDates dates) override;
  Status do_progress() override;
  Result<size_t> do_write(Bytes data) override;
  Result<size_t> do_read(MutableBytes out) override;
  void do_close() override;
  Bytes do_authority() const override;
  ChannelDiagnostic do_diagnostic() const override { return diagnostic_; }
  uint64_t do_wire_bytes() const override { return wire_bytes_; }

  void init();
  void release();
  void give_random();
  Status load_certificates();
  Status load_key();
  Status setup_tls();
  Status connect_progress();
  Status flush();
  Status fail(Status status, ChannelFailure failure, int32_t native);
  Status fail_tls(int error);
  Status fail_alert();
  Status fail_verification(int error);

  static int on_verify(void* self, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);
  static int on_send(void* self, const unsigned char* data, size_t size);
  static int on_receive(void* self, unsigned char* out, size_t size);
  static int on_random(void* self, unsigned char* out, size_t size);
  static psa_status_t on_psa_random(void* self, uint8_t* out, size_t size);
  static psa_status_t on_sign(void* self, const uint8_t digest[32], uint8_t signature[64]);
  static psa_status_t on_public_key(void* self, uint8_t point[65]);

  Transport& transport_;
  KeyVault& vault_;
  Clock& clock_;
  TlsConfig config_;
  mbedtls_ssl_config tls_config_ = {};
  mbedtls_ssl_context tls_ = {};
  mbedtls_x509_crt ca_ = {};
  mbedtls_x509_crt own_ = {};
  mbedtls_x509_crl crl_ = {};
  mbedtls_pk_context key_ = {};
  psa_key_id_t key_id_ = 0;
  CertificateDates dates_;
  MonotonicTime opened_;
  ChannelDiagnostic diagnostic_;
  uint64_t wire_bytes_ = 0;
  size_t unsent_ = 0;  // Bytes of the record that mbedTLS has taken and the transport has not.
  uint32_t verify_flags_ = 0;
  Status token_status_ = Status::kOk;
  State state_ = State::kUnconfigured;
};

}  // namespace wayseal

#endif
