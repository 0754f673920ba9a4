// SPDX-License-Identifier: Apache-2.0
// Writes proto/vectors. Signatures and certificates are new at each run, everything else is the same.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "fakes/test_pki.hpp"
#include "unit/seal/vector_scene.hpp"

namespace {

using namespace wayseal;
using namespace wayseal::fakes;
using Json = nlohmann::ordered_json;

constexpr char kLicense[] = "SPDX-License-Identifier: Apache-2.0";

std::string hex(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}
std::string hex(const Blob& blob) { return hex(view(blob)); }
std::string hex(const Scalar& scalar) { return hex(Bytes{scalar.data(), scalar.size()}); }

FakeChain role_chain(const TestIdentity& root, Role role, const std::string& name, const Scalar& key) {
  CertSpec leaf = role_leaf_spec(role, name);
  leaf.not_before_s = (kVectorUtcMs - 30 * kMsPerDay) / kMsPerSecond;
  leaf.not_after_s = (kVectorUtcMs + 30 * kMsPerDay) / kMsPerSecond;
  const TestIdentity intermediate = issue(root, role_intermediate_spec(role));
  return {issue(intermediate, leaf, key_from(key)).der, intermediate.der};
}

Json chain_json(const FakeChain& chain) { return Json::array({hex(chain.leaf), hex(chain.intermediate)}); }

// The token's random bytes come from the seed in blocks; the ephemeral is the one whose point was sent.
Scalar find_ephemeral(const EcPoint& point) {
  for (uint64_t block = 0; block < 64; ++block) {
    uint8_t input[16];
    store_be64(input, kVectorSeed);
    store_be64(input + 8, block);
    const Digest digest = sha256(Bytes{input});
    Scalar scalar;
    std::copy(std::begin(digest.data), std::end(digest.data), scalar.begin());
    if (is_scalar(scalar) && public_point(scalar) == point) return scalar;
  }
  throw std::runtime_error("the ephemeral is not among the token's random blocks");
}

// A slice of the transcript input: item number `index`, the label being 0.
std::string item(const std::string& input, int index) {
  size_t at = 0;
  for (;; --index) {
    const size_t length =
        (static_cast<size_t>(static_cast<uint8_t>(input.at(at))) << 8) | static_cast<uint8_t>(input.at(at + 1));
    if (index == 0) return input.substr(at + 2, length);
    at += 2 + length;
  }
}

EcPoint point_from(const std::string& text) {
  EcPoint point;
  std::copy(text.begin(), text.end(), point.data);
  return point;
}

Json key_json(Suite suite, const Scalar& prekey, const Scalar& ephemeral, const Digest& th) {
  const Secret32 z = ecdh(prekey, public_point(ephemeral)).value();
  return {{"suite", static_cast<int>(suite)},
          {"prekey_private", hex(prekey)},
          {"prekey_point", hex(public_point(prekey).bytes())},
          {"ephemeral_private", hex(ephemeral)},
          {"ephemeral_point", hex(public_point(ephemeral).bytes())},
          {"z", hex(z)},
          {"th", hex(th.bytes())},
          {"v2b", hex(derive_key(suite, z, kVehicleToBackendLabel, th))},
          {"b2v", hex(derive_key(suite, z, kBackendToVehicleLabel, th))}};
}

Json keys_file() {
  Json cases = Json::array();
  const Scalar prekey = vector_key("prekey");
  for (int leading_zeros = 0; leading_zeros < 2; ++leading_zeros) {
    Scalar ephemeral;
    int number = 0;
    do {
      ephemeral = vector_key("ephemeral " + std::to_string(number++));
    } while ((ecdh(prekey, public_point(ephemeral)).value()[0] == 0) != (leading_zeros == 1));
    const Digest th = sha256({ephemeral.data(), ephemeral.size()});
    for (const Suite suite : {Suite::kP256HkdfSha256Aes256Gcm, Suite::kP256CmacKdfAes256Gcm}) {
      Json one = key_json(suite, prekey, ephemeral, th);
      one["comment"] = leading_zeros == 1 ? "Z begins with a zero byte, which is kept" : "any Z";
      cases.push_back(one);
    }
  }
  return {{"license", kLicense},
          {"about", "From both halves of an agreement to both keys of a session, PROTOCOL.md section 8"},
          {"cases", cases}};
}

Json record_json(uint64_t sequence, const Blob& content, const Blob& sealed) {
  Nonce nonce;
  store_be64(nonce.data + 4, sequence);
  return {{"sequence", sequence},
          {"content", hex(content)},
          {"header", hex(view(sealed).from(2).first(26))},
          {"nonce", hex(nonce.bytes())},
          {"sealed", hex(sealed)}};
}

Json session_file(Suite suite, const TestIdentity& root) {
  SuiteSet suites;
  suites.add(suite);
  VectorPki pki;
  pki.root = root.der;
  pki.vehicle = role_chain(root, Role::kVehicle, kVectorVehicle, vector_key("vehicle e2e"));
  pki.prekey = role_chain(root, Role::kPrekey, "prekey-1", vector_key("prekey signer"));
  pki.time = role_chain(root, Role::kTime, "time-1", vector_key("time signer"));
  VectorVehicle vehicle(pki, suites);
  BackendHalf backend(vehicle.verifier, kVectorVehicle, {vector_key("prekey signer"), pki.prekey},
                      {vector_key("time signer"), pki.time});

  Json file = {
      {"license", kLicense},
      {"about",
       "One session from the request for prekeys to ack and refusal. The vehicle's token draws random bytes in "
       "blocks: SHA-256(u64 seed || u64 block), seed 1, blocks 0, 1, 2, ..."},
      {"vehicle_id", kVectorVehicle},
      {"utc_ms", kVectorUtcMs},
      {"suites", suites.bits},
      {"root", hex(pki.root)},
      {"vehicle_chain", chain_json(pki.vehicle)},
      {"prekey_chain", chain_json(pki.prekey)},
      {"time_chain", chain_json(pki.time)},
      {"vehicle_e2e_private", hex(vector_key("vehicle e2e"))},
      {"prekey_signer_private", hex(vector_key("prekey signer"))},
      {"time_signer_private", hex(vector_key("time signer"))}};

  const Blob request = vehicle.request(suites);
  const Challenge challenge = backend.read_request(view(request)).value();
  PrekeyPlan plan;
  plan.vehicle_id = kVectorVehicle;
  plan.challenge = challenge;
  const char* names[] = {"one-time 1", "one-time 2", "last resort"};
  Json prekeys = Json::array();
  for (const char* name : names) {
    const PrekeyPlan::Prekey prekey = backend.add_prekey(vector_key(name));
    prekeys.push_back({{"name", name},
                       {"id", prekey.id},
                       {"private", hex(vector_key(name))},
                       {"point", hex(prekey.point.bytes())}});
    if (name == names[2]) {
      plan.last_resort = prekey;
    } else {
      plan.one_time.push_back(prekey);
    }
  }
  const Blob reply = backend.reply(backend.signed_bundle(plan), backend.signed_time(challenge, kVectorUtcMs));
  file["prekeys_request"] = {{"challenge", hex(challenge.bytes())}, {"message", hex(request)}};
  file["prekeys"] = prekeys;
  file["prekeys_reply"] = {{"bundle_body", hex(to_blob(BackendHalf::bundle_body(plan)))},
                           {"message", hex(reply)}};
  if (vehicle.take(reply).bundle != Status::kOk) throw std::runtime_error("the vehicle refuses the bundle");

  const Blob open = vehicle.open();
  const auto session = backend.take_open(view(open)).value();
  const std::string input = BackendHalf::transcript_input(view(open), kVectorVehicle).value();
  const Scalar ephemeral = find_ephemeral(point_from(item(input, 10)));
  file["session_open"] = {{"message", hex(open)},
                          {"transcript_input", hex(to_blob(input))},
                          {"th", hex(session.th.bytes())},
                          {"session_id", hex(session.id.bytes())},
                          {"keys", key_json(suite, vector_key(names[0]), ephemeral, session.th)}};

  Json records = Json::array();
  const Blob contents[] = {vector_content(ContentType::kLossReport, {0x29, 1, 0, 0, 0, 0, 0, 0, 0}),
                           vector_content(ContentType::kDiagnostics, Blob(100, 0xA5))};
  uint64_t sequence = 0;
  for (const Blob& content : contents)
    records.push_back(record_json(++sequence, content, vehicle.seal(content)));
  file["records"] = records;
  const Blob ack = backend.seal_ack(session.id, {{session.id, 1, {0x00}}});
  file["ack"] = {{"contiguous", 1}, {"beyond", "00"}, {"sealed", hex(ack)}};
  file["refusal"] = {{"reason", 2}, {"message", hex(backend.signed_refusal(session.th, 2))}};
  return file;
}

void write(const std::string& path, const Json& json) {
  std::ofstream file(path);
  file << json.dump(1) << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 2) {
    std::cerr << "usage: wayseal-protocol-vectors FOLDER\n";
    return 2;
  }
  const std::string folder = arguments[1];
  const TestIdentity root = make_root(root_spec("vector root"));
  write(folder + "/keys.json", keys_file());
  write(folder + "/session_suite_1.json", session_file(Suite::kP256HkdfSha256Aes256Gcm, root));
  write(folder + "/session_suite_2.json", session_file(Suite::kP256CmacKdfAes256Gcm, root));
  return 0;
} catch (const std::exception& problem) {
  std::cerr << "wayseal-protocol-vectors: " << problem.what() << "\n";
  return 1;
}
