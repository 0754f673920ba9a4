// SPDX-License-Identifier: Apache-2.0
// What only a PKCS#11 vault can meet: PINs, absent and returning tokens, foreign C_Finalize, fork, native
// errors.
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <filesystem>

#include "contract/key_vault/hooked_functions.hpp"
#include "contract/key_vault/rigs.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace wayseal::test {
namespace {

constexpr Suite kSuite = Suite::kP256CmacKdfAes256Gcm;

TokenFixture& softhsm() {
  TokenFixture& fixture = TokenFixture::softhsm();
  if (!fixture.missing().empty()) SKIP(fixture.missing());
  return fixture;
}

Pkcs11VaultOptions options_for(const char* label) {
  Pkcs11VaultOptions options;
  options.token_label = label;
  return options;
}

Status seal_one(KeyVault& vault, OpenedSession& session) {
  uint8_t out[20];
  return vault.seal(session.keys.vehicle_to_backend, session.counter.take(), {}, view(pattern(4)),
                    MutableBytes{out});
}

Status sign_one(KeyVault& vault) {
  EcSignature signature;
  return vault.sign(IdentityKey::kE2e, transcript_of(1), signature);
}

// A vault whose library's calls can be replaced.
struct HookedVault {
  HookedFunctions functions{softhsm().module().functions()};
  Pkcs11Module module;
  Pkcs11Vault vault;
  explicit HookedVault(PinSource& pin) : vault(module, pin) {
    REQUIRE(module.use(functions.list()) == Status::kOk);
  }
};

// A logged-in, read-write session of the library itself with the token of this label.
CK_SESSION_HANDLE raw_session(const CK_FUNCTION_LIST* functions, const std::string& token) {
  CK_SLOT_ID slots[16];
  CK_ULONG count = 16;
  CK_SESSION_HANDLE session = 0;
  REQUIRE(functions->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK);
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info = {};
    functions->C_GetTokenInfo(slots[i], &info);
    if (std::memcmp(info.label, token.data(), token.size()) != 0) continue;
    REQUIRE(functions->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                     &session) == CKR_OK);
  }
  REQUIRE(session != 0);
  return session;
}

// Runs `body` in a forked child. True when it returned true.
template <typename Body>
bool in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a wrong PIN is tried once and never again") {
  softhsm();
  MemoryPin wrong(kWrongPin);
  HookedVault hooked(wrong);
  CHECK(hooked.vault.open(options_for(softhsm().token_label())) == Status::kDenied);
  CHECK(hooked.functions.logins == 1);
  CHECK(hooked.vault.reopen() == Status::kDenied);
  CHECK(hooked.vault.open(options_for(softhsm().token_label())) == Status::kDenied);
  CHECK(sign_one(hooked.vault) == Status::kTokenLost);
  CHECK(hooked.vault.reopen() == Status::kDenied);
  CHECK(hooked.functions.logins == 1);
  CHECK(wrong.reads == 1);
  CHECK(hooked.vault.diagnostic() == CKR_PIN_INCORRECT);
}

TEST_CASE("a PIN that is locked or has one try left is not tried at all") {
  softhsm();
  const CK_FLAGS flag = GENERATE(CK_FLAGS{CKF_USER_PIN_FINAL_TRY}, CK_FLAGS{CKF_USER_PIN_LOCKED});
  MemoryPin pin(kTestPin);
  HookedVault hooked(pin);
  hooked.functions.more_token_flags = flag;
  CHECK(hooked.vault.open(options_for(softhsm().token_label())) == Status::kDenied);
  CHECK(hooked.functions.logins == 0);
  CHECK(pin.reads == 0);
  hooked.functions.more_token_flags = 0;  // Somebody has unlocked it.
  CHECK(hooked.vault.reopen() == Status::kOk);
  CHECK(hooked.functions.logins == 1);
}

TEST_CASE("without a PIN no login is tried") {
  softhsm();
  struct NoPin final : PinSource {
    Result<size_t> do_read(MutableBytes) override { return Status::kNotFound; }
  } none;
  HookedVault hooked(none);
  CHECK(hooked.vault.open(options_for(softhsm().token_label())) == Status::kDenied);
  CHECK(hooked.functions.logins == 0);
}

