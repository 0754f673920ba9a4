// SPDX-License-Identifier: Apache-2.0
#include "provision/signing.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <sstream>
#include <stdexcept>

#include "provision/tokens.hpp"

namespace wayseal::oem {
namespace {

using Request = std::unique_ptr<X509_REQ, Freer<X509_REQ_free>>;

constexpr char kHexDigits[] = "0123456789abcdef";

std::vector<uint8_t> bytes_of_hex(const std::string& hex, const std::string& what) {
  std::vector<uint8_t> bytes;
  const bool hexadecimal = hex.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (hex.empty() || hex.size() % 2 != 0 || !hexadecimal)
    throw std::runtime_error(what + " is not hexadecimal");
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string line_of(const char* name, X509* certificate) {
  std::string line = std::string("wayseal-object ") + name + ' ';
  for (const uint8_t byte : der_of(certificate)) {
    line += kHexDigits[byte >> 4];
    line += kHexDigits[byte & 0x0F];
  }
  return line + '\n';
}

std::string common_name_of(const X509_REQ* request) {
  char name[64] = {};
  const int size =
      X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request), NID_commonName, name, sizeof name);
  return size < 0 ? "" : name;
}

bool is_p256(const EVP_PKEY* key) {
  char group[32] = {};
  return EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string(group) == SN_X9_62_prime256v1;
}

/// The public key of a request that its own key has signed.
Key key_of_request(const std::string& name, const std::string& hex) {
  const std::string what = "the request '" + name + "'";
  const std::vector<uint8_t> der = bytes_of_hex(hex, what);
  const unsigned char* at = der.data();
  const Request request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request || at != der.data() + der.size())
    throw std::runtime_error(what + " is no whole PKCS#10 request");
  Key key(X509_REQ_get_pubkey(request.get()));
  if (!key || !is_p256(key.get())) throw std::runtime_error(what + " is not for a P-256 key");
  if (X509_REQ_verify(request.get(), key.get()) != 1)
    throw std::runtime_error(what + " is not signed by its key");
  if (common_name_of(request.get()) != "wayseal-" + name) {
    throw std::runtime_error(what + " is for another key: '" + common_name_of(request.get()) + "'");
  }
  return key;
}

}  // namespace

DeviceKeys read_requests(std::istream& lines) {
  DeviceKeys keys;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::string name;
    std::string hex;
    std::string rest;
    words >> word >> name >> hex >> rest;
    if (word != "wayseal-request") continue;
    if ((name != "tls" && name != "e2e") || !rest.empty()) {
      throw std::runtime_error("this is no request line: " + line.substr(0, 60));
    }
    Key& key = name == "tls" ? keys.tls : keys.e2e;
    if (key) throw std::runtime_error("there are two requests '" + name + "'; which one is the device's?");
    key = key_of_request(name, hex);
  }
  if (!keys.tls || !keys.e2e) throw std::runtime_error("requests for both keys are needed, tls and e2e");
  if (EVP_PKEY_eq(keys.tls.get(), keys.e2e.get()) == 1)
    throw std::runtime_error("both requests are for one key");
  return keys;
}

std::string object_lines(OemPki& pki, const DeviceKeys& keys, const std::string& vehicle_id) {
  const OemPki::Issued tls = pki.issue_tls_client(vehicle_id, keys.tls.get(), kVehicleDays);
  const OemPki::Issued e2e = pki.issue_role(Role::kVehicle, vehicle_id, keys.e2e.get(), kVehicleDays);
  return line_of("data-root", pki.certificate("data-root").get()) +
         line_of("gateway-ca", pki.certificate("gateway-ca").get()) +
         line_of("tls-intermediate", tls.intermediate.get()) + line_of("tls", tls.leaf.get()) +
         line_of("e2e-intermediate", e2e.intermediate.get()) + line_of("e2e", e2e.leaf.get());
}

}  // namespace wayseal::oem
