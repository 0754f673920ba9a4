// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/signed.hpp"

#include <catch2/catch_test_macros.hpp>

#include "unit/seal/backend_half.hpp"

namespace wayseal {
namespace {

using fakes::BackendHalf;
using fakes::Blob;
using fakes::FakeCertVerifier;
using fakes::label_digest;
using fakes::view;

Bytes text(const std::string& value) { return {reinterpret_cast<const uint8_t*>(value.data()), value.size()}; }

TEST_CASE("signed: the digest is SHA-256 over the label's length, the label and the body") {
  Digest digest;
  REQUIRE(signed_digest(SignedLabel::kTime, text("body"), digest) == Status::kOk);
  CHECK(digest == label_digest("wayseal/1 time", "body"));
  REQUIRE(signed_digest(SignedLabel::kPrekeysRequest, text(""), digest) == Status::kOk);
  CHECK(digest == label_digest("wayseal/1 prekeys-request", ""));
}

TEST_CASE("signed: no two uses of a key share a label") {
  const SignedLabel labels[] = {SignedLabel::kOpen, SignedLabel::kPrekeysRequest, SignedLabel::kPrekeys,
                                SignedLabel::kTime, SignedLabel::kRefuse};
  for (const SignedLabel a : labels) {
    for (const SignedLabel b : labels) CHECK((a == b) == equal(label_text(a), label_text(b)));
  }
}

TEST_CASE("signed: a point that is not on the curve is refused, whatever its form") {
  const EcPoint good = fakes::public_point(fakes::random_scalar());
  CHECK(check_point(good) == Status::kOk);
  for (size_t i = 0; i < EcPoint::kSize; ++i) {
    EcPoint bad = good;
    bad.data[i] ^= 1;
    CHECK(check_point(bad) == Status::kNotAuthentic);
  }
  CHECK(check_point(EcPoint{}) == Status::kNotAuthentic);
}

TEST_CASE("signed: a signature by OpenSSL verifies, and no altered one does") {
  const fakes::Scalar key = fakes::random_scalar();
  const Digest digest = fakes::sha256(text("message"));
  const EcSignature signature = fakes::ecdsa_sign(key, digest);
  const EcPoint point = fakes::public_point(key);
  CHECK(verify_signature(point, digest, signature.bytes()) == Status::kOk);
  for (size_t bit = 0; bit < EcSignature::kSize * 8; bit += 3) {
    EcSignature bad = signature;
    bad.data[bit / 8] = static_cast<uint8_t>(bad.data[bit / 8] ^ (1U << (bit % 8)));
    REQUIRE(verify_signature(point, digest, bad.bytes()) == Status::kNotAuthentic);
  }
  CHECK(verify_signature(point, digest, signature.bytes().first(63)) == Status::kNotAuthentic);
  CHECK(verify_signature(point, fakes::sha256(text("other")), signature.bytes()) == Status::kNotAuthentic);
  CHECK(verify_signature(EcPoint{}, digest, signature.bytes()) == Status::kNotAuthentic);
  CHECK(verify_signature(point, digest, EcSignature{}.bytes()) == Status::kNotAuthentic);
}

TEST_CASE(
    "signed: the framing takes exactly two certificates, a 64-byte signature and a body within its limit") {
  FakeCertVerifier root;
  const BackendHalf backend(root, "vehicle-7");
  SignedMessage parts;
  const Blob good = BackendHalf::sign("wayseal/1 time", "body", backend.time);
  REQUIRE(split_signed(SignedLabel::kTime, view(good), parts) == Status::kOk);
  CHECK(fakes::to_string(parts.body) == "body");
  CHECK(equal(parts.chain.certificates[0], view(backend.time.chain.leaf)));

  Blob third = good;  // field 3 again: one more certificate
  third.insert(third.end(), {0x1A, 0x01, 0x00});
  CHECK(split_signed(SignedLabel::kTime, view(third), parts) == Status::kMalformed);
  Blob short_signature = good;  // field 2 again: the last one counts
  short_signature.insert(short_signature.end(), {0x12, 0x01, 0x00});
  CHECK(split_signed(SignedLabel::kTime, view(short_signature), parts) == Status::kMalformed);
  const Blob long_body = BackendHalf::sign(
      "wayseal/1 time", std::string(signed_body_max(SignedLabel::kTime) + 1, 'x'), backend.time);
  CHECK(split_signed(SignedLabel::kTime, view(long_body), parts) == Status::kMalformed);
  CHECK(split_signed(SignedLabel::kTime, view(BackendHalf::sign("wayseal/1 time", "", backend.time)), parts) ==
        Status::kMalformed);
  for (size_t size = 0; size < good.size(); ++size) {
    REQUIRE(split_signed(SignedLabel::kTime, view(good).first(size), parts) == Status::kMalformed);
  }
}

TEST_CASE("signed: a signature under one label is none under another, nor one of another role") {
  FakeCertVerifier root;
  const BackendHalf backend(root, "vehicle-7");
  const Blob message = BackendHalf::sign("wayseal/1 prekeys", "body", backend.prekey);
  SignedMessage parts;
  REQUIRE(split_signed(SignedLabel::kPrekeys, view(message), parts) == Status::kOk);
  CertInfo info;
  const CertificateDates dates;
  CHECK(verify_signed(parts, SignedLabel::kPrekeys, Role::kPrekey, root, dates, info) == Status::kOk);
  CHECK(verify_signed(parts, SignedLabel::kRefuse, Role::kPrekey, root, dates, info) == Status::kNotAuthentic);
  CHECK(verify_signed(parts, SignedLabel::kPrekeys, Role::kTime, root, dates, info) == Status::kNotAuthentic);
  FakeCertVerifier other_root("another root");
  CHECK(verify_signed(parts, SignedLabel::kPrekeys, Role::kPrekey, other_root, dates, info) ==
        Status::kNotAuthentic);
}

}  // namespace
}  // namespace wayseal
