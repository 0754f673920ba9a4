// SPDX-License-Identifier: Apache-2.0
#include "jwe.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

extern "C" {
#include <jose/jose.h>
#include <jose/openssl.h>
}

namespace share {
namespace {

constexpr size_t kBucket = 4096;
constexpr size_t kKidMax = 64;

struct JsonFreer {
  void operator()(json_t* value) const { json_decref(value); }
};
using Json = std::unique_ptr<json_t, JsonFreer>;

std::string text_of(const json_t* object, const char* name) {
  const char* const text = json_string_value(json_object_get(object, name));
  return text == nullptr ? "" : text;
}

Json parse(const std::string& text) { return Json(json_loadb(text.data(), text.size(), 0, nullptr)); }

bool is_point(const json_t* jwk) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(jose_openssl_jwk_to_EVP_PKEY(nullptr, jwk),
                                                                EVP_PKEY_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr, EVP_PKEY_CTX_free);
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

/// libjose leaves the ephemeral key in the unprotected header; the compact form has only the protected one.
bool protect_ephemeral(json_t* jwe) {
  json_t* const ephemeral = json_object_get(json_object_get(jwe, "header"), "epk");
  return ephemeral != nullptr && json_object_set(json_object_get(jwe, "protected"), "epk", ephemeral) == 0 &&
         json_object_del(jwe, "header") == 0;
}

}  // namespace

std::string kid_of_public_key(const std::string& jwk) {
  const Json key = parse(jwk);
  if (!json_is_object(key.get()) || json_object_get(key.get(), "d") != nullptr) return {};
  if (text_of(key.get(), "kty") != "EC" || text_of(key.get(), "crv") != "P-256") return {};
  std::string kid = text_of(key.get(), "kid");
  const bool usable =
      !kid.empty() && kid.size() <= kKidMax &&
      kid.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
          std::string::npos;
  return usable && is_point(key.get()) ? kid : std::string();
}

std::string seal_for(const std::string& jwk, std::string json) {
  json.resize((json.size() / kBucket + 1) * kBucket, ' ');
  const Json key = parse(jwk);
  // Only what names the curve's point: what else a partner has written into its key does not steer us.
  const Json point(json_pack("{s:s,s:s,s:O,s:O}", "kty", "EC", "crv", "P-256", "x",
                             json_object_get(key.get(), "x"), "y", json_object_get(key.get(), "y")));
  const Json jwe(json_pack("{s:{s:s,s:s,s:s,s:s,s:s}}", "protected", "alg", "ECDH-ES+A256KW", "enc", "A256GCM",
                           "kid", text_of(key.get(), "kid").c_str(), "typ", "JWE", "cty", "json"));
  const Json content_key(json_object());
  const bool sealed = point && jwe && content_key &&
                      jose_jwe_enc_jwk(nullptr, jwe.get(), nullptr, point.get(), content_key.get()) &&
                      protect_ephemeral(jwe.get()) &&
                      jose_jwe_enc_cek(nullptr, jwe.get(), content_key.get(), json.data(), json.size());
  if (!sealed) throw std::runtime_error("sealing for the partner's key failed");
  std::string compact;
  for (const char* const part : {"protected", "encrypted_key", "iv", "ciphertext", "tag"}) {
    const std::string text = text_of(jwe.get(), part);
    if (text.empty()) throw std::runtime_error("sealing for the partner's key failed");
    compact += (compact.empty() ? "" : ".") + text;
  }
  return compact;
}

}  // namespace share
