// SPDX-License-Identifier: Apache-2.0
// A token whose library is linked in: this program is linked as one of WAYSEAL_PKCS11_STATIC is, with library_none.cpp
// in the place of dlopen. The test itself gets SoftHSM2's C_GetFunctionList, as a linker would.
#include <dlfcn.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>

#include "contract/key_vault/rigs.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace wayseal::test {
namespace {

CK_RV no_list(CK_FUNCTION_LIST_PTR_PTR) { return CKR_HOST_MEMORY; }

/// SoftHSM2's, with a store of its own.
class LinkedToken {
 public:
  LinkedToken() {
    const std::string path = TokenFixture::softhsm_path();
    if (path.empty())
      SKIP("SoftHSM2 is not installed (Debian: softhsm2), and WAYSEAL_SOFTHSM_MODULE is not set");
    const std::string configuration = directory_.path() + "/softhsm2.conf";
    std::ofstream(configuration) << "directories.tokendir = " << directory_.path()
                                 << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    REQUIRE(library_ != nullptr);
    get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library_, "C_GetFunctionList"));
    REQUIRE(get_list != nullptr);
  }
  ~LinkedToken() { dlclose(library_); }
  LinkedToken(const LinkedToken&) = delete;
  LinkedToken& operator=(const LinkedToken&) = delete;

  CK_C_GetFunctionList get_list = nullptr;

 private:
  TemporaryDirectory directory_;
  void* library_ = nullptr;
};

}  // namespace

TEST_CASE("a token that is linked in: a session by its function list, and no library is ever looked for") {
  const LinkedToken linked;
  Pkcs11Module module;
  CHECK(module.load(TokenFixture::softhsm_path().c_str()) == Status::kUnsupported);
  CHECK(module.use(no_list) == Status::kNotFound);
  CHECK(module.initialize() == Status::kBadState);
  REQUIRE(module.use(linked.get_list) == Status::kOk);
  CHECK(module.use(linked.get_list) == Status::kBadState);

  MemoryPin so_pin(kTestSoPin);
  MemoryPin pin(kTestPin);
  initialize_token(module, "linked", so_pin, pin);
  {
    ProvisioningToken token(module, "linked", pin);
    static_cast<void>(token.generate_identity("tls", {1}, IdentityUse::kSign));
    static_cast<void>(token.generate_identity("e2e", {2}, IdentityUse::kSign));
  }
  Pkcs11Vault vault(module, pin);
  Pkcs11VaultOptions options;
  options.token_label = "linked";
  REQUIRE(vault.open(options) == Status::kOk);
  EcPoint point;
  EcSignature signature;
  REQUIRE(vault.public_key(IdentityKey::kE2e, point) == Status::kOk);
  REQUIRE(vault.sign(IdentityKey::kE2e, transcript_of(1), signature) == Status::kOk);
  CHECK(fakes::ecdsa_verify(point, transcript_of(1), signature));

  OpenedSession session(vault, suites_of(vault).front());
  const auto text = pattern(100);
  std::vector<uint8_t> sealed(text.size() + kGcmTagSize);
  REQUIRE(vault.seal(session.keys.vehicle_to_backend, session.counter.take(), {}, view(text),
                     {sealed.data(), sealed.size()}) == Status::kOk);
  CHECK(fakes::gcm_open(session.peer.vehicle_to_backend, nonce_of(1), {}, view(sealed)) == text);
}

}  // namespace wayseal::test
