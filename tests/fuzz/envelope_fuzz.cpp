// SPDX-License-Identifier: Apache-2.0
// Covers split_sealed, parse_backend_header, lay_out_sealed, sealed_size, parse_content, frame_content,
// encode_loss_report; of the backend cloud::parse_header, reply_header, unframe, frame, and libprotobuf's Sealed and
// LossReport.
//
// Vehicle and backend, written apart, agree: a Sealed has the same parts for both, what one writes the other reads back
// unchanged, and a content that one refuses the other refuses.
//
// Input: 1 byte of mode (Sealed, header, content, loss report), the bytes.
#include "envelope.pb.h"
#include "fuzz.hpp"
#include "quiet_protobuf.hpp"
#include "record.pb.h"
#include "wayseal/record/loss_report.hpp"
#include "wayseal/seal/envelope.hpp"
#include "wire.hpp"

namespace {

using namespace wayseal;

void try_header(Bytes header) {
  EnvelopeHeader ours;
  if (parse_backend_header(header, ours) == Status::kOk) {
    const std::string again =
        cloud::reply_header(ours.suite, fuzz::text_of(ours.session.bytes()), fuzz::text_of(ours.nonce.bytes()));
    fuzz::require(again == fuzz::text_of(header), "a backend's header is what the backend writes");
  }
  const auto theirs = cloud::parse_header(fuzz::text_of(header));
  if (!theirs) return;
  EnvelopeHeader vehicle;
  vehicle.suite = static_cast<uint8_t>(theirs->suite);
  std::memcpy(vehicle.session.data, theirs->session_id.data(), SessionId::kSize);
  vehicle.sequence = theirs->sequence;
  uint8_t out[256];
  SealedLayout layout;
  const size_t content = theirs->sequence % 128;
  fuzz::require(lay_out_sealed(vehicle, content, out, layout) == Status::kOk,
                "a record of this size is laid out");
  fuzz::require(layout.size == sealed_size(content), "in the size that was said");
  fuzz::require(equal(layout.header, header), "a vehicle's header is what the vehicle writes");
  SealedView view;
  fuzz::require(split_sealed(Bytes(out).first(layout.size), view) == Status::kOk,
                "what is laid out can be split");
  fuzz::require(
      view.ciphertext.data() == layout.ciphertext.data() && view.ciphertext.size() == layout.ciphertext.size(),
      "at the place where the token writes");
}

void try_sealed(Bytes bytes) {
  SealedView view;
  const bool ours = split_sealed(bytes, view) == Status::kOk;
  v1::Sealed message;
  const bool theirs = message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!ours) return;
  fuzz::require(fuzz::inside(view.header, bytes) && fuzz::inside(view.ciphertext, bytes),
                "the parts lie in the message");
  // nanopb passes over a number of any length in a field that it does not know; libprotobuf refuses it.
  if (!theirs) return;
  fuzz::require(message.header() == fuzz::text_of(view.header), "with the same header");
  fuzz::require(message.ciphertext() == fuzz::text_of(view.ciphertext), "and the same ciphertext");
  try_header(view.header);
}

void try_content(Bytes bytes) {
  ContentView ours;
  const Status status = parse_content(bytes, ours);
  const auto theirs = cloud::unframe(fuzz::text_of(bytes));
  fuzz::require((status == Status::kMalformed) == !theirs.has_value(), "both refuse the same contents");
  if (status != Status::kOk) return;
  fuzz::require(
      static_cast<uint32_t>(ours.type) == theirs->type && fuzz::text_of(ours.payload) == theirs->payload,
      "both read the same content");
  const std::string framed = cloud::frame(theirs->type, theirs->payload);
  ContentView again;
  fuzz::require(
      parse_content(fuzz::bytes_of(framed), again) == Status::kOk && equal(again.payload, ours.payload),
      "the vehicle reads what the backend frames");
  std::vector<uint8_t> area(kContentMax);
  if (ours.payload.size() > kPayloadMax) return;
  if (!ours.payload.empty())
    std::memcpy(area.data() + kContentHeaderSize, ours.payload.data(), ours.payload.size());
  const Result<size_t> size = frame_content(ours.type, ours.payload.size(), {area.data(), area.size()});
  fuzz::require(size.ok(), "what fits is framed");
  const auto back = cloud::unframe(fuzz::text_of({area.data(), size.value()}));
  fuzz::require(back && back->payload == theirs->payload, "the backend reads what the vehicle frames");
}

