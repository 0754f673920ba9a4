// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a session needs to be opened where only the cost of sealing matters: fixed keys, no chain, no storage. Of no use in a
/// device.
#ifndef INSTRUCTIONS_FIXED_PARTS_HPP
#define INSTRUCTIONS_FIXED_PARTS_HPP

#include <mbedtls/gcm.h>

#include <cstring>

#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/seal/opening_source.hpp"
#include "wayseal/trust/prekey_store.hpp"

namespace cost {

using wayseal::Bytes;
using wayseal::MutableBytes;
using wayseal::Result;
using wayseal::Status;

inline wayseal::EcPoint fixed_point() {
  wayseal::EcPoint point;
  std::memset(point.data, 0x11, sizeof point.data);
  point.data[0] = 4;
  return point;
}

/// Seals with one fixed key, which is set up once.
class FixedVault final : public wayseal::KeyVault {
 public:
  explicit FixedVault(mbedtls_gcm_context& gcm) : gcm_(gcm) {}
  /// Of the last seal.
  size_t aad_size() const { return aad_size_; }

 private:
  wayseal::VaultCapabilities do_capabilities() const override {
    wayseal::VaultCapabilities all;
    all.suites.add(wayseal::Suite::kP256HkdfSha256Aes256Gcm);
    return all;
  }
  uint32_t do_epoch() const override { return 1; }
  Status do_reopen() override { return Status::kOk; }
  Status do_random(MutableBytes out) override {
    std::memset(out.data(), 0x5A, out.size());
    return Status::kOk;
  }
  Status do_sign(wayseal::IdentityKey, const wayseal::Digest&, wayseal::EcSignature&) override {
    return Status::kOk;
  }
  Status do_public_key(wayseal::IdentityKey, wayseal::EcPoint& point) override {
    point = fixed_point();
    return Status::kOk;
  }
  Result<size_t> do_read_object(wayseal::VaultObject, MutableBytes out) override {
    std::memset(out.data(), 0x30, 64);
    return size_t{64};
  }
  Status do_make_ephemeral(wayseal::EphemeralKey& key, wayseal::EcPoint& point) override {
    key.handle = 1;
    point = fixed_point();
    return Status::kOk;
  }
  Status do_derive(wayseal::EphemeralKey, wayseal::Suite, const wayseal::EcPoint&, const wayseal::Digest&,
                   wayseal::SessionKeys& keys) override {
    keys.vehicle_to_backend.handle = 1;
    keys.backend_to_vehicle.handle = 2;
    return Status::kOk;
  }
  Status do_seal(wayseal::SessionKey, const wayseal::Nonce& nonce, Bytes aad, Bytes plaintext,
                 MutableBytes out) override {
    aad_size_ = aad.size();
    const int error = mbedtls_gcm_crypt_and_tag(
        &gcm_, MBEDTLS_GCM_ENCRYPT, plaintext.size(), nonce.data, sizeof nonce.data, aad.data(), aad.size(),
        plaintext.data(), out.data(), wayseal::kGcmTagSize, out.data() + plaintext.size());
    return error == 0 ? Status::kOk : Status::kTokenLost;
  }
  Status do_open(wayseal::SessionKey, const wayseal::Nonce&, Bytes, Bytes, MutableBytes) override {
    return Status::kNotAuthentic;
  }
  void do_destroy(const wayseal::SessionKeys&) override {}

  mbedtls_gcm_context& gcm_;
  size_t aad_size_ = 0;
};

class FixedVerifier final : public wayseal::CertVerifier {
  Status do_verify(const wayseal::CertChain&, wayseal::Role, wayseal::CertificateDates,
                   wayseal::CertInfo& info) override {
    info = {};
    info.public_key = fixed_point();
    std::memcpy(info.subject.text, "vehicle", 7);
    info.subject.size = 7;
    return Status::kOk;
  }
};

class FixedOpenings final : public wayseal::OpeningSource {
  Status do_next_counter(uint64_t& counter) override {
    counter = ++last_;
    return Status::kOk;
  }
  Status do_take(wayseal::SuiteSet usable, wayseal::TakenPrekey& out) override {
    out = {};
    out.id = 1;
    out.point = fixed_point();
    out.suites = usable;
    return Status::kOk;
  }
  uint64_t last_ = 0;
};

class FixedClock final : public wayseal::Clock {
  wayseal::MonotonicTime do_now() const override { return {}; }
  uint64_t do_continuity() const override { return 1; }
};

}  // namespace cost

#endif
