// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <iostream>

#include "commands.hpp"
#include "http.hpp"

namespace cloud {

int serve(const ServeOptions& options) {
  // Files of the database hold opened telemetry, and the process holds the PIN.
  ::umask(0077);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);

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
  HttpServer server(config, service, log);
  log.line("start", {{"suites", int64_t{core.suites()}}});
  std::cout << "wayseal-backend: ready\n" << std::flush;
  server.run();
  log.line("stop", {});
  return 0;
}

}  // namespace cloud
