// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/time_keeper.hpp"

#include "session.pb.h"
#include "trust/wire.hpp"

namespace wayseal {
namespace {

constexpr size_t kStoredSize = 8;
// A statement beyond the year 2200 is a mistake of its signer; refusing it keeps every sum below far from
// overflow.
constexpr int64_t kLatestUtcMs = 7258118400000;

}  // namespace

Status TimeKeeper::load() {
  uint8_t bytes[kStoredSize];
  const Result<size_t> size = state_.get(StateItem::kTimeFloor, bytes);
  if (size.status() == Status::kNotFound) return Status::kOk;
  if (!size.ok()) return size.status();
  if (size.value() != kStoredSize) return Status::kStorageFailed;
  stored_ = {static_cast<int64_t>(load_be64(bytes))};
  if (floor_ < stored_) floor_ = stored_;
  return Status::kOk;
}

bool TimeKeeper::trusted() const { return known_ && reference_.continuity == clock_.continuity(); }

Result<UtcTime> TimeKeeper::now() const {
  if (!trusted()) return Status::kBadState;
  return UtcTime{reference_utc_.ms + ms_between(reference_.at, clock_.now())};
}

UtcTime TimeKeeper::not_before() const {
  const Result<UtcTime> utc = now();
  return utc.ok() && floor_ < utc.value() ? utc.value() : floor_;
}

Result<int64_t> TimeKeeper::utc_offset_us() const {
  if (!trusted()) return Status::kBadState;
  return reference_utc_.ms * 1000 - reference_.at.ns / kNsPerUs;
}

CertificateDates TimeKeeper::dates() const {
  const Result<UtcTime> utc = now();
  if (!utc.ok()) return {};
  return {CertificateDates::Check::kAgainst, utc.value()};
}

Status TimeKeeper::verify(const SignedMessage& message, SignedLabel label, Role role, CertInfo& info) const {
  CertInfo signer;
  WAYSEAL_TRY(verify_signed(message, label, role, verifier_, dates(), signer));
  if (signer.not_after < not_before()) return Status::kStale;
  info = signer;
  return Status::kOk;
}

Status TimeKeeper::take(Bytes message, const Challenge& challenge, const Moment& begun) {
  SignedMessage parts;
  WAYSEAL_TRY(split_signed(SignedLabel::kTime, message, parts));
  CertInfo signer;
  // Dates come later: they are judged against the very time that is inside.
  WAYSEAL_TRY(verify_signed(parts, SignedLabel::kTime, Role::kTime, verifier_, CertificateDates{}, signer));
  wayseal_v1_TimeStatement statement = {};
  WAYSEAL_TRY(wire::decode(parts.body, wayseal_v1_TimeStatement_fields, &statement));
  if (!equal_constant_time(Bytes{statement.challenge}, challenge.bytes())) return Status::kNotAuthentic;

  const Moment received = moment();
  if (received.continuity != begun.continuity) return Status::kStale;
  const int64_t round_trip_ns = received.at.ns - begun.at.ns;
  if (round_trip_ns < 0 || round_trip_ns > kTimeRoundTripMaxMs * kNsPerMs) return Status::kTimeout;
  WAYSEAL_TRY(check(statement.utc_ms, parts, signer));
  WAYSEAL_TRY(raise_floor({statement.utc_ms}));
  reference_utc_ = {statement.utc_ms};
  reference_ = {{begun.at.ns + round_trip_ns / 2}, received.continuity};
  known_ = true;
  return Status::kOk;
}

Status TimeKeeper::check(int64_t utc_ms, const SignedMessage& message, const CertInfo& signer) const {
  if (utc_ms < floor_.ms || utc_ms > kLatestUtcMs) return Status::kStale;
  if (signer.not_after.ms - signer.not_before.ms > kTimeSignerValidityMaxMs) return Status::kStale;
  CertInfo again;
  return verifier_.verify(message.chain, Role::kTime, {CertificateDates::Check::kAgainst, {utc_ms}}, again);
}

Status TimeKeeper::keep_floor() {
  const Result<UtcTime> utc = now();
  return utc.ok() ? raise_floor(utc.value()) : Status::kOk;
}

Status TimeKeeper::raise_floor(UtcTime to) {
  if (to <= stored_) return Status::kOk;
  uint8_t bytes[kStoredSize];
  store_be64(bytes, static_cast<uint64_t>(to.ms));
  WAYSEAL_TRY(state_.put(StateItem::kTimeFloor, bytes));
  stored_ = to;
  if (floor_ < to) floor_ = to;
  return Status::kOk;
}

}  // namespace wayseal
