// SPDX-License-Identifier: Apache-2.0
#include "x509_dates.hpp"

namespace wayseal {
namespace {

/// Days from 1970-01-01 in the Gregorian calendar, with years that begin in March so that the leap day comes
/// last.
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

}  // namespace

UtcTime utc_from(const mbedtls_x509_time& time) {
  const int64_t seconds =
      ((days_from_civil(time.year, time.mon, time.day) * 24 + time.hour) * 60 + time.min) * 60 + time.sec;
  return {seconds * kMsPerSecond};
}

uint32_t judge_dates(const mbedtls_x509_crt& certificate, CertificateDates dates) {
  if (dates.check == CertificateDates::Check::kIgnored) return 0;
  if (dates.now < utc_from(certificate.valid_from)) return MBEDTLS_X509_BADCERT_FUTURE;
  const UtcTime end{utc_from(certificate.valid_to).ms + kMsPerSecond};
  return dates.now < end ? 0 : MBEDTLS_X509_BADCERT_EXPIRED;
}

}  // namespace wayseal
