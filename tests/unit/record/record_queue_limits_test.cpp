// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "wayseal/record/content.hpp"
#include "wayseal/record/record_queue.hpp"

namespace wayseal {
namespace {

TEST_CASE("A queue's slots are neither smaller than useful nor larger than a content") {
  std::vector<uint8_t> memory(2 * (kContentMax + 64));
  const RecordQueue small({memory.data(), memory.size()}, 1);
  CHECK(small.payload_max() == 64 - kContentHeaderSize);
  const RecordQueue large({memory.data(), memory.size()}, kContentMax + 1);
  CHECK(large.payload_max() == kContentMax - kContentHeaderSize);
}

}  // namespace
}  // namespace wayseal
