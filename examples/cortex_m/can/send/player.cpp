// SPDX-License-Identifier: Apache-2.0
#include "can/send/player.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace can {
namespace {

using wayseal::BusState;
using wayseal::CanFrame;

constexpr int64_t kReportIntervalMs = 1000;
constexpr int kWaitMaxMs = 100;
constexpr int kEndReports = 3;

CanFrame flood_frame(uint32_t number) {
  CanFrame frame;
  frame.id = wayseal::kCanStandardIdMax;
  frame.length = 8;
  wayseal::store_le32(frame.data, number);
  wayseal::store_le32(frame.data + 4, 0xFFFFFFFF);
  return frame;
}

}  // namespace

Fault parse_fault(const std::string& text) {
  static const std::map<std::string, BusState> kStates = {{"active", BusState::kActive},
                                                          {"passive", BusState::kErrorPassive},
                                                          {"bus-off", BusState::kBusOff},
                                                          {"down", BusState::kDown}};
  static const std::map<std::string, Fault::Kind> kKinds = {
      {"dropped", Fault::Kind::kDropped},    {"errors", Fault::Kind::kErrors},
      {"remote", Fault::Kind::kRemote},      {"garbage", Fault::Kind::kGarbage},
      {"damaged", Fault::Kind::kDamaged},    {"flood", Fault::Kind::kFlood},
      {"truncated", Fault::Kind::kTruncated}};
  const size_t colon = text.find(':');
  if (colon == std::string::npos) throw std::invalid_argument("'" + text + "': FRAME:WHAT expected");
  Fault fault;
  fault.frame = std::stoull(text.substr(0, colon));
  const size_t equals = text.find('=', colon);
  const std::string what = text.substr(colon + 1, equals == std::string::npos ? equals : equals - colon - 1);
  if (const auto state = kStates.find(what); state != kStates.end()) {
    fault.value = static_cast<uint32_t>(state->second);
    return fault;
  }
  const auto kind = kKinds.find(what);
  if (kind == kKinds.end()) throw std::invalid_argument("'" + text + "': no such fault as '" + what + "'");
  fault.kind = kind->second;
  fault.value = equals == std::string::npos ? 1 : static_cast<uint32_t>(std::stoul(text.substr(equals + 1)));
  return fault;
}

LinePlayer::LinePlayer(Line& line, const wayseal::Clock& clock, PlayOptions options)
    : line_(line), clock_(clock), options_(std::move(options)), random_(options_.seed) {}

PlayCounts LinePlayer::play(wayseal::CanBus& bus, const std::function<wayseal::MonotonicTime()>& next_due) {
  line_.write({&kDelimiter, 1});  // ends whatever was on the line before
  CanFrame frames[64];
  do {
    if (next_report_ <= clock_.now()) report_all(bus.bus_count());
    const size_t count = bus.receive(frames).value();
    for (size_t i = 0; i < count; ++i) {
      run_faults();
      send_frame(frames[i]);
      ++counts_.frames;
    }
    if (count == 0) pause(bus, next_due());
  } while (bus.state(0) != BusState::kEnded);
  run_faults();
  line_.drain();
  if (options_.say_end) say_end(bus.bus_count());
  return counts_;
}

void LinePlayer::pause(const wayseal::CanBus& bus, wayseal::MonotonicTime until) {
  if (bus.state(0) == BusState::kEnded) return;
  line_.flush();
  const wayseal::MonotonicTime now = clock_.now();
  const int64_t due_ms = std::min(wayseal::ms_between(now, until), wayseal::ms_between(now, next_report_));
  if (!line_.wait(static_cast<int>(std::clamp<int64_t>(due_ms, 0, kWaitMaxMs))))
    throw std::runtime_error("the line: closed");
}

/// More than once, since a device that has no room drops reports as well. One that has heard it may hang up.
void LinePlayer::say_end(uint8_t bus_count) {
  for (BusReport& report : reports_) report.state = BusState::kEnded;
  for (int i = 0; i < kEndReports; ++i) {
    report_all(bus_count);
    line_.flush();
    if (!line_.wait(kWaitMaxMs)) return;
  }
}

void LinePlayer::send_frame(const CanFrame& frame) {
  uint8_t wire[kWireMax];
  line_.write({wire, write_frame(frame, wire)});
}

void LinePlayer::send_spoilt(bool truncated) {
  uint8_t wire[kWireMax];
  const size_t size = write_frame(flood_frame(static_cast<uint32_t>(random_())), wire);
  if (truncated) {
    wire[size - 4] = kDelimiter;
    line_.write({wire, size - 3});
  } else {
    wire[size - 2] ^= 0x55;  // of the CRC
    if (wire[size - 2] == kDelimiter) wire[size - 2] = 1;
    line_.write({wire, size});
  }
  ++counts_.damaged;
}

void LinePlayer::send_report(uint8_t bus) {
  uint8_t wire[kWireMax];
  line_.write({wire, write_report(bus, reports_[bus], wire)});
}

void LinePlayer::report_all(uint8_t bus_count) {
  for (uint8_t bus = 0; bus < bus_count && bus < kWireBusesMax; ++bus) send_report(bus);
  next_report_ = wayseal::after_ms(clock_.now(), kReportIntervalMs);
}

void LinePlayer::run_faults() {
  while (next_fault_ < options_.faults.size() && options_.faults[next_fault_].frame <= counts_.frames) {
    run(options_.faults[next_fault_++]);
  }
}

void LinePlayer::run(const Fault& fault) {
  uint8_t wire[kWireMax];
  switch (fault.kind) {
    case Fault::Kind::kState: reports_[0].state = static_cast<BusState>(fault.value); return send_report(0);
    case Fault::Kind::kDropped: reports_[0].frames_dropped += fault.value; return send_report(0);
    case Fault::Kind::kErrors: reports_[0].error_frames += fault.value; return send_report(0);
    default: break;
  }
  for (uint32_t i = 0; i < fault.value; ++i) {
    if (fault.kind == Fault::Kind::kRemote) line_.write({wire, write_remote(0, wire)});
    if (fault.kind == Fault::Kind::kDamaged || fault.kind == Fault::Kind::kTruncated)
      send_spoilt(fault.kind == Fault::Kind::kTruncated);
    if (fault.kind == Fault::Kind::kFlood) {
      send_frame(flood_frame(i));
      ++counts_.other_frames;
    }
    if (fault.kind == Fault::Kind::kGarbage) {
      const uint8_t byte = static_cast<uint8_t>(random_() % 256);
      line_.write({&byte, 1});
    }
  }
  // As a real line would: the next frame begins behind a delimiter.
  if (fault.kind == Fault::Kind::kGarbage) line_.write({&kDelimiter, 1});
}

}  // namespace can