TEST_CASE("an absent token is lost, and found when it comes") {
  TokenFixture& fixture = softhsm();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  CHECK(vault.open(options_for("not there yet")) == Status::kTokenLost);
  CHECK(vault.reopen() == Status::kTokenLost);
  CHECK(sign_one(vault) == Status::kTokenLost);
  CHECK(vault.capabilities().suites.empty());
  fixture.add_token("not there yet");
  CHECK(vault.reopen() == Status::kOk);
  CHECK(sign_one(vault) == Status::kOk);
}

TEST_CASE("a label must be given whole, and be one") {
  TokenFixture& fixture = softhsm();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  CHECK(vault.reopen() == Status::kBadState);
  CHECK(vault.open(options_for(nullptr)) == Status::kInvalidArgument);
  CHECK(vault.open(options_for("")) == Status::kInvalidArgument);
  CHECK(vault.open(options_for("a label of more than 32 characters")) == Status::kInvalidArgument);
  CHECK(vault.open(options_for("wayseal")) == Status::kTokenLost);  // "wayseal test" is another token
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  CHECK(vault.open(options_for(fixture.token_label())) == Status::kBadState);
}

TEST_CASE("a token without identity keys still opens, and names what is missing") {
  TokenFixture& fixture = softhsm();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  Pkcs11VaultOptions options = options_for(fixture.token_label());
  options.e2e_key.label = "no such key";
  const uint8_t other_id[] = {9};
  options.tls_key.id = Bytes{other_id};
  REQUIRE(vault.open(options) == Status::kOk);
  EcPoint point;
  EcSignature signature;
  CHECK(vault.sign(IdentityKey::kE2e, Digest{}, signature) == Status::kNotFound);
  CHECK(vault.sign(IdentityKey::kTls, Digest{}, signature) == Status::kNotFound);
  CHECK(vault.public_key(IdentityKey::kE2e, point) == Status::kNotFound);
}

TEST_CASE("when somebody finalises the library, the token is lost and can be opened again") {
  TokenFixture& fixture = softhsm();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  OpenedSession session(vault, kSuite);
  const uint32_t epoch = vault.epoch();
  REQUIRE(fixture.module().functions()->C_Finalize(nullptr) == CKR_OK);
  CHECK(seal_one(vault, session) == Status::kTokenLost);
  CHECK(vault.diagnostic() == CKR_CRYPTOKI_NOT_INITIALIZED);
  CHECK(vault.epoch() == epoch + 1);
  CHECK(seal_one(vault, session) == Status::kTokenLost);
  CHECK(vault.epoch() == epoch + 1);
  REQUIRE(vault.reopen() == Status::kOk);
  CHECK(vault.epoch() == epoch + 1);
  CHECK(seal_one(vault, session) == Status::kInvalidArgument);
  OpenedSession again(vault, kSuite);
  CHECK(seal_one(vault, again) == Status::kOk);
}

TEST_CASE("a library that somebody else initialised and finalised is initialised again") {
  softhsm();
  MemoryPin pin(kTestPin);
  HookedVault hooked(pin);  // Its module found the library initialised.
  REQUIRE(hooked.vault.open(options_for(softhsm().token_label())) == Status::kOk);
  REQUIRE(softhsm().module().functions()->C_Finalize(nullptr) == CKR_OK);
  CHECK(sign_one(hooked.vault) == Status::kTokenLost);
  CHECK(hooked.vault.reopen() == Status::kOk);
  CHECK(sign_one(hooked.vault) == Status::kOk);
}

TEST_CASE("when the library is restarted for another vault, this one notices") {
  TokenFixture& fixture = softhsm();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  OpenedSession session(vault, kSuite);
  const uint32_t epoch = vault.epoch();
  REQUIRE(fixture.module().restart() == Status::kOk);
  CHECK(vault.epoch() == epoch + 1);
  CHECK(seal_one(vault, session) == Status::kTokenLost);
  CHECK(vault.epoch() == epoch + 1);
  REQUIRE(vault.reopen() == Status::kOk);
  CHECK(sign_one(vault) == Status::kOk);
}

TEST_CASE("a token that is taken away is lost, and usable when it is back") {
  namespace fs = std::filesystem;
  TokenFixture& fixture = softhsm();
  const std::string directory = fixture.add_token("removable");
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for("removable")) == Status::kOk);
  const std::string away = fs::path(directory).parent_path().parent_path().string() + "/away";
  fs::rename(directory, away);
  CHECK(sign_one(vault) == Status::kTokenLost);
  CHECK(vault.reopen() == Status::kTokenLost);
  CHECK(vault.reopen() == Status::kTokenLost);
  fs::rename(away, directory);
  CHECK(vault.reopen() == Status::kOk);
  CHECK(sign_one(vault) == Status::kOk);
}

