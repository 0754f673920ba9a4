// SPDX-License-Identifier: Apache-2.0
// What nobody gets. Each refusal has its reason in the log, differs in one thing from a request that is accepted, and leaves the
// register as it was.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "rig.hpp"

using cloud_test::run;
using cloud_test::slurp;
using cloud_test::spill;
using namespace est_test;

namespace {

constexpr char kEnrol[] = "tls/simpleenroll";
constexpr char kReenrol[] = "tls/simplereenroll";

struct RefusalRig : Rig {
  // More than a vehicle may ask for: the cases are many.
  RefusalRig() : Rig({json::object(), {"WAYSEAL_RATE_ENROL=1000"}, false}) {
    bootstrap_client("boot", vehicle());
    tls_client("own", vehicle());
    make_key("good");
  }
  ~RefusalRig() {
    // The twin of all that was refused.
    if (issued() != expected) FAIL_CHECK("something was issued: " << issued() << " instead of " << expected);
    CHECK(enrol("boot", kEnrol, csr("good", vehicle())) == "200");
    CHECK_FALSE(holds(log_text() + gateway_log(), vehicle()));
  }
  std::string base64(const std::string& bytes) const {
    spill(file("bytes"), bytes);
    return run({WAYSEAL_OPENSSL, "base64", "-A", "-in", file("bytes")}).text;
  }
  std::string post_der(const std::string& der) { return enrol("boot", kEnrol, base64(der)); }

  size_t expected = 8;  // two vehicles with three each, and ours
};

}  // namespace

TEST_CASE("each identity has its own operation") {
  RefusalRig rig;
  const std::string request = rig.csr("good", rig.vehicle());
  CHECK(rig.enrol("boot", kReenrol, request) == "403 forbidden operation");
  CHECK(rig.enrol("boot", "e2e/simplereenroll", request) == "403 forbidden operation");
  CHECK(rig.enrol("own", kEnrol, request) == "403 forbidden operation");
  CHECK(rig.enrol("own", "e2e/simpleenroll", request) == "403 forbidden operation");
  CHECK(rig.enrol("", kEnrol, request) == "no answer");
}

