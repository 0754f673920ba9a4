// SPDX-License-Identifier: Apache-2.0
/// \file
/// A name lookup that nobody waits for.
#ifndef WAYSEAL_HAL_POSIX_NAME_LOOKUP_HPP
#define WAYSEAL_HAL_POSIX_NAME_LOOKUP_HPP

#include <netdb.h>

namespace wayseal {

/// One question to the resolver, answered in a thread of the C library (getaddrinfo_a of glibc). Lives on the heap, because a
/// question that is being asked cannot be taken back: what is abandoned frees itself later or goes with the process.
class NameLookup {
 public:
  enum class State { kPending, kFound, kFailed };

  /// Asks for the addresses of `host`, which, as `port`, must outlive the answer.
  /// \return null without memory or a thread.
  static NameLookup* start(const char* host, const char* port);
  /// Ends it. Leaks about 150 bytes when the resolver is still at it, rather than wait.
  static void abandon(NameLookup* lookup);

  State state();
  /// The addresses, which become the caller's to free. Once, after kFound.
  addrinfo* take();
  /// EAI code after kFailed.
  int error() const { return error_; }

 private:
  NameLookup() = default;

  addrinfo hints_{};
  gaicb request_{};
  int error_ = 0;
};

}  // namespace wayseal

#endif
