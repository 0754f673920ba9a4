// SPDX-License-Identifier: Apache-2.0
/// \file
/// A Sealer with everything around it on fakes, a backend that takes what its spool holds, and restarts.
#ifndef WAYSEAL_TESTS_UNIT_FLOW_SEALER_RIG_HPP
#define WAYSEAL_TESTS_UNIT_FLOW_SEALER_RIG_HPP

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "unit/seal/vehicle_half.hpp"
#include "wayseal/flow/sealer.hpp"

namespace wayseal::fakes {

/// What survives a restart, the spool's flash included, and what the backend has stored.
struct SealerWorld : VehicleWorld {
  explicit SealerWorld(const FakeVaultOptions& options = {}) : VehicleWorld(options) {}

  using Key = std::pair<Blob, uint64_t>;  // session, sequence

  test::FakeFlash spool_flash{{4096, 64, 4}};
  std::map<Key, OpenedRecord> stored;
  std::map<Blob, Blob> ciphertexts;  // by header: a second one under the same header is a reused nonce
};

inline Blob id_blob(const SessionId& id) { return {std::begin(id.data), std::end(id.data)}; }

/// One life of the program.
struct SealerLife : VehicleLife {
  explicit SealerLife(SealerWorld& in, const SealerConfig& settings = {}, const Recorder* recorder = nullptr)
      : VehicleLife(in),
        sealer_world(in),
        sealer({in.vault, in.clock, state, spool, time, prekeys, identity, bus_queue, own_queue, recorder,
                &bus_time, mutable_view(sealer_workspace)},
               settings) {
    must(spool.mount());
  }

  /// Puts a payload into a queue, as a collector would. \return false when it is full.
  static bool collect(RecordQueue& queue, const std::string& payload, ContentType type = ContentType::kBatch) {
    const Result<MutableBytes> area = queue.reserve();
    if (!area.ok()) return false;
    std::memcpy(area.value().data(), payload.data(), payload.size());
    must(queue.commit(type, payload.size(), 1));
    return true;
  }

  /// Steps until nothing waits, or 100 times; the last status.
  Status run() {
    Status status = Status::kWouldBlock;
    for (int i = 0; i < 100 && status == Status::kWouldBlock; ++i) status = sealer.step(clock().now());
    return status;
  }

  FakeClock& clock() { return sealer_world.clock; }

  /// Hands everything unsettled in the spool to the backend, which stores each record once. \return how many
  /// records it was.
  size_t deliver() {
    SpoolCursor cursor;
    SpoolEntry entry;
    size_t records = 0;
    while (spool.next(cursor, entry) == Status::kOk) {
      Blob bytes(entry.size);
      if (spool.read(entry, mutable_view(bytes)) != Status::kOk) continue;
      if (entry.kind == SpoolEntryKind::kSessionOpen) {
        if (!sealer_world.backend.take_open(view(bytes)))
          throw std::runtime_error("a SessionOpen is not taken");
        continue;
      }
      ++records;
      const auto record = sealer_world.backend.open(view(bytes));
      if (!record) throw std::runtime_error("a record does not open");
      Blob header(bytes.begin() + 2, bytes.begin() + 28);
      const auto known = sealer_world.ciphertexts.emplace(header, bytes);
      if (known.first->second != bytes) throw std::runtime_error("two records under one nonce");
      sealer_world.stored[{id_blob(record->session), record->sequence}] = *record;
    }
    return records;
  }

  /// An ack for all that the backend has stored without a gap, sealed for the living session.
  Blob ack() {
    std::map<Blob, uint64_t> contiguous;
    for (const auto& one : sealer_world.stored) {
      uint64_t& highest = contiguous[one.first.first];
      if (one.first.second == highest + 1) ++highest;
    }
    std::vector<AckEntry> entries;
    for (const auto& one : contiguous) {
      AckEntry entry;
      std::copy(one.first.begin(), one.first.end(), entry.session.data);
      entry.contiguous = one.second;
      entries.push_back(entry);
    }
    return sealer_world.backend.seal_ack(sealer.session().id(), entries);
  }

  /// Payloads of the stored records of one type, in order of the sessions' counters and the sequences.
  std::vector<std::string> payloads(ContentType type) const {
    std::map<std::pair<uint64_t, uint64_t>, std::string> ordered;
    for (const auto& one : sealer_world.stored) {
      if (one.second.type != static_cast<uint8_t>(type)) continue;
      const uint64_t counter = sealer_world.backend.sessions.at(one.first.first).counter;
      ordered[{counter, one.first.second}] = {one.second.payload.begin(), one.second.payload.end()};
    }
    std::vector<std::string> texts;
    texts.reserve(ordered.size());
    for (const auto& one : ordered) texts.push_back(one.second);
    return texts;
  }

  SealerWorld& sealer_world;
  Spool spool{sealer_world.spool_flash};
  Blob bus_memory = Blob(RecordQueue::memory_needed(8, 2048));
  Blob own_memory = Blob(RecordQueue::memory_needed(2, 1024));
  RecordQueue bus_queue{mutable_view(bus_memory), 2048};
  RecordQueue own_queue{mutable_view(own_memory), 1024};
  TimeSnapshot bus_time;
  Blob sealer_workspace = Blob(kSealerWorkspace);
  Sealer sealer;
};

}  // namespace wayseal::fakes

#endif
