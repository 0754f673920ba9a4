// SPDX-License-Identifier: Apache-2.0
// What a vehicle writes is read by OpenSSL, and the reverse.
#include "wayseal/enrol/certificate.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "unit/enrol/est_server.hpp"

namespace wayseal::test {
namespace {

using namespace fakes;

VehicleId id_of(const std::string& text) {
  VehicleId out;
  out.size = static_cast<uint8_t>(text.copy(out.text, sizeof out.text));
  return out;
}

Der make_request(const std::string& id, const Scalar& key) {
  uint8_t info[kSigningRequestMax];
  uint8_t out[kSigningRequestMax];
  const Result<size_t> size = write_request_info(id_of(id), public_point(key), info);
  REQUIRE(size.ok());
  const Bytes body = Bytes(info).first(size.value());
  const Result<size_t> all = write_signing_request(body, ecdsa_sign(key, sha256(body)), out);
  REQUIRE(all.ok());
  return {out, out + all.value()};
}

Der canned_answer() {
  const EstServer server;
  return certs_only({server.issue_e2e("v1", public_point(random_scalar())).der, server.intermediate(true)});
}

}  // namespace

TEST_CASE("a signing request is what OpenSSL reads as one, whatever the id and the signature") {
  for (const std::string& id : {std::string("v"), std::string("vehicle-7"), std::string(kVehicleIdMax, 'x')}) {
    // Signatures have leading zeros and high bits by chance: enough of them to meet both.
    for (int i = 0; i < 300; ++i) {
      const Scalar key = random_scalar();
      const ReadRequest read = read_request(make_request(id, key));
      REQUIRE(read.good);
      CHECK(read.subject == "/CN=" + id);
      CHECK(read.point == public_point(key));
      CHECK(read.attributes == 0);
    }
  }
}

TEST_CASE("a signing request for what is no vehicle id, or without room, is refused") {
  uint8_t out[kSigningRequestMax];
  const EcPoint key = public_point(random_scalar());
  CHECK(write_request_info(id_of(""), key, out).status() == Status::kInvalidArgument);
  CHECK(write_request_info(id_of("a b"), key, out).status() == Status::kInvalidArgument);
  const size_t size = write_request_info(id_of("v"), key, out).value();
  for (size_t room = 0; room < size; ++room) {
    CHECK(write_request_info(id_of("v"), key, MutableBytes(out).first(room)).status() ==
          Status::kBufferTooSmall);
  }
  uint8_t request[kSigningRequestMax];
  const Bytes info = Bytes(out).first(size);
  CHECK(
      write_signing_request(info, ecdsa_sign(random_scalar(), sha256(info)), MutableBytes(request).first(size))
          .status() == Status::kBufferTooSmall);
}

TEST_CASE("base64 there and back is OpenSSL's, with any line breaks, and nothing else is taken") {
  std::mt19937 dice(7);
  for (size_t size = 0; size < 200; ++size) {
    Der bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(dice());
    std::string text(base64_size(size), '\0');
    const MutableBytes out{reinterpret_cast<uint8_t*>(text.data()), text.size()};
    REQUIRE(write_base64(bytes_of(bytes), out).value() == text.size());
    CHECK(text == encode_base64(bytes));
    if (size > 0)
      CHECK(write_base64(bytes_of(bytes), out.first(text.size() - 1)).status() == Status::kBufferTooSmall);
    for (const bool lines : {false, true}) {
      std::string there = encode_base64(bytes, lines);
      const MutableBytes room{reinterpret_cast<uint8_t*>(there.data()), there.size()};
      REQUIRE(read_base64(room).value() == size);
      CHECK(equal(Bytes(room).first(size), bytes_of(bytes)));
    }
  }
  for (std::string wrong : {"A", "AAA", "AA", "AA=", "AAA=A", "====", "A===", "AB==", "AAB=", "AAAA=", "AA-_",
                            "AA\x80=", "AAAA\0AAAA"}) {
    const MutableBytes room{reinterpret_cast<uint8_t*>(wrong.data()), wrong.size()};
    INFO(wrong);
    const bool sound = wrong == "AAAA";  // the literal with NUL ends there
    CHECK(read_base64(room).ok() == sound);
  }
}

TEST_CASE("certs-only messages: OpenSSL's are read, and cut or grown ones are not") {
  const EstServer server;
  const Scalar key = random_scalar();
  const Der leaf = server.issue_e2e("vehicle-7", public_point(key)).der;
  const Der message = certs_only({leaf, server.intermediate(true)});
  CertificateList list;
  REQUIRE(read_certs_only(bytes_of(message), list) == Status::kOk);
  REQUIRE(list.count == 2);
  const bool first = equal(list.certificates[0], bytes_of(leaf));
  CHECK(equal(list.certificates[first ? 0 : 1], bytes_of(leaf)));
  CHECK(equal(list.certificates[first ? 1 : 0], bytes_of(server.intermediate(true))));

  for (size_t size = 0; size < message.size(); ++size) {
    CHECK(read_certs_only(bytes_of(message).first(size), list) != Status::kOk);
  }
  Der longer = message;
  longer.push_back(0);
  CHECK(read_certs_only(bytes_of(longer), list) == Status::kMalformed);
  CHECK(read_certs_only(bytes_of(certs_only({leaf, leaf, server.intermediate(true)})), list) ==
        Status::kUnsupported);
  CHECK(read_certs_only(bytes_of(certs_only({})), list) == Status::kMalformed);
}

TEST_CASE("changed bytes in an answer never read out of it") {
  const Der message = canned_answer();
  std::mt19937 dice(11);
  int sound = 0;
  for (int i = 0; i < 20000; ++i) {
    Der changed = message;
    for (unsigned n = 0; n < 1 + dice() % 3; ++n)
      changed[dice() % (i % 2 == 0 ? 60 : changed.size())] = static_cast<uint8_t>(dice());
    const Der exact(changed);  // its own allocation, for the address sanitizer
    CertificateList list;
    if (read_certs_only(bytes_of(exact), list) != Status::kOk) continue;
    ++sound;
    for (size_t c = 0; c < list.count; ++c) {
      CertificateFields fields;
      static_cast<void>(read_certificate_fields(list.certificates[c], fields));
    }
  }
  CHECK(sound > 0);
}

TEST_CASE("fields of a certificate are those that it was made with") {
  const EstServer server;
  const Scalar key = random_scalar();
  CertificateFields fields;
  const auto read = [&fields](const CertSpec& spec, const TestKey& of) {
    const TestIdentity root = make_root(root_spec("root"));
    return read_certificate_fields(issue(root, spec, of).bytes(), fields);
  };
  CertSpec spec;
  spec.common_name = "vehicle-7";
  for (const int64_t second :
       {int64_t{0}, int64_t{951782399}, int64_t{951782400}, int64_t{1709164800}, int64_t{2524607999},
        int64_t{2524608000}, int64_t{4102444799}, int64_t{253402300799}}) {
    spec.not_before_s = second;
    spec.not_after_s = second;
    REQUIRE(read(spec, key_from(key)) == Status::kOk);
    CHECK(fields.not_before.ms == second * kMsPerSecond);
    CHECK(fields.not_after.ms == second * kMsPerSecond);
  }
  CHECK(fields.key == public_point(key));
  CHECK(equal(fields.subject.bytes(), id_of("vehicle-7").bytes()));

  SECTION("two names") {
    spec.second_common_name = "vehicle-8";
    CHECK(read(spec, key_from(key)) == Status::kMalformed);
  }
  SECTION("a name that is too long") {
    spec.common_name = std::string(kVehicleIdMax + 1, 'x');
    CHECK(read(spec, key_from(key)) == Status::kUnsupported);
  }
  SECTION("another kind of key") {
    CHECK(read(spec, make_key(TestKeyKind::kP384)) == Status::kUnsupported);
    CHECK(read(spec, make_key(TestKeyKind::kRsa2048)) == Status::kUnsupported);
    CHECK(read(spec, make_key(TestKeyKind::kP256Explicit)) != Status::kOk);
  }
  SECTION("no certificate") {
    const Der request = make_request("v1", key);
    CHECK(read_certificate_fields(bytes_of(request), fields) == Status::kMalformed);
  }
}

}  // namespace wayseal::test
