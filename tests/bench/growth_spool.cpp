// SPDX-License-Identifier: Apache-2.0
// How the spool's costs grow with the records in it, and the loss ledger's with the losses:
//     bench_growth_spool
// Counted regions are named series.n: appending n records of 256 bytes, mounting with n waiting, draining n with an ack
// for each 32, and adding n losses to the ledger, which has a fixed number of ranges: far apart, and in two sessions.
#include "bench/measure.hpp"
#include "bench/memory_storage.hpp"
#include "wayseal/spool/spool.hpp"

namespace wayseal::bench {
namespace {

constexpr StorageGeometry kGeometry{4096, 2048, 8};
constexpr size_t kRecordBytes = 256;

void append(Spool& spool, size_t records) {
  const Blob record(kRecordBytes, 0x5A);
  for (uint64_t sequence = 1; sequence <= records; ++sequence) {
    must(spool.append({}, sequence, view(record)));
    if (sequence % 256 == 0) must(spool.sync());
  }
  must(spool.sync());
}

size_t drain(Spool& spool) {
  SpoolCursor cursor;
  SpoolEntry entry;
  Blob bytes(kRecordMax);
  size_t records = 0;
  while (spool.next(cursor, entry) == Status::kOk) {
    must(spool.read(entry, mutable_view(bytes)));
    if (entry.kind == SpoolEntryKind::kSessionOpen) continue;
    if (++records % 32 == 0) must(spool.settle({}, entry.sequence, {}));
  }
  return records;
}

void measure_spool(size_t records) {
  MemoryStorage storage(kGeometry);
  const std::string number = std::to_string(records);
  {
    Spool spool(storage);
    must(spool.mount());
    const Blob opening(1000, 0x11);
    must(spool.append_open({}, view(opening)));
    counted("append." + number, [&] { append(spool, records); });
  }
  Spool spool(storage);
  counted("mount." + number, [&] { must(spool.mount()); });
  must(spool.stats().waiting_records == records, "all is recovered");
  size_t drained = 0;
  counted("drain." + number, [&] { drained = drain(spool); });
  must(drained == records, "all is drained");
}

void measure_ledger(size_t losses) {
  LossLedger ledger;
  SessionId sessions[2];
  sessions[1].data[0] = 1;
  counted("ledger." + std::to_string(losses), [&] {
    for (size_t i = 0; i < losses; ++i) {
      const auto sequence = static_cast<uint32_t>(10 * i + 1);
      ledger.add(sessions[i % 2], sequence, sequence, 1, LossCause::kEvicted);
    }
  });
  uint64_t counted_losses = 0;
  for (size_t i = 0; i < ledger.size(); ++i) counted_losses += ledger[i].count;
  must(counted_losses == losses, "no loss is forgotten");
}

int run() {
  constexpr size_t kCounts[] = {100, 300, 1000, 3000, 10'000};
  for (const size_t records : kCounts) measure_spool(records);
  for (const size_t losses : kCounts) measure_ledger(losses);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main() {
  return wayseal::bench::guarded([] { return wayseal::bench::run(); });
}
