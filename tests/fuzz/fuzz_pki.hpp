// SPDX-License-Identifier: Apache-2.0
/// \file
/// The PKI of the certificates target: from fixed keys, so that the chains in the corpus stay good for ever.
#ifndef WAYSEAL_TESTS_FUZZ_FUZZ_PKI_HPP
#define WAYSEAL_TESTS_FUZZ_FUZZ_PKI_HPP

#include "fakes/test_pki.hpp"

namespace wayseal::fuzz {

inline fakes::Scalar fixed_scalar(uint8_t byte) {
  fakes::Scalar scalar;
  scalar.fill(byte);
  return scalar;
}

inline const fakes::Scalar kRootKey = fixed_scalar(0x11);
inline const fakes::Scalar kIntermediateKey = fixed_scalar(0x22);
inline const fakes::Scalar kLeafKey = fixed_scalar(0x33);

inline fakes::TestIdentity fuzz_root() {
  return fakes::make_root(fakes::root_spec("fuzz root"), fakes::key_from(kRootKey));
}
inline fakes::TestIdentity fuzz_intermediate(Role role) {
  return fakes::issue(fuzz_root(), fakes::role_intermediate_spec(role), fakes::key_from(kIntermediateKey));
}
inline fakes::TestIdentity fuzz_leaf(const fakes::TestIdentity& intermediate, const fakes::CertSpec& spec) {
  return fakes::issue(intermediate, spec, fakes::key_from(kLeafKey));
}

}  // namespace wayseal::fuzz

#endif
