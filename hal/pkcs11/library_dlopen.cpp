// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include "host.hpp"

namespace wayseal::pkcs11 {

Status open_library(const char* path, void*& library, CK_C_GetFunctionList& get_list) {
  // Stays mapped after dlclose: several modules (NSS) leave threads, exit handlers or memory behind.
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return Status::kNotFound;
  get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  return Status::kOk;
}

void close_library(void* library) { dlclose(library); }

}  // namespace wayseal::pkcs11
