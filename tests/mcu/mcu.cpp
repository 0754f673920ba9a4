// SPDX-License-Identifier: Apache-2.0
#include "mcu.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace mcu_test {

using cloud_test::eventually;
using cloud_test::Output;
using cloud_test::slurp;
using cloud_test::spill;

const Machine kM4 = {"mps2-an386", WAYSEAL_MCU_M4_PROGRAMS};
const Machine kM7 = {"mps2-an500", WAYSEAL_MCU_M7_PROGRAMS};

namespace {

constexpr size_t kFlashBytes = size_t{16} << 20;

// A socket of QEMU's; it is there as soon as QEMU has started.
int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  int fd = -1;
  const bool up = eventually([&] {
    fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    ::close(fd);
    return false;
  });
  if (!up) throw std::runtime_error("no socket " + path);
  return fd;
}

// Reads what QEMU's monitor says until it waits for a command.
void read_prompt(int fd) {
  std::string text;
  char byte = 0;
  while (text.find("\n(qemu) ") == std::string::npos && ::read(fd, &byte, 1) == 1) text += byte;
}

}  // namespace

const Machine& board_of_run() {
  const char* const board = std::getenv("WAYSEAL_MCU_BOARD");
  return board != nullptr && std::string(board) == "m7" ? kM7 : kM4;
}

Mcu::Mcu(const Machine& machine, const std::string& folder) : machine_(machine), folder_(folder) {
  spill(path("flash"), std::string(kFlashBytes, '\xFF'));
}

void Mcu::start(const char* program, const std::string& words, const std::string& input) {
  std::string arguments = "enable=on,target=native,arg=wayseal";
  std::istringstream each(words);
  for (std::string word; each >> word;) arguments += ",arg=" + word;
  // A shell gives the console its input; exec leaves QEMU itself. Sockets of an earlier run are in its way. A multiplexer (without
  // its escape character) has a buffer: else QEMU looks for a byte for the UART once a millisecond.
  const std::string command =
      "rm -f '" + path("uart") + "' '" + path("monitor") + "'; exec '" WAYSEAL_QEMU "' -M " + machine_.name +
      ",memory-backend=flash -object memory-backend-file,id=flash,size=16M,share=on,mem-path='" +
      path("flash") +
      "' -display none -echr 256 -chardev stdio,id=console,signal=off,mux=on -serial chardev:console"
      " -chardev socket,id=line,server=on,wait=off,mux=on,path='" +
      path("uart") + "' -serial chardev:line -monitor unix:'" + path("monitor") +
      "',server=on,wait=off -semihosting-config " + arguments + " -nic user,model=lan9118,id=net0 -kernel '" +
      machine_.programs + "/" + program + ".elf' <'" + input + "'";
  std::remove(path("console").c_str());  // its lines are those of this start
  processor_ = Process({"/bin/sh", "-c", command}, path("console"));
}

void Mcu::power_on(const std::string& words, const char* program) { start(program, words, "/dev/null"); }

int Mcu::run(const std::string& words, const std::string& input) {
  start(kFirmware, words, input);
  if (!eventually([this] { return !processor_.running(); }, 30)) processor_.stop(9);
  return processor_.wait();
}

void Mcu::provision(const std::string& fleet, const std::string& vehicle) {
  if (run("mode=request", "/dev/null") != 0) throw std::runtime_error("requests: " + console());
  spill(path("requests"), console());
  const Output answer = cloud_test::run(
      {WAYSEAL_OEM, "sign", "--out", fleet, "--requests", path("requests"), "--vehicle", vehicle});
  if (answer.code != 0) throw std::runtime_error("sign: " + answer.text);
  spill(path("objects"), answer.text);
  if (run("mode=install", path("objects")) != 0) throw std::runtime_error("install: " + console());
}

Process Mcu::play(const std::string& log, const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = {WAYSEAL_UART_CAN, "--unix", path("uart"), "--log", log};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Process(command, path("player"));
}

void Mcu::cable(bool plugged) const {
  const int fd = connect_to(path("monitor"));
  const std::string command = std::string("set_link net0 ") + (plugged ? "on" : "off") + "\n";
  read_prompt(fd);
  const bool sent = ::write(fd, command.data(), command.size()) == static_cast<ssize_t>(command.size());
  read_prompt(fd);  // the command has been done
  ::close(fd);
  if (!sent) throw std::runtime_error("monitor");
}

std::string Mcu::console() const { return slurp(path("console")); }

bool Mcu::says(const std::string& text, double seconds) const {
  return eventually([&] { return console().find(text) != std::string::npos; }, seconds);
}

std::map<std::string, int64_t> Mcu::numbers(const std::string& kind, size_t before_last) const {
  std::vector<std::map<std::string, int64_t>> lines;
  std::istringstream text(console());
  for (std::string line; std::getline(text, line);) {
    if (line.compare(0, kind.size() + 1, kind + " ") != 0 || text.eof()) continue;
    std::map<std::string, int64_t>& out = lines.emplace_back();
    std::istringstream words(line.substr(kind.size()));
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals != std::string::npos) out[word.substr(0, equals)] = std::atoll(word.c_str() + equals + 1);
    }
  }
  if (lines.size() <= before_last) return {};
  return lines[lines.size() - 1 - before_last];
}

}  // namespace mcu_test
