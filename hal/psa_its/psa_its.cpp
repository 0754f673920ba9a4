// SPDX-License-Identifier: Apache-2.0
#include "wayseal/psa_its/psa_its.hpp"

namespace wayseal {
namespace {

// Forced by PSA: its calls have no context.
PsaIts* serving = nullptr;

constexpr size_t kHeader = 12;
static_assert(kHeader + kItsValueMax <= kStateValueMax, "the state store takes the largest value");

StateItem item_of(size_t index) { return static_cast<StateItem>(index + 1); }

psa_status_t psa_status_of(Status status) {
  switch (status) {
    case Status::kOk: return PSA_SUCCESS;
    case Status::kFull: return PSA_ERROR_INSUFFICIENT_STORAGE;
    case Status::kMalformed: return PSA_ERROR_DATA_CORRUPT;
    default: return PSA_ERROR_STORAGE_FAILURE;
  }
}

}  // namespace

PsaIts::~PsaIts() {
  if (serving == this) serving = nullptr;
}

Status PsaIts::mount() {
  mounted_ = false;
  WAYSEAL_TRY(store_.mount());
  for (size_t index = 0; index < kItsEntriesMax; ++index) WAYSEAL_TRY(load(index));
  mounted_ = true;
  serving = this;
  return Status::kOk;
}

Status PsaIts::load(size_t index) {
  entries_[index] = {};
  const Result<size_t> got = store_.get(item_of(index), MutableBytes{room_});
  const psa_storage_uid_t uid = load_le64(room_);
  const psa_storage_create_flags_t flags = load_le32(room_ + 8);
  wipe(MutableBytes{room_});
  if (got.status() == Status::kNotFound) return Status::kOk;
  if (got.status() == Status::kBufferTooSmall) return Status::kMalformed;
  if (!got.ok()) return got.status();
  if (got.value() < kHeader || uid == 0) return Status::kMalformed;
  entries_[index] = {uid, static_cast<uint32_t>(got.value() - kHeader), flags};
  return Status::kOk;
}

// kItsEntriesMax: there is none. A uid of 0 finds a free one.
size_t PsaIts::find(psa_storage_uid_t uid) const {
  size_t index = 0;
  while (index < kItsEntriesMax && entries_[index].uid != uid) ++index;
  return index;
}

psa_status_t PsaIts::set(psa_storage_uid_t uid, Bytes value, psa_storage_create_flags_t flags) {
  constexpr psa_storage_create_flags_t kHints =
      PSA_STORAGE_FLAG_NO_CONFIDENTIALITY | PSA_STORAGE_FLAG_NO_REPLAY_PROTECTION;
  if (uid == 0) return PSA_ERROR_INVALID_ARGUMENT;
  if ((flags & ~(PSA_STORAGE_FLAG_WRITE_ONCE | kHints)) != 0) return PSA_ERROR_NOT_SUPPORTED;
  if (value.size() > kItsValueMax) return PSA_ERROR_INSUFFICIENT_STORAGE;
  size_t index = find(uid);
  if (index < kItsEntriesMax && (entries_[index].flags & PSA_STORAGE_FLAG_WRITE_ONCE) != 0) {
    return PSA_ERROR_NOT_PERMITTED;
  }
  if (index == kItsEntriesMax) index = find(0);
  if (index == kItsEntriesMax) return PSA_ERROR_INSUFFICIENT_STORAGE;
  store_le64(room_, uid);
  store_le32(room_ + 8, flags);
  if (!value.empty()) std::memcpy(room_ + kHeader, value.data(), value.size());
  const Status status = store_.put(item_of(index), Bytes{room_}.first(kHeader + value.size()));
  wipe(MutableBytes{room_});
  if (status == Status::kOk) entries_[index] = {uid, static_cast<uint32_t>(value.size()), flags};
  return psa_status_of(status);
}

psa_status_t PsaIts::get(psa_storage_uid_t uid, size_t offset, MutableBytes out, size_t& size) {
  const size_t index = uid != 0 ? find(uid) : kItsEntriesMax;
  if (index == kItsEntriesMax) return PSA_ERROR_DOES_NOT_EXIST;
  if (offset > entries_[index].size) return PSA_ERROR_INVALID_ARGUMENT;
  const Result<size_t> got = store_.get(item_of(index), MutableBytes{room_});
  psa_status_t error = psa_status_of(got.status());
  if (got.ok()) {
    const Bytes wanted = Bytes{room_}.first(got.value()).from(kHeader + offset).first(out.size());
    if (!wanted.empty()) std::memcpy(out.data(), wanted.data(), wanted.size());
    size = wanted.size();
  }
  wipe(MutableBytes{room_});
  return error;
}

psa_status_t PsaIts::info(psa_storage_uid_t uid, psa_storage_info_t& info) const {
  const size_t index = uid != 0 ? find(uid) : kItsEntriesMax;
  if (index == kItsEntriesMax) return PSA_ERROR_DOES_NOT_EXIST;
  info.capacity = entries_[index].size;
  info.size = entries_[index].size;
  info.flags = entries_[index].flags;
  return PSA_SUCCESS;
}

psa_status_t PsaIts::remove(psa_storage_uid_t uid) {
  const size_t index = uid != 0 ? find(uid) : kItsEntriesMax;
  if (index == kItsEntriesMax) return PSA_ERROR_DOES_NOT_EXIST;
  if ((entries_[index].flags & PSA_STORAGE_FLAG_WRITE_ONCE) != 0) return PSA_ERROR_NOT_PERMITTED;
  const Status status = store_.remove(item_of(index));
  if (status == Status::kOk) entries_[index] = {};
  return psa_status_of(status);
}

/// The way from PSA's functions into the object that serves them.
struct PsaItsCalls {
  static PsaIts* its() { return serving != nullptr && serving->mounted_ ? serving : nullptr; }
  static psa_status_t set(psa_storage_uid_t uid, Bytes value, psa_storage_create_flags_t flags) {
    return its() == nullptr ? PSA_ERROR_STORAGE_FAILURE : its()->set(uid, value, flags);
  }
  static psa_status_t get(psa_storage_uid_t uid, size_t offset, MutableBytes out, size_t& size) {
    return its() == nullptr ? PSA_ERROR_STORAGE_FAILURE : its()->get(uid, offset, out, size);
  }
  static psa_status_t info(psa_storage_uid_t uid, psa_storage_info_t& info) {
    return its() == nullptr ? PSA_ERROR_STORAGE_FAILURE : its()->info(uid, info);
  }
  static psa_status_t remove(psa_storage_uid_t uid) {
    return its() == nullptr ? PSA_ERROR_STORAGE_FAILURE : its()->remove(uid);
  }
};

}  // namespace wayseal

// In the object file of PsaIts, so that a program that has one never gets the functions that store nothing.
extern "C" {

psa_status_t psa_its_set(psa_storage_uid_t uid, size_t data_length, const void* p_data,
                         psa_storage_create_flags_t create_flags) {
  if (p_data == nullptr && data_length != 0) return PSA_ERROR_INVALID_ARGUMENT;
  return wayseal::PsaItsCalls::set(uid, {static_cast<const uint8_t*>(p_data), data_length}, create_flags);
}

psa_status_t psa_its_get(psa_storage_uid_t uid, size_t data_offset, size_t data_size, void* p_data,
                         size_t* p_data_length) {
  *p_data_length = 0;
  if (p_data == nullptr && data_size != 0) return PSA_ERROR_INVALID_ARGUMENT;
  return wayseal::PsaItsCalls::get(uid, data_offset, {static_cast<uint8_t*>(p_data), data_size},
                                   *p_data_length);
}

psa_status_t psa_its_get_info(psa_storage_uid_t uid, psa_storage_info_t* p_info) {
  return wayseal::PsaItsCalls::info(uid, *p_info);
}

psa_status_t psa_its_remove(psa_storage_uid_t uid) { return wayseal::PsaItsCalls::remove(uid); }

}  // extern "C"
