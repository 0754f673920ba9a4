// SPDX-License-Identifier: Apache-2.0
/// What the port takes of an operating system (host_*.cpp), and libraries loaded at run time (library_*.cpp).
#ifndef WAYSEAL_HAL_PKCS11_HOST_HPP
#define WAYSEAL_HAL_PKCS11_HOST_HPP

#include <sys/types.h>

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/status.hpp"
#include "wayseal/pkcs11/cryptoki.hpp"

namespace wayseal::pkcs11 {

/// \param get_list gets the library's C_GetFunctionList, or null when it has none.
/// \return kOk; kNotFound when there is no such library; kUnsupported without shared libraries.
Status open_library(const char* path, void*& library, CK_C_GetFunctionList& get_list);
void close_library(void* library);

/// Without processes there is one, which never changes.
pid_t current_process();

/// Keeps memory out of the swap, where the process may; without that, it works all the same.
void lock_memory(MutableBytes bytes);
void unlock_memory(MutableBytes bytes);

}  // namespace wayseal::pkcs11

#endif
