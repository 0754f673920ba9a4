// SPDX-License-Identifier: Apache-2.0
// From a request to its answer, and the work that time brings. Knows no sockets.
#ifndef WAYSEAL_CLOUD_SERVICE_HPP
#define WAYSEAL_CLOUD_SERVICE_HPP

#include "core.hpp"
#include "ingest.hpp"
#include "prekeys.hpp"

namespace cloud {

enum class Route { kPrekeys, kRecords };

class Service {
 public:
  explicit Service(Core& core) : core_(core), prekeys_(core), ingest_(core) {}

  /// Never throws: trouble with token or database is 503, and the token is opened again when it was lost. Once the
  /// token has refused the PIN, every request is 503.
  /// \param vehicle what the gateway wrote; 403 when it is no vehicle id.
  Reply handle(Route route, std::string_view vehicle, const Blob& body) noexcept;

  /// Settles sessions past their hard expiry, destroys private halves that nobody needs, reads changed CRLs.
  /// Call it at the start and then every minute.
  void maintain() noexcept;

 private:
  Reply dispatch(Route route, std::string_view vehicle, const Blob& body);
  void settle_expired();
  void trouble(const char* where, const std::exception& error, bool token_lost) noexcept;

  Core& core_;
  Prekeys prekeys_;
  Ingest ingest_;
};

}  // namespace cloud

#endif
