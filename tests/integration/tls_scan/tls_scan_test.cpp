// SPDX-License-Identifier: Apache-2.0
// The vehicles' listener before testssl.sh: named findings, each as it has to be. The scanner has no client certificate, so it
// sees what anybody sees.
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "gateway.hpp"

namespace cloud_test {
namespace {

using nlohmann::json;

/// Findings by their id; of several with one id, the last.
std::map<std::string, json> scan(const Gateway& gateway) {
  const std::string file = gateway.folder() / "scan.json";
  const Output said =
      run({WAYSEAL_TESTSSL, "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "-p", "-s", "-f",
           "-S", "-U", "--jsonfile", file, "127.0.0.1:" + std::to_string(gateway.port())});
  CAPTURE(said.text);
  const json all = json::parse(slurp(file), nullptr, false);
  REQUIRE(all.is_array());
  std::map<std::string, json> out;
  for (const json& one : all) out[one.at("id")] = one;
  return out;
}

struct Expected {
  const char* id;
  const char* finding;  ///< What the finding begins with.
};

constexpr Expected kExpected[] = {
    // Protocols.
    {"SSLv2", "not offered"},
    {"SSLv3", "not offered"},
    {"TLS1", "not offered"},
    {"TLS1_1", "not offered"},
    {"TLS1_2", "not offered"},
    {"TLS1_3", "offered"},
    {"ALPN", "http/1.1"},
    // Ciphers and curves: one of each.
    {"cipherlist_NULL", "not offered"},
    {"cipherlist_aNULL", "not offered"},
    {"cipherlist_EXPORT", "not offered"},
    {"cipherlist_LOW", "not offered"},
    {"cipherlist_3DES_IDEA", "not offered"},
    {"cipherlist_AVERAGE", "not offered"},
    {"PFS_ciphers", "TLS_AES_256_GCM_SHA384"},
    {"PFS_ECDHE_curves", "prime256v1"},
    // Resumption, renegotiation, compression.
    {"TLS_session_ticket", "no"},
    {"sessionresumption_ticket", "not supported"},
    {"sessionresumption_ID", "No Session ID, no resumption"},
    {"secure_renego", "TLS 1.3 only server"},
    {"secure_client_renego", "not vulnerable"},
    {"CRIME_TLS", "not vulnerable"},
    // The certificate.
    {"cert_signatureAlgorithm", "ECDSA with SHA256"},
    {"cert_keySize", "EC 256 bits"},
    {"cert_keyUsage", "Digital Signature"},
    {"cert_extKeyUsage", "TLS Web Server Authentication"},
};

constexpr const char* kVulnerabilities[] = {"heartbleed",    "CCS",     "ROBOT", "POODLE_SSL",
                                            "fallback_SCSV", "FREAK",   "DROWN", "LOGJAM",
                                            "BEAST",         "LUCKY13", "RC4"};

}  // namespace

TEST_CASE("testssl.sh finds one protocol, one cipher, one curve, no resumption, and nothing vulnerable") {
  const World world;
  const Gateway gateway(world);
  const auto found = scan(gateway);
  for (const Expected& expected : kExpected) {
    CAPTURE(expected.id);
    REQUIRE(found.count(expected.id) == 1);
    const std::string finding = found.at(expected.id).at("finding");
    CAPTURE(finding);
    // Lists have to be exactly that.
    const bool list = std::string(expected.id).rfind("PFS_", 0) == 0 || std::string(expected.id) == "ALPN";
    CHECK((list ? finding == expected.finding : finding.rfind(expected.finding, 0) == 0));
  }
  for (const char* const id : kVulnerabilities) {
    CAPTURE(id);
    REQUIRE(found.count(id) == 1);
    CHECK(found.at(id).at("severity") == "OK");
  }
  // The authority is the fleet's own, and revocation of it reaches vehicles otherwise: nothing else may be worse than a remark.
  for (const auto& [id, one] : found) {
    const std::string severity = one.at("severity");
    const bool known = id == "cert_chain_of_trust" || id == "cert_revocation" || id == "optimal_proto";
    CAPTURE(id, severity, one.dump());
    CHECK((known || severity == "OK" || severity == "INFO" || severity == "DEBUG"));
  }
  // Without a certificate nobody gets further.
  CHECK(gateway.log().find("\"event\":\"handshake\"") != std::string::npos);
}

}  // namespace cloud_test
