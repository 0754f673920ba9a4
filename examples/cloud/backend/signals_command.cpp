// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "samples.hpp"
#include "store.hpp"

namespace cloud {
namespace {

const char* quality_name(TimeQuality quality) {
  if (quality == TimeQuality::kTrusted) return "trusted";
  return quality == TimeQuality::kRecorded ? "recorded" : "untrusted";
}

/// Without trusted time a sample has seconds since some start of the vehicle.
std::string time_text(const Sample& sample) {
  if (sample.quality != TimeQuality::kUntrusted) return iso_time(sample.time_us);
  char text[48];
  std::snprintf(text, sizeof text, "start+%.6fs", static_cast<double>(sample.time_us) / 1e6);
  return text;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void print_table_row(const Sample& sample) {
  const std::string name = sample.name->message + "." + sample.name->signal;
  const std::string value = number_text(sample.value) + (sample.text.empty() ? "" : " (" + sample.text + ")");
  std::printf("%-27s  %-40s %20s %s\n", time_text(sample).c_str(), name.c_str(), value.c_str(),
              sample.name->unit.c_str());
}

void print_csv_row(const Sample& sample) {
  std::printf("%s,%s,%s,%s,%s,%s,%s\n", time_text(sample).c_str(), quoted(sample.name->message).c_str(),
              quoted(sample.name->signal).c_str(), number_text(sample.value).c_str(),
              quoted(sample.name->unit).c_str(), quoted(sample.text).c_str(), quality_name(sample.quality));
}

void print_json_row(const Sample& sample, const char* before) {
  nlohmann::ordered_json json{{"time", time_text(sample)},
                              {"time_us", sample.time_us},
                              {"quality", quality_name(sample.quality)},
                              {"message", sample.name->message},
                              {"signal", sample.name->signal},
                              {"value", sample.value},
                              {"unit", sample.name->unit}};
  if (!sample.text.empty()) json["text"] = sample.text;
  const std::string line = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::printf("%s%s", before, line.c_str());
}

}  // namespace

int print_signals(const SignalsOptions& options) {
  SampleQuery what;
  what.vehicle = options.vehicle;
  what.since_us = parse_time_us(options.since);
  if (!options.until.empty()) what.until_us = parse_time_us(options.until);
  what.signals = {options.signals.begin(), options.signals.end()};

  Database database(options.database, Database::Mode::kReadOnly);
  if (!database.integer("SELECT id FROM vehicles WHERE name = ?", Text{what.vehicle})) {
    std::cerr << "wayseal-backend: no such vehicle; `wayseal-backend vehicles` lists them\n";
    return 1;
  }
  if (options.format == Format::kCsv) std::puts("time,message,signal,value,unit,text,quality");
  const char* before = "[\n";
  const QueryResult result = query(database, what, [&](const Sample& sample) {
    if (options.format == Format::kTable) return print_table_row(sample);
    if (options.format == Format::kCsv) return print_csv_row(sample);
    print_json_row(sample, before);
    before = ",\n";
  });
  if (options.format == Format::kJson) std::puts(result.samples == 0 ? "[]" : "\n]");
  if (options.format == Format::kTable) {
    std::printf("%llu samples from %llu batches\n", static_cast<unsigned long long>(result.samples),
                static_cast<unsigned long long>(result.batches));
  }
  if (result.batches_without_table != 0) {
    std::cerr << "wayseal-backend: " << result.batches_without_table
              << " batches need a signal table that is not there: `wayseal-backend table add FILE`\n";
  }
  if (result.batches_undecodable != 0) {
    std::cerr << "wayseal-backend: " << result.batches_undecodable << " batches cannot be read\n";
  }
  return result.batches_without_table + result.batches_undecodable == 0 ? 0 : 4;
}

int file_table(const std::string& database_path, const std::string& path) {
  Database database(database_path, Database::Mode::kReadWrite);
  migrate(database);
  std::printf("%016llx\n", static_cast<unsigned long long>(add_table(database, path)));
  return 0;
}

}  // namespace cloud
