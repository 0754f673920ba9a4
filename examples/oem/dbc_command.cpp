// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "commands.hpp"
#include "dbc/listing.hpp"
#include "dbc/parser.hpp"
#include "dbc/table_builder.hpp"

namespace wayseal::oem {

namespace {

struct DbcArguments {
  std::vector<std::string> files;
  std::vector<std::string> buses;
  std::vector<std::string> collect;
  std::vector<std::string> on_change;
  std::vector<std::string> intervals;
  std::string output;
  std::string name;
  uint32_t version = 1;
  bool strip_names = false;
  bool list = false;
  bool strict = false;
};

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// "@FILE" stands for the file's lines; "all" for every signal.
std::vector<std::string> patterns(const std::vector<std::string>& given) {
  std::vector<std::string> all;
  for (const std::string& text : given) {
    if (text == "all") {
      all.push_back("*");
    } else if (text.empty() || text[0] != '@') {
      all.push_back(text);
    } else {
      std::ifstream in(text.substr(1));
      if (!in) throw std::runtime_error("can't open '" + text.substr(1) + "': " + std::strerror(errno));
      for (std::string line; std::getline(in, line);) {
        const std::string pattern = trimmed(line.substr(0, line.find('#')));
        if (!pattern.empty()) all.push_back(pattern);
      }
    }
  }
  return all;
}

uint32_t milliseconds(const std::string& text) {
  const bool digits =
      !text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) throw std::runtime_error("'" + text + "' is no number of milliseconds");
  return static_cast<uint32_t>(std::stoul(text));
}

/// "MS" for every signal, or "PATTERN=MS".
IntervalRule interval(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos) return {"*", milliseconds(text)};
  return {text.substr(0, equals), milliseconds(text.substr(equals + 1))};
}

std::vector<BusDbc> read_files(const DbcArguments& arguments) {
  std::vector<BusDbc> files;
  for (const std::string& path : arguments.files) files.push_back({"", read_dbc(path)});
  for (const std::string& text : arguments.buses) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw std::runtime_error("--bus wants NAME=FILE, not '" + text + "'");
    files.push_back({text.substr(0, equals), read_dbc(text.substr(equals + 1))});
  }
  if (files.empty()) throw std::runtime_error("give a DBC file, or --bus NAME=FILE for each bus");
  return files;
}

TableOptions table_options(const DbcArguments& arguments, const std::vector<BusDbc>& files) {
  TableOptions options;
  options.name = arguments.name;
  if (options.name.empty()) {
    const std::string& path = files.front().dbc.file;
    options.name = path.substr(path.rfind('/') + 1).substr(0, table_format::core::kNameSize);
  }
  options.version = arguments.version;
  if (!arguments.collect.empty()) options.collect = patterns(arguments.collect);
  options.on_change = patterns(arguments.on_change);
  for (const std::string& text : arguments.intervals) options.intervals.push_back(interval(text));
  options.names = !arguments.strip_names;
  return options;
}

/// A table is either there whole or not at all.
void write_file(const std::string& path, const std::vector<uint8_t>& bytes) {
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out || std::rename(part.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    (void)std::remove(part.c_str());
    throw std::runtime_error("can't write '" + path + "': " + why);
  }
}

void run(const DbcArguments& arguments) {
  if (arguments.output.empty() && !arguments.list) throw std::runtime_error("give -o FILE, --list, or both");
  const std::vector<BusDbc> files = read_files(arguments);
  const BuiltTable built = build_table(files, table_options(arguments, files));
  for (const Diagnostic& warning : built.warnings) std::cerr << to_string(warning) << '\n';
  if (arguments.strict && !built.warnings.empty()) {
    throw std::runtime_error(std::to_string(built.warnings.size()) +
                             " warnings, and --strict was given: no table");
  }
  if (arguments.list) list_table(built.bytes, std::cout);
  if (!arguments.output.empty()) write_file(arguments.output, built.bytes);
}

void run_or_explain(const DbcArguments& arguments) {
  try {
    run(arguments);
  } catch (const DbcError& error) {
    // As compilers do, so that editors find the line.
    std::cerr << error.what() << '\n';
    throw CLI::RuntimeError(1);
  }
}

}  // namespace

void add_dbc_command(CLI::App& app) {
  auto arguments = std::make_shared<DbcArguments>();
  DbcArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("dbc", "Makes the signal table of a vehicle from DBC files");
  command->footer(
      "A PATTERN names signals: 'Signal' or 'Message.Signal', '*' stands for any text. Lists take commas, or\n"
      "@FILE with a pattern on each line. What can't be used is left out with a file:line warning.");
  command->add_option("files", a.files, "DBC files whose messages may be on any bus")->type_name("FILE");
  command->add_option("--bus", a.buses, "DBC file of one bus, repeatable: can0=FILE")->type_name("NAME=FILE");
  command->add_option("-o,--output", a.output, "The table to write")->type_name("FILE");
  command->add_option("--name", a.name, "Name in the table; the first file's name without it")
      ->type_name("TEXT");
  command->add_option("--table-version", a.version, "Version number in the table")->capture_default_str();
  command->add_option("--collect", a.collect, "Signals to collect; all of them without it")
      ->type_name("PATTERN...")
      ->delimiter(',');
  command->add_option("--on-change", a.on_change, "Signals to keep only when their value changes")
      ->type_name("PATTERN...")
      ->delimiter(',');
  command->add_option("--min-interval", a.intervals, "At most one sample in so many ms: MS or PATTERN=MS")
      ->type_name("RULE...")
      ->delimiter(',');
  command->add_flag("--strip-names", a.strip_names,
                    "Leaves out names, units and texts, which a vehicle does not need");
  command->add_flag("--list", a.list, "Prints what is in the table");
  command->add_flag("--strict", a.strict, "Takes warnings as errors");
  command->callback([arguments] { run_or_explain(*arguments); });
}

}  // namespace wayseal::oem
