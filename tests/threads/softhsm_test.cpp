// SPDX-License-Identifier: Apache-2.0
// The same troubles with a real token in the process: SoftHSM2.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <sstream>

#include "contract/key_vault/hooked_functions.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "threads/forked.hpp"
#include "threads/two_threads.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::fakes {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kBatchFrames = 20;
constexpr uint32_t kQueueRecords = 16;

test::TokenFixture& softhsm() {
  test::TokenFixture& fixture = test::TokenFixture::softhsm();
  if (!fixture.missing().empty()) SKIP(fixture.missing());
  return fixture;
}

void must_token(CK_RV rv, const char* what) {
  if (rv != CKR_OK) throw TokenError(what, rv);
}

CK_SESSION_HANDLE writing_session(const CK_FUNCTION_LIST* functions, const std::string& label) {
  CK_SLOT_ID slots[32];
  CK_ULONG count = 32;
  must_token(functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info = {};
    functions->C_GetTokenInfo(slots[i], &info);
    const std::string padded(reinterpret_cast<const char*>(info.label), sizeof info.label);
    if (padded.find(label + ' ') != 0) continue;
    CK_SESSION_HANDLE session = 0;
    must_token(
        functions->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
        "C_OpenSession");
    return session;
  }
  throw std::runtime_error("no token " + label);
}

/// A certificate object that need not be X.509: what FakeCertVerifier issues.
void write_certificate(const CK_FUNCTION_LIST* functions, CK_SESSION_HANDLE session, std::string label,
                       Blob value) {
  CK_OBJECT_CLASS type = CKO_CERTIFICATE;
  CK_CERTIFICATE_TYPE kind = CKC_X_509;
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  uint8_t subject[] = {0x30, 0};
  CK_ATTRIBUTE attributes[] = {
      {CKA_CLASS, &type, sizeof type},         {CKA_CERTIFICATE_TYPE, &kind, sizeof kind},
      {CKA_TOKEN, &yes, sizeof yes},           {CKA_PRIVATE, &no, sizeof no},
      {CKA_LABEL, label.data(), label.size()}, {CKA_SUBJECT, subject, sizeof subject},
      {CKA_VALUE, value.data(), value.size()}};
  CK_OBJECT_HANDLE object = 0;
  must_token(functions->C_CreateObject(session, attributes, sizeof attributes / sizeof attributes[0], &object),
             "C_CreateObject");
}

/// A vehicle whose keys are in a SoftHSM2 token of its own; the rest is fakes.
struct TokenVehicle {
  /// \param functions to go through; null: the library's own.
  explicit TokenVehicle(const std::string& token_label, const CK_FUNCTION_LIST* functions = nullptr)
      : label(token_label), vault(functions != nullptr ? own_module : softhsm().module(), pin) {
    provision();
    if (functions != nullptr) {
      // The module that calls C_Initialize is the one that looks after the library.
      REQUIRE(softhsm().module().functions()->C_Finalize(nullptr) == CKR_OK);
      softhsm().module().note_finalized();
      REQUIRE(own_module.use(functions) == Status::kOk);
    }
    REQUIRE(vault.open(options()) == Status::kOk);
  }

  Pkcs11VaultOptions options() const {
    Pkcs11VaultOptions options;
    options.token_label = label.c_str();
    return options;
  }

  void provision() {
    Pkcs11Module& shared = softhsm().module();
    REQUIRE(shared.initialize() == Status::kOk);
    directory = softhsm().add_token(label);
    FakeIdentity identity{Role::kVehicle, world.vehicle_id, {}, {0}, {BackendHalf::kNowMs + 365 * kMsPerDay}};
    Pkcs11Vault reader(shared, pin);
    REQUIRE(reader.open(options()) == Status::kOk);
    REQUIRE(reader.public_key(IdentityKey::kE2e, identity.public_key) == Status::kOk);
    const FakeChain chain = world.verifier.issue(identity);
    const CK_SESSION_HANDLE session = writing_session(shared.functions(), label);
    write_certificate(shared.functions(), session, "e2e", chain.leaf);
    write_certificate(shared.functions(), session, "e2e-intermediate", chain.intermediate);
    shared.functions()->C_CloseSession(session);
  }

  std::string label;
  std::string directory;
  WayWorld world;
  test::MemoryPin pin{test::kTestPin};
  Pkcs11Module own_module;
  Pkcs11Vault vault;
};

WayOptions short_sessions() {
  WayOptions options;
  options.queue_records = kQueueRecords;
  options.batch_duration_ms = kBatchFrames;
  options.session_records = 8;
  return options;
}

