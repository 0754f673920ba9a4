// SPDX-License-Identifier: Apache-2.0
// The negative control: what is not constant time must make valgrind complain, or the suite says nothing.
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "constant_time/memcheck.hpp"

namespace wayseal {
namespace {

/// Compares two tags of 16 bytes that are secret; valgrind's complaints about it.
template <typename Compare>
unsigned complaints_about(Compare compare, size_t different) {
  std::vector<uint8_t> ours(16, 0x5A);
  std::vector<uint8_t> theirs = ours;
  if (different < theirs.size()) theirs[different] ^= 1;
  test::make_secret({ours.data(), ours.size()});
  test::make_secret({theirs.data(), theirs.size()});
  bool same = false;
  const unsigned found = test::complaints([&] {
    same = test::made_public(compare(Bytes{ours.data(), ours.size()}, Bytes{theirs.data(), theirs.size()}));
  });
  CHECK(same == (different >= 16));
  return found;
}

bool stops_at_first_difference(Bytes a, Bytes b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

TEST_CASE("constant time, control: memcmp and an early return are reported, equal_constant_time is not") {
  REQUIRE(test::under_valgrind());
  for (const size_t different : {size_t{0}, size_t{15}, size_t{16}}) {
    CHECK(complaints_about(equal, different) > 0);
    CHECK(complaints_about(stops_at_first_difference, different) > 0);
    CHECK(complaints_about(equal_constant_time, different) == 0);
  }
}

TEST_CASE("constant time, control: a table looked up by a secret is reported") {
  static const uint8_t table[256] = {};
  uint8_t index = 7;
  test::make_secret({&index, 1});
  volatile uint8_t found = 0;
  CHECK(test::complaints([&] { found = table[index]; }) > 0);
  test::make_public({&index, 1});
}

}  // namespace
}  // namespace wayseal
