// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/prekey_store.hpp"

#include "session.pb.h"
#include "trust/wire.hpp"

namespace wayseal {
namespace {

constexpr uint32_t kBundleVersion = 1;
constexpr size_t kMarkSize = 8;

SuiteSet suites_of(const wayseal_v1_Prekey& prekey) { return {static_cast<uint8_t>(prekey.suites)}; }

EcPoint point_of(const wayseal_v1_Prekey& prekey) {
  EcPoint point;
  std::memcpy(point.data, prekey.point, EcPoint::kSize);
  return point;
}

// For looking without taking: whoever takes says which suites it can use.
constexpr SuiteSet kEverySuite{0xFF};

}  // namespace

/// Goes through an authentic bundle once, prekey by prekey, so that it never has to lie in memory decoded.
class PrekeyStore::Scan {
 public:
  enum class Depth : uint8_t { kWhole, kTrusted };  ///< kTrusted: the points were checked when it was stored.

  Scan(const TimeKeeper& time, SuiteSet usable, Depth depth) : time_(time), usable_(usable), depth_(depth) {}

  Status run(Bytes body, const VehicleId& vehicle) {
    fields_.one_time.funcs.decode = visit_one_time;
    fields_.one_time.arg = this;
    fields_.last_resort.funcs.decode = visit_last_resort;
    fields_.last_resort.arg = this;
    const Status status = wire::decode(body, wayseal_v1_PrekeyBundle_fields, &fields_);
    if (verdict_ != Status::kOk) return verdict_;
    if (status != Status::kOk) return status;
    if (fields_.version != kBundleVersion) return Status::kUnsupported;
    if (!wire::same_text(fields_.vehicle_id, vehicle)) return Status::kNotAuthentic;
    return last_resorts_ == 1 ? Status::kOk : Status::kMalformed;
  }

  Bytes challenge() const { return Bytes{fields_.challenge}; }
  PrekeyCounts counts() const { return counts_; }
  bool has(uint64_t id) const {
    for (size_t i = 0; i < id_count_; ++i) {
      if (ids_[i] == id) return true;
    }
    return false;
  }
  bool used(uint64_t id) const {
    for (size_t i = 0; i < mark_count_; ++i) {
      if (marks_[i] == id) return true;
    }
    return false;
  }
  void add_mark(uint64_t id) {
    if (mark_count_ < kPrekeysMax) marks_[mark_count_++] = id;
  }
  size_t mark_count() const { return mark_count_; }
  uint64_t mark(size_t index) const { return marks_[index]; }

  /// The chosen prekey: one-time before last resort.
  const wayseal_v1_Prekey* choice() const {
    if (chosen_.id != 0) return &chosen_;
    return last_resort_.id != 0 ? &last_resort_ : nullptr;
  }
  bool chose_last_resort() const { return chosen_.id == 0; }

 private:
  static bool visit_one_time(pb_istream_t* stream, const pb_field_t* /*field*/, void** arg) {
    return static_cast<Scan*>(*arg)->one_time(stream);
  }
  static bool visit_last_resort(pb_istream_t* stream, const pb_field_t* /*field*/, void** arg) {
    return static_cast<Scan*>(*arg)->last_resort(stream);
  }

  bool one_time(pb_istream_t* stream) {
    wayseal_v1_Prekey prekey = {};
    if (!take_in(stream, prekey)) return false;
    if (!living(prekey) || used(prekey.id)) return true;
    ++counts_.one_time;
    if (chosen_.id == 0 && !(suites_of(prekey) & usable_).empty()) chosen_ = prekey;
    return true;
  }

  bool last_resort(pb_istream_t* stream) {
    wayseal_v1_Prekey prekey = {};
    if (++last_resorts_ > 1 || !take_in(stream, prekey)) return false;
    if (!living(prekey)) return true;
    counts_.last_resort = true;
    if (!(suites_of(prekey) & usable_).empty()) last_resort_ = prekey;
    return true;
  }

  bool living(const wayseal_v1_Prekey& prekey) const { return time_.not_before().ms < prekey.expires_ms; }

  // Decodes one prekey and checks what must hold for every one.
  bool take_in(pb_istream_t* stream, wayseal_v1_Prekey& prekey) {
    if (!pb_decode_noinit(stream, wayseal_v1_Prekey_fields, &prekey)) return false;
    if (prekey.id == 0 || prekey.suites == 0 || has(prekey.id) || id_count_ > kPrekeysMax) return false;
    ids_[id_count_++] = prekey.id;
    if (depth_ == Depth::kWhole) verdict_ = check_point(point_of(prekey));
    return verdict_ == Status::kOk;
  }

