// SPDX-License-Identifier: Apache-2.0
// The backend's own reader of columns, against the example of PROTOCOL.md and against everything that it must
// refuse.
#include <catch2/catch_test_macros.hpp>
#include <tuple>
#include <vector>

#include "batch.hpp"
#include "wire.hpp"

namespace {

using wayseal::v1::Batch;
using Seen = std::vector<std::tuple<uint32_t, uint32_t, int64_t, int64_t>>;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

Batch one_column(const std::string& times, const std::string& values, const std::string& runs = "") {
  Batch batch;
  auto* series = batch.add_series();
  series->set_times(times);
  auto* column = series->add_columns();
  column->set_values(values);
  column->set_runs(runs);
  return batch;
}

Seen read(const Batch& batch) {
  Seen seen;
  REQUIRE(cloud::read_samples(batch, [&](uint32_t group, uint32_t signal, int64_t time, uint64_t raw) {
    seen.emplace_back(group, signal, time, static_cast<int64_t>(raw));
  }));
  REQUIRE(cloud::summarise(batch)->samples == seen.size());
  return seen;
}

bool refuses(const Batch& batch) {
  const bool read_refuses = !cloud::read_samples(batch, [](uint32_t, uint32_t, int64_t, uint64_t) {});
  REQUIRE(read_refuses == !cloud::summarise(batch).has_value());
  return read_refuses;
}

}  // namespace

TEST_CASE("the example of PROTOCOL.md reads as it says") {
  Batch batch;
  batch.set_base_time_us(1000000);
  REQUIRE(batch.add_series()->ParseFromString(
      bytes({0x08, 0x03, 0x12, 0x06, 0x00, 0xA0, 0x9C, 0x01, 0x00, 0x08, 0x1A, 0x05, 0x12, 0x03, 0x14, 0x05,
             0x02, 0x1A, 0x0C, 0x08, 0x01, 0x12, 0x02, 0x1C, 0x08, 0x1A, 0x04, 0x00, 0x01, 0x01, 0x01})));
  CHECK(read(batch) == Seen{{3, 0, 1000000, 5},
                            {3, 0, 1010000, 5},
                            {3, 0, 1020000, 5},
                            {3, 0, 1030004, 4},
                            {3, 1, 1010000, 7},
                            {3, 1, 1030004, 9}});
  CHECK(cloud::summarise(batch)->from_us == 1000000);
  CHECK(cloud::summarise(batch)->to_us == 1030004);
}

TEST_CASE("values go over the whole of 64 bits") {
  // Zigzag of the least value is 2^64 - 1; then one more step wraps to the greatest.
  const std::string least = bytes({0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x03});
  const Seen seen = read(one_column(bytes({0, 0}), least + bytes({0x02})));
  CHECK(std::get<3>(seen[0]) == INT64_MIN);
  CHECK(std::get<3>(seen[1]) == INT64_MAX);
}

TEST_CASE("what breaks a rule of the format is refused") {
  const std::string two_rows = bytes({0, 2});
  CHECK(refuses(one_column(bytes({0x80}), "")));                             // cut off
  CHECK(refuses(one_column(std::string(10, '\xff') + '\x01', "")));          // longer than 10
  CHECK(refuses(one_column(std::string(9, '\xff') + '\x02', "")));           // over 64 bits
  CHECK(refuses(one_column(two_rows, bytes({0x80}))));                       // token cut off
  CHECK(refuses(one_column(two_rows, std::string(9, '\xff') + '\x04')));     // over 65 bits
  CHECK(refuses(one_column(two_rows, bytes({0x00}))));                       // difference of 0
  CHECK(refuses(one_column(two_rows, bytes({0x01}))));                       // repeat of 0
  CHECK(refuses(one_column(two_rows, bytes({0x02, 0x05}))));                 // more values than rows
  CHECK(refuses(one_column(two_rows, bytes({0x81, 0x80, 0x08}))));           // repeat of 65,536
  CHECK(refuses(one_column(two_rows, bytes({0x02}), bytes({0x00}))));        // odd number in runs
  CHECK(refuses(one_column(two_rows, bytes({0x02}), bytes({0x01, 0x00}))));  // absent 0
  CHECK(refuses(one_column(two_rows, bytes({0x02}), bytes({0x02, 0x01}))));  // runs hold more
  CHECK(refuses(one_column(bytes({0, 2, 0, 0}), bytes({0x02, 0x02}), bytes({1, 1, 0, 1}))));  // later p of 0
  Batch twice = one_column(two_rows, bytes({0x02}));
  *twice.add_series() = twice.series(0);
  CHECK(refuses(twice));
  Batch same_signal = one_column(two_rows, bytes({0x02}));
  *same_signal.mutable_series(0)->add_columns() = same_signal.series(0).columns(0);
  CHECK(refuses(same_signal));
}

TEST_CASE("a series without values and an empty batch are fine") {
  CHECK(read(one_column(bytes({0, 2}), "")).empty());
  CHECK(read(Batch()).empty());
}

TEST_CASE("contents are framed and padded to Padme buckets") {
  using cloud::frame;
  using cloud::unframe;
  CHECK(frame(64, std::string(30, 'x')).size() == 36);
  CHECK(frame(2, bytes({0x29, 1, 0, 0, 0, 0, 0, 0, 0})) == bytes({2, 0, 9, 0x29, 1, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(unframe(frame(64, "abc"))->payload == "abc");
  CHECK_FALSE(unframe(bytes({1, 0})));
  CHECK_FALSE(unframe(bytes({1, 0, 1})));
  CHECK_FALSE(unframe(bytes({1, 0, 0, 1})));
}
