// SPDX-License-Identifier: Apache-2.0
// A vehicle without PKCS#11: its keys made and kept in PSA Crypto, its certificates signed by the OEM's tool, then the
// whole way through the real gateway to the real backend. Its suite is 1, so the backend's token is NSS softoken.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <sstream>

#include "can_log.hpp"
#include "contract/key_vault/psa_device.hpp"
#include "way.hpp"
#include "wayseal/flow/client.hpp"
#include "wayseal/mbedtls/tls_channel.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"
#include "wayseal/posix/candump_player.hpp"
#include "wayseal/posix/file_storage.hpp"
#include "wayseal/posix/posix_clock.hpp"
#include "wayseal/posix/tcp_transport.hpp"
#include "wayseal/psa/provisioning_line.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace agent_test {
namespace {

using wayseal::Status;
using wayseal::VaultObject;
using wayseal::test::PsaDevice;

constexpr int64_t kSignals = 3;  // in each pair of frames of the log

std::string request_line(wayseal::PsaProvisioning& device, wayseal::IdentityKey key) {
  uint8_t request[wayseal::kSigningRequestMax];
  const auto size = device.request(key, wayseal::MutableBytes{request});
  REQUIRE(size.ok());
  char line[wayseal::kRequestLineMax];
  const auto used =
      write_request_line(key, wayseal::Bytes{request}.first(size.value()), wayseal::Span<char>{line});
  REQUIRE(used.ok());
  return std::string(line, used.value());
}

Output sign(const Way& way, const std::string& requests, const std::string& vehicle) {
  spill(way.path("console.log"), requests);
  return cloud_test::run({WAYSEAL_OEM, "sign", "--out", way.path("fleet"), "--requests",
                          way.path("console.log"), "--vehicle", vehicle});
}

void install(wayseal::PsaProvisioning& device, const std::string& lines) {
  std::istringstream text(lines);
  for (std::string line; std::getline(text, line);) {
    VaultObject object = VaultObject::kDataRoot;
    uint8_t der[wayseal::kCertificateMax];
    const auto size = read_object_line({line.data(), line.size()}, object, wayseal::MutableBytes{der});
    if (size.status() == Status::kNotFound) continue;
    REQUIRE(size.ok());
    REQUIRE(device.install(object, wayseal::Bytes{der}.first(size.value())) == Status::kOk);
  }
}

/// Keys in the device, certificates from the OEM's tool.
void provision(const Way& way, PsaDevice& device, const std::string& vehicle) {
  wayseal::PsaProvisioning provisioning(device.vault());
  REQUIRE(provisioning.make_keys() == Status::kOk);
  const Output answer = sign(way,
                             "boot: hello\n" + request_line(provisioning, wayseal::IdentityKey::kTls) +
                                 request_line(provisioning, wayseal::IdentityKey::kE2e),
                             vehicle);
  CAPTURE(answer.text);
  REQUIRE(answer.code == 0);
  install(provisioning, answer.text);
  REQUIRE(provisioning.state().value() == wayseal::PsaProvisioningState::kComplete);
}

/// How TLS signs: by PSA inside PSA's driver inside PSA, or by PSA with a vault that has no key for it.
enum class Signing : uint8_t { kThroughVault, kByPsa };

/// What a firmware does from power on to power off: everything but the device's flash is made anew.
class Drive {
 public:
  Drive(const Way& way, PsaDevice& device, Signing signing)
      : vault_(signing == Signing::kByPsa ? without_tls_key_ : device.vault()),
        port_(std::to_string(way.port())) {
    wayseal::PsaVaultOptions options;
    options.tls_key = wayseal::kPsaTlsKey + 100;  // nobody has it
    REQUIRE(without_tls_key_.open(options) == Status::kOk);
    root_ = object(VaultObject::kDataRoot);
    gateway_ca_ = object(VaultObject::kGatewayCa);
    certificate_ = object(VaultObject::kTlsCertificate);
    intermediate_ = object(VaultObject::kTlsIntermediate);
    REQUIRE(verifier_.set_root(cloud_bytes(root_)) == Status::kOk);
    REQUIRE(spool_.open(way.path("psa-spool").c_str(), {65536, 64, 1}) == Status::kOk);
    REQUIRE(state_.open(way.path("psa-state").c_str(), {65536, 4, 1}) == Status::kOk);
    wayseal::TcpOptions tcp;
    tcp.host = "localhost";
    tcp.port = port_.c_str();
    transport_.emplace(tcp);
    channel_.emplace(*transport_, vault_, clock_);
    wayseal::TlsConfig tls;
    tls.server_name = "localhost";
    tls.gateway_ca = cloud_bytes(gateway_ca_);
    tls.certificate = cloud_bytes(certificate_);
    tls.intermediate = cloud_bytes(intermediate_);
    if (signing == Signing::kByPsa) tls.psa_key = wayseal::kPsaTlsKey;
    REQUIRE(channel_->configure(tls) == Status::kOk);
    log_ = ::open(way.path("log").c_str(), O_RDONLY | O_CLOEXEC);
    const std::string table = slurp(way.path("signals.table"));
    table_bytes_.assign(table.begin(), table.end());
    REQUIRE(table_.load(cloud_bytes(table_bytes_)) == Status::kOk);
  }
  ~Drive() { ::close(log_); }
  Drive(const Drive&) = delete;
  Drive& operator=(const Drive&) = delete;

