// SPDX-License-Identifier: Apache-2.0
#include "wayseal/core/status.hpp"
#include "capi/convert.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/wayseal.h"

using namespace wayseal;

namespace {

constexpr uint32_t major_of(uint32_t version) { return version >> 24; }
constexpr uint32_t minor_of(uint32_t version) { return (version >> 16) & 0xFF; }

// Numbers of the caller's that would otherwise be cut off to eight bits.
uint8_t narrow(int number) {
  return number >= 0 && number <= UINT8_MAX ? static_cast<uint8_t>(number) : UINT8_MAX;
}

}  // namespace

wayseal_next_step wayseal_status_next_step(wayseal_status status) {
  return static_cast<wayseal_next_step>(next_step(static_cast<Status>(narrow(status))));
}

const char* wayseal_status_name(wayseal_status status) {
  return status_name(static_cast<Status>(narrow(status)));
}

const char* wayseal_channel_failure_name(wayseal_channel_failure failure) {
  return channel_failure_name(static_cast<ChannelFailure>(narrow(failure)));
}

uint32_t wayseal_version(void) { return WAYSEAL_VERSION; }

wayseal_status wayseal_check_version(uint32_t header) {
  constexpr uint32_t kOwn = WAYSEAL_VERSION;
  const bool same_minor = minor_of(header) == minor_of(kOwn);
  const bool older_minor = minor_of(header) < minor_of(kOwn);
  const bool fits = same_minor || (major_of(kOwn) > 0 && older_minor);
  return major_of(header) == major_of(kOwn) && fits ? WAYSEAL_OK : WAYSEAL_UNSUPPORTED;
}
