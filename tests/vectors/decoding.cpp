// SPDX-License-Identifier: Apache-2.0
#include "decoding.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "dbc/parser.hpp"
#include "dbc/table_builder.hpp"

namespace wayseal::vectors {

namespace {

std::string text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct Sink {
  const SignalTable& table;
  DecodedFrame& out;
  void begin_group(uint16_t) {}
  void sample(uint16_t signal, uint64_t raw) {
    out.signals[text(table.signal_name(signal))] = {raw, table.type(signal), physical(table, signal, raw)};
  }
  void end_group(uint16_t) {}
};

/// The bits of a signal, one after the other; false when the frame does not hold them all.
bool slow_bits(const oem::DbcSignal& signal, const CanFrame& frame, uint64_t& bits) {
  bits = 0;
  unsigned position = signal.start_bit;
  for (unsigned i = 0; i < signal.width; ++i) {
    if (position / 8 >= frame.length) return false;
    const uint64_t bit = (frame.data[position / 8] >> (position % 8)) & 1U;
    bits |= bit << (signal.motorola ? signal.width - 1U - i : i);
    position = !signal.motorola ? position + 1 : position % 8 == 0 ? position + 15 : position - 1;
  }
  return true;
}

bool is_open(const oem::DbcMessage& message, const oem::DbcSignal& signal, const CanFrame& frame) {
  if (signal.mux_parent.empty()) return true;
  for (const oem::DbcSignal& parent : message.signals) {
    uint64_t value = 0;
    if (parent.short_name != signal.mux_parent) continue;
    if (!is_open(message, parent, frame) || !slow_bits(parent, frame, value)) return false;
    return std::any_of(signal.mux_ranges.begin(), signal.mux_ranges.end(),
                       [&](const oem::MuxRange& range) { return range.low <= value && value <= range.high; });
  }
  return false;
}

std::string quoted(const std::string& path) {
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::vector<std::string> read_compressed(const std::string& path) {
  FILE* pipe = popen(("xz -dc -- " + quoted(path)).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("can't run xz");
  std::string all;
  char buffer[65536];
  for (size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) all.append(buffer, got);
  if (pclose(pipe) != 0) throw std::runtime_error("xz can't read '" + path + "'");
  std::vector<std::string> lines;
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find('\n', at), all.size());
    lines.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

LoadedDbc::LoadedDbc(const std::string& path) : dbc_(oem::read_dbc(path)) {
  oem::TableOptions options;
  options.name = "vectors";
  bytes_ = oem::build_table({{"", dbc_}}, options).bytes;
  if (table_.load({bytes_.data(), bytes_.size()}) != Status::kOk)
    throw std::runtime_error("the table does not load");
  if (!oem::has_true_id({bytes_.data(), bytes_.size()}))
    throw std::runtime_error("the table's id is not its hash");
}

Status LoadedDbc::decode(const CanFrame& frame, DecodedFrame& out) const {
  out = {};
  const Result<uint16_t> message = table_.find_message(frame);
  if (!message.ok()) return message.status();
  out.message = text(table_.message_name(message.value()));
  Sink sink{table_, out};
  return wayseal::decode(table_, frame, sink);
}

std::map<std::string, uint64_t> LoadedDbc::decode_slowly(const std::string& message_name,
                                                         const CanFrame& frame) const {
  std::map<std::string, uint64_t> raws;
  for (const oem::DbcMessage& message : dbc_.messages) {
    if (message.name != message_name) continue;
    for (const oem::DbcSignal& signal : message.signals) {
      uint64_t bits = 0;
      if (!is_open(message, signal, frame) || !slow_bits(signal, frame, bits)) continue;
      const bool negative = signal.type == SignalType::kSigned && ((bits >> (signal.width - 1)) & 1U) != 0;
      raws[signal.name] = negative && signal.width < 64 ? bits | (UINT64_MAX << signal.width) : bits;
    }
  }
  return raws;
}

bool parse_hex(const std::string& hex, CanFrame& frame) {
  if (hex.size() % 2 != 0 || hex.size() > 2 * kCanDataMax) return false;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    frame.data[i / 2] = static_cast<uint8_t>(high * 16 + low);
  }
  frame.length = static_cast<uint8_t>(hex.size() / 2);
  return true;
}

bool parse_candump(const std::string& line, CanFrame& frame, std::string& bus) {
  frame = {};
  const size_t bus_at = line.find(") ");
  const size_t id_at = bus_at == std::string::npos ? bus_at : line.find(' ', bus_at + 2);
  const size_t hash = id_at == std::string::npos ? id_at : line.find('#', id_at);
  if (hash == std::string::npos) return false;
  bus = line.substr(bus_at + 2, id_at - bus_at - 2);
  const std::string id = line.substr(id_at + 1, hash - id_at - 1);
  if (id.size() != 3 && id.size() != 8) return false;
  frame.id = static_cast<uint32_t>(std::stoul(id, nullptr, 16));
  const bool fd = line.compare(hash, 2, "##") == 0;
  const int flags = (id.size() == 8 ? CanFrame::kExtendedId : 0) | (fd ? CanFrame::kFd : 0);
  frame.flags = static_cast<uint8_t>(flags);
  const size_t data = hash + (fd ? 3 : 1);
  const size_t end = line.find_first_of(" \r", data);
  return data <= line.size() &&
         parse_hex(line.substr(data, end == std::string::npos ? end : end - data), frame);
}

std::vector<std::string> read_lines(const std::string& path) {
  if (path.size() > 3 && path.compare(path.size() - 3, 3, ".xz") == 0) return read_compressed(path);
  std::ifstream in(path);
  if (!in) throw std::runtime_error("can't open '" + path + "'");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool close_enough(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  if (std::isinf(a) || std::isinf(b)) return false;
  return std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b));
}

}  // namespace wayseal::vectors
