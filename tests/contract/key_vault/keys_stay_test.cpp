// SPDX-License-Identifier: Apache-2.0
// Invariant 1 with the spy module between the vault and SoftHSM2.
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <fstream>

#include "contract/key_vault/rigs.hpp"
#include "spy/spy_report.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace wayseal::test {
namespace {

// Set up before the first token is made: provisioning is watched as well.
struct Spied {
  TemporaryDirectory directory;
  std::string report = directory.path() + "/report";
  TokenFixture* fixture = nullptr;
  Spied() {
    const std::string real = TokenFixture::softhsm_path();
    if (!real.empty()) {
      setenv("WAYSEAL_SPY_MODULE", real.c_str(), 1);
      setenv("WAYSEAL_SPY_REPORT", report.c_str(), 1);
      setenv("WAYSEAL_SOFTHSM_MODULE", WAYSEAL_SPY_LIBRARY, 1);
    }
    fixture = &TokenFixture::softhsm();
  }
  /// Forgets what was reported until now.
  void restart() const {
    REQUIRE(truncate(report.c_str(), 0) == 0);
    std::ofstream(report, std::ios::app) << "start\n";
  }
};

Spied& spied() {
  static Spied spied;
  if (!spied.fixture->missing().empty()) SKIP(spied.fixture->missing());
  return spied;
}

Pkcs11VaultOptions options() {
  Pkcs11VaultOptions options;
  options.token_label = spied().fixture->token_label();
  return options;
}

SpyReport judge(const std::string& lines) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/report";
  std::ofstream(path) << lines;
  return read_spy_report(path);
}

const char kGoodKey[] =
    "key call=C_DeriveKey mechanism=0x1104 handle=5 class=4 type=0x1f size=32 token=0 private=1 sensitive=1 "
    "extractable=0 encrypt=1 decrypt=0 wrap=0 unwrap=0 sign=0 verify=0 derive=0\n";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("invariant 1: keys stay") {
  Spied& spy = spied();
  SECTION("while a token is provisioned") {
    const SpyReport report = read_spy_report(spy.report);
    INFO(describe(report));
    CHECK(report.violations.empty());
    CHECK(report.identities >= 2);
  }
  SECTION("while the vault opens, derives, seals, opens and reopens") {
    spy.restart();
    {
      Pkcs11Vault vault(spy.fixture->module(), spy.fixture->pin());
      REQUIRE(vault.open(options()) == Status::kOk);
      for (int round = 0; round < 2; ++round) {
        OpenedSession session(vault, Suite::kP256CmacKdfAes256Gcm);
        std::vector<uint8_t> out(20);
        CHECK(vault.seal(session.keys.vehicle_to_backend, session.counter.take(), {}, view(pattern(4)),
                         {out.data(), out.size()}) == Status::kOk);
        const auto answer = fakes::gcm_seal(session.peer.backend_to_vehicle, nonce_of(1), {}, view(pattern(4)));
        CHECK(vault.open(session.keys.backend_to_vehicle, nonce_of(1), {}, view(answer), {out.data(), 4}) ==
              Status::kOk);
        vault.destroy(session.keys);
        REQUIRE(vault.reopen() == Status::kOk);
      }
    }
    const SpyReport report = read_spy_report(spy.report);
    INFO(describe(report));
    CHECK(report.violations.empty());
    CHECK(report.ephemerals == 2 + 2);  // the probe's, and one a session
    CHECK(report.shared_secrets == 2 + 2);
    CHECK(report.session_keys == 4 + 4);
    CHECK(report.intermediates == 3 * (4 + 4));
    CHECK(report.refused_reads == 0);
  }
}

