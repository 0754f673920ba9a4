// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/identity_store.hpp"

namespace wayseal {

Status IdentityStore::write_chain(IdentityKey key, IdentitySlot slot, Bytes leaf, Bytes intermediate) {
  if (leaf.empty() || leaf.size() > kCertificateMax || intermediate.size() > kCertificateMax) {
    return Status::kInvalidArgument;
  }
  return do_write_chain(key, slot, leaf, intermediate);
}

}  // namespace wayseal
