// SPDX-License-Identifier: Apache-2.0
// What the spool costs a record, on the cheapest Storage there is, and what it writes:
//     bench_spool_records RECORD_BYTES
// Floors: a plain log of length and bytes, which cannot tell a torn record from a whole one, forgets nothing and reports
// nothing; and the same with a CRC-32C of each record, the least that survives a power cut. The ring goes round once and
// a half while the backend settles what was delivered, so segments are erased and reused.
#include "bench/measure.hpp"
#include "bench/memory_storage.hpp"
#include "state/log_io.hpp"
#include "wayseal/spool/spool.hpp"

namespace wayseal::bench {
namespace {

constexpr StorageGeometry kGeometry{4096, 2048, 8};  // 8 MiB
constexpr size_t kSyncBytes = 64 * 1024;             // as SealerConfig::sync_bytes
constexpr size_t kOpeningBytes = 1000;

/// Length, with a CRC-32C when asked for, and the bytes; one after another.
class PlainLog {
 public:
  PlainLog(Storage& storage, bool checked) : storage_(storage), checked_(checked) {}

  void append(Bytes record) {
    uint8_t header[8];
    store_le32(header, static_cast<uint32_t>(record.size()));
    store_le32(header + 4, checked_ ? log::crc32c(0, record) : 0);
    write({header, sizeof header});
    write(record);
  }
  /// \return records.
  size_t recover() {
    end_ = 0;
    size_t records = 0;
    Blob record(kRecordMax);
    for (size_t size = 0; (size = read(end_, checked_ ? mutable_view(record) : MutableBytes{})) != 0; ++records)
      end_ += align(8 + size);
    return records;
  }
  size_t drain() {
    uint64_t at = 0;
    size_t records = 0;
    Blob record(kRecordMax);
    for (; at != end_; ++records) at += align(8 + read(at, mutable_view(record)));
    return records;
  }

 private:
  static uint64_t align(uint64_t size) { return (size + 7) / 8 * 8; }
  /// Programs do not cross blocks; the spool lives under the same rule.
  void write(Bytes data) {
    while (!data.empty()) {
      const uint64_t room = kGeometry.block_size - end_ % kGeometry.block_size;
      const Bytes part = data.first(data.size() < room ? data.size() : static_cast<size_t>(room));
      uint8_t tail[8] = {};
      const size_t whole = part.size() / 8 * 8;
      if (whole != 0) must(storage_.program(end_, part.first(whole)));
      if (whole != part.size()) {
        std::memcpy(tail, part.data() + whole, part.size() - whole);
        must(storage_.program(end_ + whole, tail));
      }
      end_ += align(part.size());
      data = data.from(part.size());
    }
  }
  /// \return bytes of the record at `at`, 0 at the end. Empty `out`: the record itself is not read.
  size_t read(uint64_t at, MutableBytes out) {
    uint8_t header[8];
    must(storage_.read(at, header));
    const uint32_t size = load_le32(header);
    if (size == 0xFFFFFFFF) return 0;
    if (out.empty()) return size;
    must(storage_.read(at + 8, out.first(size)));
    if (checked_) must(log::crc32c(0, out.first(size)) == load_le32(header + 4), "checksum");
    return size;
  }

  Storage& storage_;
  bool checked_;
  uint64_t end_ = 0;
};

SessionId session_number(uint8_t number) {
  SessionId id;
  id.data[0] = number;
  return id;
}

void append(Spool& spool, Bytes record, size_t count, uint64_t& sequence) {
  size_t unsynced = 0;
  for (size_t i = 0; i < count; ++i) {
    must(spool.append(session_number(1), ++sequence, record));
    unsynced += record.size();
    if (unsynced < kSyncBytes) continue;
    must(spool.sync());
    unsynced = 0;
  }
  must(spool.sync());
}

/// Reads everything, and settles it as the backend acknowledges: 32 records at a time. \return records.
size_t drain(Spool& spool) {
  SpoolCursor cursor;
  SpoolEntry entry;
  Blob bytes(kRecordMax);
  size_t records = 0;
  while (spool.next(cursor, entry) == Status::kOk) {
    must(spool.read(entry, mutable_view(bytes)));
    if (entry.kind == SpoolEntryKind::kSessionOpen) continue;
    if (++records % 32 == 0) must(spool.settle(entry.session, entry.sequence, {}));
  }
  must(spool.settle(session_number(1), entry.sequence, {}));
  return records;
}

void measure_floor(const std::string& name, Bytes record, size_t count, bool checked) {
  MemoryStorage storage(kGeometry);
  PlainLog log(storage, checked);
  counted(name + ".append", [&] {
    for (size_t i = 0; i < count; ++i) log.append(record);
  });
  size_t recovered = 0;
  size_t drained = 0;
  counted(name + ".recover", [&] { recovered = log.recover(); });
  counted(name + ".drain", [&] { drained = log.drain(); });
  must(recovered == count && drained == count, "the floor gives back what was appended");
  figure(name + ".programmed", storage.programmed_bytes);
}

void measure_ours(Bytes record, size_t count) {
  MemoryStorage storage(kGeometry);
  const Blob opening(kOpeningBytes, 0x11);
  uint64_t sequence = 0;
  {
    Spool spool(storage);
    must(spool.mount());
    must(spool.append_open(session_number(1), view(opening)));
    counted("ours.append", [&] { append(spool, record, count, sequence); });
    must(spool.stats().evicted == 0, "nothing is evicted");
  }
  Spool spool(storage);
  counted("ours.recover", [&] { must(spool.mount()); });
  must(spool.stats().waiting_records == count, "all is recovered");
  size_t drained = 0;
  counted("ours.drain", [&] { drained = drain(spool); });
  must(drained == count, "all is drained");
}

/// Appends and drains in turns until the ring has gone round one and a half times.
void measure_writing(Bytes record) {
  MemoryStorage storage(kGeometry);
  Spool spool(storage);
  const Blob opening(kOpeningBytes, 0x11);
  must(spool.mount());
  must(spool.append_open(session_number(1), view(opening)));
  uint64_t sequence = 0;
  const size_t total = kGeometry.size() * 3 / 2 / record.size();
  const size_t portion = total / 32;
  for (size_t done = 0; done < total; done += portion) {
    append(spool, record, portion, sequence);
    must(drain(spool) == portion, "all is drained");
  }
  must(spool.stats().evicted == 0, "nothing is evicted");
  figure("written.records", static_cast<size_t>(sequence));
  figure("written.sealed", static_cast<size_t>(sequence) * record.size());
  figure("written.programmed", storage.programmed_bytes);
  figure("written.programs", storage.programs);
  figure("written.erased", storage.erases * kGeometry.block_size);
  figure("written.syncs", storage.syncs);
}

int run(size_t record_bytes) {
  const Blob record(record_bytes, 0x5A);
  const size_t count = kGeometry.size() / 2 / record_bytes;
  figure("records", count);
  measure_ours(view(record), count);
  measure_floor("plain", view(record), count, false);
  measure_floor("checked", view(record), count, true);
  measure_writing(view(record));
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(std::stoul(argv[1])); });
}