TEST_CASE("a log-out behind the vault's back loses the token") {
  TokenFixture& fixture = softhsm();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  OpenedSession session(vault, kSuite);
  const CK_FUNCTION_LIST* functions = fixture.module().functions();
  const CK_SESSION_HANDLE other = raw_session(functions, fixture.token_label());
  REQUIRE(functions->C_Logout(other) == CKR_OK);
  functions->C_CloseSession(other);
  CHECK(seal_one(vault, session) == Status::kTokenLost);
  REQUIRE(vault.reopen() == Status::kOk);
  CHECK(sign_one(vault) == Status::kOk);
}

TEST_CASE("every native error that means loss is reported as loss, and keeps its code") {
  const CK_RV rv =
      GENERATE(CK_RV{CKR_DEVICE_REMOVED}, CK_RV{CKR_DEVICE_ERROR}, CK_RV{CKR_TOKEN_NOT_PRESENT},
               CK_RV{CKR_SESSION_HANDLE_INVALID}, CK_RV{CKR_SESSION_CLOSED}, CK_RV{CKR_USER_NOT_LOGGED_IN},
               CK_RV{CKR_OBJECT_HANDLE_INVALID}, CK_RV{CKR_KEY_HANDLE_INVALID}, CK_RV{CKR_OPERATION_ACTIVE},
               CK_RV{CKR_GENERAL_ERROR}, CK_RV{CKR_FUNCTION_FAILED}, CK_RV{CKR_TOKEN_NOT_RECOGNIZED});
  softhsm();
  MemoryPin pin(kTestPin);
  HookedVault hooked(pin);
  REQUIRE(hooked.vault.open(options_for(softhsm().token_label())) == Status::kOk);
  OpenedSession session(hooked.vault, kSuite);
  const uint32_t epoch = hooked.vault.epoch();
  CAPTURE(rv);
  SECTION("while sealing") {
    hooked.functions.encrypt_answer = rv;
    uint8_t out[20];
    std::memset(out, 0xEE, sizeof out);
    CHECK(hooked.vault.seal(session.keys.vehicle_to_backend, session.counter.take(), {}, view(pattern(4)),
                            MutableBytes{out}) == Status::kTokenLost);
    CHECK(out[0] == 0);
    CHECK(out[19] == 0);
    hooked.functions.encrypt_answer = CKR_OK;
  }
  SECTION("while signing") {
    hooked.functions.sign_answer = rv;
    CHECK(sign_one(hooked.vault) == Status::kTokenLost);
    hooked.functions.sign_answer = CKR_OK;
  }
  CHECK(hooked.vault.diagnostic() == rv);
  CHECK(hooked.vault.epoch() == epoch + 1);
  CHECK(seal_one(hooked.vault, session) == Status::kTokenLost);
  CHECK(hooked.vault.reopen() == Status::kOk);
  OpenedSession again(hooked.vault, kSuite);
  CHECK(seal_one(hooked.vault, again) == Status::kOk);
}

TEST_CASE("wherever deriving fails, nothing of it stays in the token") {
  softhsm();
  MemoryPin pin(kTestPin);
  HookedVault hooked(pin);
  REQUIRE(hooked.vault.open(options_for(softhsm().token_label())) == Status::kOk);
  const CK_RV rv = CKR_ATTRIBUTE_VALUE_INVALID;  // One that does not lose the token.
  int steps = 0;
  for (bool worked = false; !worked; ++steps) {
    REQUIRE(steps < 20);
    EphemeralKey ephemeral;
    EcPoint point;
    REQUIRE(hooked.vault.make_ephemeral(ephemeral, point) == Status::kOk);
    hooked.functions.derives = 0;
    hooked.functions.destroys = 0;
    hooked.functions.derive_answer = rv;
    hooked.functions.derive_after = steps;
    SessionKeys keys;
    const Status status = hooked.vault.derive(ephemeral, kSuite, Peer{}.point, transcript_of(1), keys);
    worked = status == Status::kOk;
    CAPTURE(steps);
    if (!worked) {
      CHECK(status == Status::kUnsupported);
      CHECK(keys.vehicle_to_backend.handle == 0);
      CHECK(hooked.functions.destroys == hooked.functions.derives + 1);  // and the ephemeral
    } else {
      CHECK(hooked.functions.destroys == hooked.functions.derives + 1 - 2);  // but for the two session keys
      hooked.vault.destroy(keys);
    }
  }
  CHECK(steps > 5);
}

