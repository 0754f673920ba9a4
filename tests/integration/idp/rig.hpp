// SPDX-License-Identifier: Apache-2.0
// The identity provider as a real process, on a fleet that wayseal-oem has provisioned, and what it is asked.
#ifndef WAYSEAL_TESTS_IDP_RIG_HPP
#define WAYSEAL_TESTS_IDP_RIG_HPP

#include <string>
#include <vector>

#include "process.hpp"
#include "provision/idp.hpp"
#include "world.hpp"

namespace idp_test {

using cloud_test::HttpReply;
using nlohmann::json;

inline constexpr char kTokenPath[] = "/oauth/token";
inline constexpr char kBothScopes[] = "prekeys%20records";

std::string base64(const std::string& bytes);
std::string base64url(const std::string& bytes);
std::string sha256(const std::string& bytes);

/// A self-signed certificate in DER with these common names, in this order. The provider leaves chains to the gateway.
std::string certificate_with_names(const std::vector<std::string>& names);

/// An access token taken apart by other code than the provider's.
struct Token {
  explicit Token(std::string compact_form);
  /// Whether a key in PEM verifies it as ES256.
  bool verified_by(const std::string& pem) const;

  std::string compact;
  json header;
  json claims;
};

/// The Node.js that is tested with: $WAYSEAL_NODE, or the one that was found when the tests were configured.
std::string node();

/// A body of grant_type, client_id and scope; an empty `scope` is left out.
std::string form(const std::string& client, const std::string& scope = kBothScopes);
std::string request(const std::string& method, const std::string& target, const std::string& headers,
                    const std::string& body);

/// A fleet of its own with two vehicles, each time the same; the provider listens in it.
class Idp {
 public:
  /// \param settings put over the configuration before the start.
  explicit Idp(const json& settings = json::object());

  void start();
  /// \return exit code.
  int stop(int signal) { return process_.stop(signal); }
  void send(int signal) { process_.signal(signal); }
  bool running() { return process_.running(); }

  /// Runs wayseal-oem with arguments and --out FLEET.
  cloud_test::Output oem(std::vector<std::string> arguments) const;
  /// Runs server.mjs to its end, which has to come by itself.
  cloud_test::Output serve(const std::vector<std::string>& arguments) const;

  std::string fleet() const { return folder_ / "fleet"; }
  std::string config() const { return fleet() + "/idp/idp.json"; }
  std::string socket() const { return fleet() + "/idp/idp.sock"; }
  std::string file(const std::string& name) const { return fleet() + "/idp/" + name; }
  std::string client_file(const std::string& id) const { return file("clients/" + id + ".json"); }
  std::string public_key(char slot) const;
  json settings() const { return json::parse(cloud_test::slurp(config())); }
  /// Puts values over the configuration's, as an operator's editor would.
  void change(const json& settings);
  void change_text(const std::string& text) { wayseal::oem::write_file(config(), text, wayseal::oem::kPublic); }

  /// Standard error and output of the process.
  std::string output() const { return cloud_test::slurp(folder_ / "output"); }
  /// The log, line by line; each has to be JSON.
  std::vector<json> log() const;
  /// Lines of an event.
  std::vector<json> log(const std::string& event) const;

  const std::string& vehicle(size_t number = 0) const { return vehicles_.at(number); }
  /// The certificate in the token of a vehicle, in DER.
  const std::string& certificate(size_t number = 0) const { return certificates_.at(number); }

  /// POST /oauth/token. \param certificate DER; empty: no header. \param headers more of them, each with its CRLF.
  HttpReply ask(const std::string& body, const std::string& certificate, const std::string& headers = "") const;
  /// What the first vehicle gets for a good request.
  HttpReply ask() const { return ask(form(vehicle()), certificate()); }

 private:
  cloud_test::TemporaryFolder folder_;
  cloud_test::Process process_;
  std::vector<std::string> vehicles_;
  std::vector<std::string> certificates_;
};

/// "STATUS ERROR" of an answer, or "200" with a token.
std::string outcome(const HttpReply& reply);

}  // namespace idp_test

#endif
