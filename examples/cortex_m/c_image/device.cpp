// SPDX-License-Identifier: Apache-2.0
#include "c_image/device.h"

#include "board/board.hpp"
#include "image/arena.hpp"
#include "image/device.hpp"
#include "wayseal/capi/handles.hpp"

namespace {

board::BoardClock device_clock;
board::Words words;
image::Bus* bus = nullptr;
image::Link* connection = nullptr;

}  // namespace

const char* device_open(wayseal_client_config* config) {
  using wayseal::capi::handle;
  if (!words.read()) return "too many arguments";
  static image::Areas areas(words.number("spool_sectors", image::kSpoolSectors));
  static image::Trust trust(areas.keys());
  image::start_arena();
  if (const image::Trouble trouble = trust.start()) return trouble;
  if (const image::Trouble trouble = trust.load()) return trouble;
  static image::Link opened_link(words, trust, device_clock);
  if (const image::Trouble trouble = opened_link.start(trust)) return trouble;
  static image::Bus opened_bus(device_clock, can::WhenRingFull::kHoldBack);
  opened_bus.start();
  connection = &opened_link;
  bus = &opened_bus;
  config->can_bus = handle(bus->port());
  config->vault = handle(trust.vault());
  config->verifier = handle(trust.verifier());
  config->channel = handle(connection->channel());
  config->spool = handle(areas.spool());
  config->state = handle(areas.state());
  return nullptr;
}

uint32_t device_argument(const char* name, uint32_t otherwise) { return words.number(name, otherwise); }

bool device_poll() {
  bus->resume();
  return connection->network().poll();
}

void device_idle() { board::idle(); }

int64_t device_now_ns() { return device_clock.now().ns; }

void device_print(const char* text) { board::print(text); }

void device_print_field(const char* name, uint64_t value) { board::print_field(name, value); }

size_t device_stack_used() { return board::stack_used(); }

void device_close() { connection->channel().close(); }
