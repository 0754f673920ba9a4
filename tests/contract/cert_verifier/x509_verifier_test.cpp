// SPDX-License-Identifier: Apache-2.0
#include "wayseal/mbedtls/x509_verifier.hpp"

#include <algorithm>

#include "contract/cert_verifier/cert_verifier_contract.hpp"

using namespace wayseal;

namespace {

struct X509VerifierMaker {
  using Port = X509Verifier;
  static void set_root(Port& port, Bytes root) { REQUIRE(port.set_root(root) == Status::kOk); }
};

}  // namespace

WAYSEAL_CERT_VERIFIER_CONTRACT(X509VerifierMaker)

TEST_CASE("a root that is no P-256 authority is not taken") {
  X509Verifier verifier;
  const auto root = [](fakes::TestKeyKind kind) {
    return fakes::make_root(fakes::root_spec("r"), fakes::make_key(kind)).der;
  };
  CHECK(verifier.set_root(fakes::bytes_of(root(fakes::TestKeyKind::kP384))) == Status::kUnsupported);
  CHECK(verifier.set_root(fakes::bytes_of(root(fakes::TestKeyKind::kRsa2048))) == Status::kUnsupported);
  const fakes::Der leaf = fakes::make_root(fakes::role_leaf_spec(Role::kTime, "x")).der;
  CHECK(verifier.set_root(fakes::bytes_of(leaf)) == Status::kUnsupported);
  fakes::Der good = root(fakes::TestKeyKind::kP256);
  CHECK(verifier.set_root(fakes::bytes_of(good)) == Status::kOk);
  good.push_back(0);
  CHECK(verifier.set_root(fakes::bytes_of(good)) == Status::kMalformed);
  CHECK(verifier.set_root({}) == Status::kMalformed);
}
