// SPDX-License-Identifier: Apache-2.0
// What an enrolment server answers: certs-only SignedData (RFC 5652), and the few fields of a certificate (RFC 5280) that are
// looked at before it is tried. Trust comes from elsewhere: from the data root, or from the gateway that accepts it.
#include <cstring>

#include "enrol/der.hpp"
#include "wayseal/enrol/certificate.hpp"

namespace wayseal {
namespace {

using der::Reader;

constexpr uint8_t kVersion3[] = {2};
constexpr uint8_t kSignedDataVersion[] = {1};
constexpr int64_t kYearMin = 1950;           // the first that UTCTime can say
constexpr int64_t kDaysBefore1970 = 719468;  // from 0000-03-01

// Of the proleptic Gregorian calendar.
int64_t days_since_1970(int64_t year, int64_t month, int64_t day) {
  const int64_t shifted = month <= 2 ? year - 1 : year;
  const int64_t era = shifted / 400;
  const int64_t year_of_era = shifted - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - kDaysBefore1970;
}

bool read_digits(Bytes text, size_t at, size_t count, int64_t& value) {
  value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  return true;
}

// RFC 5280, 4.1.2.5: with seconds, and always Z.
bool read_time(Reader& reader, UtcTime& out) {
  const bool general = reader.tag() == der::kGeneralizedTime;
  Bytes text;
  if (!reader.take(general ? der::kGeneralizedTime : der::kUtcTime, text)) return false;
  const size_t year_size = general ? 4 : 2;
  if (text.size() != year_size + 11 || text[text.size() - 1] != 'Z') return false;
  int64_t year = 0;
  int64_t parts[5];
  if (!read_digits(text, 0, year_size, year)) return false;
  for (size_t i = 0; i < 5; ++i) {
    if (!read_digits(text, year_size + 2 * i, 2, parts[i])) return false;
  }
  if (!general) year += year < 50 ? 2000 : 1900;
  const bool sound = year >= kYearMin && parts[0] >= 1 && parts[0] <= 12 && parts[1] >= 1 && parts[1] <= 31 &&
                     parts[2] < 24 && parts[3] < 60 && parts[4] < 60;
  if (!sound) return false;
  const int64_t seconds = (parts[2] * 60 + parts[3]) * 60 + parts[4];
  out.ms = days_since_1970(year, parts[0], parts[1]) * kMsPerDay + seconds * kMsPerSecond;
  return true;
}

Status read_attribute(Reader attribute, bool& found, VehicleId& name) {
  Bytes type;
  if (!attribute.take(der::kOid, type)) return Status::kMalformed;
  if (!equal(type, der::kCommonNameOid)) return Status::kOk;
  const uint8_t tag = attribute.tag();
  Bytes text;
  const bool is_text = tag == der::kUtf8String || tag == der::kPrintableString;
  if (found || !is_text || !attribute.take(tag, text) || !attribute.done()) return Status::kMalformed;
  if (text.size() > kVehicleIdMax) return Status::kUnsupported;
  std::memcpy(name.text, text.data(), text.size());
  name.size = static_cast<uint8_t>(text.size());
  found = true;
  return Status::kOk;
}

Status read_subject(Bytes content, VehicleId& name) {
  bool found = false;
  Reader names(content);
  while (!names.done()) {
    Bytes set;
    if (!names.take(der::kSet, set)) return Status::kMalformed;
    Reader attributes(set);
    while (!attributes.done()) {
      Bytes attribute;
      if (!attributes.take(der::kSequence, attribute)) return Status::kMalformed;
      WAYSEAL_TRY(read_attribute(Reader(attribute), found, name));
    }
  }
  return found ? Status::kOk : Status::kMalformed;
}

Status read_key(Bytes content, EcPoint& key) {
  Reader info(content);
  Bytes algorithm;
  Bytes bits;
  if (!info.take(der::kSequence, algorithm) || !info.take(der::kBitString, bits) || !info.done()) {
    return Status::kMalformed;
  }
  Reader names(algorithm);
  const bool p256 = names.take_exactly(der::kOid, der::kEcPublicKeyOid) &&
                    names.take_exactly(der::kOid, der::kP256Oid) && names.done();
  if (!p256 || bits.size() != 1 + EcPoint::kSize || bits[0] != 0 || bits[1] != 0x04)
    return Status::kUnsupported;
  std::memcpy(key.data, bits.data() + 1, EcPoint::kSize);
  return Status::kOk;
}

Status take_certificates(Bytes content, CertificateList& out) {
  Reader list(content);
  while (!list.done()) {
    Bytes certificate;
    if (!list.take_whole(der::kSequence, certificate)) return Status::kMalformed;
    if (out.count == kChainMax || certificate.size() > kCertificateMax) return Status::kUnsupported;
    out.certificates[out.count++] = certificate;
  }
  return out.count > 0 ? Status::kOk : Status::kMalformed;
}

}  // namespace

Status read_certs_only(Bytes message, CertificateList& out) {
  out = {};
  Reader outside(message);
  Bytes info;
  if (!outside.take(der::kSequence, info) || !outside.done()) return Status::kMalformed;
  Reader content_info(info);
  Bytes explicit_content;
  if (!content_info.take_exactly(der::kOid, der::kSignedDataOid) ||
      !content_info.take(der::kContext0, explicit_content) || !content_info.done()) {
    return Status::kMalformed;
  }
  Reader content(explicit_content);
  Bytes signed_data;
  if (!content.take(der::kSequence, signed_data) || !content.done()) return Status::kMalformed;
  Reader parts(signed_data);
  Bytes encapsulated;
  Bytes certificates;
  const bool head = parts.take_exactly(der::kInteger, kSignedDataVersion) &&
                    parts.take_exactly(der::kSet, {}) && parts.take(der::kSequence, encapsulated) &&
                    parts.take(der::kContext0, certificates);
  if (!head) return Status::kMalformed;
  Reader type(encapsulated);
  if (!type.take_exactly(der::kOid, der::kDataOid) || !type.done()) return Status::kMalformed;
  if (parts.tag() == der::kContext1 && !parts.take_exactly(der::kContext1, {})) return Status::kMalformed;
  if (!parts.take_exactly(der::kSet, {}) || !parts.done()) return Status::kMalformed;
  return take_certificates(certificates, out);
}

Status read_certificate_fields(Bytes certificate, CertificateFields& out) {
  out = {};
  Reader outside(certificate);
  Bytes signed_part;
  Bytes body;
  if (!outside.take(der::kSequence, signed_part) || !outside.done()) return Status::kMalformed;
  Reader parts(signed_part);
  const bool three = parts.take(der::kSequence, body) && parts.skip(der::kSequence) &&
                     parts.skip(der::kBitString) && parts.done();
  if (!three) return Status::kMalformed;
  Reader fields(body);
  Bytes version;
  Bytes validity;
  Bytes subject;
  Bytes key;
  const bool found = fields.take(der::kContext0, version) &&
                     Reader(version).take_exactly(der::kInteger, kVersion3) && fields.skip(der::kInteger) &&
                     fields.skip(der::kSequence) && fields.skip(der::kSequence) &&
                     fields.take(der::kSequence, validity) && fields.take(der::kSequence, subject) &&
                     fields.take(der::kSequence, key);
  if (!found) return Status::kMalformed;
  Reader dates(validity);
  if (!read_time(dates, out.not_before) || !read_time(dates, out.not_after) || !dates.done()) {
    return Status::kMalformed;
  }
  WAYSEAL_TRY(read_subject(subject, out.subject));
  return read_key(key, out.key);
}

}  // namespace wayseal
