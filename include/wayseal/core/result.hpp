// SPDX-License-Identifier: Apache-2.0
/// \file
/// A Status, or a small value.
#ifndef WAYSEAL_CORE_RESULT_HPP
#define WAYSEAL_CORE_RESULT_HPP

#include <type_traits>

#include "wayseal/core/status.hpp"

namespace wayseal {

/// Holds either a value or the Status that says why there is none. For small trivially copyable T only, so
/// that it is returned in registers and never needs a destructor. sizeof(T) plus one aligned byte.
template <typename T>
class [[nodiscard]] Result {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 64, "return large values through an argument");

 public:
  /// A value. Implicit, so that `return value;` reads well.
  constexpr Result(T value) : value_(value), status_(Status::kOk) {}
  /// A failure. `status` must not be kOk.
  constexpr Result(Status status) : value_{}, status_(status) {}

  constexpr bool ok() const { return status_ == Status::kOk; }
  constexpr Status status() const { return status_; }
  /// The value. Only meaningful when ok(); otherwise a value-initialised T.
  constexpr T value() const { return value_; }
  constexpr T value_or(T other) const { return ok() ? value_ : other; }

 private:
  T value_;
  Status status_;
};

}  // namespace wayseal

#endif
