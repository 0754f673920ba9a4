// SPDX-License-Identifier: Apache-2.0
// Answers partners: decides, reads, seals, and writes down. Knows no sockets.
#ifndef WAYSEAL_SHARE_DESK_HPP
#define WAYSEAL_SHARE_DESK_HPP

#include <optional>
#include <string>

#include "accesses.hpp"
#include "asked.hpp"
#include "http_server.hpp"
#include "log.hpp"
#include "registry.hpp"
#include "share_config.hpp"

namespace share {

class Desk final : public cloud::HttpHandler {
 public:
  /// Opens the databases of telemetry (for reading) and of accesses. Throws std::runtime_error.
  explicit Desk(const Config& config);

  /// Every answer, refusals included, has a row in the accesses before it leaves; what cannot be written down is 503.
  /// A vehicle that does not exist, one that was not granted, and a grant that has ended look the same: 404.
  cloud::HttpAnswer handle(const cloud::HttpRequest& request) noexcept override;

  const cloud::Log& log() const { return log_; }

 private:
  cloud::HttpAnswer answer(const cloud::HttpRequest& request, Access& access);
  cloud::HttpAnswer give_list(const Partner& partner, const Registry& registry, const Asked& asked,
                              Access& access);
  cloud::HttpAnswer give_signals(const Partner& partner, const Permit& permit, const Asked& asked,
                                 Access& access);
  /// What the cursor continues, or what the parameters say. \return false when there is no such cursor.
  bool resume(const Asked& asked, Access& access);
  void note(const Access& access) const noexcept;

  cloud::Log log_;
  cloud::Database telemetry_;
  Accesses accesses_;
  RegistryFile registry_;
};

}  // namespace share

#endif
