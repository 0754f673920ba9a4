// SPDX-License-Identifier: Apache-2.0
/// \file
/// Counting cases, and saying which ones failed.
#ifndef WAYSEAL_TESTS_VECTORS_TALLY_HPP
#define WAYSEAL_TESTS_VECTORS_TALLY_HPP

#include <cstddef>
#include <map>
#include <string>

namespace wayseal::vectors {

/// Cases of one data file, or of all of them.
class Tally {
 public:
  explicit Tally(std::string name) : name_(std::move(name)) {}

  void pass() { ++passed_; }
  /// Prints the first few failures of a file; the rest only count.
  void fail(const std::string& which, const std::string& why);
  void skip(const std::string& why, size_t count = 1) {
    if (count != 0) skipped_[why] += count;
  }

  size_t passed() const { return passed_; }
  size_t failed() const { return failed_; }
  size_t skipped() const;

  /// "name: N passed, N failed, N skipped (why)"
  void print() const;
  void add(const Tally& other);

 private:
  std::string name_;
  size_t passed_ = 0;
  size_t failed_ = 0;
  std::map<std::string, size_t> skipped_;
};

}  // namespace wayseal::vectors

#endif
