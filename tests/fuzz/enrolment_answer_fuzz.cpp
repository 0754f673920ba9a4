// SPDX-License-Identifier: Apache-2.0
// Covers read_base64, read_certs_only and read_certificate_fields: what a vehicle reads of an enrolment server; against OpenSSL.
//
// What is taken lies inside the input and is what OpenSSL finds there; what OpenSSL writes of it again is the same. Nothing is read
// behind the input.
//
// Input: a byte (bit 0: the rest is base64 text; bit 1: the rest is one certificate), then the bytes.
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <cstring>
#include <ctime>
#include <memory>

#include "fuzz.hpp"
#include "wayseal/enrol/certificate.hpp"

namespace {

using namespace wayseal;

struct Free {
  void operator()(PKCS7* p) const { PKCS7_free(p); }
  void operator()(X509* p) const { X509_free(p); }
};

int64_t milliseconds(const ASN1_TIME* time) {
  tm parts = {};
  fuzz::require(ASN1_TIME_to_tm(time, &parts) == 1, "OpenSSL reads the time as well");
  return static_cast<int64_t>(timegm(&parts)) * kMsPerSecond;
}

void check_fields(Bytes der) {
  CertificateFields fields;
  const Status status = read_certificate_fields(der, fields);
  const unsigned char* at = der.data();
  const std::unique_ptr<X509, Free> theirs(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  const bool whole = theirs && at == der.data() + der.size();
  if (status != Status::kOk) {
    fuzz::require(status == Status::kMalformed || status == Status::kUnsupported, "a documented status");
    return;
  }
  fuzz::require(fields.subject.size <= kVehicleIdMax, "a name that fits");
  if (!whole) return;  // extensions and signature are not looked at here: whoever trusts it verifies them
  // A day that no month has rolls over in ours, and is refused by OpenSSL.
  tm parts = {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(theirs.get()), &parts) == 1)
    fuzz::require(fields.not_after.ms == milliseconds(X509_get0_notAfter(theirs.get())), "the same end");
  if (ASN1_TIME_to_tm(X509_get0_notBefore(theirs.get()), &parts) == 1)
    fuzz::require(fields.not_before.ms == milliseconds(X509_get0_notBefore(theirs.get())),
                  "the same beginning");
  const ASN1_BIT_STRING* const bits = X509_get0_pubkey_bitstr(theirs.get());
  fuzz::require(bits != nullptr && bits->length == static_cast<int>(EcPoint::kSize) &&
                    std::memcmp(bits->data, fields.key.data, EcPoint::kSize) == 0,
                "the same key");
}

void check_message(Bytes der) {
  CertificateList list;
  const Status status = read_certs_only(der, list);
  if (status != Status::kOk) {
    fuzz::require(status == Status::kMalformed || status == Status::kUnsupported, "a documented status");
    return;
  }
  fuzz::require(list.count >= 1 && list.count <= kChainMax, "a count within the limits");
  for (size_t i = 0; i < list.count; ++i) {
    fuzz::require(fuzz::inside(list.certificates[i], der), "a view into the message");
    fuzz::require(list.certificates[i].size() <= kCertificateMax, "a size within the limits");
    check_fields(list.certificates[i]);
  }
  const unsigned char* at = der.data();
  const std::unique_ptr<PKCS7, Free> theirs(d2i_PKCS7(nullptr, &at, static_cast<long>(der.size())));
  if (!theirs) return;  // a certificate in it may be none
  const STACK_OF(X509)* const certificates = theirs->d.sign->cert;
  fuzz::require(sk_X509_num(certificates) == static_cast<int>(list.count), "as many as OpenSSL finds");
}

void check_text(Bytes text) {
  fuzz::ExactCopy copy(text);
  const Result<size_t> size = read_base64(copy.mutable_view());
  if (!size.ok()) {
    fuzz::require(size.status() == Status::kMalformed, "a documented status");
    return;
  }
  fuzz::require(size.value() <= text.size(), "shorter than the text");
  const Bytes bytes = copy.view().first(size.value());
  std::string again(base64_size(bytes.size()), '\0');
  fuzz::require(write_base64(bytes, {reinterpret_cast<uint8_t*>(again.data()), again.size()}).ok(),
                "is written again");
  std::string plain;
  for (const uint8_t c : text) {
    if (c != '\r' && c != '\n' && c != ' ' && c != '\t') plain += static_cast<char>(c);
  }
  fuzz::require(again == plain, "canonical: written again it is the same text");
  check_message(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const fuzz::ExactCopy rest({data + 1, size - 1});
  if ((data[0] & 1) != 0) {
    check_text(rest.view());
  } else if ((data[0] & 2) != 0) {
    check_fields(rest.view());
  } else {
    check_message(rest.view());
  }
  return 0;
}