  /// Until all is delivered. \return what was counted.
  wayseal::ClientStats run() {
    wayseal::CandumpPlayer bus(clock_, log_, wayseal::CandumpPlayer::Pace::kAsFastAsItGoes, 1);
    REQUIRE(bus.add_interface({"can0", 4}).ok());
    wayseal::ClientConfig config;
    config.recorder.when_full = wayseal::WhenFull::kWait;
    config.courier.linger_ms = 20;
    config.courier.back_off_min_ms = 50;
    config.courier.back_off_max_ms = 400;
    wayseal::Client client({bus, vault_, verifier_, *channel_, clock_, spool_, state_},
                           {{collector_.data(), collector_.size()},
                            {queue_.data(), queue_.size()},
                            {cloud_.data(), cloud_.size()}},
                           config);
    REQUIRE(client.start(table_) == Status::kOk);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!client.bus_ended() || !client.all_delivered()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      (void)client.step_bus(clock_.now());
      if (client.bus_ended()) (void)client.flush_bus();
      (void)client.step_cloud(clock_.now());
    }
    return client.stats();
  }

 private:
  static wayseal::Bytes cloud_bytes(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }
  std::vector<uint8_t> object(VaultObject name) {
    std::vector<uint8_t> out(wayseal::kCertificateMax);
    const auto size = vault_.read_object(name, {out.data(), out.size()});
    REQUIRE(size.ok());
    out.resize(size.value());
    return out;
  }

  wayseal::PsaVault without_tls_key_;
  wayseal::KeyVault& vault_;
  std::string port_;
  wayseal::PosixClock clock_;
  std::vector<uint8_t> root_, gateway_ca_, certificate_, intermediate_, table_bytes_;
  wayseal::X509Verifier verifier_;
  wayseal::FileStorage spool_, state_;
  std::optional<wayseal::TcpTransport> transport_;
  std::optional<wayseal::TlsChannel> channel_;
  wayseal::SignalTable table_;
  int log_ = -1;
  std::vector<uint8_t> collector_ = std::vector<uint8_t>(256 * 1024);
  std::vector<uint8_t> queue_ = std::vector<uint8_t>(wayseal::RecordQueue::memory_needed(16));
  std::vector<uint8_t> cloud_ = std::vector<uint8_t>(wayseal::kClientCloudMemory);
};

}  // namespace

TEST_CASE(
    "psa vehicle: keys in PSA, certificates by the OEM's tool, every sample once at the backend, resets "
    "between") {
  const std::string missing = nss_missing();
  if (!missing.empty()) SKIP(missing);
  Way way(canary_dbc());
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  PsaDevice device;
  provision(way, device, "psa-1");

  int64_t records = 0;
  constexpr size_t kPairs = 5'000;
  for (const Signing signing : {Signing::kThroughVault, Signing::kByPsa, Signing::kThroughVault}) {
    spill(way.path("log"), canary_log(kPairs, 500));
    {
      Drive drive(way, device, signing);
      const wayseal::ClientStats stats = drive.run();
      CHECK(stats.sealer.sessions_opened == 1);
      CHECK(stats.sealer.samples_sealed == kPairs * kSignals);
      records += static_cast<int64_t>(stats.sealer.records_sealed);
    }
    device.power_off();
    REQUIRE(device.power_on() == Status::kOk);
  }
  const auto cloud = way.backend_stats();
  CHECK(cloud.at("samples") == 3 * kPairs * kSignals);
  CHECK(cloud.at("records_stored") == records);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("refusals") == 0);
  CHECK(cloud.at("alarms") == 0);
  CHECK(way.query("SELECT DISTINCT v.name || ' ' || suite FROM sessions JOIN vehicles v ON v.id = vehicle") ==
        "psa-1 1\n");
  CHECK(way.query("SELECT COUNT(*) FROM sessions") == "3\n");
}

TEST_CASE(
    "psa vehicle: the OEM's tool signs no request that is not whole, not by its key, or for the wrong key") {
  Way way(canary_dbc());
  PsaDevice device;
  wayseal::PsaProvisioning provisioning(device.vault());
  REQUIRE(provisioning.make_keys() == Status::kOk);
  const std::string tls = request_line(provisioning, wayseal::IdentityKey::kTls);
  const std::string e2e = request_line(provisioning, wayseal::IdentityKey::kE2e);
  const auto refused = [&](const std::string& requests, const char* why) {
    const Output answer = sign(way, requests, "psa-2");
    CAPTURE(answer.text, why);
    CHECK(answer.code == 1);
    CHECK(answer.text.find(why) != std::string::npos);
    CHECK(answer.text.find("wayseal-object") == std::string::npos);
  };
  std::string forged = tls;
  char& digit = forged[forged.size() - 3];  // hexadecimal before and after
  digit = digit == '0' ? '1' : '0';
  refused(forged + e2e, "not signed by its key");
  refused(tls.substr(0, tls.size() - 3) + "\n" + e2e, "no whole PKCS#10 request");
  std::string swapped = tls;
  swapped.replace(swapped.find("tls"), 3, "e2e");
  refused(tls + swapped, "for another key");
  refused(tls, "both keys are needed");
  refused(tls + tls + e2e, "two requests");
  refused("wayseal-request tls xyz\n" + e2e, "not hexadecimal");
  refused("wayseal-request vin 00\n" + e2e, "no request line");
  CHECK(sign(way, tls + e2e, "a vehicle id with blanks").code == 1);
  CHECK(sign(way, tls + e2e, "psa-2").code == 0);
}

}  // namespace agent_test
