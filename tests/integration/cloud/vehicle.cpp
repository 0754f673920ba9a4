// SPDX-License-Identifier: Apache-2.0
#include "vehicle.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <stdexcept>

namespace cloud_test {
namespace {

using wayseal::oem::Freer;
using Context = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;

unsigned char* raw(Blob& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(const Blob& bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

void must(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed in a test vehicle");
}

Blob der_of(X509* certificate) {
  const auto der = wayseal::oem::der_of(certificate);
  return {der.begin(), der.end()};
}

Blob varint(uint64_t value) {
  Blob out;
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  return out + static_cast<char>(value);
}

uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

/// One value token of a column (PROTOCOL.md, "Columns"): first byte with the kind and six bits, then the rest.
Blob token(bool repeat, uint64_t number) {
  const uint64_t rest = number >> 6;
  Blob out(1, static_cast<char>((repeat ? 1 : 0) | ((number & 0x3F) << 1) | (rest != 0 ? 0x80 : 0)));
  return rest != 0 ? out + varint(rest) : out;
}

}  // namespace

Blob agree(EVP_PKEY* own, const Blob& peer_point) {
  const auto peer = wayseal::oem::key_of_point(raw(peer_point));
  const Context context(EVP_PKEY_CTX_new(own, nullptr));
  Blob z(32, '\0');
  size_t size = 32;
  must(EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
       EVP_PKEY_derive(context.get(), raw(z), &size) == 1 && size == 32);
  return z;
}

Blob derive_cmac(const Blob& z_in, const Blob& label_in, const Blob& th_in) {
  Blob z = z_in;
  Blob label = label_in;
  Blob th = th_in;
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "KBKDF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  char mac[] = "CMAC";
  char cipher[] = "AES-256-CBC";
  char mode[] = "counter";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
                             OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_CIPHER, cipher, 0),
                             OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
                             OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z.data(), z.size()),
                             OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, label.data(), label.size()),
                             OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, th.data(), th.size()),
                             OSSL_PARAM_construct_end()};
  Blob key(32, '\0');
  const int ok = EVP_KDF_derive(context, raw(key), 32, parameters);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  must(ok == 1);
  return key;
}

Blob gcm_seal(const Blob& key, const Blob& nonce, const Blob& aad, const Blob& plaintext) {
  const Cipher context(EVP_CIPHER_CTX_new());
  Blob out(plaintext.size() + 16, '\0');
  int size = 0;
  must(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(nonce)) == 1);
  must(EVP_EncryptUpdate(context.get(), nullptr, &size, raw(aad), static_cast<int>(aad.size())) == 1);
  must(EVP_EncryptUpdate(context.get(), raw(out), &size, raw(plaintext), static_cast<int>(plaintext.size())) ==
       1);
  must(EVP_EncryptFinal_ex(context.get(), raw(out) + size, &size) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, 16, raw(out) + plaintext.size()) == 1);
  return out;
}

std::optional<Blob> gcm_open(const Blob& key, const Blob& nonce, const Blob& aad, const Blob& ciphertext) {
  if (ciphertext.size() < 16) return std::nullopt;
  const Cipher context(EVP_CIPHER_CTX_new());
  const size_t length = ciphertext.size() - 16;
  Blob out(length, '\0');
  Blob tag = ciphertext.substr(length);
  int size = 0;
  must(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(nonce)) == 1);
  must(EVP_DecryptUpdate(context.get(), nullptr, &size, raw(aad), static_cast<int>(aad.size())) == 1);
  must(EVP_DecryptUpdate(context.get(), raw(out), &size, raw(ciphertext), static_cast<int>(length)) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, 16, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context.get(), raw(out) + size, &size) != 1) return std::nullopt;
  return out;
}

Blob sha256(const Blob& bytes) {
  Blob out(32, '\0');
  must(EVP_Digest(bytes.data(), bytes.size(), raw(out), nullptr, EVP_sha256(), nullptr) == 1);
  return out;
}

Blob random_bytes(size_t size) {
  Blob out(size, '\0');
  must(RAND_bytes(raw(out), static_cast<int>(size)) == 1);
  return out;
}

