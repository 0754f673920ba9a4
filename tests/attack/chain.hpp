// SPDX-License-Identifier: Apache-2.0
// The running cloud that is attacked: HAProxy as it is shipped, the identity provider, the backend on its token; and vehicles
// that share no code with either side.
#ifndef WAYSEAL_TESTS_ATTACK_CHAIN_HPP
#define WAYSEAL_TESTS_ATTACK_CHAIN_HPP

#include <nlohmann/json.hpp>

#include "connection.hpp"
#include "gateway.hpp"
#include "jwt.hpp"
#include "scoreboard.hpp"

namespace attack {

using cloud_test::Blob;
using cloud_test::TestSession;
using cloud_test::TestVehicle;
using nlohmann::json;
namespace oem = wayseal::oem;
namespace v1 = wayseal::v1;

/// A vehicle that is known to everybody: client of the provider, certificate, prekeys, a session with a record.
struct Member {
  TestVehicle vehicle;
  std::string client;      ///< File of its TLS certificate and key.
  std::string thumbprint;  ///< Of that certificate, as a token names it.
  TestSession session;
  std::string serial;
  const std::string& id() const { return vehicle.id(); }
};

/// A request as its bytes are sent.
struct Request {
  std::string client;
  std::string line = "POST /v1/records HTTP/1.1";
  std::vector<std::string> fields;  ///< "Name: value".
  std::string body;
  std::function<void(SSL_CTX*)> tls = {};

  std::string bytes() const;
  /// Replaces all fields of that name by one.
  Request& set(const std::string& name, const std::string& value);
  Request& add(const std::string& field);
  Request& remove(const std::string& name);
  /// A token in the place of the one that is there.
  Request& token(const std::string& compact) { return set("Authorization", "Bearer " + compact); }
};

class Chain {
 public:
  explicit Chain(const json& policy = json::object(), std::vector<std::string> variables = {});

 private:
  cloud_test::TemporaryFolder lists_;  // before the gateway, which wants them

 public:
  cloud_test::World world;
  cloud_test::Gateway gateway;

  /// False where the provider's packages are not installed: cases that need it are left out.
  bool has_provider() const { return has_provider_; }

  Member member(uint32_t prekeys = 8);
  /// With the lists and keys as they are now.
  void restart_gateway();

  /// As the provider makes them, but signed with the key of slot b, which this program has.
  json token_header() const { return {{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", "b-20260101-1"}}; }
  json claims(const Member& of) const;
  std::string token(const Member& of) const { return sign(token_header(), claims(of)); }
  std::string sign(const json& header, const json& claims) const {
    return cloud_test::sign_es256(header, claims, gateway.token_key('b'));
  }

  /// An upload with one new record of the member's session.
  std::string next_upload(Member& of) const;
  /// A request of a member with everything right.
  Request request(const Member& of, const std::string& body, const std::string& path = "/v1/records") const;
  Request good(Member& of) const { return request(of, next_upload(of)); }

  /// Sends it on a connection of its own. \return see `describe`.
  std::string send(const Request& request);
  std::string send_bytes(const Request& request, const std::string& bytes);
  /// "200"; "STATUS CODE WHY" with the problem's code and the reason in the gateway's log; "closed" and the event in the log.
  /// \param mark size of the log before the request.
  std::string describe(const std::string& answer, size_t mark);
  size_t log_mark() const { return gateway.log().size(); }
  /// What came back last, head and body.
  const std::string& last_answer() const { return last_answer_; }
  std::string last_body() const;

  /// A record, or a SessionOpen, as the only item of an upload that asks for an ack under the member's session.
  std::string deliver_sealed(Member& as, const Blob& sealed);
  std::string deliver_open(Member& as, const Blob& open);
  std::string prekeys(Member& as, const Blob& body) { return send(request(as, body, "/v1/prekeys")); }
  std::string upload(const Member& as, const v1::Upload& upload) {
    return send(request(as, upload.SerializeAsString()));
  }

  /// All rows of the backend's tables but those that count refusals, and the provider's files.
  State state() const;
  /// The rows that an SQL query gives, in the place of all.
  State state_of(const std::string& sql) const;
  std::function<State()> watch() const {
    return [this] { return state(); };
  }
  std::function<State()> watch(const std::string& sql) const {
    return [this, sql] { return state_of(sql); };
  }
  std::string revoked_list() const { return lists_ / "revoked"; }
  std::string admin_socket() const { return lists_ / "admin.sock"; }

 private:
  State evidence_and(const std::string& text) const;
  void start_provider();

  std::vector<std::string> with_paths(std::vector<std::string> variables);

  bool has_provider_ = false;
  cloud_test::Process provider_;
  std::string last_answer_;
};

}  // namespace attack

#endif
