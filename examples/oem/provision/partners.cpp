// SPDX-License-Identifier: Apache-2.0
#include "provision/partners.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "provision/idp.hpp"

namespace wayseal::oem {
namespace {

using Json = nlohmann::ordered_json;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Request = std::unique_ptr<X509_REQ, Freer<X509_REQ_free>>;

constexpr int kAuthorityDays = 7300;
constexpr int kListDays = 90;
constexpr size_t kNameMax = 32;
constexpr size_t kKidMax = 64;
constexpr size_t kPurposeMax = 256;
constexpr size_t kSignalMax = 128;
constexpr size_t kGrantVehiclesMax = 10000;
constexpr size_t kCoordinateSize = 32;
constexpr char kIdCharacters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

Path authority_key(const Path& fleet) { return fleet / "ca" / "partner.key"; }
Path authority_certificate(const Path& fleet) { return fleet / "ca" / "partner.pem"; }
Path issued_file(const Path& fleet) { return fleet / "ca" / "partners.json"; }
Path registry_file(const Path& fleet) { return fleet / "share" / "partners.json"; }
Path config_file(const Path& fleet) { return fleet / "share" / "share.json"; }

bool is_id(const std::string& text) {
  return !text.empty() && text.size() <= kNameMax &&
         text.find_first_not_of(kIdCharacters) == std::string::npos &&
         text.find_first_not_of('.') != std::string::npos;
}

std::string wrote(const Path& path) { return "wrote " + path.string() + "\n"; }

Json read_registry(const Path& fleet) {
  if (!std::filesystem::exists(registry_file(fleet)))
    throw std::runtime_error("there are no partners yet: `wayseal-oem partner add` makes the first one");
  return Json::parse(read_file(registry_file(fleet)));
}

std::string write_registry(const Path& fleet, const Json& registry) {
  write_file(registry_file(fleet), registry.dump(1) + "\n", kSecret);
  return wrote(registry_file(fleet));
}

Json& partner_in(Json& registry, const std::string& name) {
  Json& partners = registry.at("partners");
  if (!partners.contains(name)) throw std::runtime_error("there is no partner '" + name + "'");
  return partners[name];
}

std::string write_revocations(const Path& fleet) {
  const Json issued = Json::parse(read_file(issued_file(fleet)));
  std::vector<std::string> revoked;
  for (const Json& entry : issued) {
    if (entry.at("revoked") == true) revoked.push_back(entry.at("serial"));
  }
  const Path path = fleet / "gateway" / "partner-crl.pem";
  write_file(path,
             make_crl(read_certificate(authority_certificate(fleet)).get(),
                      read_key(authority_key(fleet)).get(), revoked, kListDays),
             kPublic);
  return wrote(path);
}

void make_authority(const Path& fleet) {
  const Key key = generate_key();
  const Certificate root = issue(
      {"OEM partners", kAuthorityDays, "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", "", ""},
      key.get(), nullptr, key.get());
  write_file(authority_key(fleet), pem_of(key.get()), kSecret);
  write_file(authority_certificate(fleet), pem_of(root.get()), kPublic);
  write_file(fleet / "gateway" / "partner-ca.pem", pem_of(root.get()), kPublic);
  write_file(issued_file(fleet), "[]\n", kSecret);
}

/// Everything that all partners have in common; what is there stays.
std::string make_common(const Path& fleet) {
  if (!std::filesystem::exists(fleet / "ca" / "issued.json"))
    throw std::runtime_error(fleet.string() + " was not made by `wayseal-oem provision`");
  std::string done;
  if (!std::filesystem::exists(issued_file(fleet))) {
    make_authority(fleet);
    done += wrote(authority_certificate(fleet)) + wrote(fleet / "gateway" / "partner-ca.pem") +
            write_revocations(fleet);
  }
  if (add_idp_partners(fleet)) done += wrote(fleet / "idp" / "idp.json");
  std::filesystem::create_directories(fleet / "share");
  std::filesystem::permissions(fleet / "share", std::filesystem::perms{0700});
  if (!std::filesystem::exists(config_file(fleet))) {
    const Json config{{"listen", "share.sock"},
                      {"telemetry", "../backend/backend.db"},
                      {"partners", "partners.json"},
                      {"accesses", "accesses.db"}};
    write_file(config_file(fleet), config.dump(2) + "\n", kPublic);
    done += wrote(config_file(fleet));
  }
  if (!std::filesystem::exists(registry_file(fleet)))
    done += write_registry(fleet, {{"partners", Json::object()}, {"owners", Json::object()}});
  return done;
}

std::string base64url(const unsigned char* bytes, size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<size_t>(length));
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return text;
}

/// A coordinate of RFC 7518, 6.2.1.2: exactly 32 bytes.
std::array<unsigned char, kCoordinateSize> coordinate(const Json& jwk, const char* name) {
  std::string text = jwk.contains(name) && jwk[name].is_string() ? jwk[name].get<std::string>() : "";
  std::array<unsigned char, kCoordinateSize + 1> bytes{};  // OpenSSL writes whole groups of three
  constexpr size_t kTextSize = 43;
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const bool whole = text.size() == kTextSize &&
                     EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>((text + "=").data()),
                                     kTextSize + 1) == static_cast<int>(bytes.size());
  if (!whole) throw std::runtime_error(std::string("the key's ") + name + " is not 32 bytes in base64url");
  std::array<unsigned char, kCoordinateSize> result{};
  std::copy_n(bytes.begin(), kCoordinateSize, result.begin());
  return result;
}

