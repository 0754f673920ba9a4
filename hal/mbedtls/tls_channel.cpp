// SPDX-License-Identifier: Apache-2.0
#include "wayseal/mbedtls/tls_channel.hpp"

#include <mbedtls/oid.h>
#include <mbedtls/psa_util.h>
#include <wayseal_vault_driver.h>

#include <cstring>

#include "x509_dates.hpp"

namespace wayseal {
namespace {

constexpr int kCiphersuites[] = {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, 0};
constexpr uint16_t kGroups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
constexpr uint16_t kSignatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_NONE};
constexpr mbedtls_x509_crt_profile kProfile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1),
    0,
};

/// Extended key usage serverAuth, said explicitly, and a key that may sign.
bool allows_tls_server(const mbedtls_x509_crt& certificate) {
  if (mbedtls_x509_crt_check_key_usage(&certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) return false;
  if (mbedtls_x509_crt_has_ext_type(&certificate, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) == 0) return false;
  for (const mbedtls_x509_sequence* usage = &certificate.ext_key_usage; usage != nullptr; usage = usage->next) {
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_SERVER_AUTH, &usage->buf) == 0) return true;
  }
  return false;
}

Status parse_certificate(mbedtls_x509_crt* chain, Bytes der) {
  const int error = mbedtls_x509_crt_parse_der_nocopy(chain, der.data(), der.size());
  if (error == MBEDTLS_ERR_X509_ALLOC_FAILED) return Status::kFull;
  return error == 0 ? Status::kOk : Status::kMalformed;
}

/// What a fatal alert (RFC 8446, 6.2) means to us.
ChannelFailure failure_of_alert(uint8_t alert) {
  switch (alert) {
    case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION: return ChannelFailure::kProtocolVersion;
    case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
    case MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY: return ChannelFailure::kNoCommonCipher;
    case MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME: return ChannelFailure::kServerWrongName;
    case MBEDTLS_SSL_ALERT_MSG_BAD_CERT:
    case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
    case MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED:
    case MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED:
    case MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN:
    case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA:
    case MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED:
    case MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR:
    case MBEDTLS_SSL_ALERT_MSG_CERT_REQUIRED: return ChannelFailure::kClientCertificateRefused;
    default: return ChannelFailure::kProtocolError;
  }
}

/// The most telling of the verification's findings: an untrusted chain makes everything else in it a mere
/// claim.
ChannelFailure failure_of_flags(uint32_t flags) {
  constexpr uint32_t kRole = MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
  constexpr uint32_t kDates = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
  if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) return ChannelFailure::kServerUntrusted;
  if ((flags & MBEDTLS_X509_BADCERT_REVOKED) != 0) return ChannelFailure::kServerRevoked;
  if ((flags & kRole) != 0) return ChannelFailure::kServerWrongRole;
  if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) return ChannelFailure::kServerWrongName;
  if ((flags & kDates) != 0) return ChannelFailure::kServerExpired;
  return ChannelFailure::kServerUntrusted;
}

/// The channel whose vault PSA asks for random bytes: the one that was configured or opened last.
const TlsChannel* g_random_channel = nullptr;

bool is_x509_error(int error) { return error <= -0x2000 && error > -0x3000; }

}  // namespace

TlsChannel::TlsChannel(Transport& transport, KeyVault& vault, Clock& clock)
    : transport_(transport), vault_(vault), clock_(clock) {
  init();
}

TlsChannel::~TlsChannel() {
  do_close();
  release();
  if (g_random_channel != this) return;
  wayseal_psa_set_random_source(nullptr, nullptr);
  g_random_channel = nullptr;
}

void TlsChannel::init() {
  mbedtls_ssl_init(&tls_);
  mbedtls_ssl_config_init(&tls_config_);
  mbedtls_x509_crt_init(&ca_);
  mbedtls_x509_crt_init(&own_);
  mbedtls_x509_crl_init(&crl_);
  mbedtls_pk_init(&key_);
}

void TlsChannel::release() {
  mbedtls_ssl_free(&tls_);
  mbedtls_ssl_config_free(&tls_config_);
  mbedtls_x509_crt_free(&ca_);
  mbedtls_x509_crt_free(&own_);
  mbedtls_x509_crl_free(&crl_);
  mbedtls_pk_free(&key_);
  if (key_id_ != 0) (void)psa_destroy_key(key_id_);
  key_id_ = 0;
}