TEST_CASE("a forked child can do nothing with its parent's keys, and the parent goes on") {
  TokenFixture& fixture = GENERATE(false, true) ? TokenFixture::nss() : softhsm();
  if (!fixture.missing().empty()) SKIP(fixture.missing());
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  OpenedSession session(vault, kSuite);
  EphemeralKey ephemeral;
  EcPoint point;
  REQUIRE(vault.make_ephemeral(ephemeral, point) == Status::kOk);
  const uint32_t epoch = vault.epoch();
  CHECK(in_child([&] {
    uint8_t bytes[8];
    std::vector<uint8_t> out(4);
    const auto answer = fakes::gcm_seal(session.peer.backend_to_vehicle, nonce_of(1), {}, view(pattern(4)));
    SessionKeys keys;
    EphemeralKey other;
    return vault.epoch() == epoch + 1 && seal_one(vault, session) == Status::kTokenLost &&
           vault.open(session.keys.backend_to_vehicle, nonce_of(1), {}, view(answer), {out.data(), 4}) ==
               Status::kTokenLost &&
           sign_one(vault) == Status::kTokenLost && vault.random(MutableBytes{bytes}) == Status::kTokenLost &&
           vault.public_key(IdentityKey::kE2e, point) == Status::kTokenLost &&
           vault.make_ephemeral(other, point) == Status::kTokenLost &&
           vault.derive(ephemeral, kSuite, session.peer.point, transcript_of(1), keys) == Status::kTokenLost &&
           vault.read_object(VaultObject::kDataRoot, MutableBytes{bytes}).status() == Status::kTokenLost &&
           vault.epoch() == epoch + 1;
  }));
  CHECK(vault.epoch() == epoch);
  CHECK(seal_one(vault, session) == Status::kOk);
}

TEST_CASE("a forked child opens the token for itself, and the parent goes on") {
  // SoftHSM2 does not notice a fork; NSS refuses everything until it was finalised in the child.
  TokenFixture& fixture = GENERATE(false, true) ? TokenFixture::nss() : softhsm();
  if (!fixture.missing().empty()) SKIP(fixture.missing());
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  OpenedSession session(vault, kSuite);
  CHECK(in_child([&] {
    if (vault.reopen() != Status::kOk || sign_one(vault) != Status::kOk) return false;
    if (seal_one(vault, session) != Status::kInvalidArgument) return false;
    EphemeralKey ephemeral;
    EcPoint point;
    SessionKeys keys;
    return vault.make_ephemeral(ephemeral, point) == Status::kOk &&
           vault.derive(ephemeral, kSuite, session.peer.point, transcript_of(1), keys) == Status::kOk;
  }));
  CHECK(seal_one(vault, session) == Status::kOk);
  CHECK(sign_one(vault) == Status::kOk);
}

TEST_CASE("a forked child that opens the token drops the sessions that it inherited") {
  TokenFixture& fixture = softhsm();
  const CK_FUNCTION_LIST* functions = fixture.module().functions();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  CK_SESSION_HANDLE inherited = 0;
  for (int i = 0; i < 20; ++i)
    inherited = raw_session(functions, fixture.token_label());  // A number of its own.
  CK_SESSION_INFO info = {};
  CHECK(in_child([&] {
    return vault.reopen() == Status::kOk &&
           functions->C_GetSessionInfo(inherited, &info) == CKR_SESSION_HANDLE_INVALID;
  }));
  CHECK(functions->C_GetSessionInfo(inherited, &info) == CKR_OK);
  REQUIRE(fixture.module().restart() == Status::kOk);  // Closes them.
}

TEST_CASE("a library that is none, and a token that is none, are said to be absent") {
  Pkcs11Module module;
  CHECK(module.initialize() == Status::kBadState);
  CHECK(module.load("/nonexistent/pkcs11.so") == Status::kNotFound);
  CHECK(module.load("libc.so.6") == Status::kNotFound);
  MemoryPin pin(kTestPin);
  Pkcs11Vault vault(module, pin);
  CHECK(vault.open(options_for("any")) == Status::kBadState);
  CHECK(vault.reopen() == Status::kBadState);
  uint8_t bytes[4];
  CHECK(vault.random(MutableBytes{bytes}) == Status::kTokenLost);
}

