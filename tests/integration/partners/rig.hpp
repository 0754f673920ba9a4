// SPDX-License-Identifier: Apache-2.0
// The partners' side of the reference cloud as real processes, and a partner that talks to it over TLS of its own.
#ifndef WAYSEAL_TESTS_PARTNERS_RIG_HPP
#define WAYSEAL_TESTS_PARTNERS_RIG_HPP

#include <openssl/ssl.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "process.hpp"
#include "world.hpp"

namespace partners_test {

using cloud_test::eventually;
using cloud_test::Output;
using cloud_test::run;
using cloud_test::slurp;
using cloud_test::spill;
using nlohmann::json;

/// 2023-11-14T22:13:20Z, where the samples of these tests begin.
inline constexpr int64_t kBaseUs = 1700000000000000;

struct Reply {
  unsigned status = 0;  ///< 0: no connection, or closed without an answer.
  std::string head;     ///< In lower case.
  std::string body;
};

/// One TLS connection whose bytes a test writes itself.
class Connection {
 public:
  /// \param answered counts the answers that came.
  Connection(int port, const std::string& ca, const std::string& certificate, const std::string& key,
             std::shared_ptr<size_t> answered);
  bool up() const { return up_; }
  Reply ask(const std::string& request);

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<BIO, decltype(&BIO_free_all)> bio_;
  bool up_ = false;
  std::shared_ptr<size_t> answered_;
};

/// A partner: its name, and files of its own with two TLS keys and two keys for answers.
struct Partner {
  std::string name;
  std::string folder;
  std::string serial[2];  ///< Of its certificates 'a' and 'b'.

  std::string file(const std::string& file) const { return folder + "/" + file; }
};

/// Backend, provider, share process and gateway on the fleet of this program.
class Rig {
 public:
  explicit Rig(std::vector<std::string> variables = {});

  /// wayseal-oem partner ... --out FLEET.
  Output oem(std::vector<std::string> arguments) const;
  Output share_log(std::vector<std::string> more = {}) const;
  json accesses(std::vector<std::string> more = {}) const;

  /// A partner with certificates `a` and `b` (both signed for the same subject) and the first of its keys registered.
  Partner partner();
  /// Registers the public half of KEY.jwk.
  void use_key(const Partner& partner, const std::string& key) const;
  /// \return id of the grant.
  std::string grant(const Partner& partner, const std::vector<std::string>& vehicles,
                    const std::vector<std::string>& signals, const std::string& not_before = "2023-11-14",
                    const std::string& expires = "2090-01-01");

  /// A vehicle that has delivered three samples each of Engine.Speed, Engine.Temp and Body.Door.
  cloud_test::TestVehicle vehicle();
  /// Delivers values of Engine.Speed in one batch, 10 ms apart.
  void deliver(cloud_test::TestVehicle& vehicle, int64_t base_us, const std::vector<int64_t>& values);
  /// What the operator sees of a vehicle's signal.
  json stored(const std::string& vehicle, const std::string& signal) const;

  Connection connect(const Partner& partner, const std::string& certificate = "a") const;
  /// One request on a connection of its own; `headers` each with CRLF.
  Reply request(const Partner& partner, const std::string& method, const std::string& target,
                const std::string& headers = "", const std::string& body = "",
                const std::string& certificate = "a");
  /// POST /oauth/token.
  Reply ask_token(const Partner& partner, const std::string& certificate = "a",
                  const std::string& scope = "share");
  std::string token(const Partner& partner, const std::string& certificate = "a");
  /// GET with a token of the provider.
  Reply get(const Partner& partner, const std::string& target, const std::string& certificate = "a");
  /// "200"; "CODE" of a problem document that the share process made, or "CODE why" of one by the gateway; "none". Of the
  /// answer that came last.
  std::string outcome(const Reply& reply);

  /// What is in an answer, by a private key; the npm package jose has opened it.
  json open(const Partner& partner, const std::string& answer, const std::string& key = "one") const;
  /// Whether Debian's `jose` opens it to the same text.
  Output open_by_cli(const Partner& partner, const std::string& answer, const std::string& key = "one") const;
  json read(const Partner& partner, const std::string& target) {
    return open(partner, get(partner, target).body).at("payload");
  }

  /// After a certificate was revoked: brings the list to the gateway that runs.
  Output revoke_at_gateway() const;
  void restart_gateway();

  /// A token signed by a key that the gateway trusts and the test has.
  std::string forge(const json& header, const json& claims) const;
  json good_claims(const Partner& partner) const;
  EVP_PKEY* test_key() const { return key_.get(); }

  std::string fleet() const { return cloud_test::Fleet::get().folder(); }
  std::string share_socket() const { return world.folder() / "share.sock"; }
  std::string share_log_text() const { return slurp(world.folder() / "share.log"); }
  std::string gateway_log() const { return slurp(world.folder() / "gateway.log"); }
  std::string idp_log() const { return slurp(world.folder() / "idp.log"); }
  int port() const { return port_; }
  int vehicle_port() const { return vehicle_port_; }
  std::string pki() const { return world.folder() / "pki"; }
  cloud_test::Process& share() { return share_; }
  void start_share();

  cloud_test::World world;

 private:
  void start_idp();
  void start_gateway();
  void make_table();

  std::vector<std::string> variables_;
  wayseal::oem::Key key_ = wayseal::oem::generate_key();
  int port_ = cloud_test::free_port();
  int vehicle_port_ = cloud_test::free_port();
  uint64_t table_ = 0;
  std::shared_ptr<size_t> answered_ = std::make_shared<size_t>(0);
  cloud_test::Process idp_;
  cloud_test::Process share_;
  cloud_test::Process gateway_;
};

std::string signals_of(const std::string& vehicle, const std::string& query = "");

}  // namespace partners_test

#endif
