// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: what a gateway wants to see in each request besides the client certificate.
#ifndef WAYSEAL_HTTP_AUTHORIZATION_HPP
#define WAYSEAL_HTTP_AUTHORIZATION_HPP

#include <string_view>

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/time.hpp"
#include "wayseal/core/types.hpp"

namespace wayseal {

/// A credential that is fetched from the gateway itself, kept for a while, and sent along as "Authorization: Bearer".
/// `AccessToken` is the library's.
///
/// Threads: the cloud side's. Blocking: never.
class Authorization {
 public:
  /// Whether requests may carry `text` now; else one is fetched first.
  bool good(MonotonicTime now) const { return do_good(now); }
  /// The credential: visible ASCII. Stays where it is, unchanged, until `take_answer` or `forget`.
  std::string_view text() const { return do_text(); }

  /// Where it is asked for: a path of the gateway.
  std::string_view path() const { return do_path(); }
  /// Writes the body of that request, application/x-www-form-urlencoded.
  /// \return bytes written; kInvalidArgument; kBufferTooSmall.
  Result<size_t> make_request(const VehicleId& vehicle, MutableBytes out) {
    return do_make_request(vehicle, out);
  }
  /// Takes the body of an answer of 200: unauthenticated bytes. \param begun when the request was.
  /// \return kOk: `good`; kMalformed, kUnsupported: nothing has changed.
  Status take_answer(Bytes body, MonotonicTime begun) { return do_take_answer(body, begun); }
  /// The gateway has refused it: `good` no more.
  void forget() { do_forget(); }

 protected:
  ~Authorization() = default;

 private:
  virtual bool do_good(MonotonicTime now) const = 0;
  virtual std::string_view do_text() const = 0;
  virtual std::string_view do_path() const = 0;
  virtual Result<size_t> do_make_request(const VehicleId& vehicle, MutableBytes out) = 0;
  virtual Status do_take_answer(Bytes body, MonotonicTime begun) = 0;
  virtual void do_forget() = 0;
};

}  // namespace wayseal

#endif
