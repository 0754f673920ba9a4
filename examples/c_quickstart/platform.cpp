// SPDX-License-Identifier: Apache-2.0
// The one file in C++: makes ports of hal/ and gives their handles.
#include "platform.h"

#include "../quickstart/quickstart.hpp"
#include "wayseal/capi/handles.hpp"

namespace {

struct Device {
  explicit Device(char** argv) : at(argv), can(at.clock, 0, wayseal::CandumpPlayer::Pace::kAsFastAsItGoes, 1) {}

  Platform at;
  wayseal::CandumpPlayer can;
};

Device* device = nullptr;

}  // namespace

void platform_open(char** argv, wayseal_client_config* config, wayseal_bytes* table) {
  using wayseal::capi::handle;
  static Device opened(argv);  // its end comes before that of the libraries that the token has loaded
  device = &opened;
  config->can_bus = handle(opened.can);
  config->vault = handle(opened.at.vault);
  config->verifier = handle(opened.at.verifier);
  config->channel = handle(opened.at.tls);
  config->clock = handle(opened.at.clock);
  config->spool = handle(opened.at.spool);
  config->state = handle(opened.at.state);
  *table = {opened.at.table.data(), opened.at.table.size()};
}

int64_t platform_now_ns(void) { return device->at.clock.now().ns; }

void platform_wait(void) { device->at.wait(); }
