// SPDX-License-Identifier: Apache-2.0
#include "wayseal/pkcs11_tools/der.hpp"

#include <stdexcept>

namespace wayseal::pkcs11_tools {
namespace {

constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kVersion = 0xA0;

[[noreturn]] void bad() { throw std::invalid_argument("not a DER certificate"); }

struct Element {
  uint8_t tag = 0;
  Bytes whole;  // with tag and length
  Bytes content;
};

// The first element of `in`, which is moved behind it.
Element take(Bytes& in) {
  if (in.size() < 2) bad();
  size_t header = 2;
  size_t length = in[1];
  if (length >= 0x80) {
    const size_t bytes = length & 0x7F;
    if (bytes == 0 || bytes > 3 || in.size() < 2 + bytes) bad();
    length = 0;
    for (size_t i = 0; i < bytes; ++i) length = (length << 8) | in[2 + i];
    header += bytes;
  }
  if (in.size() - header < length) bad();
  const Element element = {in[0], in.first(header + length), in.from(header).first(length)};
  in = in.from(header + length);
  return element;
}

Element take(Bytes& in, uint8_t tag) {
  const Element element = take(in);
  if (element.tag != tag) bad();
  return element;
}

// INTEGER, without needless zeros and never negative.
void append_integer(std::vector<uint8_t>& out, Bytes number) {
  while (number.size() > 1 && number[0] == 0) number = number.from(1);
  const bool pad = (number[0] & 0x80) != 0;
  out.push_back(kInteger);
  out.push_back(static_cast<uint8_t>(number.size() + (pad ? 1 : 0)));
  if (pad) out.push_back(0);
  out.insert(out.end(), number.begin(), number.end());
}

}  // namespace

CertificateFields parse_certificate(Bytes der) {
  Bytes certificate = take(der, kSequence).content;
  if (!der.empty()) bad();
  Bytes tbs = take(certificate, kSequence).content;
  if (!tbs.empty() && tbs[0] == kVersion) take(tbs, kVersion);
  CertificateFields fields;
  fields.serial_number = take(tbs, kInteger).whole;
  take(tbs, kSequence);  // signature algorithm
  fields.issuer = take(tbs, kSequence).whole;
  take(tbs, kSequence);  // validity
  fields.subject = take(tbs, kSequence).whole;
  return fields;
}

std::vector<uint8_t> encode_signature(const EcSignature& signature) {
  std::vector<uint8_t> out = {kSequence, 0};
  append_integer(out, signature.bytes().first(32));
  append_integer(out, signature.bytes().from(32));
  out[1] = static_cast<uint8_t>(out.size() - 2);
  return out;
}

std::vector<uint8_t> encode_spki(const EcPoint& point) {
  static constexpr uint8_t kPrefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                        0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                        0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
  std::vector<uint8_t> out(sizeof kPrefix + EcPoint::kSize);
  std::memcpy(out.data(), kPrefix, sizeof kPrefix);
  std::memcpy(out.data() + sizeof kPrefix, point.data, EcPoint::kSize);
  return out;
}

}  // namespace wayseal::pkcs11_tools
