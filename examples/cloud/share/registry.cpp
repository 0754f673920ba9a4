// SPDX-License-Identifier: Apache-2.0
#include "registry.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "jwe.hpp"

namespace share {
namespace {

using nlohmann::json;

constexpr int64_t kMicroseconds = 1000000;
constexpr int64_t kSecondsMax = 253402300800;  // the year 10000
constexpr size_t kTextMax = 256;

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

/// Throws unless `object` has exactly these members.
void must_have(const json& object, std::initializer_list<const char*> names, const char* what) {
  must(object.is_object() && object.size() == names.size(), what);
  for (const char* const name : names) must(object.contains(name), what);
}

int64_t time_of(const json& value) {
  must(value.is_number_integer(), "a time is no integer");
  const auto seconds = value.get<int64_t>();
  must(seconds >= 0 && seconds < kSecondsMax, "a time is out of range");
  return seconds * kMicroseconds;
}

std::string text_of(const json& value) {
  must(value.is_string(), "a text is expected");
  auto text = value.get<std::string>();
  must(!text.empty() && text.size() <= kTextMax, "a text is empty or too long");
  return text;
}

Grant grant_of(const json& value) {
  must_have(value, {"id", "vehicles", "signals", "purpose", "not_before", "expires"}, "a grant is malformed");
  Grant grant;
  grant.id = text_of(value["id"]);
  must(is_id(grant.id), "a grant has an unusable id");
  must(value["vehicles"].is_object() && value["signals"].is_array(), "a grant is malformed");
  for (const auto& [vehicle, epoch] : value["vehicles"].items()) {
    must(is_id(vehicle) && epoch.is_number_unsigned(), "a grant names an unusable vehicle");
    grant.vehicles[vehicle] = epoch.get<uint64_t>();
  }
  for (const json& signal : value["signals"]) grant.signals.insert(text_of(signal));
  grant.purpose = text_of(value["purpose"]);
  grant.not_before_us = time_of(value["not_before"]);
  grant.expires_us = time_of(value["expires"]);
  return grant;
}

Partner partner_of(const json& value) {
  must_have(value, {"key", "grants"}, "a partner is malformed");
  Partner partner;
  if (!value["key"].is_null()) {
    partner.key = value["key"].dump();
    partner.kid = kid_of_public_key(partner.key);
    must(!partner.kid.empty(), "a partner's key is no public key on P-256 with a kid");
  }
  must(value["grants"].is_array(), "a partner is malformed");
  for (const json& grant : value["grants"]) partner.grants.push_back(grant_of(grant));
  return partner;
}

std::string stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "absent";
  return std::to_string(info.st_ino) + ' ' + std::to_string(info.st_size) + ' ' +
         std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec);
}

}  // namespace

bool is_id(const std::string& text) {
  constexpr size_t kIdMax = 32;
  return !text.empty() && text.size() <= kIdMax &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string::npos &&
         text.find_first_not_of('.') != std::string::npos;
}

bool Permit::covers(const std::string& signal, int64_t time_us) const {
  return std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
    return time_us >= part.since_us && time_us < part.until_us && part.grant->signals.count(signal) != 0;
  });
}

std::set<std::string> Permit::signals() const {
  std::set<std::string> all;
  for (const Part& part : parts) all.insert(part.grant->signals.begin(), part.grant->signals.end());
  return all;
}

Ownership Registry::owner_of(const std::string& vehicle) const {
  const auto owner = owners.find(vehicle);
  return owner == owners.end() ? Ownership{} : owner->second;
}

Permit Registry::permit(const Partner& partner, const std::string& vehicle, int64_t now_us) const {
  Permit permit;
  permit.why = "no_grant";
  const Ownership owner = owner_of(vehicle);
  for (const Grant& grant : partner.grants) {
    const auto named = grant.vehicles.find(vehicle);
    if (named == grant.vehicles.end()) continue;
    if (named->second != owner.epoch) {
      permit.why = "owner";
    } else if (now_us >= grant.expires_us) {
      permit.why = "expired";
    } else if (now_us < grant.not_before_us) {
      permit.why = "not_yet";
    } else {
      permit.parts.push_back({&grant, std::max(grant.not_before_us, owner.since_us), grant.expires_us});
    }
  }
  return permit;
}

Registry parse_registry(const std::string& text) {
  const json root = json::parse(text, nullptr, false);
  must_have(root, {"partners", "owners"}, "it is not JSON, or has not exactly partners and owners");
  must(root["partners"].is_object() && root["owners"].is_object(), "partners and owners have to be objects");
  Registry registry;
  for (const auto& [name, value] : root["partners"].items()) {
    must(is_id(name), "a partner has an unusable name");
    registry.partners[name] = partner_of(value);
  }
  for (const auto& [vehicle, value] : root["owners"].items()) {
    must_have(value, {"epoch", "since"}, "an owner is malformed");
    must(is_id(vehicle) && value["epoch"].is_number_unsigned(), "an owner is malformed");
    registry.owners[vehicle] = {value["epoch"].get<uint64_t>(), time_of(value["since"])};
  }
  return registry;
}

const Registry& RegistryFile::now() {
  const std::string stamp = stamp_of(path_);
  if (stamp != stamp_) {
    stamp_ = stamp;
    std::ifstream in(path_, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    try {
      if (!in) throw std::runtime_error("it cannot be read");
      registry_ = parse_registry(text);
      fault_.clear();
    } catch (const std::exception& error) {
      fault_ = error.what();
    }
  }
  if (!fault_.empty()) throw std::runtime_error("the partners' file: " + fault_);
  return registry_;
}

}  // namespace share
