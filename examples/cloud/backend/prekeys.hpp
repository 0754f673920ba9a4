// SPDX-License-Identifier: Apache-2.0
// POST /v1/prekeys: the backend's half of coming sessions, and signed time (PROTOCOL.md, 4 and 5).
#ifndef WAYSEAL_CLOUD_PREKEYS_HPP
#define WAYSEAL_CLOUD_PREKEYS_HPP

#include <vector>

#include "core.hpp"

namespace cloud {

class Prekeys {
 public:
  explicit Prekeys(Core& core) : core_(core) {}

  /// Answers a request: 200, 400 when it does not parse, 403 when it is not authentic or names another vehicle.
  Reply handle(const Blob& body, const Peer& peer);

  /// Destroys private halves that are no longer needed. After a crash it ends what was cut off.
  void destroy_doomed();

 private:
  unsigned check(const Blob& body, const Peer& peer, wayseal::v1::PrekeysRequest* request);
  std::vector<PrekeyRow> one_time(int64_t vehicle, uint32_t wanted, uint32_t suites);
  PrekeyRow last_resort(int64_t vehicle, uint32_t suites);
  std::vector<PrekeyRow> make(int64_t vehicle, uint32_t count, bool last_resort);
  void fill_bundle(const Peer& peer, const wayseal::v1::PrekeysRequest& request,
                   wayseal::v1::PrekeysReply* reply);
  void fill_time(const wayseal::v1::PrekeysRequest& request, wayseal::v1::PrekeysReply* reply);

  Core& core_;
};

}  // namespace cloud

#endif
