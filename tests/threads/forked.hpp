// SPDX-License-Identifier: Apache-2.0
/// \file
/// A copy of the running test, as fork makes it: memory, fakes, session and all.
#ifndef WAYSEAL_TESTS_THREADS_FORKED_HPP
#define WAYSEAL_TESTS_THREADS_FORKED_HPP

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "sanitizers/under_tsan.hpp"

namespace wayseal::fakes {

/// Runs `body` in a forked child, beside its parent; nothing of the child's is destroyed at its end.
class Forked {
 public:
  explicit Forked(const std::function<std::string()>& body) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    child_ = fork();
    if (child_ < 0) throw std::runtime_error("fork");
    if (child_ == 0) {
      close(ends[0]);
      tell(ends[1], body);
    }
    close(ends[1]);
    from_child_ = ends[0];
  }
  ~Forked() {
    if (child_ > 0) static_cast<void>(result());
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  /// What `body` returned; "died" when it did not. Once.
  std::string result() {
    std::string text;
    char part[4096];
    for (ssize_t got = 0; (got = read(from_child_, part, sizeof part)) > 0;) {
      text.append(part, static_cast<size_t>(got));
    }
    close(from_child_);
    int status = 0;
    const bool exited = waitpid(child_, &status, 0) == child_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    child_ = -1;
    return exited ? text : "died";
  }

 private:
  [[noreturn]] static void tell(int to, const std::function<std::string()>& body) {
    std::string text;
    try {
      text = body();
    } catch (const std::exception& error) {
      text = std::string("threw ") + error.what();
    }
    for (size_t told = 0; told < text.size();) {
      const ssize_t part = write(to, text.data() + told, text.size() - told);
      if (part <= 0) _exit(1);
      told += static_cast<size_t>(part);
    }
    _exit(0);
  }

  pid_t child_ = -1;
  int from_child_ = -1;
};

}  // namespace wayseal::fakes

#endif
