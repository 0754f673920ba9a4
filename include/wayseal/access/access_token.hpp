// SPDX-License-Identifier: Apache-2.0
/// \file
/// The access token that a gateway wants besides the client certificate (OAuth 2.0: RFC 6749, RFC 6750, RFC 8705).
#ifndef WAYSEAL_ACCESS_ACCESS_TOKEN_HPP
#define WAYSEAL_ACCESS_ACCESS_TOKEN_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/http/authorization.hpp"

#ifndef WAYSEAL_ACCESS_TOKEN_MAX
#define WAYSEAL_ACCESS_TOKEN_MAX 1024
#endif

namespace wayseal {

/// Longest token that is taken, in bytes.
inline constexpr size_t kAccessTokenMax = WAYSEAL_ACCESS_TOKEN_MAX;
static_assert(kAccessTokenMax >= 512, "a JWT with ES256 and a certificate's thumbprint takes some 600 bytes");
/// Longest list of scopes (RFC 6749, 3.3).
inline constexpr size_t kScopeMax = 64;
/// Longest body of a request for a token.
inline constexpr size_t kTokenRequestMax = 64 + kVehicleIdMax + 3 * kScopeMax;
/// Longest answer that is read: the token and what stands around it.
inline constexpr size_t kTokenAnswerMax = kAccessTokenMax + 512;
/// Names and values in an answer, of any kind and depth. One with more is refused.
inline constexpr size_t kTokenAnswerItemsMax = 24;
/// The gateway's token endpoint (PROTOCOL.md, "Routes").
inline constexpr std::string_view kTokenPath = "/oauth/token";
/// A token is renewed a tenth of its lifetime before its end, and however long the provider says, after this time.
inline constexpr int64_t kTokenLifeMaxMs = kMsPerDay;

/// Keeps one token, and says when another is due. It is for the gateway alone and opens no record: who steals one can do
/// nothing with it, because it is bound to the vehicle's certificate (RFC 8705, 3), whose key stays in the vehicle's token.
///
/// The grant is client_credentials (RFC 6749, 4.4); the client proves itself by its certificate (tls_client_auth). A Courier
/// sends the request and hands in the answer; nothing here reaches a network.
///
/// Threads: the cloud side's. Blocking: never. 40 bytes on a 32-bit MCU and the memory given; `take_answer` uses 0.6 KiB of
/// stack.
class AccessToken final : public Authorization {
 public:
  /// \param scope what is asked for (RFC 6749, 3.3): names of letters, digits, '-', '_', '.' and ':' with one space between, at
  ///        most kScopeMax characters. Borrowed. With another, `make_request` is kInvalidArgument.
  /// \param memory kAccessTokenMax bytes for the token. Borrowed; with less, longer tokens are kUnsupported.
  AccessToken(std::string_view scope, MutableBytes memory) : scope_(scope), memory_(memory) {}
  ~AccessToken() { do_forget(); }
  AccessToken(const AccessToken&) = delete;
  AccessToken& operator=(const AccessToken&) = delete;

 private:
  bool do_good(MonotonicTime now) const override { return size_ > 0 && now < renew_at_; }
  std::string_view do_text() const override { return {reinterpret_cast<const char*>(memory_.data()), size_}; }
  std::string_view do_path() const override { return kTokenPath; }
  Result<size_t> do_make_request(const VehicleId& vehicle, MutableBytes out) override;
  // kMalformed: no JSON object with one access_token of the characters of RFC 6750, 2.1, one token_type "Bearer" and one
  // expires_in of 1 s or more (RFC 6749, 5.1). kUnsupported: too long, or more than kTokenAnswerItemsMax items.
  Status do_take_answer(Bytes body, MonotonicTime begun) override;
  void do_forget() override;

  std::string_view scope_;
  MutableBytes memory_;
  size_t size_ = 0;
  MonotonicTime renew_at_;
};

}  // namespace wayseal

#endif
