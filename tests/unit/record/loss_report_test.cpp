// SPDX-License-Identifier: Apache-2.0
#include "wayseal/record/loss_report.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <vector>

#include "record.pb.h"

namespace wayseal::test {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

std::vector<LossRange> widest_ranges(size_t count) {
  std::vector<LossRange> ranges(count);
  for (size_t i = 0; i < count; ++i) {
    for (uint8_t& byte : ranges[i].session.data) byte = static_cast<uint8_t>(i + 1);
    ranges[i].first = kMost - i;
    ranges[i].last = kMost;
    ranges[i].count = kMost;
    ranges[i].cause = LossCause::kDamaged;
  }
  return ranges;
}

wayseal::v1::LossReport read(const std::vector<uint8_t>& bytes, size_t size) {
  wayseal::v1::LossReport report;
  REQUIRE(report.ParseFromArray(bytes.data(), static_cast<int>(size)));
  return report;
}

}  // namespace

TEST_CASE("A loss report says all that is missing") {
  std::vector<LossRange> ranges = widest_ranges(2);
  ranges[1] = {ranges[1].session, 3, 9, 4, LossCause::kVoid};
  const BusLoss buses[] = {{0, 1, 2, 3, 4, 5, 6}, {1, 10, 20, 30, 40, 50, 60}};
  const LossReport report = {{ranges.data(), ranges.size()}, buses, 7, 8, 0x1122334455667788};
  std::vector<uint8_t> out(loss_report_size_max(2, 2));
  size_t coded = 0;
  const Result<size_t> size = encode_loss_report(report, {out.data(), out.size()}, coded);
  REQUIRE(size.ok());
  CHECK(coded == 2);
  const wayseal::v1::LossReport got = read(out, size.value());
  CHECK(got.epoch() == 0x1122334455667788);
  CHECK(got.batches_dropped() == 7);
  CHECK(got.samples_dropped() == 8);
  REQUIRE(got.ranges_size() == 2);
  CHECK(got.ranges(1).session_id() == std::string(16, '\2'));
  CHECK(got.ranges(1).first() == 3);
  CHECK(got.ranges(1).last() == 9);
  CHECK(got.ranges(1).count() == 4);
  CHECK(got.ranges(1).cause() == wayseal::v1::LossRange::CAUSE_VOID);
  REQUIRE(got.buses_size() == 2);
  CHECK(got.buses(0).bus() == 0);
  CHECK(got.buses(1).bus() == 1);
  CHECK(got.buses(1).frames() == 10);
  CHECK(got.buses(1).frames_dropped() == 20);
  CHECK(got.buses(1).error_frames() == 30);
  CHECK(got.buses(1).bus_off_events() == 40);
  CHECK(got.buses(1).down_events() == 50);
  CHECK(got.buses(1).frames_unknown() == 60);
}

TEST_CASE("An empty loss report is the protocol's example") {
  uint8_t out[31];
  size_t coded = 0;
  LossReport report;
  report.epoch = 1;
  REQUIRE(encode_loss_report(report, out, coded).value() == 9);
  const uint8_t expected[] = {0x29, 1, 0, 0, 0, 0, 0, 0, 0};
  CHECK(equal({out, 9}, expected));
}

TEST_CASE("The largest report fits the size that is promised") {
  const std::vector<LossRange> ranges = widest_ranges(32);
  const std::vector<BusLoss> buses(8, {255, kMost, kMost, kMost, kMost, kMost, kMost});
  const LossReport report = {{ranges.data(), 32}, {buses.data(), 8}, kMost, kMost, kMost};
  std::vector<uint8_t> out(loss_report_size_max(32, 8));
  size_t coded = 0;
  REQUIRE(encode_loss_report(report, {out.data(), out.size()}, coded).ok());
  CHECK(coded == 32);
}

TEST_CASE("Ranges that do not fit are left for the next report") {
  const std::vector<LossRange> ranges = widest_ranges(10);
  std::vector<uint8_t> out(loss_report_size_max(4, 0));
  size_t first = 0;
  std::vector<uint64_t> got;
  while (first < ranges.size()) {
    const LossReport report = {Span<const LossRange>(ranges.data(), ranges.size()).from(first), {}, 0, 0, 1};
    size_t coded = 0;
    const Result<size_t> size = encode_loss_report(report, {out.data(), out.size()}, coded);
    REQUIRE(size.ok());
    REQUIRE(coded > 0);
    const wayseal::v1::LossReport part = read(out, size.value());
    for (const auto& range : part.ranges()) got.push_back(range.first());
    first += coded;
  }
  REQUIRE(got.size() == 10);
  for (size_t i = 0; i < 10; ++i) CHECK(got[i] == ranges[i].first);
}

TEST_CASE("A buffer without room for one range is refused") {
  const std::vector<LossRange> ranges = widest_ranges(1);
  std::vector<uint8_t> out(loss_report_size_max(1, 0) - 1);
  size_t coded = 99;
  CHECK(encode_loss_report({{ranges.data(), 1}, {}, 0, 0, 1}, {out.data(), out.size()}, coded).status() ==
        Status::kBufferTooSmall);
  CHECK(coded == 99);
}

}  // namespace wayseal::test