  const TimeKeeper& time_;
  SuiteSet usable_;
  Depth depth_;
  Status verdict_ = Status::kOk;
  PrekeyCounts counts_;
  wayseal_v1_PrekeyBundle fields_ = {};
  wayseal_v1_Prekey chosen_ = {};
  wayseal_v1_Prekey last_resort_ = {};
  uint64_t ids_[kPrekeysMax + 1] = {};
  size_t id_count_ = 0;
  size_t last_resorts_ = 0;
  uint64_t marks_[kPrekeysMax] = {};
  size_t mark_count_ = 0;
};

Status PrekeyStore::load() {
  counts_ = {};
  SignedMessage message;
  Status status = read(message);
  Scan scan(time_, kEverySuite, Scan::Depth::kTrusted);
  if (status == Status::kOk) status = read_marks(scan);
  if (status == Status::kOk) status = scan.run(message.body, identity_.id());
  if (status == Status::kOk) counts_ = scan.counts();
  // What is not there or no longer valid is fetched anew; only what fetching cannot mend is a failure.
  return next_step(status) == NextStep::kDropInput ? Status::kOk : status;
}

Status PrekeyStore::store(Bytes message, const Challenge& challenge) {
  if (message.size() > kPrekeyBundleMax) return Status::kMalformed;
  SignedMessage parts;
  WAYSEAL_TRY(split_signed(SignedLabel::kPrekeys, message, parts));
  CertInfo signer;
  WAYSEAL_TRY(time_.verify(parts, SignedLabel::kPrekeys, Role::kPrekey, signer));
  Scan scan(time_, kEverySuite, Scan::Depth::kWhole);
  WAYSEAL_TRY(read_marks(scan));
  WAYSEAL_TRY(scan.run(parts.body, identity_.id()));
  if (!equal_constant_time(scan.challenge(), challenge.bytes())) return Status::kNotAuthentic;
  if (!scan.counts().last_resort) return Status::kStale;
  // The marks stay as they are: take() drops those of prekeys that are no longer in the bundle, in one write.
  WAYSEAL_TRY(state_.put(StateItem::kPrekeyBundle, message));
  counts_ = scan.counts();
  ++bundles_stored_;
  return Status::kOk;
}

Status PrekeyStore::take(SuiteSet usable, TakenPrekey& out) {
  SignedMessage message;
  WAYSEAL_TRY(read(message));
  Scan scan(time_, usable, Scan::Depth::kTrusted);
  WAYSEAL_TRY(read_marks(scan));
  WAYSEAL_TRY(scan.run(message.body, identity_.id()));
  counts_ = scan.counts();
  const wayseal_v1_Prekey* choice = scan.choice();
  if (choice == nullptr) return Status::kNotFound;

  TakenPrekey taken;
  taken.id = choice->id;
  taken.point = point_of(*choice);
  taken.suites = suites_of(*choice) & usable;
  taken.last_resort = scan.chose_last_resort();
  WAYSEAL_TRY(sha256(message.body, taken.bundle_digest));
  WAYSEAL_TRY(sha256(message.chain.certificates[0], taken.certificate_digest));
  if (!taken.last_resort) {
    WAYSEAL_TRY(mark(scan, taken.id));
    --counts_.one_time;
  }
  out = taken;
  return Status::kOk;
}

// Reads what is stored and verifies it again: the storage is not trusted, and certificates end.
Status PrekeyStore::read(SignedMessage& message) {
  if (workspace_.size() < kPrekeyBundleMax) return Status::kBufferTooSmall;
  const Result<size_t> size = state_.get(StateItem::kPrekeyBundle, workspace_);
  if (!size.ok()) return size.status();
  WAYSEAL_TRY(split_signed(SignedLabel::kPrekeys, workspace_.first(size.value()), message));
  CertInfo signer;
  return time_.verify(message, SignedLabel::kPrekeys, Role::kPrekey, signer);
}

// Stored as u64 ids, big-endian. They are our own notes and guarded by the store's checksum; a forged note
// could only hide or repeat a prekey, which the backend notices.
Status PrekeyStore::read_marks(Scan& scan) {
  uint8_t marks[kPrekeysMax * kMarkSize];
  const Result<size_t> size = state_.get(StateItem::kPrekeyUse, marks);
  if (size.status() == Status::kNotFound) return Status::kOk;
  if (!size.ok()) return size.status();
  for (size_t offset = 0; offset + kMarkSize <= size.value(); offset += kMarkSize) {
    scan.add_mark(load_be64(marks + offset));
  }
  return Status::kOk;
}

Status PrekeyStore::mark(const Scan& scan, uint64_t id) {
  uint8_t marks[kPrekeysMax * kMarkSize];
  size_t size = 0;
  for (size_t i = 0; i < scan.mark_count(); ++i) {
    if (!scan.has(scan.mark(i)) || size + kMarkSize >= sizeof marks) continue;
    store_be64(marks + size, scan.mark(i));
    size += kMarkSize;
  }
  store_be64(marks + size, id);
  return state_.put(StateItem::kPrekeyUse, Bytes{marks, size + kMarkSize});
}

}  // namespace wayseal
