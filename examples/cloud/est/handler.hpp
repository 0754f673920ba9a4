// SPDX-License-Identifier: Apache-2.0
// EST (RFC 7030) for vehicles, behind the gateway's enrolment listener, which says whose certificate it has verified.
#ifndef WAYSEAL_EST_HANDLER_HPP
#define WAYSEAL_EST_HANDLER_HPP

#include "config.hpp"
#include "enrolment.hpp"
#include "http_server.hpp"
#include "log.hpp"

namespace est {

class Handler final : public cloud::HttpHandler {
 public:
  Handler(Enrolment& enrolment, cloud::Log& log) : enrolment_(enrolment), log_(log) {}
  cloud::HttpAnswer handle(const cloud::HttpRequest& request) noexcept override;

 private:
  Outcome decide(const cloud::HttpRequest& request, Requester& requester);

  Enrolment& enrolment_;
  cloud::Log& log_;
};

cloud::HttpServerConfig server_config(const Config& config);

}  // namespace est

#endif
