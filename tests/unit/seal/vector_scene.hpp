// SPDX-License-Identifier: Apache-2.0
/// \file
/// The vehicle of proto/vectors: fixed keys, a token that draws the same random bytes every time, real
/// certificates.
#ifndef WAYSEAL_TESTS_UNIT_SEAL_VECTOR_SCENE_HPP
#define WAYSEAL_TESTS_UNIT_SEAL_VECTOR_SCENE_HPP

#include <string>
#include <vector>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_flash.hpp"
#include "fakes/fake_vault.hpp"
#include "unit/seal/backend_half.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"
#include "wayseal/record/content.hpp"
#include "wayseal/seal/session.hpp"
#include "wayseal/trust/prekey_client.hpp"

namespace wayseal::fakes {

inline constexpr char kVectorVehicle[] = "vector-vehicle_1";
inline constexpr uint64_t kVectorSeed = 1;
inline constexpr int64_t kVectorUtcMs = BackendHalf::kNowMs;

/// A private key from a name: SHA-256 of `wayseal vectors: <name>`.
inline Scalar vector_key(const std::string& name) {
  const std::string text = "wayseal vectors: " + name;
  const Digest digest = sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  Scalar scalar;
  std::copy(std::begin(digest.data), std::end(digest.data), scalar.begin());
  return scalar;
}

/// Certificates as they stand in a vector file.
struct VectorPki {
  Blob root;
  FakeChain vehicle;
  FakeChain prekey;
  FakeChain time;
};

/// The vehicle before it has asked for anything.
class VectorVehicle {
 public:
  VectorVehicle(const VectorPki& pki, SuiteSet suites) : pki_(pki), vault(options(suites)) {
    must(verifier.set_root(view(pki_.root)));
    vault.set_object(VaultObject::kE2eCertificate, view(pki_.vehicle.leaf));
    vault.set_object(VaultObject::kE2eIntermediate, view(pki_.vehicle.intermediate));
    must(state.mount());
    must(identity.load(vault, verifier));
  }

  Blob request(SuiteSet suites) {
    Blob out(kPrekeysRequestMax);
    size_t size = 0;
    must(client.make_request(suites, 2, mutable_view(out), size));
    out.resize(size);
    return out;
  }
  PrekeysOutcome take(const Blob& reply) {
    PrekeysOutcome outcome;
    static_cast<void>(client.take_reply(view(reply), outcome));
    return outcome;
  }
  Blob open() {
    Blob out(kSessionOpenBytesMax);
    size_t size = 0;
    must(session.open({}, {}, mutable_view(out), size));
    out.resize(size);
    return out;
  }
  Blob seal(const Blob& content) {
    Blob out(kRecordMax);
    SealedRecord record;
    must(session.seal(view(content), mutable_view(out), record));
    out.resize(record.size);
    return out;
  }

 private:
  static void must(Status status) {
    if (status != Status::kOk) throw std::runtime_error(status_name(status));
  }
  static FakeVaultOptions options(SuiteSet suites) {
    FakeVaultOptions options;
    options.suites = suites;
    options.tls_key = vector_key("vehicle tls");
    options.e2e_key = vector_key("vehicle e2e");
    options.seed = kVectorSeed;
    return options;
  }

  VectorPki pki_;

 public:
  FakeVault vault;
  FakeClock clock;
  X509Verifier verifier;
  test::FakeFlash flash{{4096, 16, 4}};
  StateStore state{flash};
  TimeKeeper time{clock, verifier, state, UtcTime{kVectorUtcMs - 100 * kMsPerDay}};
  VehicleIdentity identity;
  Blob workspace = Blob(kPrekeyBundleMax);
  PrekeyStore prekeys{state, time, identity, mutable_view(workspace)};
  PrekeyClient client{vault, identity, time, prekeys};
  StoredOpenings openings{state, prekeys};
  Session session{vault, clock, openings, identity};
};

/// Framed and padded, as `frame_content` does it.
inline Blob vector_content(ContentType type, const Blob& payload) {
  Blob area(kContentMax);
  std::copy(payload.begin(), payload.end(), area.begin() + kContentHeaderSize);
  area.resize(frame_content(type, payload.size(), mutable_view(area)).value());
  return area;
}

}  // namespace wayseal::fakes

#endif
