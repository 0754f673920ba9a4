// SPDX-License-Identifier: Apache-2.0
// Preloaded into a server: kills it, as a power cut would, when it is about to send an answer with a certificate, as long as the
// file named in WAYSEAL_KILL_WHILE is there. What was recorded before stays recorded.
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

void kill_before(const void* start, size_t size) {
  const std::string_view bytes(static_cast<const char*>(start), size);
  const char* const file = std::getenv("WAYSEAL_KILL_WHILE");
  const bool answer = bytes.find("smime-type=certs-only") != std::string_view::npos;
  if (answer && file != nullptr && ::access(file, F_OK) == 0) ::kill(::getpid(), SIGKILL);
}

template <typename F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    kill_before(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
  }
  return next<decltype(::sendmsg)>("sendmsg")(fd, message, flags);
}

ssize_t send(int fd, const void* start, size_t size, int flags) {
  kill_before(start, size);
  return next<decltype(::send)>("send")(fd, start, size, flags);
}
}
