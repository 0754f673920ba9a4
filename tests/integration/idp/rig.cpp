// SPDX-License-Identifier: Apache-2.0
#include "rig.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace idp_test {
std::string node() {
  const char* const other = std::getenv("WAYSEAL_NODE");
  return other == nullptr ? WAYSEAL_NODE_PROGRAM : other;
}

namespace {

using cloud_test::run;
using cloud_test::slurp;
using cloud_test::spill;
namespace oem = wayseal::oem;

const unsigned char* raw(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string from_base64url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string bytes(text.size(), '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), raw(text), static_cast<int>(text.size()));
  if (size < 0) throw std::runtime_error("not base64url");
  bytes.resize(static_cast<size_t>(size) - padding);
  return bytes;
}

/// The fleet that is copied for each test: provisioning takes longer than all else here.
struct Model {
  Model() {
    const cloud_test::Output made =
        run({WAYSEAL_OEM, "provision", "--vehicles", "2", "--out", folder / "fleet"});
    if (made.code != 0) throw std::runtime_error("provisioning failed: " + made.text);
    const json fleet = json::parse(slurp(folder / "fleet/wayseal-fleet.json"));
    for (const std::string id : fleet.at("vehicles")) {
      vehicles.push_back(id);
      const cloud_test::Output read =
          run({"env", "SOFTHSM2_CONF=" + (folder / "fleet/vehicles/") + id + "/softhsm2.conf", "pkcs11-tool",
               "--module", fleet.at("module"), "--token-label", "vehicle", "--read-object", "--type", "cert",
               "--label", "tls", "--output-file", folder / "tls.der"});
      if (read.code != 0) throw std::runtime_error("no certificate in the token: " + read.text);
      certificates.push_back(slurp(folder / "tls.der"));
    }
    const cloud_test::Output good =
        run({node(), WAYSEAL_IDP_SERVER, "--check", "--config", folder / "fleet/idp/idp.json"});
    absent = good.code != 0 && good.text.find("toolchains/setup") != std::string::npos;
  }
  static Model& get() {
    static Model model;
    return model;
  }

  cloud_test::TemporaryFolder folder;
  std::vector<std::string> vehicles;
  std::vector<std::string> certificates;
  bool absent = false;
};

}  // namespace

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), raw(bytes),
                                                  static_cast<int>(bytes.size()))));
  return text;
}

std::string base64url(const std::string& bytes) {
  std::string text = base64(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string sha256(const std::string& bytes) {
  std::string digest(32, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
             nullptr);
  return digest;
}

std::string certificate_with_names(const std::vector<std::string>& names) {
  const oem::Key key = oem::generate_key();
  const oem::Certificate certificate(X509_new());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  for (const std::string& name : names) {
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, raw(name), static_cast<int>(name.size()), -1, 0);
  }
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const std::vector<uint8_t> der = oem::der_of(certificate.get());
  return {der.begin(), der.end()};
}

Token::Token(std::string compact_form) : compact(std::move(compact_form)) {
  const size_t first = compact.find('.');
  const size_t second = compact.find('.', first + 1);
  header = json::parse(from_base64url(compact.substr(0, first)));
  claims = json::parse(from_base64url(compact.substr(first + 1, second - first - 1)));
}

bool Token::verified_by(const std::string& pem) const {
  const size_t end = compact.rfind('.');
  const std::string signature = from_base64url(compact.substr(end + 1));
  if (signature.size() != 64) return false;
  const std::unique_ptr<BIO, oem::Freer<BIO_free>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const oem::Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<ECDSA_SIG, oem::Freer<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  ECDSA_SIG_set0(pair.get(), BN_bin2bn(raw(signature), 32, nullptr),
                 BN_bin2bn(raw(signature) + 32, 32, nullptr));
  std::string der(static_cast<size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &at);
  const std::unique_ptr<EVP_MD_CTX, oem::Freer<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  return key && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw(der), der.size(), raw(compact), end) == 1;
}

std::string form(const std::string& client, const std::string& scope) {
  return "grant_type=client_credentials&client_id=" + client + (scope.empty() ? "" : "&scope=" + scope);
}

std::string request(const std::string& method, const std::string& target, const std::string& headers,
                    const std::string& body) {
  return method + " " + target + " HTTP/1.1\r\nHost: idp\r\nConnection: close\r\n" + headers + "\r\n" + body;
}

Idp::Idp(const json& settings) : vehicles_(Model::get().vehicles), certificates_(Model::get().certificates) {
  if (Model::get().absent) SKIP("the locked npm packages are not in the cache: run toolchains/setup");
  std::filesystem::copy(
      Model::get().folder / "fleet", fleet(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  change({{"log", "log"}});
  change(settings);
  start();
}

void Idp::start() {
  process_ = cloud_test::Process({node(), WAYSEAL_IDP_SERVER, "--config", config()}, folder_ / "output");
  const bool up = cloud_test::eventually(
      [this] {
        return !process_.running() ||
               cloud_test::http_raw(socket(), request("GET", "/jwks", "", "")).status == 200;
      },
      60);
  if (!up || !process_.running()) throw std::runtime_error("the provider did not start: " + output());
}

cloud_test::Output Idp::oem(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), WAYSEAL_OEM);
  arguments.insert(arguments.end(), {"--out", fleet()});
  return run(arguments);
}

cloud_test::Output Idp::serve(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{node(), WAYSEAL_IDP_SERVER};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command);
}

std::string Idp::public_key(char slot) const { return slurp(fleet() + "/gateway/jwt-" + slot + ".pem"); }

void Idp::change(const json& settings) {
  json all = this->settings();
  all.update(settings);
  oem::write_file(config(), all.dump(2), oem::kPublic);
}

std::vector<json> Idp::log() const {
  std::vector<json> lines;
  const std::string text = slurp(file("log"));
  for (size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    lines.push_back(json::parse(text.substr(at, end - at)));
  }
  return lines;
}

std::vector<json> Idp::log(const std::string& event) const {
  std::vector<json> found;
  for (const json& line : log()) {
    if (line.at("event") == event) found.push_back(line);
  }
  return found;
}

HttpReply Idp::ask(const std::string& body, const std::string& certificate, const std::string& headers) const {
  std::string all =
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n";
  if (!certificate.empty()) all += "x-client-cert-der: " + base64(certificate) + "\r\n";
  return cloud_test::http_raw(socket(), request("POST", kTokenPath, all + headers, body));
}

std::string outcome(const HttpReply& reply) {
  const json body = json::parse(reply.body, nullptr, false);
  if (body.is_discarded()) return std::to_string(reply.status) + " no JSON";
  if (reply.status == 200 && body.contains("access_token")) return "200";
  return std::to_string(reply.status) + " " + body.value("error", "-");
}

}  // namespace idp_test
