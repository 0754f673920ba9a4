// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "commands.hpp"
#include "drive/drive.hpp"

namespace wayseal::oem {

namespace {

struct DriveArguments {
  DriveOptions options;
  std::string output;
  std::string dbc_output;
};

void write_dbc(const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  out << drive_dbc();
  if (!out.flush()) throw std::runtime_error("can't write '" + path + "'");
}

void write_drive(const DriveArguments& arguments) {
  if (!arguments.dbc_output.empty()) write_dbc(arguments.dbc_output);
  std::ofstream file;
  if (!arguments.output.empty()) {
    file.open(arguments.output, std::ios::binary);
    if (!file) throw std::runtime_error("can't write '" + arguments.output + "'");
  }
  std::ostream& out = arguments.output.empty() ? std::cout : file;
  drive(arguments.options, [&](const CanFrame& frame) { out << candump_line(frame) << '\n'; });
  if (!out.flush()) throw std::runtime_error("can't write the drive: is the disk full?");
}

}  // namespace

void add_drive_command(CLI::App& app) {
  auto arguments = std::make_shared<DriveArguments>();
  CLI::App* command =
      app.add_subcommand("drive", "Writes a made-up drive on can0 and can1, as candump -L would");
  command->add_option("--seed", arguments->options.seed, "The same number gives the same drive")
      ->capture_default_str();
  command->add_option("--seconds", arguments->options.seconds, "How long it lasts")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  command->add_option("-o,--output", arguments->output, "File to write; standard output without it");
  command->add_option("--dbc", arguments->dbc_output, "Also writes the DBC of this drive to this file");
  command->callback([arguments] { write_drive(*arguments); });
}

}  // namespace wayseal::oem
