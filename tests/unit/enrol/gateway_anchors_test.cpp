// SPDX-License-Identifier: Apache-2.0
#include "wayseal/enrol/gateway_anchors.hpp"

#include <catch2/catch_test_macros.hpp>

#include "fakes/fake_flash.hpp"
#include "unit/enrol/est_server.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"

namespace wayseal::test {
namespace {

using namespace fakes;

CertSpec authority_spec(const std::string& name) {
  CertSpec spec;
  spec.common_name = name;
  spec.basic_constraints = "critical,CA:TRUE,pathlen:0";
  spec.key_usage = "critical,keyCertSign,cRLSign";
  spec.extended_key_usage = "critical,serverAuth";
  return spec;
}

struct World {
  TestIdentity root = make_root(root_spec("data root"));
  FakeFlash flash{StorageGeometry{4096, 16, 4}};
  std::vector<Der> handed_out;
  int status = 200;
  std::vector<std::string> asked;

  Der authority(const std::string& name) const { return issue(root, authority_spec(name)).der; }
};

struct Boot {
  explicit Boot(World& the_world)
      : world(the_world),
        state(the_world.flash),
        channel(http_peer([this](const HttpRequest& request) {
          world.asked.push_back(request.method + " " + request.path + " " + request.body);
          return world.status == 200 ? http_answer(200, encode_base64(certs_only(world.handed_out), true))
                                     : http_answer(world.status, "");
        })),
        memory(kGatewayAnchorsMemory),
        anchors(verifier, {memory.data(), memory.size()}) {
    REQUIRE(verifier.set_root(world.root.bytes()) == Status::kOk);
    REQUIRE(state.mount() == Status::kOk);
  }

  Status fetch(CertificateDates dates = {}) {
    const Status begun = anchors.begin(channel, dates);
    if (begun != Status::kOk) return begun;
    MonotonicTime now;
    Status status = Status::kWouldBlock;
    for (int i = 0; i < 1000 && status == Status::kWouldBlock; ++i) {
      now = after_ms(now, 1);
      status = anchors.step(now);
    }
    return status;
  }

  std::vector<Der> known() const {
    std::vector<Der> out;
    for (size_t i = 0; i < anchors.count(); ++i)
      out.emplace_back(anchors.certificate(i).begin(), anchors.certificate(i).end());
    return out;
  }

  World& world;
  StateStore state;
  FakeChannel channel;
  X509Verifier verifier;
  std::vector<uint8_t> memory;
  GatewayAnchors anchors;
};

}  // namespace

TEST_CASE("gateway authorities are fetched, kept over a start, and replaced as they are handed out") {
  World world;
  const Der first = world.authority("OEM gateway CA");
  const Der second = world.authority("OEM gateway CA 2");
  {
    Boot boot(world);
    CHECK(boot.anchors.begin(boot.channel, {}) == Status::kBadState);
    CHECK(boot.anchors.load(boot.state) == Status::kNotFound);
    world.handed_out = {first};
    REQUIRE(boot.fetch() == Status::kOk);
    CHECK(boot.anchors.changed());
    CHECK(boot.known() == std::vector<Der>{first});
    CHECK(world.asked == std::vector<std::string>{"GET /.well-known/est/gateway/cacerts "});
    REQUIRE(boot.fetch() == Status::kOk);
    CHECK_FALSE(boot.anchors.changed());
    world.handed_out = {first, second};
    REQUIRE(boot.fetch() == Status::kOk);
    CHECK(boot.anchors.changed());
  }
  Boot boot(world);
  REQUIRE(boot.anchors.load(boot.state) == Status::kOk);
  CHECK(boot.known() == std::vector<Der>{first, second});
  world.handed_out = {second};
  REQUIRE(boot.fetch() == Status::kOk);
  CHECK(boot.known() == std::vector<Der>{second});
}

TEST_CASE("what the data root does not vouch for as an authority of gateways changes nothing") {
  World world;
  const Der good = world.authority("OEM gateway CA");
  Boot boot(world);
  CHECK(boot.anchors.load(boot.state) == Status::kNotFound);
  world.handed_out = {good};
  REQUIRE(boot.fetch() == Status::kOk);

  const TestIdentity other_root = make_root(root_spec("data root"));
  const auto with = [&](void (*change)(CertSpec&)) {
    CertSpec spec = authority_spec("OEM gateway CA 2");
    change(spec);
    return issue(world.root, spec).der;
  };
  const TestIdentity role_ca = issue(world.root, role_intermediate_spec(Role::kVehicle));
  struct Case {
    const char* what;
    Der der;
  };
  const Case cases[] = {
      {"another root", issue(other_root, authority_spec("OEM gateway CA 2")).der},
      {"self-signed", make_root(authority_spec("OEM gateway CA 2")).der},
      {"below an intermediate of a role", issue(role_ca, authority_spec("OEM gateway CA 2")).der},
      {"an intermediate of a role", role_ca.der},
      {"the root itself", world.root.der},
      {"no CA", with([](CertSpec& s) { s.basic_constraints = "critical,CA:FALSE"; })},
      {"no path length", with([](CertSpec& s) { s.basic_constraints = "critical,CA:TRUE"; })},
      {"a longer path", with([](CertSpec& s) { s.basic_constraints = "critical,CA:TRUE,pathlen:1"; })},
      {"no usage", with([](CertSpec& s) { s.extended_key_usage.clear(); })},
      {"a usage that is not critical", with([](CertSpec& s) { s.extended_key_usage = "serverAuth"; })},
      {"client usage", with([](CertSpec& s) { s.extended_key_usage = "critical,clientAuth"; })},
      {"both usages", with([](CertSpec& s) { s.extended_key_usage = "critical,serverAuth,clientAuth"; })},
      {"may not sign certificates", with([](CertSpec& s) { s.key_usage = "critical,digitalSignature"; })},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.what);
    world.handed_out = {good, wrong.der};
    CHECK(boot.fetch() == Status::kNotAuthentic);
    CHECK_FALSE(boot.anchors.changed());
    CHECK(boot.known() == std::vector<Der>{good});
  }
  world.handed_out = {good, world.authority("OEM gateway CA 2")};
  CHECK(boot.fetch() == Status::kOk);
  Boot second(world);
  CHECK(second.anchors.load(second.state) == Status::kOk);
  CHECK(second.anchors.count() == 2);
}

