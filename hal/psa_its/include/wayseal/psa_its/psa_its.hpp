// SPDX-License-Identifier: Apache-2.0
/// \file
/// Internal Trusted Storage of the PSA Secure Storage API 1.0 over a Storage, for devices where no TF-M brings one.
#ifndef WAYSEAL_PSA_ITS_PSA_ITS_HPP
#define WAYSEAL_PSA_ITS_PSA_ITS_HPP

#include <psa/internal_trusted_storage.h>

#include "wayseal/state/state_store.hpp"

namespace wayseal {

/// The largest value in bytes: a certificate, or a key with what mbedTLS writes before it.
inline constexpr size_t kItsValueMax = kCertificateMax + 64;
/// Values at a time: two identity keys, six certificates and roots, and some that mbedTLS makes besides.
inline constexpr size_t kItsEntriesMax = kStateItemsMax - 1;

/// psa_its_set, _get, _get_info and _remove for this program. PSA's calls have no context, so one PsaIts at a time
/// serves them: the one that was mounted last, until its end. Without one they fail with PSA_ERROR_STORAGE_FAILURE.
///
/// A value is old or new after a power cut at any instant, and one that was written once stays: the StateStore below sees
/// to the first, this class to the second. It does not encrypt, authenticate or hide: whoever reads the medium has the
/// keys, whoever writes it can put others there, or older ones. Use it on flash inside the chip, with
/// the debug port and read-out locked; where the platform has an ITS of its own, use that.
/// A removed or replaced key stays readable on the medium until its half is compacted.
///
/// Each value takes a StateItem of a StateStore of its own, which begins with the uid (8 bytes, little-endian) and
/// the flags (4 bytes). The area has no other user.
///
/// Threads: one at a time. Blocking: as long as the medium takes. Memory: kItsValueMax and 0.6 KiB; no heap.
class PsaIts {
 public:
  /// \param storage outlives this object and has no other user. For its size see StateStore.
  explicit PsaIts(Storage& storage) : store_(storage) {}
  ~PsaIts();
  PsaIts(const PsaIts&) = delete;
  PsaIts& operator=(const PsaIts&) = delete;

  /// Finds what is stored (a blank medium is formatted), and serves PSA from then on. Before psa_crypto_init.
  /// \return kOk; as StateStore::mount; kMalformed also when a value is none of ours.
  Status mount();

 private:
  friend struct PsaItsCalls;  // psa_its_*

  struct Entry {
    psa_storage_uid_t uid = 0;  // 0: free
    uint32_t size = 0;
    psa_storage_create_flags_t flags = 0;
  };

  psa_status_t set(psa_storage_uid_t uid, Bytes value, psa_storage_create_flags_t flags);
  psa_status_t get(psa_storage_uid_t uid, size_t offset, MutableBytes out, size_t& size);
  psa_status_t info(psa_storage_uid_t uid, psa_storage_info_t& info) const;
  psa_status_t remove(psa_storage_uid_t uid);
  size_t find(psa_storage_uid_t uid) const;
  Status load(size_t index);

  StateStore store_;
  bool mounted_ = false;
  Entry entries_[kItsEntriesMax];
  uint8_t room_[12 + kItsValueMax];  // A value on its way; wiped after each use.
};

}  // namespace wayseal

#endif
