// SPDX-License-Identifier: Apache-2.0
// Collect and seal, for something else that carries the records: 24 signals in 6 groups.
#include "device.hpp"
#include "wayseal/flow/recorder.hpp"
#include "wayseal/seal/session.hpp"
#include "wayseal/signal/signal_table.hpp"

using namespace wayseal;

namespace {

constexpr size_t kGroups = 6;
constexpr size_t kSignals = 24;
constexpr size_t kChunks = 32;
constexpr size_t kQueued = 2;
constexpr size_t kOutput = kSessionOpenBytesMax > kRecordMax ? kSessionOpenBytesMax : kRecordMax;

unsigned char collector_memory[Collector::memory_needed(kGroups, kSignals, kChunks)];
unsigned char queue_memory[RecordQueue::memory_needed(kQueued)];
unsigned char output[kOutput];
Place<SignalTable> table_place;
Place<RecordQueue> queue_place;
Place<TimeSnapshot> time_place;
Place<Recorder> recorder_place;
Place<VehicleIdentity> identity_place;
Place<Session> session_place;

Status start(SignalTable& table, Recorder& recorder, VehicleIdentity& identity) {
  WAYSEAL_TRY(table.load_built_in({device_table(), device_table_size()}));
  WAYSEAL_TRY(recorder.start(table, collector_memory, RecorderConfig()));
  return identity.load(device_vault(), device_verifier());
}

Status seal_next(RecordQueue& queue, Session& session) {
  if (session.state() != SessionState::kAlive) {
    size_t size = 0;
    WAYSEAL_TRY(session.open(CryptoPolicy(), PreviousSession(), output, size));
    device_take(output);
  }
  QueuedContent waiting;
  if (!queue.front(waiting)) return Status::kOk;
  SealedRecord record;
  WAYSEAL_TRY(session.seal(waiting.content, output, record));
  device_take(output);
  queue.pop();
  return Status::kOk;
}

}  // namespace

void reset() {
  Clock& clock = device_clock();
  SignalTable& table = table_place.make();
  RecordQueue& queue = queue_place.make(MutableBytes(queue_memory));
  TimeSnapshot& time = time_place.make();
  Recorder& recorder = recorder_place.make(device_bus(), queue, time, clock);
  VehicleIdentity& identity = identity_place.make();
  Session& session = session_place.make(device_vault(), clock, device_openings(), identity);
  Status status = start(table, recorder, identity);
  while (status == Status::kOk) {
    static_cast<void>(recorder.step(clock.now()));
    status = seal_next(queue, session);
  }
  static_cast<void>(recorder.flush());
  for (;;) device_take(&status);
}
