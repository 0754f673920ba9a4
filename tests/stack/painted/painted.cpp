// SPDX-License-Identifier: Apache-2.0
// Collects, seals and spools on the emulated board, and prints how much of the painted stack each entry point has touched. Around
// each is a function of its own, which the call graph is asked about. Interrupts are off: their stack is not the entry point's.
#include <mbedtls/memory_buffer_alloc.h>
#include <psa/crypto.h>
#include <wayseal_vault_driver.h>

#include "board/board.hpp"
#include "fixed_parts.hpp"
#include "wayseal/core/config.hpp"
#include "wayseal/flow/recorder.hpp"
#include "wayseal/seal/session.hpp"
#include "wayseal/spool/spool.hpp"
#include "wayseal/state/state_store.hpp"

#define ENTRY extern "C" __attribute__((noinline, noclone, used))

extern "C" {
extern const uint8_t frames_table_start[];
extern const uint8_t frames_table_end[];
extern uint32_t board_stack_top[];
}

namespace {

using wayseal::CanFrame;
using wayseal::Status;

/// Erased to 0xFF, and bits only clear: what the contract says, and nothing else.
template <uint32_t kBlocks>
class MemoryStorage final : public wayseal::Storage {
 public:
  MemoryStorage() { std::memset(bytes_, 0xFF, sizeof bytes_); }

 private:
  static constexpr uint32_t kBlockSize = 2048;
  wayseal::StorageGeometry do_geometry() const override { return {kBlockSize, kBlocks, 4}; }
  Status do_read(uint64_t offset, wayseal::MutableBytes out) override {
    std::memcpy(out.data(), bytes_ + offset, out.size());
    return Status::kOk;
  }
  Status do_program(uint64_t offset, wayseal::Bytes data) override {
    for (size_t i = 0; i < data.size(); ++i)
      bytes_[offset + i] = static_cast<uint8_t>(bytes_[offset + i] & data.data()[i]);
    return Status::kOk;
  }
  Status do_erase(uint32_t block) override {
    std::memset(bytes_ + size_t{block} * kBlockSize, 0xFF, kBlockSize);
    return Status::kOk;
  }
  Status do_sync() override { return Status::kOk; }
  uint8_t bytes_[kBlocks * kBlockSize];
};

/// Random bits in frames of a message with a multiplexer, and of one with 32 signals.
class RandomBus final : public wayseal::CanBus {
  Status do_set_filters(wayseal::Span<const wayseal::CanFilter>) override { return Status::kOk; }
  wayseal::Result<size_t> do_receive(wayseal::Span<CanFrame> frames) override {
    for (size_t i = 0; i < frames.size(); ++i) frames.data()[i] = make();
    return frames.size();
  }
  uint8_t do_bus_count() const override { return 1; }
  wayseal::BusState do_state(uint8_t) const override { return wayseal::BusState::kActive; }
  wayseal::BusCounters do_counters(uint8_t) const override { return {}; }
  wayseal::TimeBase do_time_base() const override { return wayseal::TimeBase::kMonotonic; }

  CanFrame make() {
    CanFrame frame;
    frame.time_ns = int64_t{++count_} * 1'000'003;
    const bool switched = count_ % 8 != 0;
    frame.id = switched ? 640 : 512;
    frame.length = switched ? 8 : 64;
    frame.flags = switched ? 0 : CanFrame::kFd;
    for (uint8_t i = 0; i < frame.length; ++i)
      frame.data[i] = static_cast<uint8_t>((state_ = state_ * 1664525U + 1013904223U) >> 16);
    if (switched) frame.data[0] = static_cast<uint8_t>(count_ & 1);
    return frame;
  }
  uint32_t count_ = 0;
  uint32_t state_ = 1;
};

constexpr size_t kGroups = 40;
constexpr size_t kSignals = 96;
uint8_t collector_memory[wayseal::Collector::memory_needed(
    kGroups, kSignals, wayseal::Collector::chunks_needed(kGroups, kSignals))];
uint8_t queue_memory[wayseal::RecordQueue::memory_needed(3)];
uint8_t sealed[wayseal::kRecordMax];
uint8_t opening[wayseal::kSessionOpenBytesMax];
size_t opening_size;
wayseal::SealedRecord record;
alignas(8) uint8_t arena[8 * 1024];

psa_status_t no_random(void*, uint8_t* out, size_t size) {
  std::memset(out, 1, size);
  return PSA_SUCCESS;
}

uintptr_t stack_pointer() {
  uintptr_t at;
  __asm__ volatile("mov %0, sp" : "=r"(at));
  return at;
}

/// \param in_use of the stack where `entry` is called.
void print_painted(const char* entry, size_t in_use) {
  board::print("painted ");
  board::print(entry);
  board::print(" ");
  board::print_number(board::stack_used() - in_use);
  board::print("\n");
}

}  // namespace

