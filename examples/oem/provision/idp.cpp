// SPDX-License-Identifier: Apache-2.0
#include "provision/idp.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace wayseal::oem {
namespace {

using Json = nlohmann::ordered_json;
using Number = std::unique_ptr<BIGNUM, Freer<BN_clear_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;

constexpr int kTokenSeconds = 300;
// Clocks of provider and gateway may differ by as much.
constexpr int64_t kClockSlackSeconds = 60;
constexpr size_t kCoordinateSize = 32;

Path config_of(const Path& fleet) { return fleet / "idp" / "idp.json"; }
Path private_key_of(const Path& fleet, const std::string& slot) {
  return fleet / "idp" / "keys" / (slot + ".jwk");
}
Path public_key_of(const Path& fleet, const std::string& slot) {
  return fleet / "gateway" / ("jwt-" + slot + ".pem");
}
Path client_of(const Path& fleet, const std::string& vehicle_id) {
  return fleet / "idp" / "clients" / (vehicle_id + ".json");
}

Path partner_of(const Path& fleet, const std::string& name) {
  return fleet / "idp" / "partners" / (name + ".json");
}

void make_private_folder(const Path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms{0700});
}

/// RFC 7515, section 2.
std::string base64url(const std::array<unsigned char, kCoordinateSize>& bytes) {
  std::array<unsigned char, 4 * ((kCoordinateSize + 2) / 3) + 1> text{};
  EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  std::string result(reinterpret_cast<const char*>(text.data()));
  OPENSSL_cleanse(text.data(), text.size());
  for (char& c : result) c = c == '+' ? '-' : c == '/' ? '_' : c;
  result.erase(result.find('='));
  return result;
}

std::string parameter(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) throw std::runtime_error("OpenSSL: reading a key failed");
  const Number number(raw);
  std::array<unsigned char, kCoordinateSize> bytes{};
  if (BN_bn2binpad(number.get(), bytes.data(), static_cast<int>(bytes.size())) < 0) {
    throw std::runtime_error("OpenSSL: reading a key failed");
  }
  std::string text = base64url(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return text;
}

std::string public_pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  char* start = nullptr;
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), key) != 1) {
    throw std::runtime_error("OpenSSL: writing a key failed");
  }
  const long size = BIO_get_mem_data(bio.get(), &start);
  return {start, static_cast<size_t>(size)};
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d", &utc);
  return text.data();
}

/// SLOT-YYYYMMDD-N, another than that of the key that is there.
std::string next_key_id(const Path& fleet, const std::string& slot) {
  const std::string start = slot + "-" + today() + "-";
  if (!std::filesystem::exists(private_key_of(fleet, slot))) return start + "1";
  const std::string before = Json::parse(read_file(private_key_of(fleet, slot))).at("kid");
  if (before.rfind(start, 0) != 0) return start + "1";
  return start + std::to_string(std::stoul(before.substr(start.size())) + 1);
}

/// The private key first: a public key at the gateway without it does no harm, the other way round nobody could verify.
void make_key(const Path& fleet, const std::string& slot) {
  const Key key = generate_key();
  const Json jwk{{"kty", "EC"},
                 {"crv", "P-256"},
                 {"x", parameter(key.get(), OSSL_PKEY_PARAM_EC_PUB_X)},
                 {"y", parameter(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y)},
                 {"d", parameter(key.get(), OSSL_PKEY_PARAM_PRIV_KEY)},
                 {"kid", next_key_id(fleet, slot)},
                 {"alg", "ES256"},
                 {"use", "sig"}};
  write_file(private_key_of(fleet, slot), jwk.dump() + "\n", kSecret);
  write_file(public_key_of(fleet, slot), public_pem_of(key.get()), kPublic);
}

Json read_config(const Path& fleet) {
  if (!std::filesystem::exists(config_of(fleet))) {
    throw std::runtime_error(fleet.string() +
                             " has no identity provider: it was provisioned before there was one");
  }
  return Json::parse(read_file(config_of(fleet)));
}