bool is_public_key(const std::array<unsigned char, kCoordinateSize>& x,
                   const std::array<unsigned char, kCoordinateSize>& y) {
  std::array<uint8_t, 2 * kCoordinateSize + 1> point{4};
  std::copy(x.begin(), x.end(), point.begin() + 1);
  std::copy(y.begin(), y.end(), point.begin() + 1 + kCoordinateSize);
  try {
    const Key key = key_of_point(point.data());
    const std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>> context(EVP_PKEY_CTX_new(key.get(), nullptr));
    return EVP_PKEY_public_check(context.get()) == 1;
  } catch (const std::exception&) {
    return false;
  }
}

/// Only what the share process needs, in its one form.
Json public_jwk(const Path& file) {
  const Json given = Json::parse(read_file(file), nullptr, false);
  if (!given.is_object()) throw std::runtime_error(file.string() + " is not a JWK: not one JSON object");
  if (given.contains("d")) {
    throw std::runtime_error(
        file.string() +
        " has the private half in it, which must never leave the partner. Delete it here; the partner "
        "should make a new key and send `jose jwk pub` of it");
  }
  if (given.value("kty", "") != "EC" || given.value("crv", "") != "P-256")
    throw std::runtime_error(file.string() + " is not a key on P-256 (kty EC, crv P-256)");
  const auto x = coordinate(given, "x");
  const auto y = coordinate(given, "y");
  if (!is_public_key(x, y)) throw std::runtime_error(file.string() + " is no point of P-256");
  Json jwk{{"kty", "EC"},
           {"crv", "P-256"},
           {"x", base64url(x.data(), x.size())},
           {"y", base64url(y.data(), y.size())}};
  const nlohmann::json sorted{{"crv", "P-256"}, {"kty", "EC"}, {"x", jwk["x"]}, {"y", jwk["y"]}};
  const std::string text = sorted.dump();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  const std::string kid = given.value("kid", base64url(digest.data(), digest.size()));
  if (kid.empty() || kid.size() > kKidMax || kid.find_first_not_of(kIdCharacters) != std::string::npos)
    throw std::runtime_error("the key's kid has to be 1 to 64 characters out of A-Z a-z 0-9 . _ -");
  jwk["kid"] = kid;
  return jwk;
}

/// The public key of a request that its own key has signed.
Key key_of_request(const Path& file, const std::string& name) {
  const Bio bio(BIO_new_file(file.c_str(), "r"));
  const Request request(bio ? PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!request) throw std::runtime_error(file.string() + " is no PKCS#10 request in PEM");
  Key key(X509_REQ_get_pubkey(request.get()));
  std::array<char, 32> group{};
  if (!key || EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1 ||
      std::string(group.data()) != SN_X9_62_prime256v1)
    throw std::runtime_error(file.string() + " is not for a P-256 key");
  if (X509_REQ_verify(request.get(), key.get()) != 1)
    throw std::runtime_error(file.string() + " is not signed by its key");
  const X509_NAME* const subject = X509_REQ_get_subject_name(request.get());
  std::array<char, 2 * kNameMax> common_name{};
  X509_NAME_get_text_by_NID(subject, NID_commonName, common_name.data(), static_cast<int>(common_name.size()));
  if (X509_NAME_entry_count(subject) != 1 || name != common_name.data())
    throw std::runtime_error(file.string() + " has to have the subject CN=" + name + " and nothing else");
  return key;
}

