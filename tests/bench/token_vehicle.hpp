// SPDX-License-Identifier: Apache-2.0
/// \file
/// A vehicle whose keys are in a real token, with real certificates, up to a Session that can be opened; its backend is
/// the tests' own.
#ifndef WAYSEAL_TESTS_BENCH_TOKEN_VEHICLE_HPP
#define WAYSEAL_TESTS_BENCH_TOKEN_VEHICLE_HPP

#include <string>

#include "bench/measure.hpp"
#include "bench/memory_storage.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "fakes/test_pki.hpp"
#include "unit/seal/backend_half.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"
#include "wayseal/posix/posix_clock.hpp"
#include "wayseal/seal/session.hpp"
#include "wayseal/trust/prekey_client.hpp"

namespace wayseal::bench {

/// The token that a name stands for: "softhsm" or "nss". \throw std::runtime_error for other names.
inline test::TokenFixture& token_named(const std::string& name) {
  if (name == "softhsm") return test::TokenFixture::softhsm();
  if (name == "nss") return test::TokenFixture::nss();
  throw std::runtime_error("softhsm or nss");
}

/// Chains below one data root.
class RolePki {
 public:
  fakes::FakeChain chain(Role role, const std::string& name, const fakes::TestKey& key) const {
    const fakes::TestIdentity intermediate = fakes::issue(root, fakes::role_intermediate_spec(role));
    return {fakes::issue(intermediate, fakes::role_leaf_spec(role, name), key).der, intermediate.der};
  }
  fakes::BackendIdentity backend(Role role, const std::string& name) const {
    fakes::BackendIdentity out;
    out.key = fakes::random_scalar();
    out.chain = chain(role, name, fakes::key_from(out.key));
    return out;
  }

  fakes::TestIdentity root = fakes::make_root(fakes::root_spec("data root"));
};

class TokenVehicle {
 public:
  /// \param functions what the vault calls; null: the token's own.
  explicit TokenVehicle(test::TokenFixture& token, const CK_FUNCTION_LIST* functions = nullptr)
      : token_(token),
        vault(prepare(functions), token.pin()),
        backend(verifier, kName, pki_.backend(Role::kPrekey, "prekey-1"), pki_.backend(Role::kTime, "time-1")) {
    Pkcs11VaultOptions options;
    options.token_label = token.token_label();
    must(vault.open(options));
    must(verifier.set_root(pki_.root.bytes()));
    must(state.mount());
    must(identity.load(vault, verifier));
    must(time.load());
    must(prekeys.load());
  }

  void fetch_prekeys() {
    Blob request(kPrekeysRequestMax);
    size_t size = 0;
    must(client.make_request(vault.capabilities().suites, kPrekeysMax, mutable_view(request), size));
    const auto challenge = backend.read_request({request.data(), size});
    must(challenge.has_value(), "the backend does not take the request");
    const Blob reply = backend.reply(backend.signed_bundle(backend.plan(*challenge, kPrekeysMax)),
                                     backend.signed_time(*challenge, fakes::BackendHalf::kNowMs));
    PrekeysOutcome outcome;
    must(client.take_reply(view(reply), outcome));
  }

  /// Opens a session and shows it to the backend. \return the SessionOpen's bytes.
  size_t open_session() {
    size_t size = 0;
    must(session.open({}, {}, mutable_view(opening), size));
    return size;
  }
  void show_session(size_t size) { must(backend.take_open({opening.data(), size}).has_value(), "SessionOpen"); }

 private:
  static constexpr char kName[] = "bench-vehicle";

  void provision() {
    test::MemoryPin& pin = token_.pin();
    ProvisioningToken open_token(token_.module(), token_.token_label(), pin);
    if (open_token.has_certificate("e2e")) return;
    const fakes::FakeChain chain =
        pki_.chain(Role::kVehicle, kName, fakes::key_from(open_token.public_key("e2e")));
    open_token.write_certificate("e2e", {2}, view(chain.leaf));
    open_token.write_certificate("e2e-intermediate", {4}, view(chain.intermediate));
  }
  Pkcs11Module& prepare(const CK_FUNCTION_LIST* functions) {
    provision();
    if (functions == nullptr) return token_.module();
    must(module_.use(functions));
    return module_;
  }

  RolePki pki_;
  test::TokenFixture& token_;
  Pkcs11Module module_;

 public:
  Pkcs11Vault vault;
  PosixClock clock;
  X509Verifier verifier;
  fakes::BackendHalf backend;
  MemoryStorage storage{{4096, 16, 4}};
  StateStore state{storage};
  TimeKeeper time{clock, verifier, state, UtcTime{fakes::BackendHalf::kNowMs - 100 * kMsPerDay}};
  VehicleIdentity identity;
  Blob workspace = Blob(kPrekeyBundleMax);
  PrekeyStore prekeys{state, time, identity, mutable_view(workspace)};
  PrekeyClient client{vault, identity, time, prekeys};
  StoredOpenings openings{state, prekeys};
  Session session{vault, clock, openings, identity};
  Blob opening = Blob(kSessionOpenBytesMax);
};

}  // namespace wayseal::bench

#endif