void write_config(const Path& fleet, const Json& config) {
  write_file(config_of(fleet), config.dump(2) + "\n", kPublic);
}

std::string spare_of(const Json& config) { return config.at("current") == "a" ? "b" : "a"; }

std::string after_preparing(const Path& fleet, const std::string& slot) {
  return "A new key is in slot " + slot +
         ". What is left, in this order:\n  1. reload the gateways, which read " +
         public_key_of(fleet, slot).string() + "\n  2. wayseal-oem idp rotate --switch --out " +
         fleet.string() + "\n";
}

}  // namespace

void make_idp(const Path& fleet) {
  make_private_folder(fleet / "idp");
  make_private_folder(fleet / "idp" / "keys");
  make_private_folder(fleet / "idp" / "clients");
  make_key(fleet, "a");
  write_file(public_key_of(fleet, "b"), public_pem_of(generate_key().get()), kPublic);
  write_config(fleet, {{"issuer", "https://idp.wayseal.example"},
                       {"audience", "urn:wayseal:vehicle-api"},
                       {"ttl_seconds", kTokenSeconds},
                       {"socket", "idp.sock"},
                       {"keys", "keys"},
                       {"current", "a"},
                       {"clients", "clients"},
                       {"log", "-"}});
}

void add_idp_client(const Path& fleet, const std::string& vehicle_id) {
  if (!std::filesystem::exists(config_of(fleet))) return;
  const Json client{{"client_id", vehicle_id}, {"scopes", {"prekeys", "records"}}};
  write_file(client_of(fleet, vehicle_id), client.dump() + "\n", kPublic);
}

bool remove_idp_client(const Path& fleet, const std::string& vehicle_id) {
  return std::filesystem::remove(client_of(fleet, vehicle_id));
}

bool add_idp_partners(const Path& fleet) {
  Json config = read_config(fleet);
  make_private_folder(fleet / "idp" / "partners");
  if (config.contains("partner_clients")) return false;
  config["partner_audience"] = "urn:wayseal:partner-api";
  config["partner_clients"] = "partners";
  write_config(fleet, config);
  return true;
}

void add_idp_partner(const Path& fleet, const std::string& name) {
  const Json client{{"client_id", name}, {"scopes", Json::array({"share"})}};
  write_file(partner_of(fleet, name), client.dump() + "\n", kPublic);
}

bool remove_idp_partner(const Path& fleet, const std::string& name) {
  return std::filesystem::remove(partner_of(fleet, name));
}

std::string prepare_idp_key(const Path& fleet) {
  Json config = read_config(fleet);
  const std::string slot = spare_of(config);
  if (config.value("prepared", "") == slot) return after_preparing(fleet, slot);
  const int64_t left = config.value("spare_from", int64_t{0}) - std::time(nullptr);
  if (left > 0) {
    throw std::runtime_error("tokens signed by the key in slot " + slot +
                             " may still be in use; try again in " + std::to_string(left) + " s");
  }
  make_key(fleet, slot);
  config["prepared"] = slot;
  write_config(fleet, config);
  return after_preparing(fleet, slot);
}

std::string switch_idp_key(const Path& fleet) {
  Json config = read_config(fleet);
  const std::string slot = spare_of(config);
  if (config.value("prepared", "") != slot) {
    throw std::runtime_error(
        "no key was prepared: run `wayseal-oem idp rotate` first, then reload the gateways");
  }
  const int64_t longest = config.at("ttl_seconds").get<int64_t>() + kClockSlackSeconds;
  config["current"] = slot;
  config["spare_from"] = static_cast<int64_t>(std::time(nullptr)) + longest;
  config.erase("prepared");
  write_config(fleet, config);
  return "Tokens are signed by the key in slot " + slot +
         " from the provider's next request on. The key in slot " + spare_of(config) +
         " has to stay at the gateways for " + std::to_string(longest) + " s; the next rotation replaces it.\n";
}

}  // namespace wayseal::oem
