// SPDX-License-Identifier: Apache-2.0
// The identity provider's two realms, and what the share process is made of.
#include <catch2/catch_test_macros.hpp>

#include "../idp/rig.hpp"
#include "provision/partners.hpp"

namespace partners_test {

using idp_test::Idp;
using idp_test::json;

TEST_CASE("the realm of a request chooses clients, audience and scopes, and nothing else does") {
  Idp idp;
  // A partner with the very name of a vehicle.
  const std::string& name = idp.vehicle();
  const auto ask = [&](const std::string& scope, const std::string& realm) {
    const std::string header = realm.empty() ? "" : "x-client-realm: " + realm + "\r\n";
    return idp.ask(idp_test::form(name, scope), idp.certificate(), header);
  };
  CHECK(ask("prekeys", "partners").status == 404);  // there are no partners yet
  wayseal::oem::add_partner(idp.fleet(), name);
  const auto audience = [](const idp_test::HttpReply& reply) {
    if (reply.status != 200) return std::to_string(reply.status);
    return idp_test::Token(json::parse(reply.body).at("access_token")).claims.at("aud").get<std::string>();
  };
  CHECK(audience(ask("share", "partners")) == "urn:wayseal:partner-api");
  CHECK(audience(ask("prekeys", "")) == "urn:wayseal:vehicle-api");
  CHECK(audience(ask("share", "")) == "400");
  CHECK(audience(ask("prekeys", "partners")) == "400");
  CHECK(audience(ask("share%20prekeys", "partners")) == "400");
  for (const char* const realm : {"Partners", "partners, partners", "x", "__proto__"}) {
    CAPTURE(realm);
    CHECK(ask("share", realm).status == 404);
  }
  const std::string resource = idp_test::form(name, "share") + "&resource=urn%3Awayseal%3Avehicle-api";
  CHECK(idp.ask(resource, idp.certificate(), "x-client-realm: partners\r\n").status == 400);
  wayseal::oem::withdraw_partner(idp.fleet(), name);
  CHECK(ask("share", "partners").status == 401);
  CHECK(audience(ask("prekeys", "")) == "urn:wayseal:vehicle-api");
}

TEST_CASE("a provider's configuration that mixes the realms is refused") {
  Idp idp;
  wayseal::oem::add_partner(idp.fleet(), "p");
  const json good = idp.settings();
  const auto says = [&](const char* name, const json& value) {
    json spoilt = good;
    spoilt[name] = value;
    if (value.is_null()) spoilt.erase(name);
    idp.change_text(spoilt.dump());
    return idp.serve({"--check", "--config", idp.config()});
  };
  CHECK(says("partner_clients", "partners").code == 0);
  CHECK(says("partner_audience", nullptr).text.find("partner_audience") != std::string::npos);
  CHECK(says("partner_clients", nullptr).text.find("partner_clients") != std::string::npos);
  CHECK(says("partner_audience", good.at("audience")).text.find("an audience each") != std::string::npos);
  CHECK(says("partner_clients", "./clients").text.find("a folder each") != std::string::npos);
  CHECK(says("partner_audience", "no uri").code != 0);
}

TEST_CASE("the share process has no code that could open a token") {
  // A module is entered by this name; the backend has it.
  const char* const entry = "C_GetFunctionList";
  CHECK(cloud_test::slurp(WAYSEAL_BACKEND).find(entry) != std::string::npos);
  CHECK(cloud_test::slurp(WAYSEAL_SHARE).find(entry) == std::string::npos);
}

}  // namespace partners_test
