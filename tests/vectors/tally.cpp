// SPDX-License-Identifier: Apache-2.0
#include "tally.hpp"

#include <iostream>

namespace wayseal::vectors {

void Tally::fail(const std::string& which, const std::string& why) {
  static constexpr size_t kShown = 20;
  if (++failed_ <= kShown) std::cout << "FAIL " << name_ << ' ' << which << ": " << why << '\n';
  if (failed_ == kShown) std::cout << "     (further failures of " << name_ << " are only counted)\n";
}

size_t Tally::skipped() const {
  size_t sum = 0;
  for (const auto& [why, count] : skipped_) sum += count;
  return sum;
}

void Tally::print() const {
  std::cout << name_ << ": " << passed_ << " passed, " << failed_ << " failed, " << skipped() << " skipped";
  for (const auto& [why, count] : skipped_) std::cout << "\n  skipped " << count << ": " << why;
  std::cout << std::endl;
}

void Tally::add(const Tally& other) {
  passed_ += other.passed_;
  failed_ += other.failed_;
  for (const auto& [why, count] : other.skipped_) skipped_[why] += count;
}

}  // namespace wayseal::vectors
