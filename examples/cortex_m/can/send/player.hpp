// SPDX-License-Identifier: Apache-2.0
/// \file
/// Plays frames over a line, with the faults that were asked for.
#ifndef CAN_SEND_PLAYER_HPP
#define CAN_SEND_PLAYER_HPP

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "can/send/line.hpp"
#include "wayseal/hal/clock.hpp"

namespace can {

/// Something that happens before frame number `frame` of the log is sent (0: before the first).
struct Fault {
  enum class Kind : uint8_t {
    kState,      ///< Bus 0 reports the state that `value` names (a BusState).
    kDropped,    ///< Bus 0 reports that the controller lost `value` more frames.
    kErrors,     ///< Bus 0 reports `value` more error frames.
    kRemote,     ///< `value` remote frames on bus 0.
    kGarbage,    ///< `value` random bytes, zeros among them.
    kDamaged,    ///< `value` frames with a wrong CRC.
    kTruncated,  ///< `value` frames that lack their last bytes.
    kFlood,      ///< `value` frames of id 0x7FF on bus 0 at once, whatever the pace.
  };
  uint64_t frame = 0;
  Kind kind = Kind::kState;
  uint32_t value = 0;
};

/// Reads `FRAME:WHAT` or `FRAME:WHAT=COUNT`: active, passive, bus-off, down; dropped, errors, remote, garbage, damaged,
/// truncated, flood. Throws std::invalid_argument.
Fault parse_fault(const std::string& text);

struct PlayOptions {
  std::vector<Fault> faults;  ///< In the order of their frames.
  uint32_t seed = 1;          ///< Of the garbage.
  bool say_end = true;        ///< Report kEnded for every bus when the log has ended.
};

struct PlayCounts {
  uint64_t frames = 0;        ///< Of the log.
  uint64_t other_frames = 0;  ///< Of floods.
  uint64_t damaged = 0;       ///< Pieces that nobody can read: damaged and truncated frames.
};

/// Sends what a bus hands out until it has come to its end.
class LinePlayer {
 public:
  LinePlayer(Line& line, const wayseal::Clock& clock, PlayOptions options);

  /// \param next_due when the bus will have the next frame.
  PlayCounts play(wayseal::CanBus& bus, const std::function<wayseal::MonotonicTime()>& next_due);

 private:
  void send_frame(const wayseal::CanFrame& frame);
  void send_spoilt(bool truncated);
  void send_report(uint8_t bus);
  void report_all(uint8_t bus_count);
  void say_end(uint8_t bus_count);
  void run_faults();
  void run(const Fault& fault);
  void pause(const wayseal::CanBus& bus, wayseal::MonotonicTime until);

  Line& line_;
  const wayseal::Clock& clock_;
  const PlayOptions options_;
  std::mt19937 random_;
  size_t next_fault_ = 0;
  wayseal::MonotonicTime next_report_;
  BusReport reports_[kWireBusesMax];
  PlayCounts counts_;
};

}  // namespace can

#endif
