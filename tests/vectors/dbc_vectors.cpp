// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "decoding.hpp"
#include "suites.hpp"

namespace wayseal::vectors {

namespace {

using Json = nlohmann::json;

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Numbers, and "nan", "inf" and "-inf", which JSON has no numbers for.
double number(const Json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

bool same_raw(const DecodedSignal& got, const Json& expected) {
  if (got.type == SignalType::kFloat || got.type == SignalType::kDouble) {
    return true;  // the physical value says it, these have no other raw form in the file
  }
  if (expected.is_number_unsigned()) return got.raw == expected.get<uint64_t>();
  if (expected.is_number_integer()) return got.raw == static_cast<uint64_t>(expected.get<int64_t>());
  return close_enough(static_cast<double>(static_cast<int64_t>(got.raw)), number(expected));
}

/// What is wrong, or nothing.
std::string compare(const DecodedFrame& got, const Json& physical, const Json& raw) {
  for (const auto& [name, signal] : got.signals) {
    if (!physical.contains(name)) return "'" + name + "' was invented";
  }
  for (const auto& [name, value] : physical.items()) {
    const auto found = got.signals.find(name);
    if (found == got.signals.end()) return "'" + name + "' is missing";
    if (!close_enough(found->second.physical, number(value))) {
      return "'" + name + "' is " + std::to_string(found->second.physical) + ", not " + value.dump();
    }
    if (raw.contains(name) && !same_raw(found->second, raw[name])) {
      return "raw '" + name + "' is " + std::to_string(found->second.raw) + ", not " + raw[name].dump();
    }
  }
  return {};
}

/// For frames that the other decoder refuses as a whole.
std::string compare_slowly(const LoadedDbc& dbc, const DecodedFrame& got, const std::string& message,
                           const CanFrame& frame) {
  const auto possible = dbc.decode_slowly(message, frame);
  for (const auto& [name, signal] : got.signals) {
    const auto found = possible.find(name);
    if (found == possible.end()) return "'" + name + "' was invented";
    if (found->second != signal.raw) return "'" + name + "' has other bits than the frame";
  }
  return got.signals.size() == possible.size() ? "" : "a signal that the frame holds is missing";
}

std::string check_vector(const LoadedDbc& dbc, const Json& vector) {
  CanFrame frame;
  if (!parse_hex(vector.at("data").get<std::string>(), frame)) return "bad data in the file";
  frame.id = vector.at("id").get<uint32_t>();
  const int flags = (vector.at("ext").get<bool>() ? CanFrame::kExtendedId : 0) |
                    (vector.value("fd", false) ? CanFrame::kFd : 0);
  frame.flags = static_cast<uint8_t>(flags);
  DecodedFrame got;
  if (dbc.decode(frame, got) != Status::kOk) return "no message has this identifier";
  const auto message = vector.at("message").get<std::string>();
  if (got.message != message) return "taken for message '" + got.message + "', not '" + message + "'";
  if (vector.contains("error")) return compare_slowly(dbc, got, message, frame);
  return compare(got, vector.at("phys"), vector.value("raw", Json::object()));
}

std::string check_log_line(const LoadedDbc& dbc, const std::vector<std::string>& log, const Json& expected) {
  const auto line = expected.at("line").get<size_t>();
  CanFrame frame;
  std::string bus;
  if (line < 1 || line > log.size() || !parse_candump(log[line - 1], frame, bus))
    return "the log has no such frame";
  if (frame.id != expected.at("id").get<uint32_t>()) return "the log's line has another identifier";
  DecodedFrame got;
  if (dbc.decode(frame, got) != Status::kOk) return "no message has this identifier";
  const auto message = expected.value("message", got.message);
  if (got.message != message) return "taken for message '" + got.message + "', not '" + message + "'";
  if (expected.contains("error")) return compare_slowly(dbc, got, message, frame);
  return compare(got, expected.at("phys"), expected.value("raw", Json::object()));
}

template <typename Check>
Tally run_lines(const std::string& name, const std::string& jsonl, Check check) {
  Tally tally(name);
  const std::vector<std::string> lines = read_lines(jsonl);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string which = "line " + std::to_string(i + 1);
    try {
      const std::string wrong = check(Json::parse(lines[i]));
      wrong.empty() ? tally.pass() : tally.fail(which, wrong);
    } catch (const std::exception& error) {
      tally.fail(which, error.what());
    }
  }
  tally.print();
  return tally;
}

}  // namespace

Tally run_dbc_vectors(const std::string& dbc_path, const std::string& jsonl) {
  const LoadedDbc dbc(dbc_path);
  return run_lines("dbc-vectors " + base_name(jsonl), jsonl,
                   [&](const Json& v) { return check_vector(dbc, v); });
}

Tally run_log_expectations(const std::string& log_path, const std::string& dbc_path, const std::string& jsonl) {
  const LoadedDbc dbc(dbc_path);
  const std::vector<std::string> log = read_lines(log_path);
  return run_lines("log-expect " + base_name(jsonl), jsonl,
                   [&](const Json& v) { return check_log_line(dbc, log, v); });
}

}  // namespace wayseal::vectors
