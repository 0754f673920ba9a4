// SPDX-License-Identifier: Apache-2.0
// The emulated device of the tests: a board in QEMU with its flash in a file, its console and its lines.
#ifndef WAYSEAL_TESTS_MCU_MCU_HPP
#define WAYSEAL_TESTS_MCU_MCU_HPP

#include <map>
#include <string>

#include "way.hpp"

namespace mcu_test {

using agent_test::Way;
using cloud_test::Process;

/// A board that QEMU emulates, and the folder of the programs that were built for it.
struct Machine {
  const char* name;
  const char* programs;
};

/// Programs in that folder, without their ".elf".
inline constexpr char kFirmware[] = "image/wayseal_image";
inline constexpr char kFirmwareInC[] = "c_image/c_image";
inline constexpr char kBoardCheck[] = "board_check";
inline constexpr char kSelfTest[] = "checks/self_test_image";
inline constexpr char kRecordCheck[] = "checks/record_check_image";

extern const Machine kM4;  ///< mps2-an386, Cortex-M4F
extern const Machine kM7;  ///< mps2-an500, Cortex-M7
/// The one that this run is for: WAYSEAL_MCU_BOARD is "m7", else the M4.
const Machine& board_of_run();

/// One device. Its flash lives as long as this object; the processor from `power_on` to `power_off` or its exit.
class Mcu {
 public:
  /// \param folder for the flash and the sockets; must exist. The flash is blank.
  Mcu(const Machine& machine, const std::string& folder);

  /// Keys made in the device, certificates by the OEM's tool. Throws when one of the steps fails.
  void provision(const std::string& fleet, const std::string& vehicle);

  /// \param words arguments of the program, "name=value", with blanks between them.
  void power_on(const std::string& words, const char* program = kFirmware);
  /// As a power cut: at once, whatever it does.
  void power_off() { processor_.stop(9); }
  bool running() { return processor_.running(); }
  /// Waits for the end by itself. \return its exit code.
  int wait() { return processor_.wait(); }

  /// Plays a log into its UART. \param arguments of wayseal-uart-can, beside where and what.
  Process play(const std::string& log, const std::vector<std::string>& arguments) const;

  /// Pulls the network cable, or plugs it in again.
  void cable(bool plugged) const;

  /// What it has printed since it was powered on.
  std::string console() const;
  /// Whether the console has shown this text within some seconds.
  bool says(const std::string& text, double seconds = 15) const;
  /// The numbers of a line of a kind ("status", "summary"), the last one or so many before it; empty when there is none.
  std::map<std::string, int64_t> numbers(const std::string& kind, size_t before_last = 0) const;

 private:
  void start(const char* program, const std::string& words, const std::string& input);
  int run(const std::string& words, const std::string& input);
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  Machine machine_;
  std::string folder_;
  Process processor_;
};

}  // namespace mcu_test

#endif