Status TlsChannel::configure(const TlsConfig& config) {
  do_close();
  release();
  init();
  state_ = State::kUnconfigured;
  if (config.server_name == nullptr || config.gateway_ca.empty() || config.certificate.empty()) {
    return Status::kInvalidArgument;
  }
  config_ = config;
  give_random();
  if (psa_crypto_init() != PSA_SUCCESS) return Status::kBadState;
  WAYSEAL_TRY(load_certificates());
  WAYSEAL_TRY(load_key());
  WAYSEAL_TRY(setup_tls());
  state_ = State::kClosed;
  return Status::kOk;
}

void TlsChannel::give_random() {
  wayseal_psa_set_random_source(on_psa_random, this);
  g_random_channel = this;
}

Status TlsChannel::load_certificates() {
  WAYSEAL_TRY(parse_certificate(&ca_, config_.gateway_ca));
  if (!config_.next_gateway_ca.empty()) WAYSEAL_TRY(parse_certificate(&ca_, config_.next_gateway_ca));
  WAYSEAL_TRY(parse_certificate(&own_, config_.certificate));
  if (!config_.intermediate.empty()) WAYSEAL_TRY(parse_certificate(&own_, config_.intermediate));
  if (config_.server_crl.empty()) return Status::kOk;
  const int error = mbedtls_x509_crl_parse_der(&crl_, config_.server_crl.data(), config_.server_crl.size());
  if (error == MBEDTLS_ERR_X509_ALLOC_FAILED) return Status::kFull;
  return error == 0 ? Status::kOk : Status::kMalformed;
}

// The key that PSA gets is a reference to this channel: nothing secret, and of no use outside the process. A vault that
// is on PSA itself is then asked from inside PSA, which holds no lock while a driver runs.
Status TlsChannel::load_key() {
  if (config_.psa_key != 0) {
    return mbedtls_pk_setup_opaque(&key_, config_.psa_key) == 0 ? Status::kOk : Status::kInvalidArgument;
  }
  const wayseal_vault_key reference = {this, on_sign, on_public_key};
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  psa_set_key_lifetime(&attributes, WAYSEAL_VAULT_LIFETIME);
  const uint8_t* material = reinterpret_cast<const uint8_t*>(&reference);
  if (psa_import_key(&attributes, material, sizeof reference, &key_id_) != PSA_SUCCESS) return Status::kFull;
  return mbedtls_pk_setup_opaque(&key_, key_id_) == 0 ? Status::kOk : Status::kFull;
}

Status TlsChannel::setup_tls() {
  mbedtls_ssl_config* conf = &tls_config_;
  if (mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                  MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
    return Status::kFull;
  }
  mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_ciphersuites(conf, kCiphersuites);
  mbedtls_ssl_conf_groups(conf, kGroups);
  mbedtls_ssl_conf_sig_algs(conf, kSignatures);
  mbedtls_ssl_conf_cert_profile(conf, &kProfile);
  mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_rng(conf, on_random, this);
  mbedtls_ssl_conf_verify(conf, on_verify, this);
  mbedtls_ssl_conf_ca_chain(conf, &ca_, config_.server_crl.empty() ? nullptr : &crl_);
  if (mbedtls_ssl_conf_own_cert(conf, &own_, &key_) != 0) return Status::kFull;
  if (mbedtls_ssl_setup(&tls_, conf) != 0) return Status::kFull;
  if (mbedtls_ssl_set_hostname(&tls_, config_.server_name) != 0) return Status::kInvalidArgument;
  mbedtls_ssl_set_bio(&tls_, this, on_send, on_receive, nullptr);
  return Status::kOk;
}

Status TlsChannel::do_open(CertificateDates dates) {
  if (state_ == State::kUnconfigured) return Status::kBadState;
  give_random();
  dates_ = dates;
  opened_ = clock_.now();
  diagnostic_ = {};
  verify_flags_ = 0;
  token_status_ = Status::kOk;
  unsent_ = 0;
  if (mbedtls_ssl_session_reset(&tls_) != 0)
    return fail(Status::kDisconnected, ChannelFailure::kProtocolError, 0);
  const Status status = transport_.connect();
  if (status == Status::kNotFound) {
    return fail(Status::kDisconnected, ChannelFailure::kNameNotFound, transport_.diagnostic());
  }
  if (status != Status::kOk)
    return fail(Status::kDisconnected, ChannelFailure::kUnreachable, transport_.diagnostic());
  state_ = State::kConnecting;
  return Status::kOk;
}

