// SPDX-License-Identifier: Apache-2.0
// The library's own request and reading of the answer, against the server.
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "rig.hpp"
#include "wayseal/enrol/certificate.hpp"

using namespace est_test;

TEST_CASE("what the library writes is accepted, and it reads what comes back") {
  Rig rig;
  rig.bootstrap_client("boot", rig.vehicle());
  const cloud_test::Signer signer{oem::generate_key(), {}, {}};
  wayseal::VehicleId id;
  std::memcpy(id.text, rig.vehicle().data(), rig.vehicle().size());
  id.size = static_cast<uint8_t>(rig.vehicle().size());
  wayseal::EcPoint point;
  std::memcpy(point.data, cloud_test::point_of(signer.key.get()).data(), sizeof point.data);

  uint8_t info[wayseal::kSigningRequestMax];
  const auto info_size = wayseal::write_request_info(id, point, wayseal::MutableBytes{info});
  REQUIRE(info_size.ok());
  wayseal::EcSignature signature;
  const std::string signed_bytes(reinterpret_cast<const char*>(info), info_size.value());
  std::memcpy(signature.data, signer.sign(cloud_test::sha256(signed_bytes)).data(), sizeof signature.data);
  uint8_t request[wayseal::kSigningRequestMax];
  const auto size =
      wayseal::write_signing_request({info, info_size.value()}, signature, wayseal::MutableBytes{request});
  REQUIRE(size.ok());
  std::string text(wayseal::base64_size(size.value()), '\0');
  REQUIRE(wayseal::write_base64({request, size.value()}, {reinterpret_cast<uint8_t*>(text.data()), text.size()})
              .ok());

  for (int again = 0; again < 2; ++again) {
    REQUIRE(rig.enrol("boot", "tls/simpleenroll", text) == "200");
    std::string answer = rig.body();
    auto* const start = reinterpret_cast<uint8_t*>(answer.data());
    const auto der = wayseal::read_base64({start, answer.size()});
    REQUIRE(der.ok());
    wayseal::CertificateList list;
    REQUIRE(wayseal::read_certs_only({start, der.value()}, list) == wayseal::Status::kOk);
    REQUIRE(list.count == 2);
    wayseal::CertificateFields fields;
    REQUIRE(wayseal::read_certificate_fields(list.certificates[0], fields) == wayseal::Status::kOk);
    CHECK(fields.key == point);
    CHECK(std::string(fields.subject.text, fields.subject.size) == rig.vehicle());
  }
}