std::string text_of_time(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 24> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

uint64_t epoch_of(const Json& registry, const std::string& vehicle) {
  const Json& owners = registry.at("owners");
  return owners.contains(vehicle) ? owners[vehicle].at("epoch").get<uint64_t>() : 0;
}

void check(const PartnerGrant& grant) {
  if (grant.vehicles.empty() || grant.vehicles.size() > kGrantVehiclesMax)
    throw std::runtime_error("a grant is for 1 to 10000 vehicles");
  for (const std::string& vehicle : grant.vehicles) {
    if (!is_id(vehicle)) throw std::runtime_error("'" + vehicle + "' is no vehicle id");
  }
  for (const std::string& signal : grant.signals) {
    const bool usable = signal.size() <= kSignalMax && signal.find('.') != std::string::npos &&
                        signal.find_first_not_of(kIdCharacters) == std::string::npos;
    if (!usable)
      throw std::runtime_error("'" + signal + "' is no signal: write Message.Signal, each signal by its name");
  }
  if (grant.signals.empty()) throw std::runtime_error("a grant is for one signal at least");
  if (grant.purpose.empty() || grant.purpose.size() > kPurposeMax)
    throw std::runtime_error("a grant has a purpose, of at most 256 bytes");
  if (grant.not_before >= grant.expires) throw std::runtime_error("the grant would end before it begins");
}

/// Never given twice, so that the list of accesses stays clear after a grant is gone.
std::string fresh_grant_id() {
  std::array<unsigned char, 6> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no randomness");
  std::string id = "g-";
  for (const unsigned char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

std::string reload_hint(const Path& fleet) {
  return "What is left: examples/cloud/gateway/revoke " + (fleet / "gateway").string() +
         " FILE --who partner --admin SOCKET --reload PID\n";
}

}  // namespace

std::string add_partner(const Path& fleet, const std::string& name) {
  if (!is_id(name))
    throw std::runtime_error("a partner's name has 1 to 32 characters out of A-Z a-z 0-9 . _ -");
  std::string done = make_common(fleet);
  Json registry = read_registry(fleet);
  if (registry["partners"].contains(name))
    throw std::runtime_error("there is a partner '" + name + "' already");
  registry["partners"][name] = {{"key", nullptr}, {"grants", Json::array()}};
  done += write_registry(fleet, registry);
  add_idp_partner(fleet, name);
  return done + wrote(fleet / "idp" / "partners" / (name + ".json")) +
         "What is left: its public key (partner key), its certificate (partner certificate), grants (partner "
         "grant)\n";
}

std::string set_partner_key(const Path& fleet, const std::string& name, const Path& jwk_file) {
  Json registry = read_registry(fleet);
  Json& partner = partner_in(registry, name);
  partner["key"] = public_jwk(jwk_file);
  const std::string kid = partner["key"]["kid"];
  return write_registry(fleet, registry) + "answers to " + name + " are sealed for the key " + kid +
         " from the next request on; the partner keeps the key before until it sees the new kid\n";
}

std::string issue_partner_certificate(const Path& fleet, const std::string& name, const Path& request_file,
                                      const Path& to, int days) {
  Json registry = read_registry(fleet);
  partner_in(registry, name);
  const Key key = key_of_request(request_file, name);
  const Certificate authority = read_certificate(authority_certificate(fleet));
  const Certificate leaf =
      issue({name, days, "critical,CA:FALSE", "critical,digitalSignature", "clientAuth", ""}, key.get(),
            authority.get(), read_key(authority_key(fleet)).get());
  const int64_t until = std::time(nullptr) + int64_t{days} * 86400;
  // Noted before it is given away: what is not noted could not be revoked.
  Json issued = Json::parse(read_file(issued_file(fleet)));
  issued.push_back({{"name", name}, {"serial", serial_of(leaf.get())}, {"until", until}, {"revoked", false}});
  write_file(issued_file(fleet), issued.dump(1) + "\n", kSecret);
  write_file(to, pem_of(leaf.get()), kPublic);
  return wrote(to) + "serial number " + serial_of(leaf.get()) + ", good until " + text_of_time(until) +
         "; certificates given before stay good\n";
}

std::string grant_to_partner(const Path& fleet, const PartnerGrant& grant) {
  check(grant);
  Json registry = read_registry(fleet);
  Json& partner = partner_in(registry, grant.partner);
  Json vehicles = Json::object();
  for (const std::string& vehicle : grant.vehicles) vehicles[vehicle] = epoch_of(registry, vehicle);
  const std::string id = fresh_grant_id();
  partner["grants"].push_back({{"id", id},
                               {"vehicles", vehicles},
                               {"signals", grant.signals},
                               {"purpose", grant.purpose},
                               {"not_before", grant.not_before},
                               {"expires", grant.expires}});
  return write_registry(fleet, registry) + "grant " + id + " of " + grant.partner + ": " +
         std::to_string(grant.vehicles.size()) + " vehicles, " + std::to_string(grant.signals.size()) +
         " signals, data from " + text_of_time(grant.not_before) + " to " + text_of_time(grant.expires) +
         ", readable in the same time\n";
}

std::string withdraw_grant(const Path& fleet, const std::string& name, const std::string& grant_id) {
  Json registry = read_registry(fleet);
  Json& grants = partner_in(registry, name)["grants"];
  const auto found =
      std::find_if(grants.begin(), grants.end(), [&](const Json& grant) { return grant.at("id") == grant_id; });
  if (found == grants.end()) throw std::runtime_error(name + " has no grant '" + grant_id + "'");
  grants.erase(found);
  return write_registry(fleet, registry) + "grant " + grant_id + " of " + name +
         " gives nothing from the next request on\n";
}

std::string revoke_partner_certificate(const Path& fleet, const std::string& name, const std::string& serial) {
  Json registry = read_registry(fleet);
  partner_in(registry, name);
  Json issued = Json::parse(read_file(issued_file(fleet)));
  const auto found = std::find_if(issued.begin(), issued.end(), [&](const Json& entry) {
    return entry.at("name") == name && entry.at("serial") == serial;
  });
  if (found == issued.end()) throw std::runtime_error(name + " has no certificate with that serial number");
  (*found)["revoked"] = true;
  write_file(issued_file(fleet), issued.dump(1) + "\n", kSecret);
  return write_revocations(fleet) + reload_hint(fleet);
}

std::string withdraw_partner(const Path& fleet, const std::string& name) {
  Json registry = read_registry(fleet);
  partner_in(registry, name);
  // What opens data first; what lets it in last.
  registry["partners"].erase(name);
  std::string done = write_registry(fleet, registry);
  remove_idp_partner(fleet, name);
  Json issued = Json::parse(read_file(issued_file(fleet)));
  for (Json& entry : issued) {
    if (entry.at("name") == name) entry["revoked"] = true;
  }
  write_file(issued_file(fleet), issued.dump(1) + "\n", kSecret);
  done += write_revocations(fleet);
  return done + name + " has no grants, no key, no client and no good certificate any more\n" +
         reload_hint(fleet);
}

std::string renew_partner_list(const Path& fleet) {
  read_registry(fleet);
  return write_revocations(fleet);
}

std::string end_sharing(const Path& fleet, const std::string& vehicle_id) {
  if (!std::filesystem::exists(registry_file(fleet))) return {};
  if (!is_id(vehicle_id)) throw std::runtime_error("'" + vehicle_id + "' is no vehicle id");
  Json registry = read_registry(fleet);
  registry["owners"][vehicle_id] = {{"epoch", epoch_of(registry, vehicle_id) + 1},
                                    {"since", static_cast<int64_t>(std::time(nullptr))}};
  return write_registry(fleet, registry) + "grants given so far give nothing of " + vehicle_id +
         " any more, and later ones nothing from before now\n";
}

std::string list_partners(const Path& fleet, ListForm form) {
  const Json registry = read_registry(fleet);
  const Json issued = Json::parse(read_file(issued_file(fleet)));
  Json all = Json::array();
  std::string text;
  for (const auto& [name, partner] : registry.at("partners").items()) {
    Json certificates = Json::array();
    text +=
        name + "  key " + (partner["key"].is_null() ? "none" : partner["key"]["kid"].get<std::string>()) + "\n";
    for (const Json& entry : issued) {
      if (entry.at("name") != name) continue;
      const std::string until = text_of_time(entry["until"].get<int64_t>());
      certificates.push_back({{"serial", entry["serial"]}, {"until", until}, {"revoked", entry["revoked"]}});
      text += "  certificate " + entry["serial"].get<std::string>() + " until " + until +
              (entry["revoked"] == true ? ", revoked" : "") + "\n";
    }
    for (const Json& grant : partner["grants"]) {
      text += "  grant " + grant["id"].get<std::string>() + " from " +
              text_of_time(grant["not_before"].get<int64_t>()) + " to " +
              text_of_time(grant["expires"].get<int64_t>()) + ": " + std::to_string(grant["vehicles"].size()) +
              " vehicles, " + grant["signals"].dump() + ", " + grant["purpose"].get<std::string>() + "\n";
    }
    all.push_back({{"name", name},
                   {"key", partner["key"]},
                   {"certificates", certificates},
                   {"grants", partner["grants"]}});
  }
  return form == ListForm::kJson ? all.dump() + "\n" : text;
}

int64_t partner_time(const std::string& text) {
  for (const char* const format : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* const stop = ::strptime(text.c_str(), format, &parts);
    if (stop == nullptr || *stop != '\0') continue;
    const int64_t seconds = ::timegm(&parts);
    if (seconds >= 0 && text_of_time(seconds).compare(0, text.size(), text) == 0) return seconds;
  }
  throw std::runtime_error("'" + text + "' is no time: write 2026-11-22T16:00:00Z or 2026-11-22");
}

}  // namespace wayseal::oem