LossRange next_range(fuzz::Input& in) {
  LossRange range;
  in.fill(range.session.mutable_bytes());
  range.first = in.u64();
  range.last = in.u64();
  range.count = in.u64();
  range.cause = static_cast<LossCause>(in.u8() % 5);
  return range;
}

BusLoss next_bus(fuzz::Input& in) {
  BusLoss bus;
  bus.bus = in.u8();
  for (uint64_t* count : {&bus.frames, &bus.frames_dropped, &bus.error_frames, &bus.bus_off_events,
                          &bus.down_events, &bus.frames_unknown}) {
    *count = in.u64();
  }
  return bus;
}

void try_loss_report(fuzz::Input& in) {
  std::vector<LossRange> ranges(in.u8() % (kLossRangesMax + 1));
  std::vector<BusLoss> buses(in.u8() % (kBusesMax + 1));
  const size_t room = in.u16();
  LossReport report;
  report.epoch = in.u64();
  report.batches_dropped = in.u64();
  report.samples_dropped = in.u64();
  for (LossRange& range : ranges) range = next_range(in);
  for (BusLoss& bus : buses) bus = next_bus(in);
  report.ranges = {ranges.data(), ranges.size()};
  report.buses = {buses.data(), buses.size()};
  const auto memory = std::make_unique<uint8_t[]>(room);
  size_t coded = 0;
  const Result<size_t> size = encode_loss_report(report, {memory.get(), room}, coded);
  const size_t least = loss_report_size_max(ranges.empty() ? 0 : 1, buses.size());
  fuzz::require(size.ok() == (room >= least), "a report with one range is coded where it says that it fits");
  if (!size.ok()) return;
  v1::LossReport read;
  fuzz::require(read.ParseFromArray(memory.get(), static_cast<int>(size.value())), "the backend reads it");
  fuzz::require(static_cast<size_t>(read.ranges_size()) == coded && coded <= ranges.size(),
                "with as many ranges");
  fuzz::require(ranges.empty() || coded >= 1, "at least one");
  fuzz::require(read.epoch() == report.epoch && read.samples_dropped() == report.samples_dropped &&
                    read.batches_dropped() == report.batches_dropped,
                "and the same counts");
  for (size_t i = 0; i < coded; ++i) {
    const auto& range = read.ranges(static_cast<int>(i));
    fuzz::require(range.session_id() == fuzz::text_of(ranges[i].session.bytes()) &&
                      range.first() == ranges[i].first && range.last() == ranges[i].last &&
                      range.count() == ranges[i].count &&
                      static_cast<int>(range.cause()) == static_cast<int>(ranges[i].cause),
                  "and the same ranges");
  }
  fuzz::require(static_cast<size_t>(read.buses_size()) == buses.size(), "and every bus");
  for (size_t i = 0; i < buses.size(); ++i) {
    const auto& bus = read.buses(static_cast<int>(i));
    fuzz::require(bus.bus() == buses[i].bus && bus.frames() == buses[i].frames &&
                      bus.frames_unknown() == buses[i].frames_unknown,
                  "as it was");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::quiet_protobuf();
  fuzz::Input in(data, size);
  const unsigned mode = in.u8() % 4;
  if (mode == 3) {
    try_loss_report(in);
    return 0;
  }
  const fuzz::ExactCopy bytes(in.rest());
  if (mode == 0) try_sealed(bytes.view());
  if (mode == 1) try_header(bytes.view());
  if (mode == 2) try_content(bytes.view());
  return 0;
}
