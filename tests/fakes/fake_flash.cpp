// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_flash.hpp"

#include <algorithm>
#include <utility>

namespace wayseal::test {

FakeFlash::FakeFlash(StorageGeometry geometry, uint64_t seed)
    : geometry_(geometry), image_(geometry.size(), 0xFF), wear_(geometry.block_count, 0), random_(seed) {}

void FakeFlash::set_image(std::vector<uint8_t> image) {
  image_ = std::move(image);
  unsynced_.clear();
}

void FakeFlash::fill(uint8_t byte) { set_image(std::vector<uint8_t>(image_.size(), byte)); }

void FakeFlash::power_on() {
  powered_ = true;
  cut_at_ = 0;
  unsynced_.clear();
}

void FakeFlash::fail_write_at(uint64_t n, Status status) {
  fail_at_ = writes_ + n;
  fail_status_ = status;
  fail_whole_ = false;
}

void FakeFlash::fail_read_at(uint64_t n, Status status) {
  fail_read_at_ = reads_ + n;
  fail_read_status_ = status;
}

Status FakeFlash::do_read(uint64_t offset, MutableBytes out) {
  if (on_call) on_call();
  ++reads_;
  if (!powered_) return Status::kStorageFailed;
  if (reads_ == fail_read_at_) return fail_read_status_;
  if (offset < unreadable_to_ && offset + out.size() > unreadable_from_) return Status::kStorageFailed;
  std::copy_n(image_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return Status::kOk;
}

// Counts the operation and lets it fail or die when that was asked for.
Status FakeFlash::begin(Operation&& operation) {
  if (!powered_) return Status::kStorageFailed;
  current_ = std::move(operation);
  const uint64_t offset = current_->offset;
  current_->before.assign(image_.begin() + static_cast<std::ptrdiff_t>(offset),
                          image_.begin() + static_cast<std::ptrdiff_t>(offset + current_->data.size()));
  if (before_write) before_write();
  ++writes_;
  if (writes_ == cut_at_) {
    lose_power(cut_mode_, &*current_);
    return Status::kStorageFailed;
  }
  if (fail_all_) return *fail_all_;
  if (writes_ != fail_at_) return Status::kOk;
  if (fail_whole_) {
    apply(*current_);
  } else if (current_->kind != Kind::kSync && random_() % 2 == 0) {
    tear(*current_, image_, random_);
    unsynced_.push_back(*current_);
  }
  return fail_status_;
}

void FakeFlash::apply(const Operation& operation) {
  std::copy(operation.data.begin(), operation.data.end(),
            image_.begin() + static_cast<std::ptrdiff_t>(operation.offset));
  unsynced_.push_back(operation);
}

Status FakeFlash::do_program(uint64_t offset, Bytes data) {
  if (on_call) on_call();
  Operation operation{Kind::kProgram, offset, {data.begin(), data.end()}, {}};
  for (size_t i = 0; i < data.size(); ++i) {
    if (image_[offset + i] == 0xFF) continue;
    ++violations_;
    operation.data[i] = static_cast<uint8_t>(operation.data[i] & image_[offset + i]);
  }
  const Status status = begin(std::move(operation));
  if (status != Status::kOk) return status;
  ++programs_;
  programmed_bytes_ += data.size();
  apply(*current_);
  return Status::kOk;
}

Status FakeFlash::do_erase(uint32_t block) {
  if (on_call) on_call();
  const Status status = begin({Kind::kErase,
                               static_cast<uint64_t>(block) * geometry_.block_size,
                               std::vector<uint8_t>(geometry_.block_size, 0xFF),
                               {}});
  if (status != Status::kOk) return status;
  ++erases_;
  ++wear_[block];
  apply(*current_);
  return Status::kOk;
}

Status FakeFlash::do_sync() {
  if (on_call) on_call();
  const Status status = begin({});
  if (status != Status::kOk) return status;
  ++syncs_;
  unsynced_.clear();
  return Status::kOk;
}

// An operation that was cut: up to some byte, at some bytes, at some bits, or as noise.
void FakeFlash::tear(const Operation& operation, std::vector<uint8_t>& image, std::mt19937_64& random) {
  const uint64_t way = random() % 4;
  const size_t size = operation.data.size();
  const size_t prefix = size == 0 ? 0 : random() % (size + 1);
  for (size_t i = 0; i < size; ++i) {
    uint8_t& byte = image[operation.offset + i];
    const uint8_t target = operation.data[i];
    if (way == 0) {
      if (i < prefix) byte = target;
    } else if (way == 1) {
      if (random() % 2 == 0) byte = target;
    } else if (way == 2) {
      const uint8_t bits = static_cast<uint8_t>(random());
      byte = static_cast<uint8_t>((byte & ~bits) | (target & bits));
    } else if (i < prefix) {
      byte = random() % 8 == 0 ? static_cast<uint8_t>(random()) : target;
    }
  }
}

std::vector<uint8_t> FakeFlash::survive(CutMode mode, const Operation* torn, std::mt19937_64& random) const {
  std::vector<uint8_t> image = image_;
  if (mode == CutMode::kLoseUnsynced) {
    for (auto it = unsynced_.rbegin(); it != unsynced_.rend(); ++it) {
      std::copy(it->before.begin(), it->before.end(), image.begin() + static_cast<std::ptrdiff_t>(it->offset));
    }
    const uint64_t keep = random() % 4;  // a quarter each: none, few, most, all
    for (const Operation& operation : unsynced_) {
      const uint64_t dice = random() % 8;
      if (dice < (keep == 0 ? 0U : keep == 1 ? 2U : keep == 2 ? 6U : 8U)) {
        std::copy(operation.data.begin(), operation.data.end(),
                  image.begin() + static_cast<std::ptrdiff_t>(operation.offset));
      } else if (random() % 4 == 0) {
        tear(operation, image, random);
      }
    }
  }
  if (torn != nullptr && mode != CutMode::kClean) tear(*torn, image, random);
  return image;
}

void FakeFlash::lose_power(CutMode mode, const Operation* torn) {
  image_ = survive(mode, torn, random_);
  unsynced_.clear();
  powered_ = false;
}

std::vector<uint8_t> FakeFlash::image_after_cut(CutMode mode, uint64_t seed) const {
  std::mt19937_64 random(seed);
  return survive(mode, current_ ? &*current_ : nullptr, random);
}

}  // namespace wayseal::test
