// SPDX-License-Identifier: Apache-2.0
#include "net/network.hpp"

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include <cstring>

#include "board/board.hpp"
#include "board/memory_map.hpp"

extern "C" {

// lwIP's clock and random numbers (local ports).
u32_t sys_now(void) { return static_cast<u32_t>(board::ticks().ms); }

uint32_t board_random(void) {
  uint32_t value = 0;
  if (!board::entropy(reinterpret_cast<uint8_t*>(&value), sizeof value)) return sys_now();
  return value;
}

}  // extern "C"

namespace board {
namespace {

constexpr uint32_t kLinkLookMs = 100;

ip4_addr_t to_lwip(const uint8_t address[4]) {
  ip4_addr_t out;
  IP4_ADDR(&out, address[0], address[1], address[2], address[3]);
  return out;
}

}  // namespace

Network::Network() : controller_(kEthernet) {}

bool Network::start(const NetworkConfig& config) {
  lwip_init();
  const ip4_addr_t address = to_lwip(config.address);
  const ip4_addr_t mask = to_lwip(config.mask);
  const ip4_addr_t gateway = to_lwip(config.gateway);
  config_ = &config;
  const bool added = netif_add(&interface_, &address, &mask, &gateway, this, set_up, ethernet_input) != nullptr;
  config_ = nullptr;
  if (!added) return false;
  netif_set_default(&interface_);
  netif_set_up(&interface_);
  link_looked_ms_ = sys_now() - kLinkLookMs;
  watch_link();
  return true;
}

err_t Network::set_up(netif* interface) {
  Network& self = *static_cast<Network*>(interface->state);
  if (!self.controller_.start(self.config_->mac)) return ERR_IF;
  std::memcpy(interface->hwaddr, self.config_->mac, sizeof self.config_->mac);
  interface->hwaddr_len = sizeof self.config_->mac;
  interface->mtu = 1500;
  interface->name[0] = 'e';
  interface->name[1] = 'n';
  interface->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
  interface->output = etharp_output;
  interface->linkoutput = on_send;
  return ERR_OK;
}

err_t Network::on_send(netif* interface, pbuf* frame) {
  return static_cast<Network*>(interface->state)->controller_.send(frame);
}

void Network::watch_link() {
  if (sys_now() - link_looked_ms_ < kLinkLookMs) return;
  link_looked_ms_ = sys_now();
  const bool up = controller_.link_up();
  if (up == link_up()) return;
  if (up) {
    netif_set_link_up(&interface_);
  } else {
    netif_set_link_down(&interface_);
  }
}

bool Network::poll() {
  bool received = false;
  for (uint32_t i = 0; i < kFramesAtOnce && controller_.waiting(); ++i) {
    pbuf* frame = controller_.receive();
    if (frame == nullptr) continue;
    received = true;
    if (interface_.input(frame, &interface_) != ERR_OK) pbuf_free(frame);
  }
  sys_check_timeouts();
  watch_link();
  return received;
}

}  // namespace board