Blob be(uint64_t value, size_t size) {
  Blob out;
  for (size_t i = size; i-- > 0;) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

Blob item(const Blob& bytes) { return be(bytes.size(), 2) + bytes; }

Blob frame(uint8_t type, const Blob& payload) {
  Blob content = Blob(1, static_cast<char>(type)) + item(payload);
  content.resize((content.size() + 15) & ~size_t{15}, '\0');  // a sender may pad more than the bucket
  return content;
}

Signer make_signer(wayseal::oem::OemPki& pki, wayseal::Role role, const std::string& name) {
  Signer signer;
  signer.key = wayseal::oem::generate_key();
  const auto issued = pki.issue_role(role, name, signer.key.get(), 90);
  signer.leaf = der_of(issued.leaf.get());
  signer.intermediate = der_of(issued.intermediate.get());
  return signer;
}

Blob Signer::sign(const Blob& digest) const {
  const Context context(EVP_PKEY_CTX_new(key.get(), nullptr));
  Blob der(80, '\0');
  size_t size = der.size();
  must(EVP_PKEY_sign_init(context.get()) == 1 &&
       EVP_PKEY_sign(context.get(), raw(der), &size, raw(digest), digest.size()) == 1);
  const unsigned char* at = raw(std::as_const(der));
  const std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  Blob out(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), raw(out), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), raw(out) + 32, 32);
  return out;
}

