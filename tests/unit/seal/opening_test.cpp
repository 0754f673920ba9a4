// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/opening.hpp"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <vector>

#include "unit/seal/backend_half.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::mutable_view;
using fakes::view;

Opening some_opening() {
  Opening opening;
  opening.suite = 2;
  opening.offer = 3;
  opening.prekey_id = 77;
  opening.prekey_point.data[0] = 4;
  opening.bundle_digest.data[1] = 5;
  opening.backend_certificate_digest.data[2] = 6;
  opening.ephemeral.data[3] = 7;
  opening.nonce.data[4] = 8;
  opening.counter = 9;
  opening.previous.known = PreviousSession::Known::kYes;
  opening.previous.id.data[5] = 10;
  opening.previous.last_durable = 11;
  return opening;
}

VehicleId id(const std::string& text) {
  VehicleId vehicle;
  std::copy(text.begin(), text.end(), vehicle.text);
  vehicle.size = static_cast<uint8_t>(text.size());
  return vehicle;
}

Digest hash(const Opening& opening, const Digest& certificate = {}, const std::string& vehicle = "v") {
  Digest th;
  REQUIRE(transcript_hash(opening, certificate, id(vehicle), th) == Status::kOk);
  return th;
}

TEST_CASE("opening: everything that is agreed is in the transcript hash") {
  const Digest before = hash(some_opening());
  using Change = std::function<void(Opening&)>;
  const Change changes[] = {
      [](Opening& o) { o.suite = 1; },
      [](Opening& o) { o.offer = 2; },
      [](Opening& o) { ++o.prekey_id; },
      [](Opening& o) { ++o.prekey_point.data[64]; },
      [](Opening& o) { ++o.bundle_digest.data[31]; },
      [](Opening& o) { ++o.backend_certificate_digest.data[31]; },
      [](Opening& o) { ++o.ephemeral.data[64]; },
      [](Opening& o) { ++o.nonce.data[31]; },
      [](Opening& o) { ++o.counter; },
      [](Opening& o) { o.previous.known = PreviousSession::Known::kNo; },
      [](Opening& o) { ++o.previous.id.data[15]; },
      [](Opening& o) { ++o.previous.last_durable; },
  };
  for (const Change& change : changes) {
    Opening changed = some_opening();
    change(changed);
    CHECK(hash(changed) != before);
  }
  Digest certificate;
  certificate.data[0] = 1;
  CHECK(hash(some_opening(), certificate) != before);
  CHECK(hash(some_opening(), {}, "w") != before);
  CHECK(hash(some_opening(), {}, "vv") != before);
}

TEST_CASE("opening: what is encoded reads back, also a vehicle's first session") {
  const Blob leaf(900, 1);
  const Blob intermediate(kCertificateMax, 2);
  CertChain chain;
  chain.certificates[0] = view(leaf);
  chain.certificates[1] = view(intermediate);
  chain.count = 2;
  Opening opening = some_opening();
  for (const auto known : {PreviousSession::Known::kYes, PreviousSession::Known::kNo}) {
    opening.previous.known = known;
    Blob out(kSessionOpenBytesMax);
    size_t size = 0;
    REQUIRE(encode_session_open(opening, chain, EcSignature{}, mutable_view(out), size) == Status::kOk);
    Opening back;
    CertChain back_chain;
    REQUIRE(decode_session_open(view(out).first(size), back, back_chain) == Status::kOk);
    CHECK(hash(back) == hash(opening));
    CHECK(back_chain.count == 2);
    CHECK(equal(back_chain.certificates[0], view(leaf)));
    for (size_t cut = 0; cut < size; cut += 13) {
      REQUIRE(decode_session_open(view(out).first(cut), back, back_chain) != Status::kOk);
    }
    CHECK(encode_session_open(opening, chain, EcSignature{}, {out.data(), size - 1}, size) ==
          Status::kBufferTooSmall);
  }
}

TEST_CASE("opening: the largest SessionOpen fits its limit") {
  Opening opening;
  std::memset(static_cast<void*>(&opening), 0xFF, sizeof opening);
  opening.previous.known = PreviousSession::Known::kYes;
  const Blob certificate(kCertificateMax, 1);
  CertChain chain;
  chain.certificates[0] = chain.certificates[1] = view(certificate);
  chain.count = 2;
  EcSignature signature;
  signature.data[0] = 1;
  Blob out(kSessionOpenBytesMax);
  size_t size = 0;
  CHECK(encode_session_open(opening, chain, signature, mutable_view(out), size) == Status::kOk);
  CHECK(size > kSessionOpenBytesMax - 256);
}

}  // namespace
}  // namespace wayseal