TEST_CASE("the spy sees keys that do not obey") {
  Spied& spy = spied();
  ProvisioningToken login(spy.fixture->module(), spy.fixture->token_label(), spy.fixture->pin());
  const CK_FUNCTION_LIST* functions = spy.fixture->module().functions();
  CK_SLOT_ID slot = 0;
  CK_ULONG count = 1;
  functions->C_GetSlotList(CK_TRUE, &slot, &count);
  CK_SESSION_HANDLE session = 0;
  REQUIRE(functions->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session) == CKR_OK);
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG size = 32;
  CK_ATTRIBUTE attributes[] = {{CKA_TOKEN, &no, 1},        {CKA_SENSITIVE, &no, 1},
                               {CKA_EXTRACTABLE, &yes, 1}, {CKA_VALUE_LEN, &size, sizeof size},
                               {CKA_ENCRYPT, &yes, 1},     {CKA_DECRYPT, &no, 1},
                               {CKA_SIGN, &no, 1},         {CKA_VERIFY, &no, 1},
                               {CKA_WRAP, &no, 1},         {CKA_UNWRAP, &no, 1},
                               {CKA_DERIVE, &no, 1}};
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = 0;
  spy.restart();
  REQUIRE(functions->C_GenerateKey(session, &mechanism, attributes, 11, &key) == CKR_OK);
  uint8_t value[32];
  CK_ATTRIBUTE read = {CKA_VALUE, value, sizeof value};
  CHECK(functions->C_GetAttributeValue(session, key, &read, 1) == CKR_OK);
  functions->C_CloseSession(session);
  const SpyReport report = read_spy_report(spy.report);
  INFO(describe(report));
  REQUIRE(report.violations.size() == 3);
  CHECK(report.violations[0].find("not sensitive") != std::string::npos);
  CHECK(report.violations[1].find("extractable") != std::string::npos);
  CHECK(report.violations[2].find("was read") != std::string::npos);
}

TEST_CASE("each way to break the rule is found in a report") {
  const std::string start = "start\n";
  const std::string good = start + kGoodKey;
  CHECK(judge(good).violations.empty());
  CHECK(judge(good).session_keys == 1);
  CHECK(judge("").violations.size() == 1);
  for (const auto& [from, to] :
       std::initializer_list<std::pair<const char*, const char*>>{{"sensitive=1", "sensitive=0"},
                                                                  {"sensitive=1", "sensitive=-1"},
                                                                  {"extractable=0", "extractable=1"},
                                                                  {"extractable=0", "extractable=-1"},
                                                                  {"decrypt=0", "decrypt=1"},
                                                                  {"wrap=0", "wrap=1"},
                                                                  {"derive=0", "derive=1"},
                                                                  {"encrypt=1", "encrypt=0"},
                                                                  {"token=0", "token=1"},
                                                                  {"C_DeriveKey", "C_CreateObject"},
                                                                  {"C_DeriveKey", "C_UnwrapKey"}}) {
    CAPTURE(from, to);
    CHECK(judge(with(good, from, to)).violations.size() == 1);
  }
  CHECK(judge(good + "value handle=5 read=1\n").violations.size() == 1);
  CHECK(judge(good + "value handle=5 read=0\n").violations.empty());
  CHECK(judge(good + "wrapped handle=5 done=1\n").violations.size() == 1);
  const std::string z =
      with(with(with(kGoodKey, "handle=5", "handle=4"), "encrypt=1", "encrypt=0"), "derive=0", "derive=1");
  CHECK(
      judge(start + z + kGoodKey + "destroyed handle=4\nuse call=C_EncryptInit handle=5\n").violations.empty());
  CHECK(
      judge(start + z + kGoodKey + "use call=C_EncryptInit handle=5\ndestroyed handle=4\n").violations.size() ==
      1);
  const std::string middle =
      "key call=C_DeriveKey mechanism=0x1105 handle=8 class=4 type=0x10 size=32 token=0 private=0 sensitive=0 "
      "extractable=1 encrypt=0 decrypt=0 wrap=0 unwrap=0 sign=0 verify=0 derive=0\n";
  const std::string read = "value handle=8 read=1\n";
  const std::string gone = "destroyed handle=8\n";
  CHECK(judge(start + middle + read + gone + kGoodKey).violations.empty());
  CHECK(judge(start + middle + read + kGoodKey + gone).violations.size() == 1);
  CHECK(judge(start + middle + read).violations.size() == 1);
  CHECK(judge(start + middle + read + read + gone).violations.size() == 1);
  CHECK_FALSE(judge(start + with(middle, "sign=0", "sign=1") + read + gone).violations.empty());
  CHECK_FALSE(judge(start + with(middle, "0x1105", "0x1050") + read + gone).violations.empty());
  CHECK_FALSE(judge(start + with(middle, "size=32", "size=48") + read + gone).violations.empty());
}

}  // namespace wayseal::test
