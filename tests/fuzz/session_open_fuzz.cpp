// SPDX-License-Identifier: Apache-2.0
// Covers decode_session_open, encode_session_open, transcript_hash, refusal_fits; of the backend libprotobuf's
// SessionOpen and cloud::transcript.
//
// What the vehicle reads back it writes the same again, and both sides compute the same transcript hash over it: a
// session that one side opens under another hash could never be read.
//
// Input: the SessionOpen.
#include "fuzz.hpp"
#include "quiet_protobuf.hpp"
#include "wayseal/seal/opening.hpp"
#include "wayseal/seal/refusal.hpp"
#include "wayseal/trust/signed.hpp"
#include "wire.hpp"

namespace {

using namespace wayseal;

bool same(const Opening& a, const Opening& b) {
  return a.suite == b.suite && a.offer == b.offer && a.prekey_id == b.prekey_id &&
         a.prekey_point == b.prekey_point && a.bundle_digest == b.bundle_digest &&
         a.backend_certificate_digest == b.backend_certificate_digest && a.ephemeral == b.ephemeral &&
         a.nonce == b.nonce && a.counter == b.counter && a.previous.known == b.previous.known &&
         a.previous.id == b.previous.id && a.previous.last_durable == b.previous.last_durable;
}

void check_round_trip(const Opening& opening, const CertChain& chain) {
  std::vector<uint8_t> out(kSessionOpenBytesMax);
  size_t size = 0;
  fuzz::require(encode_session_open(opening, chain, {}, {out.data(), out.size()}, size) == Status::kOk,
                "what was read can be written in the room that is always enough");
  const fuzz::ExactCopy bytes({out.data(), size});
  Opening again;
  CertChain chain_again;
  fuzz::require(decode_session_open(bytes.view(), again, chain_again) == Status::kOk, "and read again");
  fuzz::require(same(opening, again) && chain_again.count == chain.count, "as the same");
}

// A field that is absent is zeros for nanopb and empty for libprotobuf: the backend refuses the empty one.
bool whole_for_the_backend(const v1::SessionOpen& open) {
  return open.prekey_point().size() == EcPoint::kSize && open.bundle_digest().size() == Digest::kSize &&
         open.backend_certificate_digest().size() == Digest::kSize &&
         open.ephemeral().size() == EcPoint::kSize && open.nonce().size() == Challenge::kSize &&
         open.chain_size() == 2;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::quiet_protobuf();
  const fuzz::ExactCopy bytes({data, size});
  Opening opening;
  CertChain chain;
  const Status status = decode_session_open(bytes.view(), opening, chain);
  v1::SessionOpen open;
  const bool theirs = open.ParseFromArray(data, static_cast<int>(size));
  if (theirs && open.chain_size() > 0) {
    static_cast<void>(cloud::transcript(open, cloud::sha256(open.chain(0)), "vehicle-7"));
  }
  if (status != Status::kOk) {
    fuzz::require(status == Status::kMalformed || status == Status::kUnsupported, "decoding says why");
    return 0;
  }
  fuzz::require(chain.count >= 1 && chain.count <= kChainMax, "a chain of one or two");
  for (size_t i = 0; i < chain.count; ++i) {
    fuzz::require(fuzz::inside(chain.certificates[i], bytes.view()), "whose certificates lie in the message");
    fuzz::require(chain.certificates[i].size() <= kCertificateMax, "and keep to their limit");
  }
  check_round_trip(opening, chain);
  VehicleId vehicle;
  vehicle.size = 9;
  std::memcpy(vehicle.text, "vehicle-7", vehicle.size);
  Digest certificate;
  Digest th;
  fuzz::require(sha256(chain.certificates[0], certificate) == Status::kOk &&
                    transcript_hash(opening, certificate, vehicle, th) == Status::kOk,
                "the transcript can be hashed");
  Refusal refusal;
  refusal.th = th;
  fuzz::require(refusal_fits(refusal, bytes.view(), vehicle) == Status::kOk,
                "a refusal of this transcript fits");
  refusal.th.data[31] ^= 1U;
  fuzz::require(refusal_fits(refusal, bytes.view(), vehicle) == Status::kNotAuthentic,
                "one of another does not");
  // nanopb passes over a number of any length in a field that it does not know; libprotobuf refuses it.
  if (!theirs || !whole_for_the_backend(open)) return 0;
  const std::string their_th = cloud::transcript(open, cloud::sha256(open.chain(0)), "vehicle-7");
  fuzz::require(their_th == fuzz::text_of(th.bytes()), "both sides hash the same transcript");
  return 0;
}
