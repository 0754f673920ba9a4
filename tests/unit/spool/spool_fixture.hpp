// SPDX-License-Identifier: Apache-2.0
// A spool on a fake flash, and what a test wants to know of it.
#ifndef WAYSEAL_TESTS_UNIT_SPOOL_SPOOL_FIXTURE_HPP
#define WAYSEAL_TESTS_UNIT_SPOOL_SPOOL_FIXTURE_HPP

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fake_flash.hpp"
#include "wayseal/spool/spool.hpp"

namespace wayseal::test {

inline SessionId session_id(uint32_t number) {
  SessionId id;
  store_le32(id.data, number);
  id.data[15] = 0x5E;
  return id;
}

// Bytes that belong to one record and no other.
inline std::vector<uint8_t> record_bytes(uint32_t session, uint64_t sequence, size_t size) {
  std::vector<uint8_t> out(size);
  uint32_t state = session * 2654435761U + static_cast<uint32_t>(sequence) * 40503U + 1;
  for (uint8_t& byte : out) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return out;
}

inline Bytes view(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

// What `next` gives, "open:<session>" or "<session>:<sequence>", with the bytes checked.
inline std::vector<std::string> delivered(Spool& spool, SpoolCursor& cursor) {
  std::vector<std::string> out;
  std::vector<uint8_t> bytes(kRecordMax);
  SpoolEntry entry;
  Status status = Status::kOk;
  while ((status = spool.next(cursor, entry)) == Status::kOk) {
    const uint32_t session = load_le32(entry.session.data);
    const bool open = entry.kind == SpoolEntryKind::kSessionOpen;
    const Status read = spool.read(entry, {bytes.data(), bytes.size()});
    std::string name = open ? "open:" + std::to_string(session)
                            : std::to_string(session) + ":" + std::to_string(entry.sequence);
    if (read != Status::kOk) {
      name += std::string("!") + status_name(read);
    } else {
      const std::vector<uint8_t> expected = record_bytes(session, entry.sequence, entry.size);
      if (!equal({bytes.data(), entry.size}, view(expected))) name += "!wrong";
    }
    out.push_back(name);
  }
  REQUIRE(status == Status::kNotFound);
  return out;
}

inline std::vector<std::string> delivered(Spool& spool) {
  SpoolCursor cursor;
  return delivered(spool, cursor);
}

inline std::vector<LossRange> losses(const Spool& spool) {
  std::vector<LossRange> out(kLossRangesMax);
  out.resize(spool.losses({out.data(), out.size()}).count);
  return out;
}

inline std::vector<std::string> loss_names(const Spool& spool) {
  static const char* const kCauses[] = {"mixed", "evicted", "void", "refused", "damaged"};
  std::vector<std::string> out;
  for (const LossRange& range : losses(spool)) {
    out.push_back(std::to_string(load_le32(range.session.data)) + ":" + std::to_string(range.first) + "-" +
                  std::to_string(range.last) + "=" + std::to_string(range.count) + " " +
                  kCauses[static_cast<size_t>(range.cause)]);
  }
  return out;
}

inline uint64_t lost(const Spool& spool) {
  uint64_t count = 0;
  for (const LossRange& range : losses(spool)) count += range.count;
  return count;
}

// A flash with room for a few segments, and helpers that insist on success.
struct SpoolFixture {
  explicit SpoolFixture(uint32_t blocks = 64, uint32_t program_size = 8) : flash({4096, blocks, program_size}) {
    REQUIRE(spool.mount() == Status::kOk);
  }
  void open(uint32_t session, size_t size = 500) {
    REQUIRE(spool.append_open(session_id(session), view(record_bytes(session, 0, size))) == Status::kOk);
  }
  void append(uint32_t session, uint64_t sequence, size_t size = 300) {
    REQUIRE(spool.append(session_id(session), sequence, view(record_bytes(session, sequence, size))) ==
            Status::kOk);
  }
  void append(uint32_t session, uint64_t first, uint64_t last, size_t size) {
    for (uint64_t sequence = first; sequence <= last; ++sequence) append(session, sequence, size);
  }
  void settle(uint32_t session, uint64_t contiguous, const std::vector<uint8_t>& beyond = {}) {
    REQUIRE(spool.settle(session_id(session), contiguous, view(beyond)) == Status::kOk);
  }
  void remount() { REQUIRE(spool.mount() == Status::kOk); }

  FakeFlash flash;
  Spool spool{flash};
};

}  // namespace wayseal::test

#endif
