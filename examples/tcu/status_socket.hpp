// SPDX-License-Identifier: Apache-2.0
/// \file
/// Tells whoever connects to a local socket how the agent is: one JSON object, then the end.
#ifndef WAYSEAL_EXAMPLES_TCU_STATUS_SOCKET_HPP
#define WAYSEAL_EXAMPLES_TCU_STATUS_SOCKET_HPP

#include <functional>
#include <string>

namespace tcu {

/// A Unix socket of mode 0600. `step` serves those who wait and never blocks; an answer fits the socket's buffer.
class StatusSocket {
 public:
  /// Opens the socket at `path`, in place of one that a dead agent left. Empty path: does nothing ever.
  /// Throws std::system_error, also when a living agent owns the path.
  StatusSocket(const std::string& path, std::function<std::string()> describe);
  ~StatusSocket();
  StatusSocket(const StatusSocket&) = delete;
  StatusSocket& operator=(const StatusSocket&) = delete;

  void step();

 private:
  std::string path_;
  std::function<std::string()> describe_;
  int listener_ = -1;
};

}  // namespace tcu

#endif
