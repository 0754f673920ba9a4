// SPDX-License-Identifier: Apache-2.0
// A fleet of its own with wayseal-est behind the real gateway; openssl and curl play the vehicles.
#ifndef WAYSEAL_TESTS_EST_RIG_HPP
#define WAYSEAL_TESTS_EST_RIG_HPP

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway.hpp"
#include "provision/register.hpp"

namespace est_test {

using cloud_test::Output;
using nlohmann::json;
namespace oem = wayseal::oem;

inline constexpr char kEst[] = "/.well-known/est/";

/// Settings of a rig.
struct Plan {
  json est = json::object();         ///< Put over est.json.
  std::vector<std::string> gateway;  ///< More environment of the gateway, NAME=value.
  bool killer = false;  ///< Whether the server dies before it answers with a certificate, while `kill` says so.
};

class Rig {
 public:
  explicit Rig(Plan plan = {});

  // Processes.
  void start_est();
  void kill_est() { est_.stop(9); }
  int stop_est() { return est_.stop(15); }
  bool est_running() { return est_.running(); }
  void start_gateway();
  void restart_gateway();
  void start_backend();
  void restart_backend();
  /// Whether the server dies before its next answer with a certificate.
  void kill_before_answer(bool yes);

  /// Runs wayseal-oem with arguments and --out FLEET.
  Output oem(std::vector<std::string> arguments) const;
  oem::OemPki pki() const { return oem::OemPki(fleet() + "/ca"); }
  oem::Register known() const { return pki().open_register(); }

  // Clients: files NAME with certificate, intermediate and key.
  void bootstrap_client(const std::string& name, const std::string& vehicle);
  void tls_client(const std::string& name, const std::string& vehicle);
  /// A client from the answer that came last, and a key of ours.
  void client_of_answer(const std::string& name, const std::string& key);

  // openssl.
  /// Makes file NAME.key. \param kind arguments of genpkey; empty: P-256.
  void make_key(const std::string& name, std::vector<std::string> kind = {});
  /// A request for that key, DER. \param more arguments of openssl req.
  std::string request(const std::string& key, const std::string& subject, std::vector<std::string> more = {});
  /// The same as base64.
  std::string csr(const std::string& key, const std::string& vehicle, std::vector<std::string> more = {});

  // EST, by curl. Target without /.well-known/est/.
  cloud_test::Gateway::Answer get(const std::string& client, const std::string& target,
                                  std::vector<std::string> more = {});
  cloud_test::Gateway::Answer post(const std::string& client, const std::string& target,
                                   const std::string& body, std::vector<std::string> more = {});
  /// "200", or "STATUS CODE WHY": the problem's code, and the reason in the server's log, or else in the gateway's.
  std::string enrol(const std::string& client, const std::string& target, const std::string& body,
                    std::vector<std::string> more = {});
  std::string outcome(const cloud_test::Gateway::Answer& answer);
  std::string body() const { return cloud_test::slurp(file("body")); }
  std::string head() const { return cloud_test::slurp(file("head")); }
  /// Certificates in the last answer in their order, PEM, read by openssl.
  std::vector<std::string> certificates() const;
  std::string leaf() const;

  /// At the vehicles' listener, with an access token for that certificate. \return status.
  std::string at_the_vehicles_gateway(const std::string& client, const std::string& target,
                                      const std::string& body);
  /// Prekeys, a session and a record with these identities. \return "stored", or what failed.
  std::string deliver(const std::string& tls_client, const cloud_test::Signer& e2e);
  /// Key and chain of a client file.
  cloud_test::Signer signer_of(const std::string& client) const;

  /// Lines of the server's log; each has to be JSON.
  std::vector<json> log() const;
  std::string gateway_log() const { return cloud_test::slurp(file("gateway.log")); }
  std::string log_text() const { return cloud_test::slurp(file("est.log")); }
  size_t issued() const { return known().list("").size(); }

  const std::string& vehicle(size_t number = 0) const { return vehicles_.at(number); }
  std::string fleet() const { return folder_ / "fleet"; }
  std::string file(const std::string& name) const { return folder_ / name; }
  int port() const { return enrol_port_; }
  std::vector<std::string> gateway_command(const std::vector<std::string>& files, bool check) const;

 private:
  cloud_test::Gateway::Answer ask(const std::string& client, const std::string& target,
                                  std::vector<std::string> more);
  std::string why_in_gateway();

  cloud_test::TemporaryFolder folder_;
  Plan plan_;
  int enrol_port_;
  int vehicle_port_;
  std::vector<std::string> vehicles_;
  oem::Key token_key_;
  cloud_test::Process est_;
  cloud_test::Process gateway_;
  cloud_test::Process backend_;
  size_t log_seen_ = 0;
  size_t gateway_seen_ = 0;
};

/// openssl x509 with arguments on a certificate in PEM.
std::string describe(const std::string& pem, const std::vector<std::string>& arguments);
bool holds(const std::string& text, const std::string& part);

}  // namespace est_test

#endif
