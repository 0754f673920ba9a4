// SPDX-License-Identifier: Apache-2.0
#include "wayseal/template/my_vault.hpp"

namespace wayseal {

// FILL IN: suites whose whole derivation and sealing was seen to work, tried once when the token is opened.
VaultCapabilities MyVault::do_capabilities() const { return {}; }

// FILL IN: grows whenever session keys are lost.
uint32_t MyVault::do_epoch() const { return 0; }

// FILL IN: one log-in, never repeated after a wrong PIN (kDenied).
Status MyVault::do_reopen() { return Status::kTokenLost; }

// FILL IN: from the token's generator, or the chip's.
Status MyVault::do_random(MutableBytes /*out*/) { return Status::kTokenLost; }

// FILL IN: ECDSA P-256 over the digest as it is given.
Status MyVault::do_sign(IdentityKey /*key*/, const Digest& /*digest*/, EcSignature& /*signature*/) {
  return Status::kTokenLost;
}

Status MyVault::do_public_key(IdentityKey /*key*/, EcPoint& /*point*/) { return Status::kTokenLost; }

// FILL IN: what provisioning wrote; kNotFound, kBufferTooSmall.
Result<size_t> MyVault::do_read_object(VaultObject /*object*/, MutableBytes /*out*/) {
  return Status::kNotFound;
}

// FILL IN: a fresh pair; the former one is destroyed.
Status MyVault::do_make_ephemeral(EphemeralKey& /*key*/, EcPoint& /*point*/) { return Status::kTokenLost; }

// FILL IN: PROTOCOL.md, "Keys". A peer that is no point of the curve is kNotAuthentic.
Status MyVault::do_derive(EphemeralKey /*key*/, Suite /*suite*/, const EcPoint& /*peer*/,
                          const Digest& /*transcript*/, SessionKeys& /*keys*/) {
  return Status::kUnsupported;
}

// FILL IN: AES-256-GCM under the nonce that is given: ciphertext, then the tag.
Status MyVault::do_seal(SessionKey /*key*/, const Nonce& /*nonce*/, Bytes /*aad*/, Bytes /*plaintext*/,
                        MutableBytes /*out*/) {
  return Status::kTokenLost;
}

// FILL IN: zeros unless kOk; kNotAuthentic.
Status MyVault::do_open(SessionKey /*key*/, const Nonce& /*nonce*/, Bytes /*aad*/, Bytes /*ciphertext*/,
                        MutableBytes /*out*/) {
  return Status::kTokenLost;
}

void MyVault::do_destroy(const SessionKeys& /*keys*/) {}

}  // namespace wayseal
