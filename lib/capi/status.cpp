// SPDX-License-Identifier: Apache-2.0
#include "wayseal/core/status.hpp"
#include "capi/convert.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/wayseal.h"

using namespace wayseal;

namespace {

constexpr uint32_t major_of(uint32_t version) { return version >> 24; }
constexpr uint32_t minor_of(uint32_t version) { return (version >> 16) & 0xFF; }

// Semantic versioning: below 1.0 each minor version is an interface of its own.
constexpr bool serves(uint32_t library, uint32_t header) {
  if (major_of(library) != major_of(header)) return false;
  if (major_of(library) == 0) return minor_of(library) == minor_of(header);
  return minor_of(library) >= minor_of(header);
}
static_assert(serves(WAYSEAL_VERSION_OF(1, 2, 0), WAYSEAL_VERSION_OF(1, 1, 9)), "an older header");
static_assert(!serves(WAYSEAL_VERSION_OF(1, 2, 9), WAYSEAL_VERSION_OF(1, 3, 0)), "a newer one");

// Numbers of the caller's that would otherwise be cut off to eight bits.
uint8_t narrow(int number) {
  return number >= 0 && number <= UINT8_MAX ? static_cast<uint8_t>(number) : UINT8_MAX;
}

}  // namespace

wayseal_next_step wayseal_status_next_step(int status) {
  return static_cast<wayseal_next_step>(next_step(static_cast<Status>(narrow(status))));
}

const char* wayseal_status_name(int status) { return status_name(static_cast<Status>(narrow(status))); }

const char* wayseal_channel_failure_name(int failure) {
  return channel_failure_name(static_cast<ChannelFailure>(narrow(failure)));
}

uint32_t wayseal_version(void) { return WAYSEAL_VERSION; }

wayseal_status wayseal_check_version(uint32_t header) {
  return serves(WAYSEAL_VERSION, header) ? WAYSEAL_OK : WAYSEAL_UNSUPPORTED;
}