TEST_CASE("a certificate that the register does not have as good opens nothing") {
  RefusalRig rig;
  const std::string request = rig.csr("good", rig.vehicle());
  // Signed by the authority's own key, so that the gateway lets it in, and never recorded.
  const oem::OemPki pki = rig.pki();
  const auto make = [&](const oem::CertificateProfile& profile, const std::string& authority,
                        const X509* serial_from = nullptr) {
    const oem::Key key = oem::generate_key();
    const auto issuer = pki.certificate(authority);
    const auto leaf = oem::issue(profile, key.get(), issuer.get(), pki.key(authority).get());
    if (serial_from != nullptr) {
      X509_set_serialNumber(leaf.get(), const_cast<ASN1_INTEGER*>(X509_get0_serialNumber(serial_from)));
      X509_sign(leaf.get(), pki.key(authority).get(), EVP_sha256());
    }
    spill(rig.file("made"), oem::pem_of(leaf.get()) + oem::pem_of(issuer.get()) + oem::pem_of(key.get()));
  };
  make(oem::tls_client_profile(rig.vehicle(), 1), "tls");
  CHECK(rig.enrol("made", kReenrol, request) == "403 forbidden certificate_unknown");
  CHECK(rig.outcome(rig.get("made", "tls/cacerts")) == "403 forbidden certificate_unknown");
  make(oem::bootstrap_profile(rig.vehicle(), 1), "bootstrap-ca");
  CHECK(rig.enrol("made", kEnrol, request) == "403 forbidden certificate_unknown");
  // With the number of one that is recorded, as whoever has stolen the authority's key could make it.
  make(oem::tls_client_profile(rig.vehicle(), 1), "tls", oem::read_certificate(rig.file("own")).get());
  CHECK(rig.enrol("made", kReenrol, request) == "403 forbidden certificate_unknown");
  make(oem::bootstrap_profile("two words", 1), "bootstrap-ca");
  CHECK(rig.enrol("made", kEnrol, request) == "403 not-a-vehicle name");
  // Of the right vehicle and issued by us, for another purpose.
  make(oem::role_profile(wayseal::Role::kVehicle, rig.vehicle(), 1), "vehicle");
  CHECK(rig.enrol("made", kReenrol, request) == "no answer");

  // Past the gateway, at the server's own socket: its own look at purpose and dates.
  const auto at_socket = [&](const oem::Identity& identity) {
    const auto reply =
        cloud_test::http_raw(rig.fleet() + "/est/est.sock",
                             "GET /.well-known/est/tls/cacerts HTTP/1.1\r\nHost: x\r\nx-client-cert-der: " +
                                 rig.base64(identity.certificate) + "\r\n\r\n");
    return std::to_string(reply.status) + " " + rig.log().back().value("why", "-");
  };
  const auto made = [&](const char* label) { return rig.known().newest(rig.vehicle(1), label).value(); };
  CHECK(at_socket(made("tls")) == "200 ");
  CHECK(at_socket(made("e2e")) == "403 certificate_purpose");
  REQUIRE(
      run({WAYSEAL_SQLITE, rig.fleet() + "/est/register.db",
           "UPDATE identities SET not_after_s = 1 WHERE label = 'tls' AND vehicle = '" + rig.vehicle(1) + "'"})
          .code == 0);
  CHECK(at_socket(made("tls")) == "403 certificate_expired");

  // Revoked in the register, while the gateway has the list of before.
  rig.tls_client("gone", rig.vehicle(1));
  ++rig.expected;
  rig.make_key("other");
  REQUIRE(rig.get("gone", "tls/cacerts").status == "200");
  REQUIRE(rig.known().revoke(rig.vehicle(1), oem::Register::Keep::kNothing) == 4);
  (void)rig.outcome({0, "200"});
  CHECK(rig.enrol("gone", kReenrol, rig.csr("other", rig.vehicle(1))) == "403 forbidden certificate_revoked");
  CHECK(rig.outcome(rig.get("gone", "gateway/cacerts")) == "403 forbidden certificate_revoked");
}

TEST_CASE("a request is for the vehicle that asks, and for nothing else") {
  RefusalRig rig;
  const std::string id = rig.vehicle();
  const auto subject = [&](const std::string& text, std::vector<std::string> more = {}) {
    return rig.post_der(rig.request("good", text, std::move(more)));
  };
  for (const std::string& other :
       {"/CN=" + rig.vehicle(1), "/CN=" + id + "x", "/CN=" + id.substr(1), std::string("/"), "/O=x/CN=" + id,
        "/CN=" + id + "/CN=" + id, "/CN=" + id + "/CN=" + rig.vehicle(1), "/CN=" + id + "/serialNumber=1",
        "/OU=" + id}) {
    CAPTURE(other);
    CHECK(subject(other) == "400 bad-request subject");
  }
  CHECK(subject("/CN=" + id + "+OU=x", {"-multivalue-rdn"}) == "400 bad-request subject");
  spill(rig.file("attributes.cnf"), "[req]\ndistinguished_name=dn\nattributes=at\nprompt=no\n[dn]\nCN=" + id +
                                        "\n[at]\nchallengePassword=secret\n");
  CHECK(subject("/CN=" + id, {"-addext", "subjectAltName=DNS:" + rig.vehicle(1)}) ==
        "400 bad-request attributes");
  CHECK(subject("/CN=" + id, {"-addext", "basicConstraints=critical,CA:TRUE"}) == "400 bad-request attributes");
  CHECK(run({WAYSEAL_OPENSSL, "req", "-new", "-config", rig.file("attributes.cnf"), "-key",
             rig.file("good.key"), "-outform", "DER", "-out", rig.file("csr.der")})
            .code == 0);
  CHECK(rig.post_der(slurp(rig.file("csr.der"))) == "400 bad-request attributes");
}

