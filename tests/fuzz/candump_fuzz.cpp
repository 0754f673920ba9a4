// SPDX-License-Identifier: Apache-2.0
// Covers parse_candump_line, CandumpPlayer (add_interface, receive, next_line, counters).
//
// A frame keeps to CAN's limits, and written as a line it reads as the same frame. A recording gives the same frames
// from a file and through a pipe in pieces, and they are those of its lines, one by one; what is no frame is counted.
//
// Input: 1 byte for the pieces, the log.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "fakes/fake_clock.hpp"
#include "fuzz.hpp"
#include "wayseal/posix/candump_player.hpp"

namespace {

using namespace wayseal;

bool same(const CanFrame& a, const CanFrame& b) {
  return a.time_ns == b.time_ns && a.id == b.id && a.flags == b.flags && a.length == b.length &&
         std::memcmp(a.data, b.data, sizeof a.data) == 0;
}

// As `candump -L` writes it.
std::string line_of(const CanFrame& frame, const std::string& interface_name) {
  char text[96];
  static_cast<void>(std::snprintf(text, sizeof text, "(%lld.%09lld) ",
                                  static_cast<long long>(frame.time_ns / kNsPerSecond),
                                  static_cast<long long>(frame.time_ns % kNsPerSecond)));
  std::string line = text + interface_name;
  static_cast<void>(std::snprintf(text, sizeof text, frame.extended() ? " %08X#" : " %03X#", frame.id));
  line += text;
  if (frame.fd()) {
    const bool brs = (frame.flags & CanFrame::kBitRateSwitch) != 0;
    const bool esi = (frame.flags & CanFrame::kErrorStateIndicator) != 0;
    line += '#';
    line += static_cast<char>('0' + (brs ? 1 : 0) + (esi ? 2 : 0));
  }
  for (size_t i = 0; i < frame.length; ++i) {
    static_cast<void>(std::snprintf(text, sizeof text, "%02X", frame.data[i]));
    line += text;
  }
  return line;
}

void check_frame(const CandumpRecord& record) {
  const CanFrame& frame = record.frame;
  fuzz::require(frame.id <= (frame.extended() ? kCanExtendedIdMax : kCanStandardIdMax),
                "an identifier has its width");
  fuzz::require(frame.length <= (frame.fd() ? kCanDataMax : 8), "a frame has its length");
  fuzz::require(frame.time_ns >= 0, "no time before 1970");
  for (size_t i = frame.length; i < kCanDataMax; ++i)
    fuzz::require(frame.data[i] == 0, "zeros behind a frame's length");
  const std::string name(record.interface_name.begin(), record.interface_name.end());
  const std::string line = line_of(frame, name);
  CandumpRecord again;
  fuzz::require(parse_candump_line({line.data(), line.size()}, again) == CandumpLine::kFrame,
                "a frame that is written as a line is a frame");
  fuzz::require(same(frame, again.frame), "and the same");
}

struct Expected {
  std::vector<CanFrame> frames;
  uint64_t unreadable = 0;
};

Expected read_lines(const std::string& log) {
  Expected expected;
  std::vector<std::string> interfaces;
  for (size_t from = 0; from < log.size();) {
    const size_t end = std::min(log.find('\n', from), log.size());
    const fuzz::ExactCopy line(fuzz::bytes_of(log.substr(from, end - from)));
    from = end + 1;
    CandumpRecord record;
    const Bytes bytes = line.view();
    const CandumpLine kind =
        parse_candump_line({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, record);
    if (kind == CandumpLine::kFrame) check_frame(record);
    const bool too_long = bytes.size() > CandumpPlayer::kLineMax;
    if (kind == CandumpLine::kBlank && !too_long) continue;
    const std::string name(record.interface_name.begin(), record.interface_name.end());
    auto known = std::find(interfaces.begin(), interfaces.end(), name);
    if (kind == CandumpLine::kFrame && !too_long && known == interfaces.end() &&
        name.size() <= CandumpPlayer::kNameMax && interfaces.size() < CandumpPlayer::kBusesMax) {
      known = interfaces.insert(interfaces.end(), name);
    }
    if (kind != CandumpLine::kFrame || too_long || known == interfaces.end()) {
      ++expected.unreadable;
      continue;
    }
    record.frame.bus = static_cast<uint8_t>(known - interfaces.begin());
    expected.frames.push_back(record.frame);
  }
  return expected;
}

void compare(CandumpPlayer& player, const std::vector<CanFrame>& frames, const Expected& expected) {
  fuzz::require(player.state(0) == BusState::kEnded, "a recording ends");
  fuzz::require(frames.size() == expected.frames.size(), "the player gives the frames of the lines");
  for (size_t i = 0; i < frames.size(); ++i) {
    fuzz::require(same(frames[i], expected.frames[i]) && frames[i].bus == expected.frames[i].bus, "unchanged");
  }
  uint64_t counted = 0;
  for (uint8_t bus = 0; bus < player.bus_count(); ++bus) counted += player.counters(bus).frames;
  fuzz::require(counted == frames.size(), "and counts them");
  fuzz::require(player.counters(0).unreadable == expected.unreadable, "and what is none");
}

void receive_all(CandumpPlayer& player, std::vector<CanFrame>& frames, size_t at_once) {
  std::vector<CanFrame> some(at_once);
  while (true) {
    const Result<size_t> got = player.receive({some.data(), some.size()});
    fuzz::require(got.ok(), "receiving from a recording does not fail");
    if (got.value() == 0) return;
    frames.insert(frames.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(got.value()));
  }
}

void play_file(const std::string& log, const Expected& expected) {
  const int file = ::memfd_create("log", 0);
  fuzz::require(file >= 0 && ::write(file, log.data(), log.size()) == static_cast<ssize_t>(log.size()) &&
                    ::lseek(file, 0, SEEK_SET) == 0,
                "the log is in a file");
  fakes::FakeClock clock;
  const auto player = std::make_unique<CandumpPlayer>(clock, file, CandumpPlayer::Pace::kAsFastAsItGoes, 1);
  std::vector<CanFrame> frames;
  receive_all(*player, frames, 64);
  ::close(file);
  compare(*player, frames, expected);
}

void play_pipe(const std::string& log, size_t piece, const Expected& expected) {
  int ends[2] = {-1, -1};
  fuzz::require(::pipe2(ends, O_NONBLOCK) == 0, "a pipe");
  fakes::FakeClock clock;
  const auto player = std::make_unique<CandumpPlayer>(clock, ends[0], CandumpPlayer::Pace::kAsFastAsItGoes, 1);
  std::vector<CanFrame> frames;
  for (size_t at = 0; at < log.size(); at += piece) {
    const size_t count = std::min(piece, log.size() - at);
    fuzz::require(::write(ends[1], log.data() + at, count) == static_cast<ssize_t>(count),
                  "a piece fits the pipe");
    receive_all(*player, frames, 3);
  }
  ::close(ends[1]);
  receive_all(*player, frames, 3);
  ::close(ends[0]);
  compare(*player, frames, expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const size_t piece = 1 + size_t{in.u8()} * 4;
  const std::string log = fuzz::text_of(in.rest());
  const Expected expected = read_lines(log);
  play_file(log, expected);
  play_pipe(log, piece, expected);
  return 0;
}
