// SPDX-License-Identifier: Apache-2.0
/// \file
/// Between the values of wayseal.h and those of the library, which checks.cpp proves equal.
#ifndef WAYSEAL_LIB_CAPI_CONVERT_HPP
#define WAYSEAL_LIB_CAPI_CONVERT_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/wayseal.h"

namespace wayseal::capi {

inline wayseal_status to_c(Status status) { return static_cast<wayseal_status>(status); }

/// `status` as a function of the caller returned it: any number.
inline Status from_c(int status) {
  const bool known = status >= 0 && status <= static_cast<int>(Status::kExhausted);
  return known ? static_cast<Status>(status) : Status::kInvalidArgument;
}

/// Whether memory at `address` may hold an object of this alignment.
inline bool aligned(const void* address, size_t alignment) {
  return reinterpret_cast<uintptr_t>(address) % alignment == 0;
}

/// Judges the `size` of a struct that the caller has filled. Both sizes are the same for as long as there is one version.
inline Status check_size(size_t given, size_t first_version, size_t known) {
  if (given < first_version) return Status::kInvalidArgument;
  return given > known ? Status::kUnsupported : Status::kOk;
}

}  // namespace wayseal::capi

#endif
