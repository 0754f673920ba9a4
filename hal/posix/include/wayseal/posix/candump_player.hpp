// SPDX-License-Identifier: Apache-2.0
/// \file
/// CanBus port that plays a recording made by `candump -L`.
#ifndef WAYSEAL_HAL_POSIX_CANDUMP_PLAYER_HPP
#define WAYSEAL_HAL_POSIX_CANDUMP_PLAYER_HPP

#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/clock.hpp"

namespace wayseal {

/// What one line of a log holds.
enum class CandumpLine : uint8_t {
  kFrame,   ///< A data frame.
  kBlank,   ///< Nothing but white space.
  kRemote,  ///< A remote frame or an error frame: no data.
  kUnreadable,
};

/// A line taken apart. `interface_name` points into the line.
struct CandumpRecord {
  CanFrame frame;  ///< `bus` is 0: the caller knows which interface is which.
  Span<const char> interface_name;
};

/// Parses one line of `candump -L` without its line feed: `(seconds.fraction) interface id#data`, `id##flags data` for
/// CAN FD, `id#R` for a remote frame; 3 hexadecimal digits for a standard id, 8 for an extended one. What follows the
/// data after a blank (candump -x: `R` or `T`) is ignored. Fractions from 1 to 9 digits. Bounded, allocates nothing.
CandumpLine parse_candump_line(Span<const char> line, CandumpRecord& out);

/// Plays a log from a file descriptor: in real time, scaled, or as fast as the caller reads.
///
/// Frame times are the log's own (TimeBase::kRecorded). A line that steps back in time is handed out at once and
/// counted; pacing goes on from the latest time seen. Lines that cannot be read, or are longer than kLineMax, are counted as
/// `unreadable` and skipped. Interfaces become buses in the order given, or in the order they appear; frames of a
/// further interface beyond kBusesMax are counted as unreadable on bus 0.
///
/// About 70 KiB. Owns nothing: the descriptor stays the caller's.
class CandumpPlayer final : public CanBus {
 public:
  static constexpr size_t kBusesMax = 8;
  static constexpr size_t kNameMax = 15;  ///< IFNAMSIZ - 1
  static constexpr size_t kLineMax = 512;

  enum class Pace : uint8_t {
    kRecorded,  ///< As the log's times say, times `speed`.
    kAsFastAsItGoes,
  };

  /// \param clock paces the recording.
  /// \param file_descriptor readable; a pipe works as well, and must be non-blocking (`receive` reads from it).
  /// \param speed above 0; 1 is real time, 10 is ten times as fast. Ignored for kAsFastAsItGoes.
  CandumpPlayer(const Clock& clock, int file_descriptor, Pace pace, double speed);

  /// Names the interface of the next bus, before the first `receive`.
  /// \return its bus index; kFull; kInvalidArgument for an empty or too long name.
  Result<uint8_t> add_interface(Span<const char> name);
  /// The name of a bus; empty when the log has not shown so many.
  Span<const char> interface_name(uint8_t bus) const;

  /// errno of a read that failed and ended the recording early; 0 otherwise.
  int read_error() const { return read_error_; }

  /// When the next frame is due, so that a loop can sleep until then; now or earlier when one waits already.
  MonotonicTime next_due() const;

 private:
  Status do_set_filters(Span<const CanFilter> filters) override;
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override;
  BusState do_state(uint8_t bus) const override;
  BusCounters do_counters(uint8_t bus) const override;
  TimeBase do_time_base() const override { return TimeBase::kRecorded; }

  bool load_next();
  bool next_line(Span<const char>& line);
  bool fill_buffer();
  bool accept(const CandumpRecord& record);
  Result<uint8_t> bus_of(Span<const char> name);
  bool due(MonotonicTime now) const;
  void note_time(const CanFrame& frame);

  struct Interface {
    char name[kNameMax] = {};
    uint8_t size = 0;
    int64_t last_time_ns = 0;
    BusCounters counters;
  };

  const Clock& clock_;
  int file_descriptor_;
  Pace pace_;
  double speed_;
  Interface interfaces_[kBusesMax];
  uint8_t interface_count_ = 0;
  bool started_ = false;
  bool ended_ = false;
  bool has_pending_ = false;
  bool skipping_line_ = false;
  int read_error_ = 0;
  CanFrame pending_;
  int64_t first_log_ns_ = 0;
  MonotonicTime start_;
  size_t begin_ = 0;
  size_t end_ = 0;
  char buffer_[64 * 1024];
};

}  // namespace wayseal

#endif
