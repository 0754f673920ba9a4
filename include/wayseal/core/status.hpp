// SPDX-License-Identifier: Apache-2.0
/// \file
/// The one result code of the library, grouped by what the caller does next.
#ifndef WAYSEAL_CORE_STATUS_HPP
#define WAYSEAL_CORE_STATUS_HPP

#include <cstdint>

namespace wayseal {

/// Outcome of every call that can fail. No strings and no errno: a port keeps the native code of its last
/// failure and gives it out through its own `diagnostic()`.
///
/// The groups say what to do next, so that a caller can switch on `next_step(status)` alone.
// (clang-format 14 takes an enum with an attribute for something else.)
// clang-format off
enum class [[nodiscard]] Status : uint8_t {
  kOk = 0,

  // Try again: the same call may succeed later, nothing was lost and nothing changed.
  kWouldBlock,  ///< Not finished yet: call again at the next step, with the same arguments.
  kTimeout,     ///< A deadline passed. Call again after a back-off.
  kFull,        ///< No room in a fixed buffer, queue or store. Drain it first, or count the loss.

  // Open again: the peer or the device went away. Close, back off, open, then repeat.
  kDisconnected,  ///< The connection, bus interface or transport ended.
  kRefused,       ///< The peer answered and said no (TLS alert, certificate refused, HTTP 4xx).
  kTokenLost,     ///< The token was reset, removed or logged out, or this process is not the one that opened
                  ///< it. Every session key is gone: reopen the vault and start a new session.

  // Drop the input: it is bad, and will be bad next time. Count it.
  kMalformed,     ///< Does not follow the format.
  kNotAuthentic,  ///< Every failed tag, signature, chain, role or name check, with no finer detail.
  kUnsupported,   ///< Well-formed, but a version, suite or construct that this build does not have.
  kStale,         ///< Expired, replayed, or older than what is already held.
  kNotFound,      ///< Nothing under this name.

  // Fix the call: a mistake of the program that calls.
  kInvalidArgument,  ///< An argument is out of its documented range.
  kBufferTooSmall,   ///< The output buffer is shorter than the documented size.
  kBadState,         ///< The call is not allowed now (see the class's states).

  // Stop: no retry helps without somebody's hand.
  kDenied,         ///< Wrong PIN or missing right. Never retried by the library, so nothing gets locked.
  kStorageFailed,  ///< Storage reported an error that is not lack of room.
  kExhausted,      ///< A counter has reached its end (records of a session, nonces).
};
// clang-format on

/// What a caller does after a Status.
enum class NextStep : uint8_t { kNothing, kTryAgain, kOpenAgain, kDropInput, kFixCall, kStop };

/// The group that `status` belongs to.
constexpr NextStep next_step(Status status) {
  if (status == Status::kOk) return NextStep::kNothing;
  if (status <= Status::kFull) return NextStep::kTryAgain;
  if (status <= Status::kTokenLost) return NextStep::kOpenAgain;
  if (status <= Status::kNotFound) return NextStep::kDropInput;
  if (status <= Status::kBadState) return NextStep::kFixCall;
  return NextStep::kStop;
}

/// Stable lower-case name for logs and tools, e.g. "not-authentic". Static storage; never null.
const char* status_name(Status status);

}  // namespace wayseal

/// Returns from the enclosing function when `expression` is not Status::kOk.
#define WAYSEAL_TRY(expression)                                                  \
  do {                                                                           \
    const ::wayseal::Status wayseal_try_status = (expression);                   \
    if (wayseal_try_status != ::wayseal::Status::kOk) return wayseal_try_status; \
  } while (false)

#endif
