// SPDX-License-Identifier: Apache-2.0
// A provisioned fleet with a real backend on a real SoftHSM2 token. The fleet is made once a program, the
// database once a
// test.
#ifndef WAYSEAL_TESTS_CLOUD_WORLD_HPP
#define WAYSEAL_TESTS_CLOUD_WORLD_HPP

#include <nlohmann/json.hpp>

#include "process.hpp"
#include "vehicle.hpp"

namespace cloud_test {

struct HttpReply {
  unsigned status = 0;
  std::string body;
  std::string head;
};

/// One request on a connection of its own. `status` 0: the server closed without an answer, or was not there.
HttpReply http_raw(const std::string& socket, const std::string& request);
HttpReply http_post(const std::string& socket, const std::string& target, const std::string& vehicle,
                    const std::string& body);

/// What came back for an upload.
struct Delivered {
  unsigned status = 0;
  v1::UploadReply reply;
};

class Fleet {
 public:
  /// The one of this program.
  static Fleet& get();
  std::string folder() const { return folder_ / "fleet"; }
  wayseal::oem::OemPki& pki() { return *pki_; }
  TestVehicle make_vehicle();
  /// Writes the revocation lists for what has been revoked.
  void write_crls();

 private:
  Fleet();
  TemporaryFolder folder_;
  std::unique_ptr<wayseal::oem::OemPki> pki_;
};

class World {
 public:
  /// \param policy JSON for the configuration's key "policy".
  explicit World(const nlohmann::json& policy = nlohmann::json::object());

  void start();
  void kill_hard() { backend_.stop(9); }
  int stop_gently() { return backend_.stop(15); }
  bool running() { return backend_.running(); }

  std::string config() const { return folder_ / "backend.json"; }
  std::string socket() const { return folder_ / "backend.sock"; }
  std::string log() const { return slurp(folder_ / "log"); }
  std::string output() const { return slurp(folder_ / "output"); }
  const TemporaryFolder& folder() const { return folder_; }

  HttpReply post(const std::string& target, const std::string& vehicle, const std::string& body) {
    return http_post(socket(), target, vehicle, body);
  }
  /// A vehicle that has fetched `wanted` prekeys.
  TestVehicle vehicle(uint32_t wanted = 4);
  /// POST /v1/prekeys, and the vehicle takes the answer.
  void fetch(TestVehicle& vehicle, uint32_t wanted);
  Delivered deliver(const std::string& vehicle, const Blob& ack_session, const std::vector<Blob>& opens,
                    const std::vector<Blob>& records);
  nlohmann::json stats() const;
  int64_t stat(const char* name) const { return stats().at(name).get<int64_t>(); }
  int64_t alarms(const char* kind) const { return stats().at("alarm_kinds").value(kind, int64_t{0}); }

 private:
  TemporaryFolder folder_;
  Process backend_;
};

/// What the first ack of `delivered` says about `session`; nothing when it is not named or the ack does not
/// open.
std::optional<v1::SessionAck> acked(const Delivered& delivered, const TestSession& ack_session,
                                    const TestSession& session);
std::optional<v1::SessionAck> acked(const Delivered& delivered, const TestSession& session);

/// The refusal in an answer, verified: signature by role `prekey`, vehicle, th.
std::optional<v1::SessionRefused::Reason> refused(const Delivered& delivered, const TestVehicle& vehicle,
                                                  const TestSession& session);

}  // namespace cloud_test

#endif
