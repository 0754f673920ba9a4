// SPDX-License-Identifier: Apache-2.0
// What resumption would save, if the policy allowed it (it does not: the gateway would skip its revocation check):
//     bench_tls_resumption
// OpenSSL on both sides in memory, mutual, TLS 1.3 with TLS_AES_256_GCM_SHA384 and P-256: once in full, then with the
// ticket. Nothing of ours is in it. A signature of the client shows as its CertificateVerify.
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "bench/measure.hpp"
#include "fakes/test_pki.hpp"
#include "integration/tls/tls_rig.hpp"

namespace wayseal::bench {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Tls = std::unique_ptr<SSL, decltype(&SSL_free)>;
using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

struct Handshake {
  size_t client_signatures = 0;
  size_t bytes_sent = 0;
  size_t bytes_received = 0;
  size_t round_trips = 0;
};

Context context(const SSL_METHOD* method, const fakes::TestIdentity& own, const fakes::TestIdentity& ca) {
  Context out(SSL_CTX_new(method), &SSL_CTX_free);
  SSL_CTX_set_min_proto_version(out.get(), TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(out.get(), "TLS_AES_256_GCM_SHA384");
  SSL_CTX_set1_groups_list(out.get(), "P-256");
  SSL_CTX_set1_sigalgs_list(out.get(), "ECDSA+SHA256");
  SSL_CTX_use_certificate_ASN1(out.get(), static_cast<int>(own.der.size()), own.der.data());
  SSL_CTX_use_PrivateKey(out.get(), own.key.get());
  const uint8_t* p = ca.der.data();
  X509* anchor = d2i_X509(nullptr, &p, static_cast<long>(ca.der.size()));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(out.get()), anchor);
  X509_free(anchor);
  SSL_CTX_set_verify(out.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  const unsigned char name[] = "bench";
  SSL_CTX_set_session_id_context(out.get(), name, sizeof name - 1);
  return out;
}

void on_message(int sent, int /*version*/, int type, const void* data, size_t size, SSL* /*ssl*/,
                void* argument) {
  const bool handshake = type == SSL3_RT_HANDSHAKE && size > 0;
  if (sent == 1 && handshake && *static_cast<const uint8_t*>(data) == SSL3_MT_CERTIFICATE_VERIFY)
    ++static_cast<Handshake*>(argument)->client_signatures;
}

/// Carries what waits in one side's memory to the other's.
size_t carry(SSL* from, SSL* to) {
  uint8_t buffer[16384];
  size_t total = 0;
  for (int got = 0; (got = BIO_read(SSL_get_wbio(from), buffer, sizeof buffer)) > 0;) {
    BIO_write(SSL_get_rbio(to), buffer, got);
    total += static_cast<size_t>(got);
  }
  return total;
}

Tls side(const Context& context) {
  Tls out(SSL_new(context.get()), &SSL_free);
  SSL_set_bio(out.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  return out;
}

/// A handshake. \param session to resume, and the session afterwards.
Handshake shake(const Context& client_context, const Context& server_context, Session& session) {
  Handshake out;
  const Tls client = side(client_context);
  const Tls server = side(server_context);
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  SSL_set_tlsext_host_name(client.get(), test::kServerName);
  SSL_set_msg_callback(client.get(), on_message);
  SSL_set_msg_callback_arg(client.get(), &out);
  const bool resuming = session != nullptr;
  if (resuming) SSL_set_session(client.get(), session.get());
  while (SSL_is_init_finished(client.get()) == 0) {
    SSL_do_handshake(client.get());
    out.bytes_sent += carry(client.get(), server.get());
    SSL_do_handshake(server.get());
    if (SSL_is_init_finished(client.get()) != 0) break;
    const size_t answered = carry(server.get(), client.get());
    must(answered != 0, "the handshake goes on");
    out.bytes_received += answered;
    ++out.round_trips;
  }
  must(SSL_is_init_finished(server.get()) != 0, "the server has accepted");
  must((SSL_session_reused(client.get()) != 0) == resuming, "resumed when asked for");
  carry(server.get(), client.get());  // the ticket, which comes after the handshake
  uint8_t nothing = 0;
  SSL_read(client.get(), &nothing, 1);
  SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // else it forgets the session
  session = Session(SSL_get1_session(client.get()), &SSL_SESSION_free);
  return out;
}

void report(const std::string& name, const Handshake& handshake) {
  figure(name + ".signatures", handshake.client_signatures);
  figure(name + ".bytes", handshake.bytes_sent + handshake.bytes_received);
  figure(name + ".round_trips", handshake.round_trips);
}

int run() {
  const test::TlsPki pki;
  const fakes::TestIdentity own = fakes::issue(pki.vehicle_ca, test::TlsPki::client_spec());
  const Context client = context(TLS_client_method(), own, pki.gateway_ca);
  const Context server = context(TLS_server_method(), pki.server, pki.vehicle_ca);
  SSL_CTX_set_num_tickets(server.get(), 1);
  Session session(nullptr, &SSL_SESSION_free);
  report("full", shake(client, server, session));
  report("resumed", shake(client, server, session));
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main() {
  return wayseal::bench::guarded([] { return wayseal::bench::run(); });
}
