// SPDX-License-Identifier: Apache-2.0
/// \file
/// The other side of the wire for tests, written from PROTOCOL.md with libprotobuf and OpenSSL alone: nothing
/// of lib/ is in it but the plain types of core.
#ifndef WAYSEAL_TESTS_UNIT_SEAL_BACKEND_HALF_HPP
#define WAYSEAL_TESTS_UNIT_SEAL_BACKEND_HALF_HPP

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fakes/fake_cert_verifier.hpp"
#include "fakes/soft_crypto.hpp"

namespace wayseal::fakes {

using Blob = std::vector<uint8_t>;
inline Bytes view(const Blob& blob) { return {blob.data(), blob.size()}; }
inline MutableBytes mutable_view(Blob& blob) { return {blob.data(), blob.size()}; }
std::string to_string(Bytes bytes);
Blob to_blob(const std::string& text);

/// SHA-256 over the label's item and the body.
Digest label_digest(const std::string& label, const std::string& body);

/// An identity of the backend: key and chain.
struct BackendIdentity {
  Scalar key = {};
  FakeChain chain;
};

/// What the backend answers to POST /v1/prekeys; a test changes what it likes before `sign`.
struct PrekeyPlan {
  struct Prekey {
    uint64_t id = 0;
    EcPoint point;
    uint32_t suites = 3;
    int64_t expires_ms = 0;
  };
  uint32_t version = 1;
  std::string vehicle_id;
  Challenge challenge;
  std::vector<Prekey> one_time;
  std::optional<Prekey> last_resort;
};

/// A session as the backend knows it.
struct BackendSession {
  Digest th;
  SessionId id;
  uint8_t suite = 0;
  uint64_t prekey_id = 0;
  uint64_t counter = 0;
  Blob previous;
  uint64_t previous_last_durable = 0;
  Secret32 v2b = {};
  Secret32 b2v = {};
};

/// One opened record.
struct OpenedRecord {
  SessionId session;
  uint64_t sequence = 0;
  uint8_t type = 0;
  Blob payload;
};

/// One entry of an Ack.
struct AckEntry {
  SessionId session;
  uint64_t contiguous = 0;
  Blob beyond;
};

class BackendHalf {
 public:
  static constexpr int64_t kNowMs = 1790000000000;

  BackendHalf(CertVerifier& root, std::string vehicle_id, BackendIdentity prekey, BackendIdentity time);
  /// With identities that `root` issues, valid for 30 days before and after kNowMs.
  BackendHalf(FakeCertVerifier& root, std::string vehicle_id);

  /// Verifies a SignedPrekeysRequest as the protocol says. \return the challenge; nothing when it is not
  /// authentic.
  std::optional<Challenge> read_request(Bytes request);

  PrekeyPlan plan(const Challenge& challenge, size_t one_time);
  /// Takes a private key of its own as the next prekey.
  PrekeyPlan::Prekey add_prekey(const Scalar& key);
  Blob signed_bundle(const PrekeyPlan& plan) const {
    return sign("wayseal/1 prekeys", bundle_body(plan), prekey);
  }
  Blob signed_time(const Challenge& challenge, int64_t utc_ms) const;
  Blob signed_refusal(const Digest& th, int reason) const;
  Blob reply(const Blob& bundle, const Blob& time) const;
  /// body, signature and chain in the layout that all signed messages share.
  static Blob sign(const std::string& label, const std::string& body, const BackendIdentity& signer);
  static std::string bundle_body(const PrekeyPlan& plan);

  /// Verifies a SessionOpen, derives its keys, and knows it from then on. Nothing when any check fails.
  std::optional<BackendSession> take_open(Bytes session_open);
  /// The bytes that `th` is the SHA-256 of. Nothing when the SessionOpen does not parse.
  static std::optional<std::string> transcript_input(Bytes session_open, const std::string& vehicle_id);
  /// Opens a record of a known session; nothing when it does not open.
  std::optional<OpenedRecord> open(Bytes sealed) const;
  Blob seal_ack(const SessionId& session, const std::vector<AckEntry>& entries) const;
  /// Seals any content for the vehicle.
  Blob seal_content(const SessionId& session, uint8_t type, const Blob& payload) const;

  CertVerifier& root;
  std::string vehicle_id;
  BackendIdentity prekey;
  BackendIdentity time;
  std::map<Blob, BackendSession> sessions;    // by id
  std::map<uint64_t, std::set<Blob>> claims;  // prekey id: transcripts

 private:
  std::map<uint64_t, Scalar> prekey_keys_;
  std::map<Blob, uint64_t> bundles_;  // digests of bodies given
  uint64_t next_prekey_ = 1;
};

}  // namespace wayseal::fakes

#endif