/// Frames for ever more batches, as long as the queue has room for them, until `seen`.
bool send_until(Way& way, const TwoThreads& threads, const std::function<bool(const ClientStats&)>& seen) {
  return wait_for([&] {
    const ClientStats stats = threads.stats();
    const uint64_t sealed = stats.sealer.records_sealed - stats.sealer.loss_reports;
    if (way.next_frame < (sealed + kQueueRecords / 2) * kBatchFrames) way.send(kBatchFrames);
    return seen(stats);
  });
}

void check_all_delivered_once(const Way& way, const ClientStats& stats) {
  const Delivered there = delivered(way.world);
  CHECK(stats.collector.samples_dropped == 0);
  CHECK(there.frames.size() == way.next_frame);
  CHECK(there.checks.size() == way.next_frame);
  CHECK(there.repeated == 0);
  CHECK(there.wrong == 0);
  CHECK(way.world.stored.size() == stats.sealer.records_sealed);
  CHECK_FALSE(way.world.nonce_seen_twice);
  CHECK(session_keys_are_unique(way.world));
}

/// Notices calls in a process that has not called C_Initialize itself: PKCS#11 forbids what is inherited by fork.
class InitializeWatch {
 public:
  InitializeWatch() : list_(*softhsm().module().functions()) {
    real = softhsm().module().functions();
    too_early = 0;
    list_.C_Initialize = initialize;
    list_.C_OpenSession = open_session;
    list_.C_Login = login;
    list_.C_SignInit = sign_init;
    list_.C_EncryptInit = encrypt_init;
    list_.C_DecryptInit = decrypt_init;
    list_.C_DeriveKey = derive;
    list_.C_GenerateKeyPair = generate;
    list_.C_GenerateRandom = random;
  }
  const CK_FUNCTION_LIST* list() const { return &list_; }
  static bool initialized_here() { return initialized == getpid(); }
  static int calls_too_early() { return too_early; }

 private:
  static void look() { too_early += initialized_here() ? 0 : 1; }
  static CK_RV initialize(void* arguments) {
    const CK_RV rv = real->C_Initialize(arguments);
    if (rv == CKR_OK) initialized = getpid();
    return rv;
  }
  static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                            CK_SESSION_HANDLE_PTR session) {
    look();
    return real->C_OpenSession(slot, flags, application, notify, session);
  }
  static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size) {
    look();
    return real->C_Login(session, user, pin, size);
  }
  static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
    look();
    return real->C_SignInit(session, mechanism, key);
  }
  static CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
    look();
    return real->C_EncryptInit(session, mechanism, key);
  }
  static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
    look();
    return real->C_DecryptInit(session, mechanism, key);
  }
  static CK_RV derive(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base,
                      CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
    look();
    return real->C_DeriveKey(session, mechanism, base, attributes, count, key);
  }
  static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR open,
                        CK_ULONG opens, CK_ATTRIBUTE_PTR secret, CK_ULONG secrets,
                        CK_OBJECT_HANDLE_PTR open_key, CK_OBJECT_HANDLE_PTR secret_key) {
    look();
    return real->C_GenerateKeyPair(session, mechanism, open, opens, secret, secrets, open_key, secret_key);
  }
  static CK_RV random(CK_SESSION_HANDLE session, CK_BYTE_PTR out, CK_ULONG size) {
    look();
    return real->C_GenerateRandom(session, out, size);
  }

  static const CK_FUNCTION_LIST* real;
  static pid_t initialized;
  static int too_early;
  CK_FUNCTION_LIST list_;
};
const CK_FUNCTION_LIST* InitializeWatch::real = nullptr;
pid_t InitializeWatch::initialized = 0;
int InitializeWatch::too_early = 0;

/// Sessions that the backend has opened, by id, and their keys.
std::set<std::string> keys_used(const WayWorld& world, const std::set<Blob>& but_not) {
  std::set<std::string> keys;
  for (const auto& one : world.stored) {
    if (but_not.count(one.first.first) != 0) continue;
    const Secret32& key = world.backend.sessions.at(one.first.first).v2b;
    const Digest digest = sha256({key.data(), key.size()});
    keys.insert(std::to_string(load_be64(digest.data)));
  }
  return keys;
}

std::set<Blob> sessions_known(const WayWorld& world) {
  std::set<Blob> sessions;
  for (const auto& one : world.backend.sessions) sessions.insert(one.first);
  return sessions;
}

}  // namespace

