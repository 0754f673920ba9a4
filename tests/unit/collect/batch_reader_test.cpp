// SPDX-License-Identifier: Apache-2.0
// The example in PROTOCOL.md, "Columns", byte for byte, and what a reader refuses.
#include "unit/collect/batch_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "unit/collect/plain_table.hpp"
#include "wayseal/collect/collector.hpp"

namespace wayseal::test {
namespace {

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

const std::string kExampleSeries =
    bytes_of({0x08, 0x03, 0x12, 0x06, 0x00, 0xA0, 0x9C, 0x01, 0x00, 0x08, 0x1A, 0x05, 0x12, 0x03, 0x14, 0x05,
              0x02, 0x1A, 0x0C, 0x08, 0x01, 0x12, 0x02, 0x1C, 0x08, 0x1A, 0x04, 0x00, 0x01, 0x01, 0x01});

std::string batch_with(const std::string& series) {
  return bytes_of({0x10, 0x80, 0x89, 0x7A, 0x2A, static_cast<int>(series.size())}) + series;
}

/// A series of three rows at 0 with one column of these values and runs.
std::string batch_with_column(const std::string& values, const std::string& runs) {
  std::string column = bytes_of({0x12, static_cast<int>(values.size())}) + values;
  if (!runs.empty()) column += bytes_of({0x1A, static_cast<int>(runs.size())}) + runs;
  const std::string series = bytes_of({0x12, 0x03, 0, 0, 0, 0x1A, static_cast<int>(column.size())}) + column;
  return bytes_of({0x2A, static_cast<int>(series.size())}) + series;
}

}  // namespace

TEST_CASE("The protocol's example reads as it says") {
  const ReadBatch batch = read_batch(batch_with(kExampleSeries));
  CHECK(batch.base_time_us == 1000000);
  CHECK(batch.signals.at({3, 0}) ==
        std::vector<ReadSample>{{1000000, 5}, {1010000, 5}, {1020000, 5}, {1030004, 4}});
  CHECK(batch.signals.at({3, 1}) == std::vector<ReadSample>{{1010000, 7}, {1030004, 9}});
}

TEST_CASE("The collector writes the protocol's example") {
  const PlainMessage message = {0x100, 8, {{0}, {1}}};
  std::vector<PlainMessage> messages(4, message);
  for (uint32_t i = 0; i < 4; ++i) messages[i].id += i;
  const std::vector<uint8_t> bytes = make_plain_table(messages);
  SignalTable table;
  REQUIRE(table.load({bytes.data(), bytes.size()}) == Status::kOk);

  std::vector<uint8_t> slots(RecordQueue::memory_needed(1));
  RecordQueue queue({slots.data(), slots.size()});
  const TimeSnapshot time;
  Collector collector(queue, time);
  std::vector<uint8_t> memory(Collector::memory_needed(4, 8, 32));
  REQUIRE(collector.start(table, {memory.data(), memory.size()}, {}) == Status::kOk);
  const struct {
    int64_t us;
    uint64_t first;
    uint64_t second;  // 0: not in this frame
  } rows[] = {{1000000, 5, 0}, {1010000, 5, 7}, {1020000, 5, 0}, {1030004, 4, 9}};
  for (const auto& row : rows) {
    collector.begin_frame(row.us * 1000);
    collector.begin_group(3);
    collector.sample(6, row.first);
    if (row.second != 0) collector.sample(7, row.second);
  }
  REQUIRE(collector.flush() == Status::kOk);

  QueuedContent content;
  REQUIRE(queue.front(content));
  ContentView view;
  REQUIRE(parse_content(content.content, view) == Status::kOk);
  const std::string payload(reinterpret_cast<const char*>(view.payload.data()), view.payload.size());
  CHECK(payload.substr(payload.size() - kExampleSeries.size()) == kExampleSeries);
}

TEST_CASE("A reader refuses columns that do not add up") {
  CHECK_NOTHROW(read_batch(batch_with_column(bytes_of({0x02, 0x05}), "")));
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x02, 0x07}), "")),
                  std::runtime_error);                                                       // 4 values, 3 rows
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x00}), "")), std::runtime_error);  // difference of 0
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x01}), "")), std::runtime_error);  // no repeat
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x82}), "")), std::runtime_error);  // cut off
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x82, 0x00}), "")), std::runtime_error);  // too long
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x02}), bytes_of({0x01}))), std::runtime_error);
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x02}), bytes_of({0x00, 0x03}))), std::runtime_error);
  CHECK_THROWS_AS(read_batch(batch_with_column(bytes_of({0x02}), bytes_of({0x02, 0x01}))), std::runtime_error);
}

}  // namespace wayseal::test
