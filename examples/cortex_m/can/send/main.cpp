// SPDX-License-Identifier: Apache-2.0
// Plays a candump log into the serial line of a device, or of an emulator.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <memory>
#include <system_error>

#include "can/send/player.hpp"
#include "wayseal/posix/candump_player.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace {

struct Arguments {
  std::string unix_path;
  std::string tcp;
  std::string log = "-";
  std::string pace = "real";
  double speed = 1;
  double patience_s = 10;
  std::vector<std::string> interfaces;
  std::vector<std::string> faults;
  can::PlayOptions play;
  bool no_end = false;
};

void describe(CLI::App& app, Arguments& arguments) {
  auto* way = app.add_option_group("line", "Where the device's serial line is")->require_option(1);
  way->add_option("--unix", arguments.unix_path, "Socket, as of qemu -serial unix:PATH,server=on");
  way->add_option("--tcp", arguments.tcp, "HOST:PORT, as of qemu -serial tcp:HOST:PORT,server=on");
  app.add_option("--log", arguments.log, "Log of candump -L; - is standard input")->capture_default_str();
  app.add_option("--pace", arguments.pace, "real: as recorded; max: as fast as the line takes it")
      ->check(CLI::IsMember({"real", "max"}))
      ->capture_default_str();
  app.add_option("--speed", arguments.speed, "With --pace real: this many times as fast")
      ->check(CLI::PositiveNumber);
  app.add_option("--wait", arguments.patience_s, "Seconds to try to connect")->capture_default_str();
  app.add_option("--interface", arguments.interfaces, "Interface of bus 0, 1, ...; else as they appear");
  app.add_option(
      "--at", arguments.faults,
      "FRAME:WHAT[=COUNT] before that frame: active, passive, bus-off, down, dropped, errors, remote, "
      "garbage, damaged, truncated, flood");
  app.add_option("--seed", arguments.play.seed, "Of the garbage")->capture_default_str();
  app.add_flag("--no-end", arguments.no_end, "Do not say at the end that the recording has ended");
}

int connect(const Arguments& arguments) {
  const int patience_ms = static_cast<int>(arguments.patience_s * 1000);
  if (!arguments.unix_path.empty()) return can::connect_unix(arguments.unix_path, patience_ms);
  const size_t colon = arguments.tcp.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("--tcp: HOST:PORT expected");
  return can::connect_tcp(arguments.tcp.substr(0, colon), arguments.tcp.substr(colon + 1), patience_ms);
}

int open_log(const std::string& path) {
  if (path == "-") return STDIN_FILENO;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), path);
  return fd;
}

int play(Arguments& arguments) {
  for (const std::string& text : arguments.faults) arguments.play.faults.push_back(can::parse_fault(text));
  std::stable_sort(arguments.play.faults.begin(), arguments.play.faults.end(),
                   [](const can::Fault& a, const can::Fault& b) { return a.frame < b.frame; });
  arguments.play.say_end = !arguments.no_end;
  const wayseal::PosixClock clock;
  const auto pace = arguments.pace == "real" ? wayseal::CandumpPlayer::Pace::kRecorded
                                             : wayseal::CandumpPlayer::Pace::kAsFastAsItGoes;
  const auto log =
      std::make_unique<wayseal::CandumpPlayer>(clock, open_log(arguments.log), pace, arguments.speed);
  for (const std::string& name : arguments.interfaces) {
    if (!log->add_interface({name.data(), name.size()}).ok()) throw std::runtime_error("--interface " + name);
  }
  can::Line line(connect(arguments));
  can::LinePlayer player(line, clock, arguments.play);
  const can::PlayCounts counts = player.play(*log, [&] { return log->next_due(); });
  std::printf("frames=%" PRIu64 " flood=%" PRIu64 " damaged=%" PRIu64 " bytes=%zu unreadable=%" PRIu64 "\n",
              counts.frames, counts.other_frames, counts.damaged, line.bytes_written(),
              log->counters(0).unreadable);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Plays a CAN log into a device's serial line, framed as examples/cortex_m/can/README.md says");
  Arguments arguments;
  describe(app, arguments);
  CLI11_PARSE(app, argc, argv);
  try {
    return play(arguments);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-uart-can: " << error.what() << '\n';
    return 1;
  }
}