TEST_CASE("only a P-256 key that has signed its own request gets a certificate") {
  RefusalRig rig;
  const auto kind = [&](const std::string& name, std::vector<std::string> arguments,
                        std::vector<std::string> more = {}) {
    rig.make_key(name, std::move(arguments));
    return rig.enrol("boot", kEnrol, rig.csr(name, rig.vehicle(), std::move(more)));
  };
  CHECK(kind("rsa", {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}) == "400 bad-request key_type");
  CHECK(kind("p384", {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"}) ==
        "400 bad-request key_type");
  CHECK(kind("ed", {"-algorithm", "ED25519"}) == "400 bad-request key_type");
  CHECK(kind("explicit", {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
                          "ec_param_enc:explicit"}) == "400 bad-request key_type");
  CHECK(rig.enrol("boot", kEnrol, rig.csr("good", rig.vehicle(), {"-sha384"})) == "400 bad-request algorithm");
  // Another key's signature: what somebody would send who wants a certificate for a key that is not theirs.
  std::string der = rig.request("good", "/CN=" + rig.vehicle());
  der[der.size() - 3] = static_cast<char>(der[der.size() - 3] ^ 1);
  CHECK(rig.post_der(der) == "400 bad-request proof");
  std::string version = rig.request("good", "/CN=" + rig.vehicle());
  version[version.find(std::string("\x02\x01\x00", 3)) + 2] = 1;
  CHECK(rig.post_der(version) == "400 bad-request version");
  std::string point = rig.request("good", "/CN=" + rig.vehicle());
  const size_t at = point.find(std::string("\x03\x42\x00\x04", 4)) + 10;
  point[at] = static_cast<char>(point[at] ^ 1);
  CHECK(rig.post_der(point) == "400 bad-request proof");
}

TEST_CASE("base64 is read strictly, and there is one whole request in it") {
  RefusalRig rig;
  const std::string der = rig.request("good", "/CN=" + rig.vehicle());
  const std::string good = rig.base64(der);
  const auto text = [&](const std::string& body) { return rig.enrol("boot", kEnrol, body); };
  for (const std::string& body :
       {std::string(), std::string("="), std::string("===="), "\n" + good, good + "\n\n", good + " ",
        " " + good, good.substr(0, 5) + "\n" + good.substr(5),
        good + "====", good.substr(0, 8) + "\t" + good.substr(8), good.substr(0, good.size() - 1),
        good.substr(0, 40) + "-_" + good.substr(42), good + std::string(1, '\0'),
        "-----BEGIN CERTIFICATE REQUEST-----\n" + good + "\n-----END CERTIFICATE REQUEST-----\n"}) {
    CAPTURE(body);
    CHECK(text(body) == "400 bad-request base64");
  }
  CHECK(rig.post_der(der + "\x01") == "400 bad-request pkcs10");
  // Bits behind the end: a second spelling of the same bytes.
  std::string spelled = rig.base64(der + std::string(der.size() % 3 == 2 ? 2 : 1, '\0'));
  REQUIRE(spelled.back() == '=');
  char& last = spelled[spelled.find('=') - 1];
  last = static_cast<char>(last + 1);
  CHECK(text(spelled) == "400 bad-request base64");
  CHECK(rig.post_der(der + der) == "400 bad-request pkcs10");
  CHECK(rig.post_der(der.substr(0, der.size() - 1)) == "400 bad-request pkcs10");
  CHECK(rig.post_der("nonsense") == "400 bad-request pkcs10");
  CHECK(text(std::string(4096, 'A')) == "400 bad-request pkcs10");
  CHECK(text(std::string(4097, 'A')) == "413 too-large size");
}

TEST_CASE("a key is for one certificate of one vehicle") {
  RefusalRig rig;
  const auto own = [&](const std::string& name, const std::string& client) {
    spill(rig.file(name + ".key"), oem::pem_of(oem::read_key(rig.file(client)).get()));
    return rig.csr(name, rig.vehicle());
  };
  CHECK(rig.enrol("own", kReenrol, own("old", "own")) == "409 key-refused key_unchanged");
  CHECK(rig.enrol("own", "e2e/simplereenroll", own("old", "own")) == "409 key-refused key_unchanged");
  CHECK(rig.enrol("boot", kEnrol, own("old", "boot")) == "409 key-refused key_unchanged");
  CHECK(rig.enrol("boot", kEnrol, own("old", "own")) == "409 key-refused key_used");
  // The one that it was made with, which nobody has seen: it was not asked for, so there is no answer that was lost.
  const oem::Key e2e = oem::generate_key();
  oem::OemPki pki = rig.pki();
  pki.issue_role(wayseal::Role::kVehicle, rig.vehicle(), e2e.get(), 30);
  spill(rig.file("e2e"), oem::pem_of(e2e.get()));
  CHECK(rig.enrol("own", "e2e/simplereenroll", own("old", "e2e")) == "409 key-refused key_used");
  rig.tls_client("neighbour", rig.vehicle(1));
  rig.expected += 2;
  CHECK(rig.enrol("boot", kEnrol, own("theirs", "neighbour")) == "409 key-refused key_of_another_vehicle");
  // Of a certificate that was revoked, while the bootstrap identity was not.
  REQUIRE(rig.oem({"revoke", "--vehicle", rig.vehicle(), "--keep-bootstrap"}).code == 0);
  CHECK(rig.enrol("boot", kEnrol, own("old", "own")) == "409 key-refused key_revoked");
}

TEST_CASE("a vehicle gets so many certificates a day, and its neighbour is not touched by that") {
  Rig rig({{{"issues_per_day", 2}}, {}, false});
  rig.bootstrap_client("boot", rig.vehicle());
  rig.bootstrap_client("neighbour", rig.vehicle(1));
  for (const char* const key : {"a", "b", "c", "d"}) rig.make_key(key);
  CHECK(rig.enrol("boot", kEnrol, rig.csr("a", rig.vehicle())) == "200");
  CHECK(rig.enrol("boot", "e2e/simpleenroll", rig.csr("b", rig.vehicle())) == "200");
  CHECK(rig.enrol("boot", kEnrol, rig.csr("c", rig.vehicle())) == "429 rate-limited rate");
  CHECK(rig.enrol("boot", kEnrol, rig.csr("a", rig.vehicle())) == "200");  // a lost answer costs nothing
  CHECK(rig.enrol("neighbour", kEnrol, rig.csr("d", rig.vehicle(1))) == "200");
}

TEST_CASE("the listener has the rules of the vehicles' gateway") {
  RefusalRig rig;
  const std::string request = rig.csr("good", rig.vehicle());
  const auto target = [&](const std::string& path) { return rig.enrol("boot", path, request); };
  for (const char* const path :
       {"tls/simpleenroll/", "tls//simpleenroll", "TLS/simpleenroll", "tls/simpleenroll?x",
        "tls/%73impleenroll", "tls/../tls/simpleenroll", "simpleenroll", "gateway/simpleenroll",
        "bootstrap/simpleenroll", "tls/serverkeygen", "tls/fullcmc", "tls/csrattrs", ""}) {
    CAPTURE(path);
    CHECK(target(path) == "404 not-found path");
  }
  CHECK(rig.outcome(rig.get("boot", "tls/simpleenroll")) == "405 method-not-allowed method");
  CHECK(holds(rig.head(), "allow: POST\r\n"));
  CHECK(rig.enrol("boot", "tls/cacerts", request) == "405 method-not-allowed method");
  CHECK(holds(rig.head(), "allow: GET\r\n"));
  CHECK(rig.enrol("boot", kEnrol, request, {"-X", "PUT"}) == "405 method-not-allowed method");
  CHECK(rig.enrol("boot", kEnrol, request, {"-H", "Content-Encoding: gzip"}) ==
        "415 unsupported-media-type type");
  CHECK(rig.enrol("boot", kEnrol, request, {"-H", "Content-Transfer-Encoding: binary"}) ==
        "400 bad-request form");
  CHECK(rig.enrol("boot", kEnrol, request, {"-H", "X_Client_Cert_Der: x"}) == "400 bad-request form");
  CHECK(rig.enrol("boot", kEnrol, request, {"-H", "Transfer-Encoding: chunked"}) ==
        "411 length-required length");
  CHECK(rig.enrol("boot", kEnrol, request, {"--http1.0"}) == "400 bad-request form");
  // What is declared counts before a byte of it has come, whatever it wraps to.
  for (const char* const length : {"4097", "4294967296", "0000001"}) {
    CHECK(rig.enrol("boot", kEnrol, request, {"-H", std::string("Content-Length: ") + length}) ==
          "413 too-large size");
  }
  spill(rig.file("request"), request);
  CHECK(rig.outcome(rig.get("boot", "tls/cacerts",
                            {"-X", "GET", "-H", "Content-Type:", "--data-binary",
                             "@" + rig.file("request")})) == "413 too-large size");
  // What it says about itself is dropped: the header of the certificate is the gateway's.
  CHECK(rig.enrol("boot", kReenrol, request, {"-H", "X-Client-Cert-Der: " + std::string(400, 'A')}) ==
        "403 forbidden operation");
  spill(rig.file("request"), request);
  CHECK(rig.outcome(rig.get("boot", kEnrol,
                            {"-H", "Content-Type: application/x-protobuf", "--data-binary",
                             "@" + rig.file("request")})) == "415 unsupported-media-type type");
}

TEST_CASE("behind the listener arrives what the gateway says, and nothing that the client says about itself") {
  Rig rig;
  rig.tls_client("own", rig.vehicle());
  rig.stop_est();
  const std::string socket = rig.fleet() + "/est/est.sock";
  cloud_test::Process listener({"socat", "-u", "UNIX-LISTEN:" + socket, "CREATE:" + rig.file("arrived")},
                               "/dev/null");
  REQUIRE(cloud_test::eventually([&] { return std::filesystem::exists(socket); }));
  std::thread client([&] {
    (void)rig.post(
        "own", "tls/simplereenroll", "body",
        {"-H", "Content-Transfer-Encoding: base64", "-H", "X-Client-Cert-Der: AAAA", "-H", "X-Vehicle-Id: x",
         "-H", "Authorization: Bearer x", "-H", "Cookie: a=b", "-H", "X-Forwarded-For: 127.0.0.1", "-H",
         "X-HTTP-Method-Override: GET", "-H", "X-Original-URL: /"});
  });
  const bool came = cloud_test::eventually([&] { return holds(slurp(rig.file("arrived")), "\r\n\r\nbody"); });
  listener.stop(9);
  client.join();
  REQUIRE(came);
  std::set<std::string> names;
  std::istringstream lines(slurp(rig.file("arrived")));
  std::string line;
  std::getline(lines, line);
  CHECK(line == "POST /.well-known/est/tls/simplereenroll HTTP/1.1\r");
  while (std::getline(lines, line) && line != "\r") {
    CHECK(names.insert(line.substr(0, line.find(':'))).second);
    CHECK_FALSE(holds(line, "AAAA"));
  }
  CHECK(names == std::set<std::string>{"content-length", "content-type", "host", "x-client-cert-der"});
}

TEST_CASE("a vehicle that asks too often is told to wait, and its neighbour is not") {
  Rig rig({json::object(), {"WAYSEAL_RATE_ENROL=3"}, false});
  rig.tls_client("own", rig.vehicle());
  rig.tls_client("neighbour", rig.vehicle(1));
  for (int i = 0; i < 3; ++i) CHECK(rig.get("own", "tls/cacerts").status == "200");
  (void)rig.outcome({0, "200"});
  CHECK(rig.outcome(rig.get("own", "tls/cacerts")) == "429 rate-limited rate");
  CHECK(holds(rig.head(), "retry-after: 10\r\n"));
  CHECK(rig.get("neighbour", "tls/cacerts").status == "200");
}

TEST_CASE("revocation reaches the listener by the file of serial numbers, before its lists, and then by them") {
  Rig rig;
  rig.bootstrap_client("boot", rig.vehicle());
  rig.tls_client("own", rig.vehicle());
  REQUIRE(rig.get("boot", "tls/cacerts").status == "200");
  spill(rig.file("revoked"), oem::serial_of(oem::read_certificate(rig.file("boot")).get()) + "\n");
  rig.restart_gateway();
  (void)rig.outcome({0, "200"});
  CHECK(rig.outcome(rig.get("boot", "tls/cacerts")) == "403 revoked revoked");
  CHECK(rig.get("own", "tls/cacerts").status == "200");
  REQUIRE(rig.oem({"revoke", "--vehicle", rig.vehicle()}).code == 0);
  rig.restart_gateway();
  CHECK(rig.outcome(rig.get("boot", "tls/cacerts")) == "no answer");
  CHECK(rig.outcome(rig.get("own", "tls/cacerts")) == "no answer");
  CHECK(holds(rig.gateway_log(), "\"listener\":\"enrolment\""));
}

TEST_CASE("the gateway's tools know the listener's lists") {
  Rig rig;
  const std::string gateway = rig.fleet() + "/gateway";
  rig.bootstrap_client("boot", rig.vehicle());
  REQUIRE(rig.oem({"revoke", "--vehicle", rig.vehicle()}).code == 0);
  CHECK(run({WAYSEAL_GATEWAY_REVOKE, gateway, rig.file("serials"), "--who", "enrolment"}).code == 0);
  CHECK(holds(slurp(rig.file("serials")), oem::serial_of(oem::read_certificate(rig.file("boot")).get())));
  const std::vector<std::string> check{WAYSEAL_GATEWAY_CHECK, gateway, "60", "enrolment"};
  CHECK(run(check).code == 0);
  // A list that is missing: HAProxy would load this, and refuse every bootstrap certificate.
  spill(gateway + "/enrolment-crl.pem", slurp(gateway + "/vehicle-crl.pem"));
  const Output output = run(check);
  CHECK(output.code == 1);
  CHECK(holds(output.text, "OEM bootstrap CA"));
}

TEST_CASE("the listener's file is valid with the others, and nobody needs it") {
  Rig rig;
  REQUIRE(rig.oem({"partner", "add", "--name", "acme"}).code == 0);
  const auto check = [&](const std::vector<std::string>& files) {
    const Output output = run(rig.gateway_command(files, true));
    INFO(output.text);
    CHECK_FALSE(holds(output.text, "WARNING"));
    return output.code;
  };
  CHECK(check({WAYSEAL_GATEWAY_CONFIG}) == 0);
  CHECK(check({WAYSEAL_GATEWAY_CONFIG, WAYSEAL_GATEWAY_ENROLMENT}) == 0);
  CHECK(check({WAYSEAL_GATEWAY_CONFIG, WAYSEAL_GATEWAY_PARTNERS, WAYSEAL_GATEWAY_ENROLMENT}) == 0);
}

TEST_CASE("a server that cannot read its files says 503 and goes on when it can") {
  RefusalRig rig;
  const std::string file = rig.fleet() + "/est/issuers/tls.pem";
  const std::string good = slurp(file);
  spill(file, "nothing");
  CHECK(rig.enrol("boot", kEnrol, rig.csr("good", rig.vehicle())) == "503 unavailable trouble");
  CHECK(run({WAYSEAL_EST, "--check", "--config", rig.fleet() + "/est/est.json"}).code == 1);
  spill(file, good);
  CHECK(run({WAYSEAL_EST, "--check", "--config", rig.fleet() + "/est/est.json"}).code == 0);
}