Status TlsChannel::do_progress() {
  if (state_ == State::kOpen) return Status::kOk;
  if (state_ != State::kConnecting && state_ != State::kHandshake) return Status::kBadState;
  if (ms_between(opened_, clock_.now()) >= config_.handshake_timeout_ms) {
    return fail(Status::kDisconnected, ChannelFailure::kTimedOut, 0);
  }
  if (state_ == State::kConnecting) WAYSEAL_TRY(connect_progress());
  const int error = mbedtls_ssl_handshake(&tls_);
  if (error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE) return Status::kWouldBlock;
  if (error != 0) return fail_tls(error);
  state_ = State::kOpen;
  return Status::kOk;
}

Status TlsChannel::connect_progress() {
  const Status status = transport_.progress();
  if (status == Status::kWouldBlock) return status;
  if (status != Status::kOk) {
    ChannelFailure failure = ChannelFailure::kUnreachable;
    if (status == Status::kTimeout) failure = ChannelFailure::kTimedOut;
    if (status == Status::kNotFound) failure = ChannelFailure::kNameNotFound;
    return fail(Status::kDisconnected, failure, transport_.diagnostic());
  }
  state_ = State::kHandshake;
  return Status::kOk;
}

// A record that the transport did not take whole stays in mbedTLS's buffer, which a repeated mbedtls_ssl_write
// of the same length pushes out without looking at the data.
Status TlsChannel::flush() {
  // Gone already when mbedTLS had a reason of its own to flush. Only then would it look at the data.
  if (tls_.MBEDTLS_PRIVATE(out_left) == 0) unsent_ = 0;
  if (unsent_ == 0) return Status::kOk;
  const uint8_t unused = 0;
  const int result = mbedtls_ssl_write(&tls_, &unused, unsent_);
  if (result == MBEDTLS_ERR_SSL_WANT_WRITE || result == MBEDTLS_ERR_SSL_WANT_READ) return Status::kWouldBlock;
  if (result < 0) return Status::kDisconnected;
  unsent_ = 0;
  return Status::kOk;
}

// A failed write leaves the channel open for reading: the alert that says why may already have arrived.
Result<size_t> TlsChannel::do_write(Bytes data) {
  if (state_ != State::kOpen) return Status::kBadState;
  WAYSEAL_TRY(flush());
  const int most = mbedtls_ssl_get_max_out_record_payload(&tls_);
  if (most <= 0) return Status::kDisconnected;
  const Bytes record = data.first(static_cast<size_t>(most));
  const int result = mbedtls_ssl_write(&tls_, record.data(), record.size());
  if (result > 0) return static_cast<size_t>(result);
  if (result == MBEDTLS_ERR_SSL_WANT_READ) return Status::kWouldBlock;
  if (result != MBEDTLS_ERR_SSL_WANT_WRITE) {
    diagnostic_ = {ChannelFailure::kClosedByPeer, result};
    return Status::kDisconnected;
  }
  unsent_ = record.size();
  return record.size();
}

Result<size_t> TlsChannel::do_read(MutableBytes out) {
  if (state_ != State::kOpen) return Status::kBadState;
  (void)flush();
  const int result = mbedtls_ssl_read(&tls_, out.data(), out.size());
  if (result > 0) return static_cast<size_t>(result);
  if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) return Status::kWouldBlock;
  return fail_tls(result == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : result);
}

void TlsChannel::do_close() {
  if (state_ == State::kOpen) (void)mbedtls_ssl_close_notify(&tls_);
  if (state_ == State::kUnconfigured) return;
  transport_.close();
  state_ = State::kClosed;
}

Bytes TlsChannel::do_authority() const {
  const char* name = config_.authority != nullptr ? config_.authority : config_.server_name;
  if (name == nullptr) return {};
  return {reinterpret_cast<const uint8_t*>(name), std::strlen(name)};
}

Status TlsChannel::fail(Status status, ChannelFailure failure, int32_t native) {
  diagnostic_ = {failure, native};
  transport_.close();
  state_ = State::kClosed;
  return status;
}

