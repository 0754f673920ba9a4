// SPDX-License-Identifier: Apache-2.0
// Real processes of a test: the backend, the gateway and their tools.
#ifndef WAYSEAL_TESTS_CLOUD_PROCESS_HPP
#define WAYSEAL_TESTS_CLOUD_PROCESS_HPP

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace cloud_test {

/// A child that is killed at the latest when this object ends.
class Process {
 public:
  Process() = default;
  /// \param output file that gets what it prints, on both streams.
  Process(const std::vector<std::string>& command, const std::string& output);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  bool running();
  /// Sends a signal that does not end it.
  void signal(int signal);
  /// Sends a signal and waits. \return exit code, or 128 + signal.
  int stop(int signal);
  /// Waits for the end by itself.
  int wait();

 private:
  void ended(int status);

  pid_t pid_ = -1;
  int code_ = -1;
};

struct Output {
  int code;
  std::string text;  ///< Both streams.
};
Output run(const std::vector<std::string>& command);

/// Looks again and again until `condition` holds or `seconds` have passed.
bool eventually(const std::function<bool()>& condition, double seconds = 15);

/// A port of 127.0.0.1 that nobody has; somebody could take it before we do, and then the start of what wants it fails loudly.
int free_port();
/// Whether somebody listens there.
bool connects(int port);

/// A folder that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string slurp(const std::string& path);
void spill(const std::string& path, const std::string& content);

}  // namespace cloud_test

#endif