TEST_CASE(
    "SoftHSM2: a token that fails in C_Encrypt, C_Sign or C_DeriveKey while frames arrive costs no sample") {
  softhsm();
  CK_RV test::HookedFunctions::*const place =
      GENERATE(&test::HookedFunctions::encrypt_answer, &test::HookedFunctions::sign_answer,
               &test::HookedFunctions::derive_answer);
  test::HookedFunctions hooked(softhsm().module().functions());
  static int number = 0;
  TokenVehicle vehicle("failing " + std::to_string(++number), hooked.list());
  PosixClock clock;
  Way way(vehicle.world, vehicle.vault, clock, short_sessions());
  way.start();
  bool broken = false, mended = false;
  TwoThreads threads(way, [&] {  // the token belongs to the cloud thread, and so does its failure
    const SealerStats stats = way.client.stats().sealer;
    if (!broken && stats.records_sealed >= 3) hooked.*place = CKR_DEVICE_REMOVED;
    broken = broken || stats.records_sealed >= 3;
    mended = mended || (broken && stats.last_failure == Status::kTokenLost);
    if (mended) hooked.*place = CKR_OK;
  });
  CHECK(send_until(way, threads, [](const ClientStats& stats) {
    return stats.sealer.token_reopens > 0 && stats.sealer.records_sealed > 15;
  }));
  REQUIRE(threads.finish());
  const ClientStats stats = threads.stats();
  CHECK(stats.sealer.token_reopens > 0);
  CHECK((stats.sealer.voids > 0) == (place == &test::HookedFunctions::encrypt_answer));
  check_all_delivered_once(way, stats);
}

TEST_CASE("SoftHSM2: a token taken out while both threads run, and put back after some tries") {
  TokenVehicle vehicle("taken out");
  const std::string away = fs::path(vehicle.directory).parent_path().parent_path().string() + "/taken";
  PosixClock clock;
  Way way(vehicle.world, vehicle.vault, clock, short_sessions());
  way.start();
  enum class Token { kIn, kOut, kBack } token = Token::kIn;
  int steps_without = 0;
  TwoThreads threads(way, [&] {
    const SealerStats stats = way.client.stats().sealer;
    if (token == Token::kIn && stats.records_sealed >= 3) {
      fs::rename(vehicle.directory, away);
      token = Token::kOut;
    }
    if (stats.last_failure == Status::kTokenLost) ++steps_without;
    if (token == Token::kOut && steps_without >= 10) {
      fs::rename(away, vehicle.directory);
      token = Token::kBack;
    }
  });
  CHECK(send_until(way, threads, [](const ClientStats& stats) {
    return stats.sealer.token_reopens > 0 && stats.sealer.records_sealed > 15;
  }));
  REQUIRE(threads.finish());
  const ClientStats stats = threads.stats();
  CHECK(token == Token::kBack);
  CHECK(stats.sealer.token_reopens == 1);
  check_all_delivered_once(way, stats);
}

TEST_CASE("SoftHSM2: a forked child initialises the library and opens a session of its own before it seals") {
  if (test::kUnderTsan) SKIP("ThreadSanitizer does not follow a fork");
  softhsm();
  InitializeWatch watch;
  TokenVehicle vehicle("forked", watch.list());
  WayWorld& world = vehicle.world;
  // Continuity that does not change, as of a port that notices no fork: the vault itself has to.
  Way way(world, vehicle.vault, world.clock);
  way.start();
  way.send(100);
  REQUIRE(way.deliver_all(world.clock));
  const std::set<Blob> inherited = sessions_known(world);
  const auto go_on = [&](uint32_t first_frame) {
    way.next_frame = first_frame;
    way.send(100);
    const bool all = way.deliver_all(world.clock);
    const Delivered there = delivered(world);
    return all && there.repeated + there.wrong == 0 && there.frames.size() == 200 && !world.nonce_seen_twice;
  };
  Forked forked([&] {
    const bool all = go_on(1000000);
    std::ostringstream out;
    out << all << ' ' << InitializeWatch::initialized_here() << ' ' << InitializeWatch::calls_too_early() << ' '
        << way.client.stats().sealer.voids;
    for (const std::string& key : keys_used(world, inherited)) out << ' ' << key;
    return out.str();
  });
  CHECK(go_on(2000000));
  CHECK(sessions_known(world) == inherited);  // the parent's session goes on
  std::istringstream child(forked.result());
  bool all = false, initialized = false;
  int too_early = -1;
  uint64_t voids = 0;
  child >> all >> initialized >> too_early >> voids;
  CAPTURE(child.str());
  CHECK(all);
  CHECK(initialized);
  CHECK(too_early == 0);
  std::set<std::string> keys;
  for (std::string key; child >> key;) keys.insert(key);
  CHECK(keys.size() == 1);
  for (const std::string& key : keys_used(world, {})) CHECK(keys.count(key) == 0);
}

}  // namespace wayseal::fakes
