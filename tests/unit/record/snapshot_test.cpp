// SPDX-License-Identifier: Apache-2.0
#include "wayseal/record/snapshot.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

namespace wayseal::test {

TEST_CASE("A snapshot gives the value published last, and a default one before") {
  Snapshot<UtcOffset> snapshot;
  UtcOffset value = {TimeQuality::kTrusted, 5};
  REQUIRE(snapshot.load(value));
  CHECK(value.quality == TimeQuality::kUntrusted);
  CHECK(value.utc_offset_us == 0);
  snapshot.publish({TimeQuality::kTrusted, -7});
  REQUIRE(snapshot.load(value));
  CHECK(value.quality == TimeQuality::kTrusted);
  CHECK(value.utc_offset_us == -7);
}

TEST_CASE("A reader never sees half of one value and half of another") {
  struct Wide {
    uint64_t words[9] = {};
  };
  constexpr uint64_t kLast = 50000;
  Snapshot<Wide> snapshot;
  std::thread writer([&snapshot] {
    for (uint64_t i = 1; i <= kLast; ++i) {
      Wide wide;
      for (uint64_t& word : wide.words) word = i;
      snapshot.publish(wide);
    }
  });
  uint64_t torn = 0;
  uint64_t backwards = 0;
  uint64_t latest = 0;
  while (latest < kLast) {
    Wide wide;
    if (!snapshot.load(wide)) continue;
    for (const uint64_t word : wide.words) torn += word != wide.words[0];
    backwards += wide.words[0] < latest;
    latest = wide.words[0];
  }
  writer.join();
  CHECK(torn == 0);
  CHECK(backwards == 0);
}

}  // namespace wayseal::test
