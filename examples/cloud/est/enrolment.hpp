// SPDX-License-Identifier: Apache-2.0
// The rules of enrolment: who may get which certificate, for which key, how often. Everything issued is in the register before
// anybody learns of it.
#ifndef WAYSEAL_EST_ENROLMENT_HPP
#define WAYSEAL_EST_ENROLMENT_HPP

#include <optional>
#include <string>
#include <vector>

#include "config.hpp"
#include "provision/register.hpp"
#include "provision/x509.hpp"

namespace est {

enum class Operation : uint8_t { kCacerts, kEnrol, kReenrol };

/// What came of a request. `why` is for the log; outsiders get the status and the coarse code.
struct Outcome {
  unsigned status = 200;
  const char* code = "";  ///< Of the problem; empty: the usual one of the status.
  const char* why = "";
  std::string body;  ///< PKCS#7 as base64.
};

/// Who asks, by the certificate that the gateway has verified.
struct Requester {
  std::optional<wayseal::oem::Identity> identity;
  const char* why = "";  ///< Without an identity: the reason.
};

class Enrolment {
 public:
  /// Throws std::runtime_error when there is no register.
  explicit Enrolment(const Config& config);

  /// \param certificate base64 of the client certificate's DER, in one line.
  Requester who(const std::string& certificate, int64_t now_s);
  /// \param label kTlsLabel or kE2eLabel; for kCacerts also `gateway`.
  /// All these throw std::runtime_error when the register or a file fails.
  Outcome cacerts(const std::string& label);
  Outcome enrol(Operation operation, const wayseal::oem::Identity& requester, const std::string& label,
                const std::string& request, int64_t now_s);

  std::string log_key() { return register_.log_key(); }

 private:
  Outcome settle(const wayseal::oem::Identity& requester, const std::string& label, EVP_PKEY* key,
                 int64_t now_s);
  /// The certificate that a key has got already, when it may be given again: its answer may have been lost.
  std::optional<wayseal::oem::Identity> given_before(const wayseal::oem::Identity& requester,
                                                     const std::string& label,
                                                     const std::vector<wayseal::oem::Identity>& uses,
                                                     int64_t now_s);
  wayseal::oem::Identity issue(const wayseal::oem::Identity& requester, const std::string& label,
                               EVP_PKEY* key);
  std::string answer_with(const wayseal::oem::Identity& identity) const;

  const Config config_;
  wayseal::oem::Register register_;
};

}  // namespace est

#endif
