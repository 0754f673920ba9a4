// SPDX-License-Identifier: Apache-2.0
// Shows that the network works: sends bytes to address=A port=P, wants them back, and says how the connection ended.
// Exit code: 0 all came back; 1 not.
#include <cstring>

#include "board/board.hpp"
#include "board/words.hpp"
#include "net/lwip_transport.hpp"
#include "net/network.hpp"

namespace {

constexpr size_t kBytes = 50'000;
constexpr uint32_t kPatienceMs = 20'000;

uint8_t pattern(size_t index) { return static_cast<uint8_t>(index * 7 + index / 251); }

struct Echo {
  board::Network& network;
  board::LwipTransport& transport;
  size_t sent = 0;
  size_t received = 0;

  bool send() {
    uint8_t chunk[700];
    const size_t size = kBytes - sent < sizeof chunk ? kBytes - sent : sizeof chunk;
    if (size == 0) return true;
    for (size_t i = 0; i < size; ++i) chunk[i] = pattern(sent + i);
    const auto taken = transport.send({chunk, size});
    if (taken.ok()) sent += taken.value();
    return taken.ok() || taken.status() == wayseal::Status::kWouldBlock;
  }

  bool receive() {
    uint8_t chunk[700];
    const auto got = transport.receive({chunk, sizeof chunk});
    if (!got.ok()) return got.status() == wayseal::Status::kWouldBlock;
    for (size_t i = 0; i < got.value(); ++i) {
      if (chunk[i] != pattern(received + i)) return false;
    }
    received += got.value();
    return true;
  }
};

bool connected(board::Network& network, board::LwipTransport& transport) {
  if (transport.connect() != wayseal::Status::kOk) return false;
  wayseal::Status status = wayseal::Status::kWouldBlock;
  while ((status = transport.progress()) == wayseal::Status::kWouldBlock) {
    if (!network.poll()) board::idle();
  }
  return status == wayseal::Status::kOk;
}

}  // namespace

int main() {
  static board::Words words;
  static board::Network network;
  if (!words.read() || !network.start({})) return 2;
  board::LwipOptions options;
  options.address = words.text("address");
  options.port = static_cast<uint16_t>(words.number("port", 0));
  static board::LwipTransport transport(options);
  Echo echo{network, transport};
  bool good = connected(network, transport);
  while (good && echo.received < kBytes && board::ticks().ms < kPatienceMs) {
    good = echo.send() && echo.receive();
    if (!network.poll()) board::idle();
  }
  board::print("net_check:");
  board::print_field("sent", echo.sent);
  board::print_field("received", echo.received);
  board::print_field("native", static_cast<uint64_t>(-transport.diagnostic()));
  board::print_field("dropped", network.frames_dropped());
  board::print_field("ms", board::ticks().ms);
  board::print("\n");
  transport.close();
  return echo.received == kBytes ? 0 : 1;
}
