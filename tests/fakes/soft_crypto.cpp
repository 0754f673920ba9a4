// SPDX-License-Identifier: Apache-2.0
#include "fakes/soft_crypto.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <memory>
#include <stdexcept>

namespace wayseal::fakes {
namespace {

struct Free {
  void operator()(BIGNUM* p) const { BN_clear_free(p); }
  void operator()(EC_GROUP* p) const { EC_GROUP_free(p); }
  void operator()(EC_POINT* p) const { EC_POINT_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_KDF* p) const { EVP_KDF_free(p); }
  void operator()(EVP_KDF_CTX* p) const { EVP_KDF_CTX_free(p); }
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL failed: ") + what);
}

const EC_GROUP* group() {
  static const Owned<EC_GROUP> p256{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
  must(p256 != nullptr, "EC_GROUP");
  return p256.get();
}

Owned<BIGNUM> to_bignum(const uint8_t* data, size_t size) {
  Owned<BIGNUM> number{BN_bin2bn(data, static_cast<int>(size), nullptr)};
  must(number != nullptr, "BN_bin2bn");
  return number;
}

Owned<EVP_PKEY> make_key(const Scalar* scalar, const EcPoint& point) {
  Owned<OSSL_PARAM_BLD> build{OSSL_PARAM_BLD_new()};
  Owned<BIGNUM> number;
  OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data, EcPoint::kSize);
  if (scalar != nullptr) {
    number = to_bignum(scalar->data(), scalar->size());
    OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get());
  }
  const Owned<OSSL_PARAM> params{OSSL_PARAM_BLD_to_param(build.get())};
  const Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_fromdata_init(context.get()) == 1, "fromdata_init");
  must(EVP_PKEY_fromdata(context.get(), &key, scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                         params.get()) == 1,
       "EVP_PKEY_fromdata");
  return Owned<EVP_PKEY>{key};
}

Owned<EVP_KDF_CTX> make_kdf(const char* name) {
  const Owned<EVP_KDF> kdf{EVP_KDF_fetch(nullptr, name, nullptr)};
  must(kdf != nullptr, name);
  return Owned<EVP_KDF_CTX>{EVP_KDF_CTX_new(kdf.get())};
}

// OSSL_PARAM wants pointers to non-constant, although it only reads.
OSSL_PARAM octets(const char* name, const void* data, size_t size) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(data), size);
}
OSSL_PARAM text(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

Secret32 hkdf(const Secret32& z, const char* label, const Digest& transcript) {
  static constexpr char kSalt[] = "wayseal/1 hkdf-sha256";
  uint8_t info[7 + 32];
  std::memcpy(info, label, 7);
  std::memcpy(info + 7, transcript.data, 32);
  const OSSL_PARAM params[] = {text("digest", "SHA256"), octets("key", z.data(), z.size()),
                               octets("salt", kSalt, sizeof kSalt - 1), octets("info", info, sizeof info),
                               OSSL_PARAM_construct_end()};
  Secret32 key;
  must(EVP_KDF_derive(make_kdf("HKDF").get(), key.data(), key.size(), params) == 1, "HKDF");
  return key;
}

Secret32 cmac_kdf(const Secret32& z, const char* label, const Digest& transcript) {
  const OSSL_PARAM params[] = {text("mac", "CMAC"),       text("cipher", "AES-256-CBC"),
                               text("mode", "counter"),   octets("key", z.data(), z.size()),
                               octets("salt", label, 7),  octets("info", transcript.data, Digest::kSize),
                               OSSL_PARAM_construct_end()};
  Secret32 key;
  must(EVP_KDF_derive(make_kdf("KBKDF").get(), key.data(), key.size(), params) == 1, "KBKDF");
  return key;
}

Owned<EVP_CIPHER_CTX> start_gcm(const Secret32& key, const Nonce& nonce, Bytes aad, int encrypt) {
  Owned<EVP_CIPHER_CTX> context{EVP_CIPHER_CTX_new()};
  int length = 0;
  must(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data, encrypt) == 1,
       "GCM init");
  if (!aad.empty()) {
    must(EVP_CipherUpdate(context.get(), nullptr, &length, aad.data(), static_cast<int>(aad.size())) == 1,
         "GCM aad");
  }
  return context;
}

}  // namespace

Digest sha256(Bytes data) {
  Digest digest;
  unsigned int size = 0;
  must(EVP_Digest(data.data(), data.size(), digest.data, &size, EVP_sha256(), nullptr) == 1, "SHA-256");
  return digest;
}

bool is_scalar(const Scalar& scalar) {
  const auto number = to_bignum(scalar.data(), scalar.size());
  return BN_is_zero(number.get()) == 0 && BN_cmp(number.get(), EC_GROUP_get0_order(group())) < 0;
}

Scalar random_scalar() {
  const Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  BIGNUM* number = nullptr;
  must(key != nullptr && EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1,
       "EVP_EC_gen");
  const Owned<BIGNUM> owned{number};
  Scalar scalar;
  must(BN_bn2binpad(number, scalar.data(), static_cast<int>(scalar.size())) == 32, "BN_bn2binpad");
  return scalar;
}

