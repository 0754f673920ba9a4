// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <unistd.h>

#include "host.hpp"

namespace wayseal::pkcs11 {

pid_t current_process() { return getpid(); }

void lock_memory(MutableBytes bytes) { static_cast<void>(mlock(bytes.data(), bytes.size())); }

void unlock_memory(MutableBytes bytes) { static_cast<void>(munlock(bytes.data(), bytes.size())); }

}  // namespace wayseal::pkcs11
