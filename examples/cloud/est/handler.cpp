// SPDX-License-Identifier: Apache-2.0
#include "handler.hpp"

#include <exception>

#include "request.hpp"

namespace est {
namespace {

namespace oem = wayseal::oem;

constexpr const char* kGatewayLabel = "gateway";

struct Resource {
  const char* method;
  const char* label;
  Operation operation;
  const char* name;
};
constexpr Resource kResources[] = {
    {"GET", oem::kTlsLabel, Operation::kCacerts, "cacerts"},
    {"GET", oem::kE2eLabel, Operation::kCacerts, "cacerts"},
    {"GET", kGatewayLabel, Operation::kCacerts, "cacerts"},
    {"POST", oem::kTlsLabel, Operation::kEnrol, "simpleenroll"},
    {"POST", oem::kE2eLabel, Operation::kEnrol, "simpleenroll"},
    {"POST", oem::kTlsLabel, Operation::kReenrol, "simplereenroll"},
    {"POST", oem::kE2eLabel, Operation::kReenrol, "simplereenroll"},
};

const Resource& resource_of(const cloud::HttpRequest& request) {
  return kResources[static_cast<size_t>(request.route)];
}

const char* event_of(const Outcome& outcome, const Resource& resource) {
  if (outcome.status != 200) return "refused";
  return resource.operation == Operation::kCacerts ? "authorities" : "enrolled";
}

cloud::HttpAnswer answer_of(const Outcome& outcome, const Resource& resource) {
  cloud::HttpAnswer answer;
  answer.status = outcome.status;
  answer.code = outcome.code;
  if (outcome.status != 200) return answer;
  answer.body = outcome.body;
  answer.content_type = "application/pkcs7-mime";
  if (resource.operation != Operation::kCacerts) answer.content_type += "; smime-type=certs-only";
  answer.transfer_encoding = "base64";
  return answer;
}

}  // namespace

Outcome Handler::decide(const cloud::HttpRequest& request, Requester& requester) {
  const Resource& resource = resource_of(request);
  const int64_t now_s = cloud::now_ms() / 1000;
  requester = enrolment_.who(request.identities[0], now_s);
  if (!requester.identity) return {403, "", requester.why, {}};
  if (resource.operation == Operation::kCacerts) return enrolment_.cacerts(resource.label);
  return enrolment_.enrol(resource.operation, *requester.identity, resource.label, request.body, now_s);
}

cloud::HttpAnswer Handler::handle(const cloud::HttpRequest& request) noexcept {
  const Resource& resource = resource_of(request);
  Requester requester;
  Outcome outcome;
  try {
    outcome = decide(request, requester);
  } catch (const std::exception& error) {
    log_.line("trouble", {{"where", "request"}, {"what", error.what()}});
    outcome = {503, "", "trouble", {}};
  }
  try {
    const bool known = requester.identity.has_value();
    log_.line(event_of(outcome, resource),
              {{"label", resource.label},
               {"resource", resource.name},
               {"vehicle", known ? log_.token(requester.identity->vehicle) : std::string("-")},
               {"identity", known ? requester.identity->label : std::string("-")},
               {"certificate", known ? log_.token(requester.identity->certificate) : std::string("-")},
               {"status", static_cast<int64_t>(outcome.status)},
               {"why", outcome.why}});
    return answer_of(outcome, resource);
  } catch (const std::exception&) {
    return {};
  }
}

cloud::HttpServerConfig server_config(const Config& config) {
  cloud::HttpServerConfig server;
  server.socket = config.socket;
  for (const Resource& resource : kResources) {
    cloud::HttpRoute route;
    route.id = static_cast<int>(&resource - kResources);
    route.method = resource.method;
    route.path = std::string("/.well-known/est/") + resource.label + "/" + resource.name;
    if (resource.operation != Operation::kCacerts) {
      route.content_type = "application/pkcs10";
      route.body_max = kRequestMax;
    }
    server.routes.push_back(route);
  }
  server.identity_headers = {"x-client-cert-der"};
  server.body_max = kRequestMax;
  return server;
}

}  // namespace est