Status TlsChannel::fail_tls(int error) {
  if (token_status_ != Status::kOk) {
    const Status status = token_status_ == Status::kTokenLost ? Status::kTokenLost : Status::kDisconnected;
    return fail(status, ChannelFailure::kTokenFailed, error);
  }
  switch (error) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: return fail_alert();
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
    case MBEDTLS_ERR_SSL_BAD_CERTIFICATE: return fail_verification(error);
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
      return fail(Status::kRefused, ChannelFailure::kProtocolVersion, error);
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
      return fail(Status::kRefused, ChannelFailure::kNoCommonCipher, error);
    case MBEDTLS_ERR_SSL_CONN_EOF: {
      const int32_t native = transport_.diagnostic() != 0 ? transport_.diagnostic() : error;
      return fail(Status::kDisconnected, ChannelFailure::kClosedByPeer, native);
    }
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
      return fail(Status::kDisconnected, ChannelFailure::kClosedByPeer, error);
    default: break;
  }
  if (is_x509_error(error)) return fail_verification(error);
  return fail(Status::kDisconnected, ChannelFailure::kProtocolError, error);
}

Status TlsChannel::fail_alert() {
  // mbedTLS has no accessor for the alert it stopped at; its record is still in place.
  const uint8_t alert = tls_.MBEDTLS_PRIVATE(in_msg)[1];
  return fail(Status::kRefused, failure_of_alert(alert), -static_cast<int32_t>(alert));
}

Status TlsChannel::fail_verification(int error) {
  return fail(Status::kNotAuthentic, failure_of_flags(verify_flags_), error);
}

int TlsChannel::on_verify(void* self, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
  TlsChannel& channel = *static_cast<TlsChannel*>(self);
  const bool is_anchor = certificate == &channel.ca_ || certificate == channel.ca_.next;
  if (!is_anchor) *flags |= judge_dates(*certificate, channel.dates_);
  if (depth == 0 && (is_anchor || !allows_tls_server(*certificate)))
    *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
  channel.verify_flags_ |= *flags;
  return 0;
}

int TlsChannel::on_send(void* self, const unsigned char* data, size_t size) {
  TlsChannel& channel = *static_cast<TlsChannel*>(self);
  const Result<size_t> sent = channel.transport_.send({data, size});
  if (!sent.ok()) {
    return sent.status() == Status::kWouldBlock ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_CONN_EOF;
  }
  channel.wire_bytes_ += sent.value();
  return static_cast<int>(sent.value());
}

int TlsChannel::on_receive(void* self, unsigned char* out, size_t size) {
  TlsChannel& channel = *static_cast<TlsChannel*>(self);
  const Result<size_t> got = channel.transport_.receive({out, size});
  if (!got.ok()) {
    return got.status() == Status::kWouldBlock ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
  }
  channel.wire_bytes_ += got.value();
  return static_cast<int>(got.value());
}

int TlsChannel::on_random(void* self, unsigned char* out, size_t size) {
  return on_psa_random(self, out, size) == PSA_SUCCESS ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

psa_status_t TlsChannel::on_psa_random(void* self, uint8_t* out, size_t size) {
  TlsChannel& channel = *static_cast<TlsChannel*>(self);
  if (size == 0) return PSA_SUCCESS;
  const Status status = channel.vault_.random({out, size});
  if (status == Status::kOk) return PSA_SUCCESS;
  channel.token_status_ = status;
  return PSA_ERROR_INSUFFICIENT_ENTROPY;
}

psa_status_t TlsChannel::on_sign(void* self, const uint8_t digest[32], uint8_t signature[64]) {
  TlsChannel& channel = *static_cast<TlsChannel*>(self);
  Digest value;
  std::memcpy(value.data, digest, sizeof value.data);
  EcSignature made;
  SigningKey* const key = channel.config_.key;
  const Status status =
      key != nullptr ? key->sign(value, made) : channel.vault_.sign(IdentityKey::kTls, value, made);
  if (status != Status::kOk) {
    channel.token_status_ = status;
    return PSA_ERROR_HARDWARE_FAILURE;
  }
  std::memcpy(signature, made.data, sizeof made.data);
  return PSA_SUCCESS;
}

psa_status_t TlsChannel::on_public_key(void* self, uint8_t point[65]) {
  TlsChannel& channel = *static_cast<TlsChannel*>(self);
  EcPoint value;
  SigningKey* const key = channel.config_.key;
  const Status status =
      key != nullptr ? key->public_key(value) : channel.vault_.public_key(IdentityKey::kTls, value);
  if (status != Status::kOk) {
    channel.token_status_ = status;
    return PSA_ERROR_HARDWARE_FAILURE;
  }
  std::memcpy(point, value.data, sizeof value.data);
  return PSA_SUCCESS;
}

}  // namespace wayseal
