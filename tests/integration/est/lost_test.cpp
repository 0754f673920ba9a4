// SPDX-License-Identifier: Apache-2.0
// Answers get lost, servers die: it must not cost a vehicle its certificate, nor give it two.
#include <catch2/catch_test_macros.hpp>

#include "rig.hpp"

using cloud_test::eventually;
using cloud_test::slurp;
using namespace est_test;

TEST_CASE("the same request again gets the same certificate, until it was used") {
  Rig rig;
  rig.bootstrap_client("boot", rig.vehicle());
  rig.make_key("next");
  const std::string request = rig.csr("next", rig.vehicle());
  const size_t before = rig.issued();
  REQUIRE(rig.enrol("boot", "tls/simpleenroll", request) == "200");
  const std::string first = rig.body();
  REQUIRE(rig.enrol("boot", "tls/simpleenroll", request) == "200");
  CHECK(rig.body() == first);
  CHECK(rig.log().back()["why"] == "again");
  // A vehicle that lost power signs its request anew: other bytes, the same key.
  const std::string signed_anew = rig.csr("next", rig.vehicle());
  REQUIRE(signed_anew != request);
  REQUIRE(rig.enrol("boot", "tls/simpleenroll", signed_anew) == "200");
  CHECK(rig.body() == first);
  rig.kill_est();
  rig.start_est();
  REQUIRE(rig.enrol("boot", "tls/simpleenroll", request) == "200");
  CHECK(rig.body() == first);
  CHECK(rig.issued() == before + 1);

  rig.client_of_answer("next", "next");
  REQUIRE(rig.get("next", "tls/cacerts").status == "200");
  CHECK(rig.enrol("boot", "tls/simpleenroll", request) == "409 key-refused key_used");
  CHECK(rig.issued() == before + 1);
}

TEST_CASE("a key that is not the newest, or is asked for late, gets nothing again") {
  Rig rig({{{"repeat_hours", 1}}, {}, false});
  rig.bootstrap_client("boot", rig.vehicle());
  rig.make_key("first");
  rig.make_key("second");
  const std::string request = rig.csr("first", rig.vehicle());
  REQUIRE(rig.enrol("boot", "tls/simpleenroll", request) == "200");
  SECTION("another key came after it") {
    REQUIRE(rig.enrol("boot", "tls/simpleenroll", rig.csr("second", rig.vehicle())) == "200");
    CHECK(rig.enrol("boot", "tls/simpleenroll", request) == "409 key-refused key_used");
    CHECK(rig.enrol("boot", "tls/simpleenroll", rig.csr("second", rig.vehicle())) == "200");
  }
  SECTION("an hour later") {
    const auto shift =
        cloud_test::run({WAYSEAL_SQLITE, rig.fleet() + "/est/register.db",
                         "UPDATE identities SET issued_s = issued_s - 3601 WHERE requested_by <> 'oem'"});
    REQUIRE(shift.code == 0);
    CHECK(rig.enrol("boot", "tls/simpleenroll", request) == "409 key-refused key_used");
  }
  SECTION("for the other purpose") {
    CHECK(rig.enrol("boot", "e2e/simpleenroll", request) == "409 key-refused key_used");
  }
}

TEST_CASE(
    "a server that is killed between record and answer gives the recorded certificate when it is asked again") {
  Rig rig({json::object(), {}, true});
  rig.tls_client("own", rig.vehicle());
  rig.make_key("next");
  const std::string request = rig.csr("next", rig.vehicle());
  const size_t before = rig.issued();
  rig.kill_before_answer(true);
  const auto lost = rig.post("own", "tls/simplereenroll", request);
  CHECK((lost.status == "502" || lost.status == "503"));
  CHECK(holds(rig.body(), "urn:wayseal:problem:unavailable"));
  REQUIRE(eventually([&] { return !rig.est_running(); }));
  REQUIRE(rig.issued() == before + 1);
  const auto recorded = rig.known().newest(rig.vehicle(), "tls");
  REQUIRE(recorded);

  rig.kill_before_answer(false);
  rig.start_est();
  REQUIRE(rig.enrol("own", "tls/simplereenroll", request) == "200");
  CHECK(rig.issued() == before + 1);
  CHECK(oem::pem_of(oem::certificate_of(recorded->certificate.data(), recorded->certificate.size()).get()) ==
        rig.leaf());
  CHECK(rig.log().back()["why"] == "again");
}
