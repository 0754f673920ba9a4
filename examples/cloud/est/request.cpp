// SPDX-License-Identifier: Apache-2.0
#include "request.hpp"

#include <openssl/err.h>

#include <algorithm>

namespace est {
namespace {

using wayseal::oem::Freer;
using Request = std::unique_ptr<X509_REQ, Freer<X509_REQ_free>>;

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kLine = 76;
// SubjectPublicKeyInfo of P-256 (RFC 5480) up to the coordinates, named curve and uncompressed point.
constexpr std::string_view kP256{
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"
    "\x04",
    27};
constexpr size_t kP256Size = 91;

/// Six bits of a character; -1: none.
int bits_of(char c) {
  const char* const end = kAlphabet + 64;
  const char* const at = std::find(kAlphabet, end, c);
  return at == end ? -1 : static_cast<int>(at - kAlphabet);
}

/// One group of four. \return bytes that it stands for; 0: it is none.
size_t decode_group(std::string_view group, std::string& out) {
  const size_t padding = group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
  uint32_t value = 0;
  for (size_t i = 0; i < 4 - padding; ++i) {
    const int bits = bits_of(group[i]);
    if (bits < 0) return 0;
    value |= static_cast<uint32_t>(bits) << (18 - 6 * i);
  }
  const size_t size = 3 - padding;
  if ((value & ((1U << (8 * padding)) - 1)) != 0) return 0;  // unused bits
  for (size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (16 - 8 * i));
  return size;
}

bool is_for(X509_REQ* request, const std::string& name) {
  const X509_NAME* const subject = X509_REQ_get_subject_name(request);
  if (X509_NAME_entry_count(subject) != 1) return false;
  const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(subject, 0);
  if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName) return false;
  const ASN1_STRING* const text = X509_NAME_ENTRY_get_data(entry);
  const int type = ASN1_STRING_type(text);
  return (type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING) &&
         std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                          static_cast<size_t>(ASN1_STRING_length(text))) == name;
}

bool is_p256(X509_REQ* request) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &der);
  const bool is = size == static_cast<int>(kP256Size) &&
                  std::equal(kP256.begin(), kP256.end(), reinterpret_cast<const char*>(der));
  OPENSSL_free(der);
  return is;
}

CheckedRequest check_whole(X509_REQ* request, const std::string& name) {
  if (X509_REQ_get_version(request) != 0) return {nullptr, "version"};
  if (!is_p256(request)) return {nullptr, "key_type"};
  if (X509_REQ_get_signature_nid(request) != NID_ecdsa_with_SHA256) return {nullptr, "algorithm"};
  wayseal::oem::Key key(X509_REQ_get_pubkey(request));
  if (!key || X509_REQ_verify(request, key.get()) != 1) return {nullptr, "proof"};
  if (!is_for(request, name)) return {nullptr, "subject"};
  if (X509_REQ_get_attr_count(request) != 0) return {nullptr, "attributes"};
  return {std::move(key), ""};
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  bool ended = false;
  while (!text.empty()) {
    if (ended || text.size() < 4) return std::nullopt;
    const size_t size = decode_group(text.substr(0, 4), bytes);
    if (size == 0) return std::nullopt;
    ended = size < 3;
    text.remove_prefix(4);
    if (text.substr(0, 2) == "\r\n") {
      text.remove_prefix(2);
    } else if (text.substr(0, 1) == "\n") {
      text.remove_prefix(1);
    }
  }
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t value = 0;
    const size_t size = std::min<size_t>(3, bytes.size() - at);
    for (size_t i = 0; i < size; ++i) {
      value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (16 - 8 * i);
    }
    for (size_t i = 0; i < 4; ++i) text += i <= size ? kAlphabet[value >> (18 - 6 * i) & 63] : '=';
    const bool full = at / 3 % (kLine / 4) == kLine / 4 - 1;
    if (full || at + 3 >= bytes.size()) text += "\r\n";
  }
  return text;
}

CheckedRequest check_request(std::string_view base64, const std::string& name) {
  if (base64.size() > kRequestMax) return {nullptr, "size"};
  const auto der = decode_base64(base64);
  if (!der || der->empty()) return {nullptr, "base64"};
  const auto* const start = reinterpret_cast<const unsigned char*>(der->data());
  const unsigned char* at = start;
  const Request request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der->size())));
  const bool whole = request && at == start + der->size();
  CheckedRequest checked = whole ? check_whole(request.get(), name) : CheckedRequest{nullptr, "pkcs10"};
  ERR_clear_error();
  return checked;
}

}  // namespace est
