// SPDX-License-Identifier: Apache-2.0
#include "bench/log_replay.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "dbc/parser.hpp"
#include "wayseal/posix/candump_player.hpp"

namespace wayseal::test {
namespace {

namespace fs = std::filesystem;

using Pipe = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Pipe open_log(const std::string& path) {
  if (fs::path(path).extension() != ".xz") return {std::fopen(path.c_str(), "r"), &std::fclose};
  return {popen(("xz -dc '" + path + "'").c_str(), "r"), &pclose};
}

}  // namespace

std::vector<CanFrame> load_frames(const std::string& log_path, const std::string& interface_name) {
  const Pipe log = open_log(log_path);
  if (!log) throw std::runtime_error("cannot open " + log_path);
  std::vector<CanFrame> frames;
  char line[CandumpPlayer::kLineMax];
  while (std::fgets(line, sizeof line, log.get()) != nullptr) {
    const size_t size = std::string(line).find_last_not_of("\r\n") + 1;
    CandumpRecord record;
    if (parse_candump_line({line, size}, record) != CandumpLine::kFrame) continue;
    const std::string name(record.interface_name.data(), record.interface_name.size());
    if (name == interface_name) frames.push_back(record.frame);
  }
  if (frames.empty()) throw std::runtime_error("no frames of " + interface_name + " in " + log_path);
  return frames;
}

LoadedDbc load_dbc(const std::string& dbc_path, const oem::TableOptions& options) {
  std::ifstream file(dbc_path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.empty()) throw std::runtime_error("cannot read " + dbc_path);
  LoadedDbc out{oem::parse_dbc(text, dbc_path), {}};
  out.table = oem::build_table({{"", out.dbc}}, options).bytes;
  return out;
}

std::vector<uint8_t> load_table(const std::string& dbc_path) { return load_dbc(dbc_path).table; }

Status FrameSource::do_set_filters(Span<const CanFilter> /*filters*/) { return Status::kUnsupported; }

Result<size_t> FrameSource::do_receive(Span<CanFrame> frames) {
  const size_t count = std::min(frames.size(), frames_.size() - next_);
  std::copy_n(frames_.begin() + static_cast<std::ptrdiff_t>(next_), count, frames.begin());
  next_ += count;
  return count;
}

BusState FrameSource::do_state(uint8_t bus) const {
  if (bus != 0) return BusState::kDown;
  return next_ == frames_.size() ? BusState::kEnded : BusState::kActive;
}

BusCounters FrameSource::do_counters(uint8_t bus) const {
  BusCounters counters;
  if (bus == 0) counters.frames = next_;
  return counters;
}

std::string data_folder() {
  const char* const given = std::getenv("WAYSEAL_DATA");
  if (given != nullptr) return given;
  const fs::path beside = fs::path(WAYSEAL_SOURCE_DIR) / ".." / "shared" / "data";
  return fs::exists(beside) ? beside.string() : std::string();
}

}  // namespace wayseal::test
