// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_identity_store.hpp"

#include <algorithm>

namespace wayseal::fakes {

Status FakeIdentityStore::do_erase(IdentityKey key, IdentitySlot slot) {
  if (always != Status::kOk) return always;
  IdentityPlace& place = medium_.at(key, slot);
  if (place.key) {
    if (!writes()) return Status::kTokenLost;
    place.key.reset();
  }
  for (std::vector<uint8_t>* certificate : {&place.leaf, &place.intermediate}) {
    if (certificate->empty()) continue;
    if (!writes()) return Status::kTokenLost;
    certificate->clear();
  }
  return Status::kOk;
}

Status FakeIdentityStore::do_make_key(IdentityKey key, IdentitySlot slot, EcPoint& point) {
  const Status erased = do_erase(key, slot);
  if (erased != Status::kOk) return erased;
  if (!writes()) return Status::kTokenLost;
  medium_.at(key, slot).key = random_scalar();
  point = public_point(*medium_.at(key, slot).key);
  return Status::kOk;
}

Status FakeIdentityStore::do_sign(IdentityKey key, IdentitySlot slot, const Digest& digest,
                                  EcSignature& signature) {
  if (always != Status::kOk) return always;
  const IdentityPlace& place = medium_.at(key, slot);
  if (!place.key) return Status::kNotFound;
  signature = ecdsa_sign(*place.key, digest);
  return Status::kOk;
}

Status FakeIdentityStore::do_public_key(IdentityKey key, IdentitySlot slot, EcPoint& point) {
  if (always != Status::kOk) return always;
  const IdentityPlace& place = medium_.at(key, slot);
  if (!place.key) return Status::kNotFound;
  point = public_point(*place.key);
  return Status::kOk;
}

Status FakeIdentityStore::do_write_chain(IdentityKey key, IdentitySlot slot, Bytes leaf, Bytes intermediate) {
  if (always != Status::kOk) return always;
  IdentityPlace& place = medium_.at(key, slot);
  if (!writes()) return Status::kTokenLost;
  place.leaf.clear();
  if (!writes()) return Status::kTokenLost;
  place.intermediate.assign(intermediate.begin(), intermediate.end());
  if (!writes()) return Status::kTokenLost;
  place.leaf.assign(leaf.begin(), leaf.end());
  return Status::kOk;
}

Result<size_t> FakeIdentityStore::do_read_certificate(IdentityKey key, IdentitySlot slot, IdentityPart part,
                                                      MutableBytes out) {
  if (always != Status::kOk) return always;
  const IdentityPlace& place = medium_.at(key, slot);
  const std::vector<uint8_t>& der = part == IdentityPart::kLeaf ? place.leaf : place.intermediate;
  if (der.empty()) return Status::kNotFound;
  if (der.size() > out.size()) return Status::kBufferTooSmall;
  std::copy(der.begin(), der.end(), out.begin());
  return der.size();
}

Status FakeIdentityStore::do_use(IdentityKey key, IdentitySlot slot) {
  if (always != Status::kOk) return always;
  if (!medium_.at(key, slot).whole()) return Status::kNotFound;
  used_[static_cast<size_t>(key)] = slot;
  return Status::kOk;
}

}  // namespace wayseal::fakes