bool verifies(const Blob& certificate_der, const Blob& digest, const Blob& signature) {
  const unsigned char* at = raw(certificate_der);
  const wayseal::oem::Certificate certificate(
      d2i_X509(nullptr, &at, static_cast<long>(certificate_der.size())));
  if (!certificate || signature.size() != 64) return false;
  const std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>> parts(ECDSA_SIG_new());
  ECDSA_SIG_set0(parts.get(), BN_bin2bn(raw(signature), 32, nullptr),
                 BN_bin2bn(raw(signature) + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  const Context context(EVP_PKEY_CTX_new(X509_get0_pubkey(certificate.get()), nullptr));
  const bool ok =
      EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_verify(context.get(), der, static_cast<size_t>(size), raw(digest), digest.size()) == 1;
  OPENSSL_free(der);
  return ok;
}

Blob point_of(EVP_PKEY* key) {
  unsigned char* point = nullptr;
  const size_t size = EVP_PKEY_get1_encoded_public_key(key, &point);
  Blob out(reinterpret_cast<char*>(point), size);
  OPENSSL_free(point);
  return out;
}

Blob TestSession::seal(const Blob& content, std::optional<uint64_t> number) {
  const uint64_t used = number ? *number : ++sequence;
  v1::Sealed sealed;
  sealed.set_header(be(1, 1) + be(suite, 1) + id + be(used, 8));
  sealed.set_ciphertext(gcm_seal(v2b, be(0, 4) + be(used, 8), sealed.header(), content));
  return sealed.SerializeAsString();
}

std::optional<v1::Ack> TestSession::open_ack(const Blob& encoded) const {
  v1::Sealed sealed;
  if (!sealed.ParseFromString(encoded) || sealed.header().size() != 38) return std::nullopt;
  if (sealed.header().substr(0, 26) != be(1, 1) + be(suite, 1) + id + be(0, 8)) return std::nullopt;
  const auto content = gcm_open(b2v, sealed.header().substr(26), sealed.header(), sealed.ciphertext());
  if (!content || content->size() < 3 || (*content)[0] != 64) return std::nullopt;
  const size_t size = static_cast<size_t>((static_cast<unsigned char>((*content)[1]) << 8) |
                                          static_cast<unsigned char>((*content)[2]));
  v1::Ack ack;
  if (size + 3 > content->size() || !ack.ParseFromString(content->substr(3, size))) return std::nullopt;
  return ack;
}

Blob TestVehicle::prekeys_request(uint32_t wanted, const std::function<void(v1::PrekeysRequest&)>& edit) {
  challenge_ = random_bytes(32);
  v1::PrekeysRequest request;
  request.set_version(1);
  request.set_vehicle_id(id_);
  request.set_challenge(challenge_);
  request.set_wanted(wanted);
  request.set_suites(3);
  if (edit) edit(request);
  v1::SignedPrekeysRequest signed_request;
  signed_request.set_body(request.SerializeAsString());
  signed_request.set_signature(e2e_.sign(sha256(item("wayseal/1 prekeys-request") + signed_request.body())));
  signed_request.add_chain(e2e_.leaf);
  signed_request.add_chain(e2e_.intermediate);
  return signed_request.SerializeAsString();
}

void TestVehicle::take(const Blob& prekeys_reply) {
  v1::PrekeysReply reply;
  if (!reply.ParseFromString(prekeys_reply) || !verifies_signed(reply.bundle(), "wayseal/1 prekeys") ||
      !bundle_.ParseFromString(reply.bundle().body())) {
    throw std::runtime_error("the bundle is not authentic");
  }
  bundle_digest_ = sha256(reply.bundle().body());
  backend_certificate_digest_ = sha256(reply.bundle().chain(0));
  next_prekey_ = 0;
}

TestSession TestVehicle::open_session(const OpenPlan& plan) {
  const v1::Prekey& prekey = plan.prekey != nullptr ? *plan.prekey : bundle_.one_time(next_prekey_++);
  const auto ephemeral = wayseal::oem::generate_key();
  const Signer& signer = plan.signer != nullptr ? *plan.signer : e2e_;
  v1::SessionOpen open;
  open.set_version(1);
  open.set_suite(2);
  open.set_offer(2);
  open.set_prekey_id(prekey.id());
  open.set_prekey_point(prekey.point());
  open.set_bundle_digest(bundle_digest_);
  open.set_backend_certificate_digest(backend_certificate_digest_);
  open.set_ephemeral(point_of(ephemeral.get()));
  open.set_nonce(random_bytes(32));
  open.set_session_counter(plan.counter ? *plan.counter : ++counter_);
  open.set_previous_session(plan.previous);
  open.set_previous_last_durable(plan.previous_last);
  if (plan.edit) plan.edit(open);

  TestSession session;
  session.th =
      sha256(item("wayseal/1 open") + item(be(open.version(), 1)) + item(be(open.suite(), 1)) +
             item(be(open.offer(), 4)) + item(be(open.prekey_id(), 8)) + item(open.prekey_point()) +
             item(open.bundle_digest()) + item(open.backend_certificate_digest()) + item(sha256(signer.leaf)) +
             item(id_) + item(open.ephemeral()) + item(open.nonce()) + item(be(open.session_counter(), 8)) +
             item(open.previous_session()) + item(be(open.previous_last_durable(), 8)));
  session.id = session.th.substr(0, 16);
  open.add_chain(signer.leaf);
  open.add_chain(signer.intermediate);
  open.set_signature(signer.sign(session.th));
  session.open = open.SerializeAsString();
  const Blob z = agree(ephemeral.get(), prekey.point());
  session.v2b = derive_cmac(z, "ws1.v2b", session.th);
  session.b2v = derive_cmac(z, "ws1.b2v", session.th);
  return session;
}

Blob batch(uint64_t table_id, int64_t base_us, const std::vector<int64_t>& values, uint32_t group,
           uint32_t signal) {
  v1::Batch batch;
  batch.set_table_id(table_id);
  batch.set_base_time_us(base_us);
  batch.set_time_quality(v1::Batch::TIME_RECORDED);
  v1::Series* series = batch.add_series();
  series->set_group(group);
  v1::Column* column = series->add_columns();
  column->set_signal(signal);
  int64_t before = 0;
  int64_t step = 0;
  for (size_t row = 0; row < values.size(); ++row) {
    const int64_t delta = row == 0 ? 0 : 10000;
    *series->mutable_times() += varint(zigzag(delta - step));
    step = row == 0 ? 0 : delta;
    const int64_t difference = values[row] - before;
    *column->mutable_values() += difference == 0 ? token(true, 1) : token(false, zigzag(difference));
    before = values[row];
  }
  return batch.SerializeAsString();
}

}  // namespace cloud_test
