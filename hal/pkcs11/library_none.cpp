// SPDX-License-Identifier: Apache-2.0
#include "host.hpp"

namespace wayseal::pkcs11 {

Status open_library(const char*, void*&, CK_C_GetFunctionList&) { return Status::kUnsupported; }

void close_library(void*) {}

}  // namespace wayseal::pkcs11