EcPoint public_point(const Scalar& scalar) {
  const auto number = to_bignum(scalar.data(), scalar.size());
  const Owned<EC_POINT> point{EC_POINT_new(group())};
  EcPoint out;
  must(EC_POINT_mul(group(), point.get(), number.get(), nullptr, nullptr, nullptr) == 1, "EC_POINT_mul");
  must(EC_POINT_point2oct(group(), point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data, EcPoint::kSize,
                          nullptr) == EcPoint::kSize,
       "point2oct");
  return out;
}

bool is_point(const EcPoint& point) {
  if (point.data[0] != 0x04) return false;
  const Owned<EC_POINT> parsed{EC_POINT_new(group())};
  return EC_POINT_oct2point(group(), parsed.get(), point.data, EcPoint::kSize, nullptr) == 1;
}

std::optional<Secret32> ecdh(const Scalar& mine, const EcPoint& peer) {
  if (!is_point(peer)) return std::nullopt;
  const auto own = make_key(&mine, public_point(mine));
  const auto other = make_key(nullptr, peer);
  const Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new(own.get(), nullptr)};
  Secret32 z;
  size_t size = z.size();
  must(EVP_PKEY_derive_init(context.get()) == 1, "derive_init");
  must(EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1, "derive_set_peer");
  must(EVP_PKEY_derive(context.get(), z.data(), &size) == 1 && size == z.size(), "derive");
  return z;
}

Secret32 derive_key(Suite suite, const Secret32& z, const char* label, const Digest& transcript) {
  must(std::strlen(label) == 7, "a label has 7 bytes");
  return suite == Suite::kP256HkdfSha256Aes256Gcm ? hkdf(z, label, transcript) : cmac_kdf(z, label, transcript);
}

EcSignature ecdsa_sign(const Scalar& scalar, const Digest& digest) {
  const auto key = make_key(&scalar, public_point(scalar));
  const Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new(key.get(), nullptr)};
  uint8_t der[80];
  size_t size = sizeof der;
  must(EVP_PKEY_sign_init(context.get()) == 1, "sign_init");
  must(EVP_PKEY_sign(context.get(), der, &size, digest.data, Digest::kSize) == 1, "sign");
  const uint8_t* cursor = der;
  const Owned<ECDSA_SIG> parsed{d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size))};
  must(parsed != nullptr, "d2i_ECDSA_SIG");
  EcSignature signature;
  must(BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), signature.data, 32) == 32, "r");
  must(BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), signature.data + 32, 32) == 32, "s");
  return signature;
}

bool ecdsa_verify(const EcPoint& point, const Digest& digest, const EcSignature& signature) {
  if (!is_point(point)) return false;
  const Owned<ECDSA_SIG> parsed{ECDSA_SIG_new()};
  must(ECDSA_SIG_set0(parsed.get(), to_bignum(signature.data, 32).release(),
                      to_bignum(signature.data + 32, 32).release()) == 1,
       "ECDSA_SIG_set0");
  uint8_t der[80];
  uint8_t* cursor = der;
  const int size = i2d_ECDSA_SIG(parsed.get(), &cursor);
  must(size > 0, "i2d_ECDSA_SIG");
  const auto key = make_key(nullptr, point);
  const Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new(key.get(), nullptr)};
  must(EVP_PKEY_verify_init(context.get()) == 1, "verify_init");
  return EVP_PKEY_verify(context.get(), der, static_cast<size_t>(size), digest.data, Digest::kSize) == 1;
}

std::vector<uint8_t> gcm_seal(const Secret32& key, const Nonce& nonce, Bytes aad, Bytes plaintext) {
  const auto context = start_gcm(key, nonce, aad, 1);
  std::vector<uint8_t> out(plaintext.size() + kGcmTagSize);
  int length = 0;
  if (!plaintext.empty()) {
    must(EVP_CipherUpdate(context.get(), out.data(), &length, plaintext.data(),
                          static_cast<int>(plaintext.size())) == 1,
         "GCM encrypt");
  }
  must(EVP_CipherFinal_ex(context.get(), out.data() + length, &length) == 1, "GCM final");
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagSize, out.data() + plaintext.size()) ==
           1,
       "GCM tag");
  return out;
}

std::optional<std::vector<uint8_t>> gcm_open(const Secret32& key, const Nonce& nonce, Bytes aad, Bytes sealed) {
  if (sealed.size() < kGcmTagSize) return std::nullopt;
  const size_t size = sealed.size() - kGcmTagSize;
  const auto context = start_gcm(key, nonce, aad, 0);
  std::vector<uint8_t> out(size);
  int length = 0;
  if (size != 0) {
    must(EVP_CipherUpdate(context.get(), out.data(), &length, sealed.data(), static_cast<int>(size)) == 1,
         "decrypt");
  }
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagSize,
                           const_cast<uint8_t*>(sealed.data() + size)) == 1,
       "GCM tag");
  uint8_t nothing[16];
  if (EVP_CipherFinal_ex(context.get(), nothing, &length) != 1) return std::nullopt;
  return out;
}

}  // namespace wayseal::fakes
