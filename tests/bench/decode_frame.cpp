// SPDX-License-Identifier: Apache-2.0
// What decoding a frame costs, against the shortest loop that does the same:
//     bench_decode LOG[.xz] INTERFACE DBC
// The floor trusts its input. Ours also compares each signal's end with the received length, the bus and the frame's
// kind, and knows multiplexers; the floor also multiplies and adds, which with ours the reader of a batch does. So there
// is a second floor that stores raw values, as ours does. Both must give what ours gives, or nothing is measured.
// Frames that the DBC does not know are left out, as they were when the peers were measured, and messages that the floor
// has no loop for (multiplexers, more than 8 bytes, J1939).
#include <cmath>

#include "bench/floor_decoder.hpp"
#include "bench/log_replay.hpp"
#include "bench/measure.hpp"
#include "wayseal/signal/decoder.hpp"

namespace wayseal::bench {
namespace {

struct StoreSink {
  uint64_t* out;
  void begin_group(uint16_t /*group*/) {}
  void sample(uint16_t signal, uint64_t raw) { out[signal] = raw; }
  void end_group(uint16_t /*group*/) {}
};

struct CompareSink {
  const SignalTable& table;
  const uint64_t* raw;
  const double* physical;
  size_t samples = 0;
  size_t wrong = 0;
  void begin_group(uint16_t /*group*/) {}
  void sample(uint16_t signal, uint64_t value) {
    ++samples;
    const double number = table.type(signal) == SignalType::kSigned
                              ? static_cast<double>(static_cast<int64_t>(value))
                              : static_cast<double>(value);
    const double expected = number * table.scale(signal) + table.offset(signal);
    if (raw[signal] != value || std::abs(physical[signal] - expected) > 1e-9 * (1 + std::abs(expected)))
      ++wrong;
  }
  void end_group(uint16_t /*group*/) {}
};

std::vector<CanFrame> known_frames(const std::vector<CanFrame>& frames, const SignalTable& table,
                                   const FloorDecoder& floor) {
  std::vector<uint64_t> unused(table.signal_count());
  std::vector<CanFrame> known;
  for (const CanFrame& frame : frames) {
    if (table.find_message(frame).ok() && floor.decode<false>(frame, unused.data())) known.push_back(frame);
  }
  return known;
}

/// \return samples; throws unless all three agree on every one.
size_t compare(const std::vector<CanFrame>& frames, const SignalTable& table, const FloorDecoder& floor) {
  std::vector<uint64_t> raw(table.signal_count());
  std::vector<double> physical(table.signal_count());
  CompareSink sink{table, raw.data(), physical.data()};
  for (const CanFrame& frame : frames) {
    const bool known = floor.decode<false>(frame, raw.data());
    must(known == floor.decode<true>(frame, physical.data()), "the floors disagree");
    must(known == (decode(table, frame, sink) == Status::kOk), "the floor knows other messages");
  }
  must(sink.wrong == 0, "the floor computes something else");
  return sink.samples;
}

// Functions of their own, so that the compiler gives each loop all registers.
[[gnu::noinline]] void decode_ours(const SignalTable& table, const std::vector<CanFrame>& frames,
                                   uint64_t* raw) {
  StoreSink sink{raw};
  for (const CanFrame& frame : frames) static_cast<void>(decode(table, frame, sink));
}

template <bool kPhysical, class Value>
[[gnu::noinline]] void decode_floor(const FloorDecoder& floor, const std::vector<CanFrame>& frames,
                                    Value* out) {
  for (const CanFrame& frame : frames) static_cast<void>(floor.decode<kPhysical>(frame, out));
}

int run(char** argv) {
  const test::LoadedDbc loaded = test::load_dbc(argv[3]);
  SignalTable table;
  must(table.load(view(loaded.table)));
  const FloorDecoder floor(loaded.dbc, table);
  const std::vector<CanFrame> frames = known_frames(test::load_frames(argv[1], argv[2]), table, floor);
  figure("frames", frames.size());
  figure("messages_left_out", floor.messages_left_out());
  figure("samples", compare(frames, table, floor));

  std::vector<uint64_t> raw(table.signal_count());
  std::vector<double> physical(table.signal_count());
  counted("ours", [&] { decode_ours(table, frames, raw.data()); });
  counted("floor", [&] { decode_floor<true>(floor, frames, physical.data()); });
  counted("floor_raw", [&] { decode_floor<false>(floor, frames, raw.data()); });
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(argv); });
}