TEST_CASE("two certificates of one name are no certificate") {
  TokenFixture& fixture = softhsm();
  const CK_FUNCTION_LIST* functions = fixture.module().functions();
  fixture.add_token("twice");
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for("twice")) == Status::kOk);
  std::vector<uint8_t> out(2000);
  REQUIRE(vault.read_object(VaultObject::kDataRoot, {out.data(), out.size()}).ok());
  ProvisioningToken token(fixture.module(), "twice", fixture.pin());
  CHECK_THROWS_AS(token.write_certificate("data-root", {7}, view(fixture.certificate())), TokenError);
  const CK_SESSION_HANDLE session = raw_session(functions, "twice");
  CK_OBJECT_CLASS type = CKO_CERTIFICATE;
  CK_CERTIFICATE_TYPE x509 = CKC_X_509;
  CK_BBOOL yes = CK_TRUE;
  uint8_t value[] = {0x30, 0x00};
  char label[] = "data-root";
  CK_ATTRIBUTE second[] = {{CKA_CLASS, &type, sizeof type},
                           {CKA_CERTIFICATE_TYPE, &x509, sizeof x509},
                           {CKA_TOKEN, &yes, 1},
                           {CKA_LABEL, label, sizeof label - 1},
                           {CKA_SUBJECT, value, 2},
                           {CKA_VALUE, value, 2}};
  CK_OBJECT_HANDLE object = 0;
  REQUIRE(functions->C_CreateObject(session, second, 6, &object) == CKR_OK);
  functions->C_CloseSession(session);
  CHECK(vault.read_object(VaultObject::kDataRoot, {out.data(), out.size()}).status() == Status::kNotFound);
}

TEST_CASE("what provisioning wrote cannot be changed") {
  TokenFixture& fixture = softhsm();
  const CK_FUNCTION_LIST* functions = fixture.module().functions();
  Pkcs11Vault vault(fixture.module(), fixture.pin());
  REQUIRE(vault.open(options_for(fixture.token_label())) == Status::kOk);
  const CK_SESSION_HANDLE session = raw_session(functions, fixture.token_label());
  CK_OBJECT_CLASS type = CKO_CERTIFICATE;
  CK_ATTRIBUTE wanted = {CKA_CLASS, &type, sizeof type};
  CK_OBJECT_HANDLE object = 0;
  CK_ULONG count = 0;
  REQUIRE(functions->C_FindObjectsInit(session, &wanted, 1) == CKR_OK);
  REQUIRE(functions->C_FindObjects(session, &object, 1, &count) == CKR_OK);
  functions->C_FindObjectsFinal(session);
  REQUIRE(count == 1);
  char label[] = "another";
  CK_ATTRIBUTE change = {CKA_LABEL, label, sizeof label - 1};
  CHECK(functions->C_SetAttributeValue(session, object, &change, 1) != CKR_OK);
  functions->C_CloseSession(session);
}

TEST_CASE("the PIN appears in no output and no error text") {
  TokenFixture& fixture = softhsm();
  TemporaryDirectory directory;
  const std::string file = directory.path() + "/output";
  FILE* capture = std::fopen(file.c_str(), "w+");
  REQUIRE(capture != nullptr);
  std::fflush(nullptr);
  const int saved[] = {dup(1), dup(2)};
  dup2(fileno(capture), 1);
  dup2(fileno(capture), 2);
  std::string texts;
  {
    MemoryPin wrong(kWrongPin);
    HookedVault hooked(wrong);
    static_cast<void>(hooked.vault.open(options_for(fixture.token_label())));
    static_cast<void>(hooked.vault.reopen());
    try {
      ProvisioningToken token(fixture.module(), fixture.token_label(), wrong);
    } catch (const TokenError& error) {
      texts = error.what();
    }
    HookedVault good(fixture.pin());
    static_cast<void>(good.vault.open(options_for(fixture.token_label())));
    good.functions.sign_answer = CKR_DEVICE_REMOVED;
    static_cast<void>(sign_one(good.vault));
    static_cast<void>(good.vault.reopen());
  }
  std::fflush(nullptr);
  dup2(saved[0], 1);
  dup2(saved[1], 2);
  std::rewind(capture);
  char line[1024];
  while (std::fgets(line, sizeof line, capture) != nullptr) texts += line;
  std::fclose(capture);
  CHECK_FALSE(texts.empty());
  for (const char* pin : {kTestPin, kTestSoPin, kWrongPin}) CHECK(texts.find(pin) == std::string::npos);
}

}  // namespace wayseal::test
