// SPDX-License-Identifier: Apache-2.0
// A live view for the demo: what the backend has opened, twice a second.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "commands.hpp"
#include "samples.hpp"
#include "stats.hpp"

namespace cloud {
namespace {

constexpr int kTickMs = 500;
constexpr size_t kSignalsShown = 12;
constexpr int64_t kBatchesPerTick = 50;

struct Latest {
  std::string unit;
  double value = 0;
  std::string text;
  int64_t time_us = 0;
};

class Watch {
 public:
  Watch(const WatchOptions& options)
      : database_(options.database, Database::Mode::kReadOnly),
        tables_(database_),
        signals_(options.signals.begin(), options.signals.end()),
        format_(options.format),
        terminal_(::isatty(STDOUT_FILENO) == 1) {}

  enum class Tick : uint8_t { kUsual, kLast };

  void tick(Tick which) {
    take_new_batches();
    const auto stats = collect_stats(database_);
    const auto now = std::chrono::steady_clock::now();
    history_.push_back({now, stats["records_stored"].get<int64_t>(), stats["samples"].get<int64_t>()});
    while (history_.size() > 5) history_.pop_front();
    const double seconds = std::chrono::duration<double>(now - history_.front().at).count();
    const auto rate = [seconds](int64_t from, int64_t to) {
      return seconds > 0 ? static_cast<double>(to - from) / seconds : 0.0;
    };
    records_per_s_ = rate(history_.front().records, history_.back().records);
    samples_per_s_ = rate(history_.front().samples, history_.back().samples);
    if (format_ == Format::kJson) {
      print_json(stats);
    } else if (terminal_) {
      std::printf("\033[H\033[J");
      print_totals(stats);
      print_signals();
    } else {
      // A file or a pipe is read later: a line when there is news, the values once.
      if (std::exchange(printed_, history_.back().records) != history_.back().records) print_totals(stats);
      if (which == Tick::kLast) print_signals();
    }
    std::fflush(stdout);
  }

 private:
  struct Point {
    std::chrono::steady_clock::time_point at;
    int64_t records;
    int64_t samples;
  };

  void take_new_batches() {
    const int64_t newest = database_.integer("SELECT MAX(id) FROM records").value_or(0);
    // When more came than can be shown, only the newest are looked into.
    const int64_t from = std::max(last_seen_, newest - kBatchesPerTick);
    database_.each(
        "SELECT payload FROM records WHERE id > ? AND type = 1 ORDER BY id",
        [this](const Row& row) {
          for (const Sample& sample : read_batch(tables_, row.bytes(0)).samples) show(sample);
        },
        from);
    last_seen_ = newest;
  }

  void show(const Sample& sample) {
    if (!wanted(signals_, *sample.name)) return;
    const std::string name = sample.name->message + "." + sample.name->signal;
    if (latest_.size() >= kSignalsShown && latest_.count(name) == 0) return;
    latest_[name] = {sample.name->unit, sample.value, sample.text, sample.time_us};
  }

  static int64_t drops(const nlohmann::ordered_json& stats) {
    return stats["frames_dropped"].get<int64_t>() + stats["samples_dropped"].get<int64_t>() +
           stats["batches_dropped"].get<int64_t>() + stats["records_lost"].get<int64_t>();
  }

  void print_json(const nlohmann::ordered_json& stats) const {
    nlohmann::ordered_json json{{"records_per_s", records_per_s_},
                                {"samples_per_s", samples_per_s_},
                                {"records_stored", stats["records_stored"]},
                                {"samples", stats["samples"]},
                                {"upload_bytes", stats["upload_bytes"]},
                                {"sessions", stats["sessions"]},
                                {"duplicates", stats["duplicates"]},
                                {"drops", drops(stats)},
                                {"alarms", stats["alarms"]}};
    for (const auto& [name, latest] : latest_) {
      json["signals"][name] = {{"value", latest.value}, {"unit", latest.unit}, {"time_us", latest.time_us}};
    }
    std::cout << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }

  void print_totals(const nlohmann::ordered_json& stats) const {
    std::printf(
        "records %8lld (%7.1f/s)   samples %10lld (%9.0f/s)   sealed bytes on the wire %11lld   sessions %lld"
        "   duplicates %lld   drops %lld   alarms %lld\n",
        static_cast<long long>(stats["records_stored"].get<int64_t>()), records_per_s_,
        static_cast<long long>(stats["samples"].get<int64_t>()), samples_per_s_,
        static_cast<long long>(stats["upload_bytes"].get<int64_t>()),
        static_cast<long long>(stats["sessions"].get<int64_t>()),
        static_cast<long long>(stats["duplicates"].get<int64_t>()), static_cast<long long>(drops(stats)),
        static_cast<long long>(stats["alarms"].get<int64_t>()));
  }

  void print_signals() const {
    for (const auto& [name, latest] : latest_) {
      std::printf("  %-40s %14.6g %-8s %s\n", name.c_str(), latest.value, latest.unit.c_str(),
                  latest.text.c_str());
    }
  }

  Database database_;
  Tables tables_;
  std::set<std::string> signals_;
  Format format_;
  bool terminal_;
  std::map<std::string, Latest> latest_;
  std::deque<Point> history_;
  int64_t last_seen_ = 0;
  int64_t printed_ = -1;  // records in the last line
  double records_per_s_ = 0;
  double samples_per_s_ = 0;
};

}  // namespace

int watch(const WatchOptions& options) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  const int signals = ::signalfd(-1, &stop, SFD_CLOEXEC);
  if (signals < 0) throw std::runtime_error("no signalfd");

  Watch watch(options);
  pollfd told{signals, POLLIN, 0};
  do {
    watch.tick(Watch::Tick::kUsual);
  } while (::poll(&told, 1, kTickMs) == 0);
  watch.tick(Watch::Tick::kLast);
  ::close(signals);
  return 0;
}

}  // namespace cloud
