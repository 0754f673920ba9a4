// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/candump_player.hpp"

#include <errno.h>
#include <unistd.h>

namespace wayseal {

CandumpPlayer::CandumpPlayer(const Clock& clock, int file_descriptor, Pace pace, double speed)
    : clock_(clock), file_descriptor_(file_descriptor), pace_(pace), speed_(speed > 0 ? speed : 1.0) {}

Result<uint8_t> CandumpPlayer::add_interface(Span<const char> name) {
  if (name.empty() || name.size() > kNameMax) return Status::kInvalidArgument;
  if (interface_count_ == kBusesMax) return Status::kFull;
  Interface& added = interfaces_[interface_count_];
  std::memcpy(added.name, name.data(), name.size());
  added.size = static_cast<uint8_t>(name.size());
  return interface_count_++;
}

Span<const char> CandumpPlayer::interface_name(uint8_t bus) const {
  if (bus >= interface_count_) return {};
  return {interfaces_[bus].name, interfaces_[bus].size};
}

MonotonicTime CandumpPlayer::next_due() const {
  if (!has_pending_ || pace_ == Pace::kAsFastAsItGoes) return clock_.now();
  const double after_start_ns = static_cast<double>(pending_.time_ns - first_log_ns_) / speed_;
  return {start_.ns + static_cast<int64_t>(after_start_ns)};
}

Status CandumpPlayer::do_set_filters(Span<const CanFilter>) { return Status::kOk; }

Result<size_t> CandumpPlayer::do_receive(Span<CanFrame> frames) {
  const MonotonicTime now = clock_.now();
  size_t count = 0;
  while (count < frames.size()) {
    if (!has_pending_ && !load_next()) break;
    if (!started_) {
      started_ = true;
      start_ = now;
      first_log_ns_ = pending_.time_ns;
    }
    if (!due(now)) break;
    note_time(pending_);
    ++interfaces_[pending_.bus].counters.frames;
    frames[count++] = pending_;
    has_pending_ = false;
  }
  return count;
}

uint8_t CandumpPlayer::do_bus_count() const { return interface_count_ == 0 ? uint8_t{1} : interface_count_; }

BusState CandumpPlayer::do_state(uint8_t bus) const {
  if (bus >= do_bus_count()) return BusState::kDown;
  return ended_ && !has_pending_ ? BusState::kEnded : BusState::kActive;
}

BusCounters CandumpPlayer::do_counters(uint8_t bus) const {
  return bus < kBusesMax ? interfaces_[bus].counters : BusCounters{};
}

bool CandumpPlayer::due(MonotonicTime now) const { return pace_ == Pace::kAsFastAsItGoes || next_due() <= now; }

void CandumpPlayer::note_time(const CanFrame& frame) {
  Interface& bus = interfaces_[frame.bus];
  if (bus.counters.frames != 0 && frame.time_ns < bus.last_time_ns) ++bus.counters.time_steps_back;
  bus.last_time_ns = frame.time_ns;
}

/// Reads on until a frame is pending. False at the end of the recording, or when a pipe has nothing yet.
bool CandumpPlayer::load_next() {
  Span<const char> line;
  CandumpRecord record;
  while (next_line(line)) {
    switch (parse_candump_line(line, record)) {
      case CandumpLine::kBlank: break;
      case CandumpLine::kFrame:
        if (accept(record)) return true;
        [[fallthrough]];
      case CandumpLine::kRemote:
      case CandumpLine::kUnreadable: ++interfaces_[0].counters.unreadable; break;
    }
  }
  return false;
}

bool CandumpPlayer::accept(const CandumpRecord& record) {
  const Result<uint8_t> bus = bus_of(record.interface_name);
  if (!bus.ok()) return false;
  pending_ = record.frame;
  pending_.bus = bus.value();
  has_pending_ = true;
  return true;
}

Result<uint8_t> CandumpPlayer::bus_of(Span<const char> name) {
  for (uint8_t bus = 0; bus < interface_count_; ++bus) {
    const Interface& known = interfaces_[bus];
    if (known.size == name.size() && std::memcmp(known.name, name.data(), name.size()) == 0) return bus;
  }
  return add_interface(name);
}

/// Gives the next whole line of the buffer, without its line feed. A line over kLineMax is skipped and counted once.
bool CandumpPlayer::next_line(Span<const char>& line) {
  for (;;) {
    const char* const from = buffer_ + begin_;
    const void* const feed = begin_ == end_ ? nullptr : std::memchr(from, '\n', end_ - begin_);
    if (feed == nullptr) {
      if (fill_buffer()) continue;
      if (!ended_ || begin_ == end_) return false;
      line = {buffer_ + begin_, end_ - begin_};  // the last line may lack its line feed; it may have moved
      begin_ = end_;
    } else {
      line = {from, static_cast<size_t>(static_cast<const char*>(feed) - from)};
      begin_ += line.size() + 1;
    }
    const bool rest_of_long_line = skipping_line_;
    skipping_line_ = false;
    if (rest_of_long_line) continue;
    if (line.size() <= kLineMax) return true;
    ++interfaces_[0].counters.unreadable;
  }
}

/// Reads more behind what is there. False when nothing came: the end, an error, or an empty pipe.
bool CandumpPlayer::fill_buffer() {
  if (ended_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == sizeof buffer_) {  // one line fills the buffer: forget what is there, skip what is to come of it
    if (!skipping_line_) ++interfaces_[0].counters.unreadable;
    skipping_line_ = true;
    end_ = 0;
  }
  const ssize_t got = read(file_descriptor_, buffer_ + end_, sizeof buffer_ - end_);
  if (got > 0) {
    end_ += static_cast<size_t>(got);
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got < 0) read_error_ = errno;
  ended_ = true;
  return false;
}

}  // namespace wayseal
