// SPDX-License-Identifier: Apache-2.0
#include "wayseal/record/record_queue.hpp"

#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

namespace wayseal::test {
namespace {

constexpr size_t kSlot = 100;

bool offer(RecordQueue& queue, uint8_t first, size_t bytes) {
  const Result<MutableBytes> room = queue.reserve();
  if (!room.ok()) return false;
  for (size_t i = 0; i < bytes; ++i) room.value()[i] = static_cast<uint8_t>(first + i);
  return queue.commit(ContentType::kBatch, bytes, first) == Status::kOk;
}

}  // namespace

TEST_CASE("Contents leave the queue in order, framed and padded") {
  std::vector<uint8_t> memory(RecordQueue::memory_needed(3, kSlot) + 1);
  RecordQueue queue({memory.data() + 1, memory.size() - 1}, kSlot);  // any alignment
  CHECK(queue.capacity() == 3);
  CHECK(queue.payload_max() == kSlot - kContentHeaderSize);
  QueuedContent content;
  CHECK_FALSE(queue.front(content));
  for (uint8_t round = 0; round < 20; ++round) {
    CHECK(offer(queue, round, 30));
    CHECK(offer(queue, static_cast<uint8_t>(round + 1), 1));
    CHECK(queue.size() == 2);
    REQUIRE(queue.front(content));
    CHECK(content.content.size() == 36);
    CHECK(content.samples == round);
    ContentView view;
    REQUIRE(parse_content(content.content, view) == Status::kOk);
    CHECK(view.payload.size() == 30);
    CHECK(view.payload[29] == static_cast<uint8_t>(round + 29));
    queue.pop();
    REQUIRE(queue.front(content));
    CHECK(content.samples == round + 1U);
    queue.pop();
    CHECK(queue.size() == 0);
  }
}

TEST_CASE("A full queue refuses, and takes again after one pop") {
  std::vector<uint8_t> memory(RecordQueue::memory_needed(2, kSlot));
  RecordQueue queue({memory.data(), memory.size()}, kSlot);
  for (int round = 0; round < 5; ++round) {
    while (queue.size() < 2) CHECK(offer(queue, 1, 10));
    CHECK(queue.reserve().status() == Status::kFull);
    CHECK(queue.commit(ContentType::kBatch, 1, 1) == Status::kBadState);
    queue.pop();
    CHECK(queue.size() == 1);
  }
  queue.pop();
  queue.pop();
  queue.pop();  // one too many does nothing
  CHECK(queue.size() == 0);
}

TEST_CASE("A payload that is too long is refused and the slot stays") {
  std::vector<uint8_t> memory(RecordQueue::memory_needed(1, kSlot));
  RecordQueue queue({memory.data(), memory.size()}, kSlot);
  REQUIRE(queue.reserve().ok());
  CHECK(queue.commit(ContentType::kBatch, kSlot - kContentHeaderSize + 1, 1) == Status::kInvalidArgument);
  CHECK(queue.size() == 0);
  CHECK(queue.commit(ContentType::kBatch, kSlot - kContentHeaderSize, 1) == Status::kOk);
}

TEST_CASE("A queue without memory is always full") {
  RecordQueue queue({}, kSlot);
  CHECK(queue.reserve().status() == Status::kFull);
  CHECK(queue.commit(ContentType::kBatch, 0, 0) == Status::kBadState);
  QueuedContent content;
  CHECK_FALSE(queue.front(content));
}

TEST_CASE("Two threads: everything accepted arrives once, whole and in order") {
  constexpr uint32_t kCount = 20000;
  std::vector<uint8_t> memory(RecordQueue::memory_needed(3, kSlot));
  RecordQueue queue({memory.data(), memory.size()}, kSlot);
  std::thread producer([&queue] {
    for (uint32_t i = 0; i < kCount;) {
      const Result<MutableBytes> room = queue.reserve();
      if (!room.ok()) {
        std::this_thread::yield();
        continue;
      }
      const size_t bytes = 4 + i % 90;
      for (size_t at = 0; at < bytes; ++at) room.value()[at] = static_cast<uint8_t>(i);
      if (queue.commit(ContentType::kBatch, bytes, i) == Status::kOk) ++i;
    }
  });
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < kCount;) {
    QueuedContent content;
    if (!queue.front(content)) {
      std::this_thread::yield();
      continue;
    }
    ContentView view;
    if (parse_content(content.content, view) != Status::kOk || content.samples != i ||
        view.payload.size() != 4 + i % 90) {
      ++wrong;
    }
    for (const uint8_t byte : view.payload) wrong += byte != static_cast<uint8_t>(i);
    queue.pop();
    ++i;
  }
  producer.join();
  CHECK(wrong == 0);
}

}  // namespace wayseal::test