ENTRY Status enter_load(wayseal::SignalTable& table, wayseal::Bytes bytes) { return table.load(bytes); }
ENTRY Status enter_step(wayseal::Recorder& recorder, int64_t now) { return recorder.step({now}); }
ENTRY Status enter_flush(wayseal::Recorder& recorder) { return recorder.flush(); }
ENTRY Status enter_open(wayseal::Session& session) {
  return session.open(wayseal::CryptoPolicy{}, wayseal::PreviousSession{}, opening, opening_size);
}
ENTRY Status enter_seal(wayseal::Session& session, const wayseal::Bytes& content) {
  return session.seal(content, sealed, record);
}
ENTRY Status enter_state_mount(wayseal::StateStore& state) { return state.mount(); }
ENTRY Status enter_state_put(wayseal::StateStore& state, wayseal::Bytes value) {
  return state.put(wayseal::StateItem::kSessionCounter, value);
}
ENTRY Status enter_spool_mount(wayseal::Spool& spool) { return spool.mount(); }
ENTRY Status enter_spool_open(wayseal::Spool& spool, const wayseal::SessionId& id) {
  return spool.append_open(id, {opening, opening_size});
}
ENTRY Status enter_spool_append(wayseal::Spool& spool, const wayseal::SessionId& id) {
  return spool.append(id, record.sequence, {sealed, record.size});
}
ENTRY Status enter_spool_probe(wayseal::Spool& spool) { return spool.probe(); }

// A call whose stack is told. The paint is renewed for each, and read before anything else is called.
#define PAINTED(call)                                                                     \
  do {                                                                                    \
    board::paint_stack();                                                                 \
    const size_t in_use = reinterpret_cast<uintptr_t>(board_stack_top) - stack_pointer(); \
    const Status status = call;                                                           \
    print_painted(#call, in_use);                                                         \
    if (status != Status::kOk && status != Status::kWouldBlock) return __LINE__ % 90 + 1; \
  } while (false)

int main() {
  const board::InterruptLock lock;
  mbedtls_memory_buffer_alloc_init(arena, sizeof arena);
  wayseal_psa_set_platform_random(no_random, nullptr);
  static mbedtls_gcm_context gcm;
  const uint8_t key[32] = {3};
  mbedtls_gcm_init(&gcm);
  if (psa_crypto_init() != PSA_SUCCESS || mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256) != 0)
    return 1;

  static MemoryStorage<32> state_area;
  static MemoryStorage<32> spool_area;
  static wayseal::StateStore state(state_area);
  static wayseal::Spool spool(spool_area);
  PAINTED(enter_state_mount(state));
  // Until the log is compacted.
  for (unsigned i = 0; i < 200; ++i) {
    const uint8_t value[256] = {static_cast<uint8_t>(i)};
    PAINTED(enter_state_put(state, value));
  }
  PAINTED(enter_spool_mount(spool));

  static wayseal::SignalTable table;
  PAINTED(enter_load(table, {frames_table_start, static_cast<size_t>(frames_table_end - frames_table_start)}));
  static RandomBus bus;
  static cost::FixedClock clock;
  static wayseal::TimeSnapshot time;
  static wayseal::RecordQueue queue(queue_memory);
  static wayseal::Recorder recorder(bus, queue, time, clock);
  if (recorder.start(table, collector_memory, wayseal::RecorderConfig{}) != Status::kOk) return 2;

  static cost::FixedVault vault(gcm);
  static cost::FixedVerifier verifier;
  static cost::FixedOpenings openings;
  static wayseal::VehicleIdentity identity;
  if (identity.load(vault, verifier) != Status::kOk) return 3;
  static wayseal::Session session(vault, clock, openings, identity);
  // Sessions enough that the spool evicts whole ones, and segments enough that they go round.
  for (unsigned i = 0; i < 12; ++i) {
    PAINTED(enter_open(session));
    PAINTED(enter_spool_open(spool, session.id()));
    for (unsigned step = 0; step < 6; ++step) {
      PAINTED(enter_step(recorder, int64_t{step}));
      wayseal::QueuedContent content;
      for (; queue.front(content); queue.pop()) {
        PAINTED(enter_seal(session, content.content));
        PAINTED(enter_spool_append(spool, session.id()));
      }
    }
    PAINTED(enter_flush(recorder));
    PAINTED(enter_spool_probe(spool));
  }
  PAINTED(enter_spool_mount(spool));
  PAINTED(enter_state_mount(state));
  return 0;
}
