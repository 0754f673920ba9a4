// SPDX-License-Identifier: Apache-2.0
// Covers AckReader, SessionAck::highest, Session::open_ack (split_sealed, parse_backend_header, parse_content); against
// libprotobuf's Ack.
//
// An Ack gives at most 32 sessions, with numbers in their range, and the same ones as libprotobuf. Bytes that are not
// sealed under the session's key give nothing.
//
// Input: 1 byte of mode (Ack, content that the target seals, Sealed), the bytes.
#include "delivery.pb.h"
#include "envelope.pb.h"
#include "fuzz.hpp"
#include "quiet_protobuf.hpp"
#include "unit/seal/vehicle_half.hpp"
#include "wayseal/seal/session.hpp"

namespace {

using namespace wayseal;
using fakes::must;

/// A vehicle with an open session, and the backend that knows it. Made once: nothing that the target does changes it.
struct Scene {
  Scene()
      : life(world),
        openings(life.state, life.prekeys),
        session(world.vault, world.clock, openings, life.identity) {
    life.fetch(1);
    fakes::Blob open(kSessionOpenBytesMax);
    size_t size = 0;
    must(session.open({}, {}, fakes::mutable_view(open), size));
    if (!world.backend.take_open({open.data(), size})) std::abort();
  }

  // As BackendHalf::seal_content, but for any content.
  std::string seal(Bytes content) const {
    const auto& known = world.backend.sessions.begin()->second;
    std::string header("\x01", 1);
    header += static_cast<char>(known.suite);
    header += fuzz::text_of(known.id.bytes()) + std::string(8 + Nonce::kSize, '\0');
    Nonce nonce;
    v1::Sealed message;
    message.set_header(header);
    const auto sealed = fakes::gcm_seal(known.b2v, nonce, fuzz::bytes_of(header), content);
    message.set_ciphertext(sealed.data(), sealed.size());
    return message.SerializeAsString();
  }

  fakes::VehicleWorld world;
  fakes::VehicleLife life;
  StoredOpenings openings;
  Session session;
};

Scene& scene() {
  static Scene made;
  return made;
}

// The entries that AckReader gives before it ends, and how it ends.
std::vector<SessionAck> read_all(Bytes payload, Status& end) {
  std::vector<SessionAck> entries;
  AckReader reader(payload);
  SessionAck entry;
  while ((end = reader.next(entry)) == Status::kOk) {
    fuzz::require(entries.size() < kAckSessionsMax, "an Ack has at most 32 sessions");
    fuzz::require(entry.contiguous <= kSessionRecordsMax && entry.beyond_size <= kAckBitmapMax,
                  "in their range");
    fuzz::require(entry.highest() >= entry.contiguous, "the highest number is not below the contiguous ones");
    entries.push_back(entry);
  }
  fuzz::require(end == Status::kNotFound || end == Status::kMalformed, "an Ack ends or is malformed");
  return entries;
}

void try_ack(Bytes payload) {
  Status end = Status::kOk;
  const std::vector<SessionAck> entries = read_all(payload, end);
  v1::Ack ack;
  const bool theirs = ack.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  // nanopb passes over a number of any length in a field that it does not know; libprotobuf refuses it.
  if (end != Status::kNotFound || !theirs) return;
  fuzz::require(static_cast<size_t>(ack.sessions_size()) == entries.size(), "as many sessions");
  for (size_t i = 0; i < entries.size(); ++i) {
    const v1::SessionAck& other = ack.sessions(static_cast<int>(i));
    fuzz::require(other.contiguous() == entries[i].contiguous, "with the same numbers");
    fuzz::require(other.beyond() == fuzz::text_of(entries[i].bitmap()), "and bitmaps");
    if (!other.session_id().empty()) {  // an absent one is zeros for nanopb
      fuzz::require(other.session_id() == fuzz::text_of(entries[i].session.bytes()), "and names");
    }
  }
}

void try_sealed(Bytes sealed, const Bytes* content) {
  fakes::Blob plaintext(kAckContentMax);
  Bytes ack;
  const Status status = scene().session.open_ack(sealed, fakes::mutable_view(plaintext), ack);
  if (content == nullptr) {
    fuzz::require(status != Status::kOk, "what nobody has sealed does not open");
    return;
  }
  fuzz::require(status != Status::kNotAuthentic && status != Status::kNotFound,
                "what the backend has sealed opens");
  if (content->size() > kAckContentMax)
    fuzz::require(status == Status::kMalformed, "an Ack has its largest size");
  if (status != Status::kOk) return;
  fuzz::require(fuzz::inside(ack, fakes::view(plaintext)), "the payload lies in the plaintext");
  fuzz::require(ack.size() <= content->size() && (*content)[0] == 64, "and is that of an Ack");
  Status end = Status::kOk;
  static_cast<void>(read_all(ack, end));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::quiet_protobuf();
  fuzz::Input in(data, size);
  const unsigned mode = in.u8() % 3;
  const fuzz::ExactCopy bytes(in.rest());
  if (mode == 0) try_ack(bytes.view());
  if (mode == 1) {
    const Bytes content = bytes.view();
    const std::string sealed = scene().seal(content);
    const fuzz::ExactCopy copy(fuzz::bytes_of(sealed));
    try_sealed(copy.view(), &content);
  }
  if (mode == 2) try_sealed(bytes.view(), nullptr);
  return 0;
}
