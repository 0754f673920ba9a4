// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>

#include "commands.hpp"
#include "http_server.hpp"
#include "service.hpp"
#include "wire.hpp"

namespace cloud {
namespace {

constexpr const char* kContentType = "application/x-protobuf";

/// Vehicles' requests. The gateway says which vehicle it is.
class VehicleHandler final : public HttpHandler {
 public:
  explicit VehicleHandler(Service& service) : service_(service) {}

  HttpAnswer handle(const HttpRequest& request) noexcept override {
    Reply reply = service_.handle(static_cast<Route>(request.route), request.identities[0], request.body);
    return {reply.status, std::move(reply.body), kContentType, {}, {}};
  }
  void maintain() noexcept override { service_.maintain(); }

 private:
  Service& service_;
};

HttpServerConfig server_config(const Config& config) {
  return {config.listen,
          {{static_cast<int>(Route::kPrekeys), "POST", "/v1/prekeys", false, kContentType, kPrekeysRequestMax},
           {static_cast<int>(Route::kRecords), "POST", "/v1/records", false, kContentType, kUploadMax}},
          {"x-vehicle-id"},
          kUploadMax,
          config.connections_max};
}

}  // namespace

int serve(const ServeOptions& options) {
  // Files of the database hold opened telemetry, and the process holds the PIN.
  harden_process();

  const Config config = load_config(options.config);
  for (const auto& [key, value] : {std::pair{"listen", &config.listen}, std::pair{"module", &config.module},
                                   std::pair{"token", &config.token}}) {
    if (value->empty()) throw std::runtime_error(options.config + ": key '" + key + "' is missing");
  }
  if (!options.pin_fd && config.pin_file.empty()) {
    throw std::runtime_error(options.config + ": give the PIN with --pin-fd, or key 'pin_file'");
  }
  Blob pin = options.pin_fd ? read_pin_fd(*options.pin_fd) : read_pin_file(config.pin_file);

  if (!config.softhsm2_conf.empty()) ::setenv("SOFTHSM2_CONF", config.softhsm2_conf.c_str(), 1);

  Log log(config.log);
  Core core(config, log, std::move(pin));
  Service service(core);
  VehicleHandler handler(service);
  HttpServer server(server_config(config), handler);
  log.line("start", {{"suites", int64_t{core.suites()}}});
  std::cout << "wayseal-backend: ready\n" << std::flush;
  server.run();
  log.line("stop", {});
  return 0;
}

}  // namespace cloud
