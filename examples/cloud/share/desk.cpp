// SPDX-License-Identifier: Apache-2.0
#include "desk.hpp"

#include <algorithm>

#include "jwe.hpp"

namespace share {
namespace {

using cloud::HttpAnswer;
using Json = nlohmann::ordered_json;

constexpr char kContentType[] = "application/jose";
constexpr char kGiven[] = "given";
constexpr size_t kListMax = 500;
constexpr int64_t kTimeEndUs = 253402300800 * int64_t{1000000};  // the year 10000

HttpAnswer refuse(Access& access, unsigned status, const char* why) {
  access.outcome = why;
  return {status, {}, {}, {}, {}};
}

template <typename Texts>
std::string joined(const Texts& texts, const char* between) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : between) + text;
  return all;
}

/// Whatever bytes a name has, the text is JSON.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

HttpAnswer give(const Partner& partner, const Json& json, Access& access) {
  HttpAnswer answer{200, seal_for(partner.key, text_of(json)), kContentType, {}, {}};
  access.outcome = kGiven;
  access.kid = partner.kid;
  return answer;
}

Json head_of(const Access& access) {
  return {{"partner", access.partner}, {"at", cloud::iso_time(access.at_ms * 1000)}, {"access", access.handle}};
}

Json json_of(const Permit& permit) {
  Json grants = Json::array();
  for (const Permit::Part& part : permit.parts) {
    grants.push_back({{"id", part.grant->id},
                      {"purpose", part.grant->purpose},
                      {"signals", part.grant->signals},
                      {"since", cloud::iso_time(part.since_us)},
                      {"until", cloud::iso_time(part.until_us)}});
  }
  return grants;
}

void note_grants(const Permit& permit, Access& access) {
  std::set<std::string> ids;
  std::set<std::string> purposes;
  for (const Permit::Part& part : permit.parts) {
    ids.insert(part.grant->id);
    purposes.insert(part.grant->purpose);
  }
  access.grants = joined(ids, " ");
  access.purposes = joined(purposes, "; ");
}

bool is_certificate(const std::string& text) {
  constexpr size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Desk::Desk(const Config& config)
    : log_(config.log),
      telemetry_(config.telemetry, cloud::Database::Mode::kReadOnly),
      accesses_(config.accesses, cloud::Database::Mode::kReadWrite),
      registry_(config.partners) {
  log_.set_token_key(accesses_.log_key());
}

HttpAnswer Desk::handle(const cloud::HttpRequest& request) noexcept {
  try {
    Access access;
    access.handle = random_handle();
    access.at_ms = cloud::now_ms();
    HttpAnswer reply = answer(request, access);
    accesses_.add(access);
    note(access);
    return reply;
  } catch (const std::exception& error) {
    log_.line("trouble", {{"where", "share"}, {"what", error.what()}});
    return {503, {}, {}, {}, {}};
  }
}

HttpAnswer Desk::answer(const cloud::HttpRequest& request, Access& access) {
  const Asked asked = read_target(request.target);
  access.route = asked.signals ? "signals" : "vehicles";
  access.vehicle = asked.vehicle;
  access.name = asked.name.value_or("");
  const std::string& partner_id = request.identities[0];
  if (!is_id(partner_id) || !is_certificate(request.identities[1])) return refuse(access, 403, "identity");
  access.partner = partner_id;
  access.certificate = request.identities[1];

  const Registry& registry = registry_.now();
  const auto found = registry.partners.find(partner_id);
  if (found == registry.partners.end()) return refuse(access, 403, "no_partner");
  const Partner& partner = found->second;
  if (asked.trouble == Trouble::kNoSuchResource) return refuse(access, 404, "target");
  if (asked.trouble == Trouble::kParameters) return refuse(access, 400, "parameters");
  if (partner.key.empty()) {
    HttpAnswer no_key = refuse(access, 409, "no_key");
    no_key.code = "no-key";
    return no_key;
  }
  if (!asked.signals) return give_list(partner, registry, asked, access);
  const Permit permit = registry.permit(partner, asked.vehicle, access.at_ms * 1000);
  if (permit.parts.empty()) return refuse(access, 404, permit.why);
  return give_signals(partner, permit, asked, access);
}

HttpAnswer Desk::give_list(const Partner& partner, const Registry& registry, const Asked& asked,
                           Access& access) {
  std::set<std::string> named;
  for (const Grant& grant : partner.grants) {
    for (const auto& [vehicle, epoch] : grant.vehicles) named.insert(vehicle);
  }
  Json vehicles = Json::array();
  bool more = false;
  for (auto at = asked.after ? named.upper_bound(*asked.after) : named.begin(); at != named.end(); ++at) {
    const Permit permit = registry.permit(partner, *at, access.at_ms * 1000);
    if (permit.parts.empty()) continue;
    more = vehicles.size() == kListMax;
    if (more) break;
    vehicles.push_back({{"vehicle", *at}, {"grants", json_of(permit)}});
  }
  access.count = static_cast<int64_t>(vehicles.size());
  Json json = head_of(access);
  json["vehicles"] = std::move(vehicles);
  json["more"] = more;
  return give(partner, json, access);
}

bool Desk::resume(const Asked& asked, Access& access) {
  if (!asked.cursor) {
    access.since_us = asked.since_us;
    access.until_us = asked.until_us;
    return true;
  }
  const auto before = accesses_.find(*asked.cursor, access.partner, access.vehicle);
  if (!before) return false;
  access.since_us = before->since_us;
  access.until_us = before->until_us;
  access.name = before->name;
  access.end = before->end;
  return true;
}

HttpAnswer Desk::give_signals(const Partner& partner, const Permit& permit, const Asked& asked,
                              Access& access) {
  if (!resume(asked, access)) return refuse(access, 400, "cursor");
  PageQuery query{asked.vehicle, access.end, INT64_MAX, 0, permit.signals()};
  if (!access.name.empty() && query.names.count(access.name) == 0) return refuse(access, 404, "signal");
  if (!access.name.empty()) query.names = {access.name};
  for (const Permit::Part& part : permit.parts) {
    query.since_us = std::min(query.since_us, part.since_us);
    query.until_us = std::max(query.until_us, part.until_us);
  }
  query.since_us = std::max(query.since_us, access.since_us.value_or(0));
  query.until_us = std::min(query.until_us, access.until_us.value_or(kTimeEndUs));

  Page page = read_page(telemetry_, query, permit);
  note_grants(permit, access);
  access.signals = joined(query.names, " ");
  access.count = static_cast<int64_t>(page.samples.size());
  access.end = page.end;
  Json json = head_of(access);
  json["vehicle"] = asked.vehicle;
  json["grants"] = json_of(permit);
  json["since"] = cloud::iso_time(query.since_us);
  json["until"] = cloud::iso_time(query.until_us);
  json["signals"] = query.names;
  json["samples"] = std::move(page.samples);
  json["unreadable_batches"] = page.unreadable;
  json["more"] = page.more;
  json["cursor"] = access.handle;
  return give(partner, json, access);
}

void Desk::note(const Access& access) const noexcept {
  const auto token = [this](const std::string& id) { return id.empty() ? std::string("-") : log_.token(id); };
  log_.line("access", {{"access", access.handle.substr(0, 8)},
                       {"partner", token(access.partner)},
                       {"certificate", access.certificate.substr(0, 12)},
                       {"route", access.route},
                       {"vehicle", token(access.vehicle)},
                       {"outcome", access.outcome},
                       {"grants", access.grants},
                       {"count", access.count}});
}

}  // namespace share
