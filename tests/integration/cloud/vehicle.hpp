// SPDX-License-Identifier: Apache-2.0
// A vehicle in a few lines of OpenSSL and libprotobuf: what the real one does in its token, with every key in
// reach of
// the test. Written from PROTOCOL.md, sharing no code with the backend or the library.
#ifndef WAYSEAL_TESTS_CLOUD_VEHICLE_HPP
#define WAYSEAL_TESTS_CLOUD_VEHICLE_HPP

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "delivery.pb.h"
#include "envelope.pb.h"
#include "provision/oem_pki.hpp"
#include "record.pb.h"
#include "session.pb.h"

namespace cloud_test {

using Blob = std::string;
namespace v1 = wayseal::v1;

Blob sha256(const Blob& bytes);
Blob random_bytes(size_t size);
Blob be(uint64_t value, size_t size);
Blob item(const Blob& bytes);  ///< u16 length, then the bytes.
Blob frame(uint8_t type, const Blob& payload);

/// A P-256 key with a certificate chain.
struct Signer {
  wayseal::oem::Key key;
  Blob leaf;
  Blob intermediate;

  Blob sign(const Blob& digest) const;  ///< r then s.
};
Signer make_signer(wayseal::oem::OemPki& pki, wayseal::Role role, const std::string& name);

/// Verifies `signature` of the certificate's key over `digest`.
bool verifies(const Blob& certificate_der, const Blob& digest, const Blob& signature);
/// Verifies a body that came with label, signature and chain, by `openssl verify`-like rules under the data
/// root.
template <typename Signed>
bool verifies_signed(const Signed& message, const Blob& label) {
  return message.chain_size() == 2 &&
         verifies(message.chain(0), sha256(item(label) + message.body()), message.signature());
}

/// Z of an agreement: 32 bytes, leading zeros kept.
Blob agree(EVP_PKEY* own, const Blob& peer_point);
/// Suite 2's key derivation, by OpenSSL.
Blob derive_cmac(const Blob& z, const Blob& label, const Blob& th);
Blob gcm_seal(const Blob& key, const Blob& nonce, const Blob& aad, const Blob& plaintext);
std::optional<Blob> gcm_open(const Blob& key, const Blob& nonce, const Blob& aad, const Blob& ciphertext);

/// Point of a key, 65 bytes.
Blob point_of(EVP_PKEY* key);

/// One session from the vehicle's side.
struct TestSession {
  Blob open;  ///< SessionOpen, encoded.
  Blob th;
  Blob id;
  uint32_t suite = 2;
  Blob v2b;
  Blob b2v;
  uint64_t sequence = 0;

  /// A Sealed with the next sequence, or with `number`.
  Blob seal(const Blob& content, std::optional<uint64_t> number = std::nullopt);
  /// Opens an ack; nothing when it is not authentic or no ack.
  std::optional<v1::Ack> open_ack(const Blob& encoded) const;
};

class TestVehicle {
 public:
  TestVehicle(std::string id, Signer e2e) : id_(std::move(id)), e2e_(std::move(e2e)) {}
  const std::string& id() const { return id_; }
  const Signer& e2e() const { return e2e_; }

  /// Body of POST /v1/prekeys. `edit` may spoil the request before it is signed.
  Blob prekeys_request(uint32_t wanted, const std::function<void(v1::PrekeysRequest&)>& edit = {});
  const Blob& challenge() const { return challenge_; }

  /// Takes a reply after checking it as a vehicle does.
  void take(const Blob& prekeys_reply);
  const v1::PrekeyBundle& bundle() const { return bundle_; }

  struct OpenPlan {
    const v1::Prekey* prekey = nullptr;  ///< nullptr: the next one-time prekey.
    Blob previous;
    uint64_t previous_last = 0;
    std::optional<uint64_t> counter;
    std::function<void(v1::SessionOpen&)> edit;  ///< Before th is computed and signed.
    const Signer* signer = nullptr;              ///< Instead of the vehicle's own.
  };
  TestSession open_session() { return open_session(OpenPlan()); }
  TestSession open_session(const OpenPlan& plan);

 private:
  std::string id_;
  Signer e2e_;
  Blob challenge_;
  v1::PrekeyBundle bundle_;
  Blob bundle_digest_;
  Blob backend_certificate_digest_;
  int next_prekey_ = 0;
  uint64_t counter_ = 0;
};

/// A Batch with one series: rows 10 ms apart from `base_us`, one signal with the given raw values.
Blob batch(uint64_t table_id, int64_t base_us, const std::vector<int64_t>& values, uint32_t group = 0,
           uint32_t signal = 0);

}  // namespace cloud_test

#endif
