// SPDX-License-Identifier: Apache-2.0
#include "wayseal/record/content.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace wayseal::test {

TEST_CASE("A content reads back as it was framed, for every length") {
  for (size_t length = 0; length <= kPayloadMax; length += length < 700 ? 1 : 37) {
    std::vector<uint8_t> area(kContentMax, 0xEE);
    for (size_t i = 0; i < length; ++i) area[kContentHeaderSize + i] = static_cast<uint8_t>(i * 7);
    const Result<size_t> size = frame_content(ContentType::kLossReport, length, {area.data(), area.size()});
    REQUIRE(size.ok());
    REQUIRE(size.value() <= kContentMax);
    ContentView view;
    REQUIRE(parse_content({area.data(), size.value()}, view) == Status::kOk);
    REQUIRE(view.type == ContentType::kLossReport);
    REQUIRE(view.payload.size() == length);
    size_t wrong = 0;
    for (size_t i = 0; i < length; ++i) wrong += view.payload[i] != static_cast<uint8_t>(i * 7);
    REQUIRE(wrong == 0);
  }
}

TEST_CASE("Padding hides the length in buckets and costs at most an eighth") {
  const struct {
    size_t length;
    size_t bucket;
  } known[] = {{0, 0},   {3, 3},   {7, 7},     {8, 8},     {9, 10},      {12, 12},
               {15, 16}, {33, 36}, {100, 104}, {129, 144}, {1000, 1024}, {16000, 16320}};
  for (const auto& pair : known) CHECK(content_bucket(pair.length, 16320) == pair.bucket);
  size_t buckets = 0;
  size_t before = 0;
  size_t wrong = 0;
  for (size_t length = 3; length <= 16320; ++length) {
    const size_t bucket = content_bucket(length, 16320);
    wrong += bucket < length || (bucket - length) * 8 >= bucket;
    if (bucket != before) ++buckets;
    before = bucket;
  }
  CHECK(wrong == 0);
  CHECK(buckets < 150);
}

TEST_CASE("A payload that does not fit is refused") {
  uint8_t area[20] = {};
  CHECK(frame_content(ContentType::kBatch, 17, area).value() == 20);
  CHECK(frame_content(ContentType::kBatch, 18, area).status() == Status::kInvalidArgument);
  CHECK(frame_content(ContentType::kBatch, 0, {area, 2}).status() == Status::kInvalidArgument);
}

TEST_CASE("A content with a wrong length, padding or type is refused") {
  const std::vector<uint8_t> good = {64, 0, 2, 1, 2, 0, 0};
  const auto parse = [](std::vector<uint8_t> content) {
    ContentView view;
    return parse_content({content.data(), content.size()}, view);
  };
  CHECK(parse(good) == Status::kOk);
  for (size_t cut = 0; cut < 5; ++cut)
    CHECK(parse({good.begin(), good.begin() + static_cast<int>(cut)}) == Status::kMalformed);
  CHECK(parse({64, 0, 5, 1, 2, 0, 0}) == Status::kMalformed);
  CHECK(parse({64, 0, 2, 1, 2, 0, 1}) == Status::kMalformed);
  CHECK(parse({64, 0, 2, 1, 2, 1, 0}) == Status::kMalformed);
  for (const int type : {0, 6, 63, 65, 255})
    CHECK(parse({static_cast<uint8_t>(type), 0, 0}) == Status::kUnsupported);
}

}  // namespace wayseal::test
