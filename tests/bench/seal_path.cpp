// SPDX-License-Identifier: Apache-2.0
// What a record costs the cloud side from the queue to the spool, sealing included:
//     bench_seal_path softhsm|nss
// The real Sealer between a RecordQueue and a Spool on memory: session, envelope, checksum, bookkeeping, syncs as
// configured. The floor is the token's part alone, as bench_seal_record counts it.
#include "bench/token_vehicle.hpp"
#include "wayseal/flow/sealer.hpp"

namespace wayseal::bench {
namespace {

constexpr size_t kAtOnce = 8;  // SealerConfig::records_per_step
constexpr size_t kSteps = 5;

class Path {
 public:
  explicit Path(TokenVehicle& vehicle)
      : vehicle_(vehicle),
        sealer_({vehicle.vault, vehicle.clock, vehicle.state, spool_, vehicle.time, vehicle.prekeys,
                 vehicle.identity, queue_, own_queue_, nullptr, nullptr, mutable_view(workspace_)},
                SealerConfig()) {
    must(spool_.mount());
  }

  void fill(size_t content_bytes) {
    for (size_t i = 0; i < kAtOnce; ++i) {
      const Result<MutableBytes> area = queue_.reserve();
      must(area.status());
      must(queue_.commit(ContentType::kBatch, content_bytes - kContentHeaderSize, 1));
    }
  }
  void seal() {
    while (queue_.size() != 0) static_cast<void>(sealer_.step(vehicle_.clock.now()));
  }
  const SealerStats& stats() const { return sealer_.stats(); }

 private:
  TokenVehicle& vehicle_;
  MemoryStorage storage_{{4096, 2048, 8}};
  Spool spool_{storage_};
  Blob slots_ = Blob(RecordQueue::memory_needed(kAtOnce));
  RecordQueue queue_{mutable_view(slots_)};
  Blob own_slots_ = Blob(RecordQueue::memory_needed(1));
  RecordQueue own_queue_{mutable_view(own_slots_)};
  Blob workspace_ = Blob(kSealerWorkspace);
  Sealer sealer_;
};

void measure(Path& path, size_t bytes) {
  path.fill(bytes);
  path.seal();  // opens the session, once
  const SealerStats before = path.stats();
  for (size_t step = 0; step < kSteps; ++step) {
    path.fill(bytes);
    counted("path." + std::to_string(bytes) + "." + std::to_string(step), [&] { path.seal(); });
  }
  const SealerStats& after = path.stats();
  must(after.records_sealed - before.records_sealed == kSteps * kAtOnce, "every record is sealed");
  must(after.content_bytes - before.content_bytes == kSteps * kAtOnce * bytes, "contents of this size");
}

int run(const std::string& name) {
  test::TokenFixture& fixture = token_named(name);
  if (!fixture.missing().empty()) {
    std::fprintf(stderr, "%s\n", fixture.missing().c_str());
    return kSkipped;
  }
  TokenVehicle vehicle(fixture);
  vehicle.fetch_prekeys();
  Path path(vehicle);
  figure("records", kSteps * kAtOnce);
  for (const size_t bytes : {size_t{256}, size_t{1024}, kContentMax}) measure(path, bytes);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(argv[1]); });
}