TEST_CASE("dates of authorities are judged when there is trusted time") {
  World world;
  CertSpec spec = authority_spec("OEM gateway CA");
  spec.not_after_s = 1700000000;
  world.handed_out = {issue(world.root, spec).der};
  Boot boot(world);
  CHECK(boot.anchors.load(boot.state) == Status::kNotFound);
  CHECK(boot.fetch({CertificateDates::Check::kAgainst, {1800000000 * kMsPerSecond}}) == Status::kStale);
  CHECK(boot.fetch({CertificateDates::Check::kAgainst, {1690000000 * kMsPerSecond}}) == Status::kOk);
}

TEST_CASE("a server that refuses, a line that breaks and a store that fails leave what was known") {
  World world;
  world.handed_out = {world.authority("OEM gateway CA")};
  Boot boot(world);
  CHECK(boot.anchors.load(boot.state) == Status::kNotFound);
  REQUIRE(boot.fetch() == Status::kOk);
  const std::vector<Der> before = boot.known();
  world.handed_out = {world.authority("OEM gateway CA 2")};
  world.status = 403;
  CHECK(boot.fetch() == Status::kRefused);
  world.status = 200;
  LineFaults faults;
  faults.cut_after_received = 100;
  boot.channel.set_faults(faults);
  CHECK(boot.fetch() == Status::kDisconnected);
  boot.channel.set_faults({});
  boot.channel.heal();
  world.flash.fail_all_writes(Status::kStorageFailed);
  CHECK(boot.fetch() == Status::kStorageFailed);
  world.flash.fail_all_writes(std::nullopt);
  CHECK(boot.known() == before);
  CHECK_FALSE(boot.channel.is_open());
  CHECK(boot.fetch() == Status::kOk);
}

TEST_CASE("what is stored is verified again when it is read") {
  World world;
  world.handed_out = {world.authority("OEM gateway CA")};
  Boot boot(world);
  CHECK(boot.anchors.load(boot.state) == Status::kNotFound);
  REQUIRE(boot.fetch() == Status::kOk);
  // Somebody writes an authority of his own into the vehicle's flash.
  const Der forged = issue(make_root(root_spec("data root")), authority_spec("OEM gateway CA")).der;
  Der value = {static_cast<uint8_t>(forged.size() >> 8), static_cast<uint8_t>(forged.size())};
  value.insert(value.end(), forged.begin(), forged.end());
  REQUIRE(boot.state.put(StateItem::kGatewayAnchors, bytes_of(value)) == Status::kOk);
  CHECK(boot.anchors.load(boot.state) == Status::kNotAuthentic);
  CHECK(boot.anchors.count() == 0);
  value.pop_back();
  REQUIRE(boot.state.put(StateItem::kGatewayAnchors, bytes_of(value)) == Status::kOk);
  CHECK(boot.anchors.load(boot.state) == Status::kMalformed);
  CHECK(boot.anchors.count() == 0);
}

}  // namespace wayseal::test
