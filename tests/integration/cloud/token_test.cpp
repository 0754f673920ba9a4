// SPDX-License-Identifier: Apache-2.0
// The backend's token wrapper and wire layouts, against OpenSSL and the protocol's vectors.
#include "token.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "envelope.pb.h"
#include "pki.hpp"
#include "vehicle.hpp"
#include "wire.hpp"
#include "world.hpp"

namespace cloud_test {
namespace {

using nlohmann::json;

Blob unhex(const std::string& text) {
  Blob out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return out;
}

std::string pin_of_backend() {
  std::string pin = slurp(Fleet::get().folder() + "/backend/pin");
  pin.pop_back();
  return pin;
}

std::unique_ptr<cloud::Token> softhsm() {
  ::setenv("SOFTHSM2_CONF", (Fleet::get().folder() + "/backend/softhsm2.conf").c_str(), 1);
  const auto config = json::parse(slurp(Fleet::get().folder() + "/backend/backend.json"));
  return std::make_unique<cloud::Token>(config["module"], "", "backend", pin_of_backend());
}

const char* nss_module() {
  for (const char* const path :
       {"/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so", "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
        "/usr/lib/aarch64-linux-gnu/nss/libsoftokn3.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return nullptr;
}

/// A fresh NSS database with a PIN, as a token for the backend.
std::unique_ptr<cloud::Token> nss(const TemporaryFolder& folder) {
  const std::string args = "configdir='sql:" + folder.path() +
                           "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=noModDB "
                           "dbTokenDescription='backend' updatedir='' ";
  {
    const cloud::Module module(nss_module(), args);
    CK_SESSION_HANDLE session = 0;
    unsigned char pin[] = "nss-test-pin";
    unsigned char none[] = "";
    const CK_SLOT_ID key_slot = 2;
    cloud::check(
        module->C_OpenSession(key_slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
        "open");
    cloud::check(module->C_Login(session, CKU_SO, none, 0), "login");
    cloud::check(module->C_InitPIN(session, pin, sizeof pin - 1), "init");
  }
  return std::make_unique<cloud::Token>(nss_module(), args, "backend", "nss-test-pin");
}

Blob hkdf(const Blob& z, const Blob& label, const Blob& th) {
  const std::unique_ptr<EVP_PKEY_CTX, wayseal::oem::Freer<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  const Blob salt = "wayseal/1 hkdf-sha256";
  const Blob info = label + th;
  Blob key(32, '\0');
  size_t size = 32;
  const auto raw = [](const Blob& b) { return reinterpret_cast<const unsigned char*>(b.data()); };
  REQUIRE(EVP_PKEY_derive_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1);
  REQUIRE(EVP_PKEY_CTX_set1_hkdf_salt(context.get(), raw(salt), static_cast<int>(salt.size())) == 1);
  REQUIRE(EVP_PKEY_CTX_set1_hkdf_key(context.get(), raw(z), static_cast<int>(z.size())) == 1);
  REQUIRE(EVP_PKEY_CTX_add1_hkdf_info(context.get(), raw(info), static_cast<int>(info.size())) == 1);
  REQUIRE(EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(key.data()), &size) == 1);
  return key;
}

/// Both sides of one agreement: what the vehicle's half seals, the token opens, and the other way round.
void agree_with(cloud::Token& token, cloud::Suite suite, bool zero_first) {
  const uint64_t id = cloud::read_be(random_bytes(7)) + 1;
  const Blob point = token.make_prekey(id);
  auto ephemeral = wayseal::oem::generate_key();
  Blob z = agree(ephemeral.get(), point);
  while (zero_first && z[0] != 0) {
    ephemeral = wayseal::oem::generate_key();
    z = agree(ephemeral.get(), point);
  }
  const Blob th = random_bytes(32);
  const auto keys = token.derive(id, point_of(ephemeral.get()), suite, th);
  REQUIRE(keys);
  const auto kdf = suite == cloud::Suite::kHkdf ? hkdf : derive_cmac;
  const Blob nonce = random_bytes(12);
  CHECK(token.open(*keys, nonce, "aad", gcm_seal(kdf(z, "ws1.v2b", th), nonce, "aad", "from the vehicle")) ==
        "from the vehicle");
  CHECK(gcm_open(kdf(z, "ws1.b2v", th), nonce, "aad", token.seal(*keys, nonce, "aad", "from the backend")) ==
        "from the backend");
  CHECK_FALSE(token.open(*keys, nonce, "aad", gcm_seal(kdf(z, "ws1.b2v", th), nonce, "aad", "the wrong key")));
  CHECK_FALSE(token.open(*keys, nonce, "add", gcm_seal(kdf(z, "ws1.v2b", th), nonce, "aad", "another header")));
  CHECK(token.open(*keys, nonce, "", gcm_seal(kdf(z, "ws1.v2b", th), nonce, "", "")) == "");
  token.destroy(*keys);

  CHECK_FALSE(token.derive(id, "\x04" + Blob(64, 'x'), suite, th));  // not on the curve
  token.destroy_prekey(id);
  CHECK_FALSE(token.derive(id, point_of(ephemeral.get()), suite, th));
  token.destroy_prekey(id);
}

}  // namespace

TEST_CASE("suite 2 inside SoftHSM2 gives the keys that OpenSSL's KBKDF gives, leading zeros of Z kept") {
  const auto token = softhsm();
  CHECK(token->suites() == 2);
  agree_with(*token, cloud::Suite::kCmacKdf, false);
  agree_with(*token, cloud::Suite::kCmacKdf, true);
}

TEST_CASE("both suites inside NSS softoken give the keys that OpenSSL gives") {
  if (nss_module() == nullptr) SKIP("libsoftokn3.so is not installed");
  const TemporaryFolder folder;
  const auto token = nss(folder);
  CHECK(token->suites() == 3);
  for (const bool zero_first : {false, true}) {
    agree_with(*token, cloud::Suite::kHkdf, zero_first);
    agree_with(*token, cloud::Suite::kCmacKdf, zero_first);
  }
}

TEST_CASE("every key that the backend's token makes or derives is closed") {
  const auto token = softhsm();
  const uint64_t id = cloud::read_be(random_bytes(7)) + 1;
  const Blob point = token->make_prekey(id);
  const auto keys =
      token->derive(id, point_of(wayseal::oem::generate_key().get()), cloud::Suite::kCmacKdf, random_bytes(32));
  REQUIRE(keys);
  const auto attribute = [&](CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type) {
    return token->attribute(key, type);
  };
  for (const CK_OBJECT_HANDLE key : {keys->open, keys->seal}) {
    CHECK(attribute(key, CKA_SENSITIVE) == "\x01");
    CHECK(attribute(key, CKA_EXTRACTABLE) == Blob(1, '\0'));
    CHECK(attribute(key, CKA_TOKEN) == Blob(1, '\0'));
    CHECK(attribute(key, CKA_DERIVE) == Blob(1, '\0'));
    CHECK(attribute(key, CKA_WRAP) == Blob(1, '\0'));
    CHECK_THROWS_AS(attribute(key, CKA_VALUE), cloud::TokenError);
  }
  CHECK(attribute(keys->open, CKA_ENCRYPT) == Blob(1, '\0'));
  CHECK(attribute(keys->open, CKA_DECRYPT) == "\x01");
  CHECK(attribute(keys->seal, CKA_ENCRYPT) == "\x01");
  CHECK(attribute(keys->seal, CKA_DECRYPT) == Blob(1, '\0'));
  token->destroy(*keys);
  token->destroy_prekey(id);
}

TEST_CASE("transcript, signatures, envelopes and contents are those of the protocol's vectors") {
  for (const std::string suite : {"1", "2"}) {
    const std::string path = std::string(WAYSEAL_VECTORS) + "/session_suite_" + suite + ".json";
    const json vector = json::parse(slurp(path));
    const auto chain = [&](const char* name) { return unhex(vector[name][0]); };
    const auto& opening = vector["session_open"];
    v1::SessionOpen open;
    REQUIRE(open.ParseFromString(unhex(opening["message"])));
    const Blob th =
        cloud::transcript(open, cloud::sha256(chain("vehicle_chain")), vector["vehicle_id"].get<std::string>());
    CHECK(cloud::hex(th) == opening["th"]);
    CHECK(verifies(chain("vehicle_chain"), th, open.signature()));
    CHECK(open.chain(0) == chain("vehicle_chain"));

    v1::PrekeysReply reply;
    REQUIRE(reply.ParseFromString(unhex(vector["prekeys_reply"]["message"])));
    CHECK(verifies(chain("prekey_chain"), cloud::signed_digest("wayseal/1 prekeys", reply.bundle().body()),
                   reply.bundle().signature()));
    CHECK(verifies(chain("time_chain"), cloud::signed_digest("wayseal/1 time", reply.time().body()),
                   reply.time().signature()));
    CHECK(open.bundle_digest() == cloud::sha256(reply.bundle().body()));

    for (const auto& record : vector["records"]) {
      v1::Sealed sealed;
      REQUIRE(sealed.ParseFromString(unhex(record["sealed"])));
      const auto header = cloud::parse_header(sealed.header());
      REQUIRE(header);
      CHECK(cloud::hex(header->session_id) == opening["session_id"]);
      CHECK(std::to_string(header->suite) == suite);
      CHECK(header->sequence == record["sequence"].get<uint64_t>());
      CHECK(cloud::hex(cloud::record_nonce(header->sequence)) == record["nonce"]);
      const auto content = gcm_open(unhex(opening["keys"]["v2b"]), cloud::record_nonce(header->sequence),
                                    sealed.header(), sealed.ciphertext());
      REQUIRE(content);
      CHECK(cloud::hex(*content) == record["content"]);
      CHECK(cloud::unframe(*content));
    }
    v1::Sealed ack;
    REQUIRE(ack.ParseFromString(unhex(vector["ack"]["sealed"])));
    const Blob nonce = ack.header().substr(26);
    CHECK(ack.header() ==
          cloud::reply_header(static_cast<uint32_t>(std::stoul(suite)), th.substr(0, 16), nonce));
  }
}

}  // namespace cloud_test
