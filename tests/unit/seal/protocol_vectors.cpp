// SPDX-License-Identifier: Apache-2.0
// Recomputes proto/vectors twice: with OpenSSL and libprotobuf alone, and with the library on a token that
// draws the same random bytes.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "unit/seal/vector_scene.hpp"
#include "wayseal/seal/ack.hpp"
#include "wayseal/seal/refusal.hpp"

namespace wayseal {
namespace {

using namespace fakes;
using Json = nlohmann::json;

Blob from_hex(const std::string& text) {
  Blob blob;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    blob.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return blob;
}
Blob bytes_at(const Json& json, const char* name) { return from_hex(json.at(name).get<std::string>()); }

Scalar scalar_at(const Json& json, const char* name) {
  const Blob blob = bytes_at(json, name);
  REQUIRE(blob.size() == 32);
  Scalar scalar;
  std::copy(blob.begin(), blob.end(), scalar.begin());
  return scalar;
}

template <typename T>
T fixed_at(const Json& json, const char* name) {
  const Blob blob = bytes_at(json, name);
  REQUIRE(blob.size() == T::kSize);
  T value;
  std::copy(blob.begin(), blob.end(), value.data);
  return value;
}

Json load(const std::string& name) {
  const char* folder = std::getenv("WAYSEAL_VECTORS");
  REQUIRE(folder != nullptr);
  std::ifstream file(std::string(folder) + "/" + name);
  REQUIRE(file.good());
  return Json::parse(file);
}

FakeChain chain_at(const Json& json, const char* name) {
  const Json& chain = json.at(name);
  return {from_hex(chain.at(0).get<std::string>()), from_hex(chain.at(1).get<std::string>())};
}

// The signature is the only field that is not the same at each run.
Blob without_signature(Blob session_open) {
  REQUIRE(session_open.size() > 66);
  std::fill(session_open.end() - 64, session_open.end(), uint8_t{0});
  return session_open;
}

void check_keys(const Json& one) {
  const auto suite = static_cast<Suite>(one.at("suite").get<int>());
  const Scalar prekey = scalar_at(one, "prekey_private");
  const Scalar ephemeral = scalar_at(one, "ephemeral_private");
  const Digest th = fixed_at<Digest>(one, "th");
  CHECK(public_point(prekey) == fixed_at<EcPoint>(one, "prekey_point"));
  CHECK(public_point(ephemeral) == fixed_at<EcPoint>(one, "ephemeral_point"));
  const auto z = ecdh(prekey, public_point(ephemeral));
  REQUIRE(z.has_value());
  CHECK(*z == scalar_at(one, "z"));
  CHECK(ecdh(ephemeral, public_point(prekey)) == z);
  CHECK(derive_key(suite, *z, "ws1.v2b", th) == scalar_at(one, "v2b"));
  CHECK(derive_key(suite, *z, "ws1.b2v", th) == scalar_at(one, "b2v"));
}

struct SessionVectors {
  explicit SessionVectors(const std::string& name) : json(load(name)) {
    pki.root = bytes_at(json, "root");
    pki.vehicle = chain_at(json, "vehicle_chain");
    pki.prekey = chain_at(json, "prekey_chain");
    pki.time = chain_at(json, "time_chain");
    suites = {json.at("suites").get<uint8_t>()};
  }
  Json json;
  VectorPki pki;
  SuiteSet suites;
};

TEST_CASE("vectors: agreement and key derivation, a leading zero of Z included") {
  const Json file = load("keys.json");
  bool leading_zero = false;
  for (const Json& one : file.at("cases")) {
    check_keys(one);
    leading_zero = leading_zero || scalar_at(one, "z")[0] == 0;
  }
  CHECK(file.at("cases").size() == 4);
  CHECK(leading_zero);
}

TEST_CASE("vectors: an independent backend follows the session, from request to refusal") {
  for (const char* name : {"session_suite_1.json", "session_suite_2.json"}) {
    const SessionVectors vectors(name);
    const Json& json = vectors.json;
    X509Verifier verifier;
    REQUIRE(verifier.set_root(view(vectors.pki.root)) == Status::kOk);
    BackendHalf backend(verifier, json.at("vehicle_id").get<std::string>(),
                        {scalar_at(json, "prekey_signer_private"), vectors.pki.prekey},
                        {scalar_at(json, "time_signer_private"), vectors.pki.time});
    const auto challenge = backend.read_request(view(bytes_at(json.at("prekeys_request"), "message")));
    REQUIRE(challenge.has_value());
    CHECK(*challenge == fixed_at<Challenge>(json.at("prekeys_request"), "challenge"));
    for (const Json& prekey : json.at("prekeys")) {
      CHECK(backend.add_prekey(scalar_at(prekey, "private")).id == prekey.at("id").get<uint64_t>());
    }
    const Json& open = json.at("session_open");
    const Blob message = bytes_at(open, "message");
    const Blob input = bytes_at(open, "transcript_input");
    CHECK(BackendHalf::transcript_input(view(message), backend.vehicle_id) == to_string(view(input)));
    CHECK(sha256(view(input)) == fixed_at<Digest>(open, "th"));
    const auto session = backend.take_open(view(message));
    REQUIRE(session.has_value());
    CHECK(session->id == fixed_at<SessionId>(open, "session_id"));
    check_keys(open.at("keys"));
    CHECK(session->v2b == scalar_at(open.at("keys"), "v2b"));
    for (const Json& record : json.at("records")) {
      const Blob header = bytes_at(record, "header");
      const Blob content = bytes_at(record, "content");
      const Blob sealed = bytes_at(record, "sealed");
      const Blob ciphertext =
          gcm_seal(session->v2b, fixed_at<Nonce>(record, "nonce"), view(header), view(content));
      CHECK(Blob(sealed.end() - static_cast<std::ptrdiff_t>(ciphertext.size()), sealed.end()) == ciphertext);
      const auto opened = backend.open(view(sealed));
      REQUIRE(opened.has_value());
      CHECK(opened->sequence == record.at("sequence").get<uint64_t>());
    }
  }
}

TEST_CASE("vectors: the library makes the same bytes, and takes what the backend says") {
  for (const char* name : {"session_suite_1.json", "session_suite_2.json"}) {
    const SessionVectors vectors(name);
    const Json& json = vectors.json;
    VectorVehicle vehicle(vectors.pki, vectors.suites);
    const Blob request = vehicle.request(vectors.suites);
    const Blob expected = bytes_at(json.at("prekeys_request"), "message");
    // Body first; its length is the second byte.
    REQUIRE(request.size() == expected.size());
    CHECK(Blob(request.begin(), request.begin() + 2 + request[1]) ==
          Blob(expected.begin(), expected.begin() + 2 + expected[1]));
    const PrekeysOutcome outcome = vehicle.take(bytes_at(json.at("prekeys_reply"), "message"));
    REQUIRE(outcome.time == Status::kOk);
    REQUIRE(outcome.bundle == Status::kOk);
    CHECK(vehicle.time.now().value().ms == json.at("utc_ms").get<int64_t>());

    const Json& open = json.at("session_open");
    const Blob message = bytes_at(open, "message");
    CHECK(without_signature(vehicle.open()) == without_signature(message));
    CHECK(vehicle.session.transcript() == fixed_at<Digest>(open, "th"));
    for (const Json& record : json.at("records")) {
      CHECK(vehicle.seal(bytes_at(record, "content")) == bytes_at(record, "sealed"));
    }
    Blob plain(kAckContentMax);
    Bytes payload;
    REQUIRE(vehicle.session.open_ack(view(bytes_at(json.at("ack"), "sealed")), mutable_view(plain), payload) ==
            Status::kOk);
    SessionAck ack;
    AckReader reader(payload);
    REQUIRE(reader.next(ack) == Status::kOk);
    CHECK(ack.contiguous == json.at("ack").at("contiguous").get<uint64_t>());
    CHECK(to_blob(to_string(ack.bitmap())) == bytes_at(json.at("ack"), "beyond"));
    Refusal refusal;
    REQUIRE(verify_refusal(view(bytes_at(json.at("refusal"), "message")), vehicle.time, vehicle.identity,
                           refusal) == Status::kOk);
    CHECK(refusal.reason == RefusalReason::kPrekeyDestroyed);
    CHECK(refusal_fits(refusal, view(message), vehicle.identity.id()) == Status::kOk);
  }
}

}  // namespace
}  // namespace wayseal
