// SPDX-License-Identifier: Apache-2.0
#include "provision/identity_life.hpp"

#include <openssl/hmac.h>

#include <cstdlib>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "provision/enrolment.hpp"
#include "provision/idp.hpp"
#include "provision/rotation.hpp"

namespace wayseal::oem {
namespace {

constexpr int64_t kDaySeconds = 86400;

OemPki open_pki(const Path& fleet) { return OemPki(fleet / "ca"); }

std::string iso_day(int64_t seconds) {
  if (seconds == 0) return "-";
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text + "  ";
}

std::string table_of(const std::vector<Identity>& all) {
  std::string text = padded("VEHICLE", 18) + padded("LABEL", 9) + padded("STATE", 10) + padded("SERIAL", 32) +
                     padded("AUTHORITY", 12) + padded("NOT AFTER", 20) + padded("SEEN", 20) + "REQUESTED BY\n";
  for (const Identity& one : all) {
    text += padded(one.vehicle, 18) + padded(one.label, 9) + padded(name_of(one.state), 10) +
            padded(one.serial, 32) + padded(one.authority, 12) + padded(iso_day(one.not_after_s), 20) +
            padded(iso_day(one.seen_s), 20) + one.requested_by + "\n";
  }
  return text;
}

std::string json_of(const std::vector<Identity>& all, Register& known) {
  auto list = nlohmann::ordered_json::array();
  for (const Identity& one : all) {
    const VehicleStanding standing = known.standing(one.vehicle);
    list.push_back({{"vehicle", one.vehicle},
                    {"label", one.label},
                    {"state", name_of(one.state)},
                    {"serial", one.serial},
                    {"authority", one.authority},
                    {"key_sha256", one.key},
                    {"certificate_sha256", one.digest},
                    {"not_before", iso_day(one.not_before_s)},
                    {"not_after", iso_day(one.not_after_s)},
                    {"issued", iso_day(one.issued_s)},
                    {"seen", iso_day(one.seen_s)},
                    {"used", iso_day(one.used_s)},
                    {"requested_by", one.requested_by},
                    {"decommissioned", standing.decommissioned},
                    {"ownership", standing.ownership}});
  }
  return list.dump(1) + "\n";
}

std::string hmac(const std::string& key, const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest, &size) == nullptr) {
    throw std::runtime_error("OpenSSL: HMAC failed");
  }
  return {reinterpret_cast<const char*>(digest), size};
}

/// The key of names in logs, which the gateway has as well.
std::string log_key() {
  constexpr size_t kText = 44;  // base64 of 32 bytes
  const char* const set = std::getenv("WAYSEAL_LOG_KEY");
  const std::string text(set == nullptr ? "" : set);
  unsigned char key[kText] = {};
  if (text.size() != kText || EVP_DecodeBlock(key, reinterpret_cast<const unsigned char*>(text.data()),
                                              static_cast<int>(kText)) != 33) {
    throw std::runtime_error("WAYSEAL_LOG_KEY in the environment has to be the gateway's: base64 of 32 bytes");
  }
  return {reinterpret_cast<const char*>(key), 32};
}

/// PROTOCOL.md, "Security events": 12 digits under the key of that day (UTC).
std::string name_in_log(const std::string& key, int64_t day, const std::string& identifier) {
  const std::time_t time = day * kDaySeconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[16];
  std::strftime(text, sizeof text, "%Y%m%d", &utc);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  for (const char c : hmac(hmac(key, text), identifier).substr(0, 6)) {
    name += kDigits[static_cast<unsigned char>(c) >> 4];
    name += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return name;
}

std::string revocation_hint(const Path& fleet) {
  return "bring the lists to the gateways: examples/cloud/gateway/revoke " + (fleet / "gateway").string() +
         " FILE --who enrolment --admin SOCKET --reload PID; the backend reads its list by itself within a "
         "minute";
}

void must_be_known(Register& known, const std::string& vehicle) {
  if (known.list(vehicle).empty()) throw std::runtime_error("no certificate was issued for that vehicle");
}

}  // namespace

std::string list_identities(const Path& fleet, const std::string& vehicle, ListFormat format) {
  Register known = open_pki(fleet).open_register();
  const std::vector<Identity> all = known.list(vehicle);
  return format == ListFormat::kJson ? json_of(all, known) : table_of(all);
}

std::string note_use(const Path& fleet, std::istream& log) {
  const std::string key = log_key();
  Register known = open_pki(fleet).open_register();
  const std::vector<Identity> all = known.list("");
  std::map<int64_t, std::map<std::string, std::string>> digests;  // of each day, by the name in the log
  std::set<std::string> used;
  for (std::string line; std::getline(log, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object() || entry.value("status", 0) != 200 || !entry.contains("time_ms")) continue;
    const int64_t day = entry["time_ms"].get<int64_t>() / 1000 / kDaySeconds;
    auto& names = digests[day];
    if (names.empty()) {
      for (const Identity& one : all) names[name_in_log(key, day, one.certificate)] = one.digest;
    }
    const auto found = names.find(entry.value("certificate", ""));
    if (found != names.end()) used.insert(found->second);
  }
  int64_t noted = 0;
  known.atomically([&] {
    for (const std::string& digest : used) noted += known.see(digest, std::time(nullptr));
  });
  return std::to_string(noted) + " certificates were used\n";
}

std::string supersede_identities(const Path& fleet, const std::string& label, const std::string& vehicle,
                                 int grace_days) {
  if (label != kTlsLabel && label != kE2eLabel) throw std::runtime_error("the label is tls or e2e");
  OemPki pki = open_pki(fleet);
  Register known = pki.open_register();
  std::vector<Identity> ended;
  known.atomically(
      [&] { ended = known.supersede(label, vehicle, std::time(nullptr) - grace_days * kDaySeconds); });
  publish_crls(fleet, pki, kCrlDays);
  std::string text;
  for (const Identity& one : ended) text += one.vehicle + " " + one.label + " " + one.serial + "\n";
  text += std::to_string(ended.size()) + " certificates are superseded.";
  return ended.empty() ? text + "\n" : text + " What is left:\n  1. " + revocation_hint(fleet) + "\n";
}

std::string decommission_vehicle(const Path& fleet, const std::string& vehicle) {
  OemPki pki = open_pki(fleet);
  Register known = pki.open_register();
  must_be_known(known, vehicle);
  // First what stops it from getting more, then what it has.
  known.decommission(vehicle);
  remove_idp_client(fleet, vehicle);
  pki.revoke(vehicle);
  publish_crls(fleet, pki, kCrlDays);
  return "The vehicle is out of service: it may not enrol, gets no tokens, and its certificates are revoked. "
         "What is left:\n"
         "  1. " +
         revocation_hint(fleet) + "\n  2. decide about its stored data (examples/cloud/est/README.md)\n";
}

std::string change_owner(const Path& fleet, const std::string& vehicle) {
  Register known = open_pki(fleet).open_register();
  must_be_known(known, vehicle);
  if (known.standing(vehicle).decommissioned) throw std::runtime_error("the vehicle is out of service");
  const int64_t ownership = known.change_owner(vehicle, std::time(nullptr));
  return "Ownership " + std::to_string(ownership) + " of the vehicle begins now.\n";
}

}  // namespace wayseal::oem
