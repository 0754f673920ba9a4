// SPDX-License-Identifier: Apache-2.0
// Which place of each key is in use, and whether it is on trial: five bytes in the StateStore, replaced in one write.
#include "wayseal/enrol/enrolment.hpp"
#include "wayseal/trust/vehicle_identity.hpp"

namespace wayseal {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kSize = 5;  // version; for each key: slot, trial

bool is_flag(uint8_t value) { return value <= 1; }

}  // namespace

Status Enrolment::load(StateStore& state) {
  uint8_t value[kSize] = {};
  const Result<size_t> size = state.get(StateItem::kIdentityPlaces, value);
  for (Place& place : places_) place = {};
  if (size.status() == Status::kNotFound) return Status::kOk;
  if (!size.ok()) return size.status();
  if (size.value() != kSize || value[0] != kVersion) return Status::kMalformed;
  for (size_t i = 0; i < kKeys; ++i) {
    if (!is_flag(value[1 + 2 * i]) || !is_flag(value[2 + 2 * i])) return Status::kMalformed;
    places_[i] = {static_cast<IdentitySlot>(value[1 + 2 * i]), value[2 + 2 * i] == 1};
  }
  return Status::kOk;
}

Status Enrolment::save(IdentityKey key, Place place) {
  Place after[kKeys] = {places_[0], places_[1]};
  after[index(key)] = place;
  uint8_t value[kSize] = {kVersion};
  for (size_t i = 0; i < kKeys; ++i) {
    value[1 + 2 * i] = static_cast<uint8_t>(after[i].slot);
    value[2 + 2 * i] = after[i].trial ? 1 : 0;
  }
  WAYSEAL_TRY(state_->put(StateItem::kIdentityPlaces, value));
  places_[index(key)] = place;
  return Status::kOk;
}

Status Enrolment::restore(StateStore& state) {
  abandon();
  state_ = nullptr;
  Status status = load(state);
  if (status == Status::kMalformed) status = Status::kOk;  // rotten: what the token holds decides
  WAYSEAL_TRY(status);
  state_ = &state;
  for (const IdentityKey key : kAllKeys) {
    const Status settled = settle(key);
    if (settled == Status::kNotFound) status = settled;
    if (settled != Status::kOk && settled != Status::kNotFound) {
      state_ = nullptr;
      return settled;
    }
  }
  return status;
}

Status Enrolment::settle(IdentityKey key) {
  const Place place = places_[index(key)];
  const Status used = parts_.identities.use(key, place.slot);
  if (used == Status::kOk) {
    // A replacement that was cut, or a former identity that outlived its successor's confirmation.
    return place.trial ? Status::kOk : parts_.identities.erase(key, other_slot(place.slot));
  }
  if (used != Status::kNotFound) return used;
  WAYSEAL_TRY(parts_.identities.use(key, other_slot(place.slot)));
  return save(key, {other_slot(place.slot), false});
}

Status Enrolment::confirm(IdentityKey key) {
  const Place place = places_[index(key)];
  if (state_ == nullptr || !place.trial) return Status::kBadState;
  WAYSEAL_TRY(save(key, {place.slot, false}));
  return parts_.identities.erase(key, other_slot(place.slot));
}

Status Enrolment::roll_back(IdentityKey key) {
  const Place place = places_[index(key)];
  if (state_ == nullptr || !place.trial) return Status::kBadState;
  WAYSEAL_TRY(save(key, {other_slot(place.slot), false}));
  WAYSEAL_TRY(parts_.identities.use(key, other_slot(place.slot)));
  parts_.line.changed(key);
  return parts_.identities.erase(key, place.slot);
}

Status Enrolment::not_after(IdentityKey key, UtcTime& out) {
  uint8_t leaf[kCertificateMax];
  const Result<size_t> size =
      parts_.identities.read_certificate(key, places_[index(key)].slot, IdentityPart::kLeaf, leaf);
  if (!size.ok()) return size.status();
  CertificateFields fields;
  WAYSEAL_TRY(read_certificate_fields(Bytes(leaf).first(size.value()), fields));
  out = fields.not_after;
  return Status::kOk;
}

}  // namespace wayseal
