// SPDX-License-Identifier: Apache-2.0
/// \file
/// Validity of certificates, judged without the machine's clock.
#ifndef WAYSEAL_HAL_MBEDTLS_X509_DATES_HPP
#define WAYSEAL_HAL_MBEDTLS_X509_DATES_HPP

#include <mbedtls/x509_crt.h>

#include "wayseal/hal/channel.hpp"

namespace wayseal {

/// A certificate's time, whose fields mbedTLS has checked when parsing.
UtcTime utc_from(const mbedtls_x509_time& time);

/// MBEDTLS_X509_BADCERT_EXPIRED, MBEDTLS_X509_BADCERT_FUTURE or 0. Both ends belong to the validity (RFC 5280,
/// 4.1.2.5).
uint32_t judge_dates(const mbedtls_x509_crt& certificate, CertificateDates dates);

}  // namespace wayseal

#endif
