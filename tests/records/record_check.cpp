// SPDX-License-Identifier: Apache-2.0
#include "records/record_check.hpp"

#include <new>

#include "records/fixed_vault.hpp"
#include "records/made_up_bus.hpp"
#include "records/record_table.hpp"
#include "wayseal/flow/recorder.hpp"
#include "wayseal/seal/session.hpp"
#include "wayseal/trust/signed.hpp"

namespace wayseal::records {
namespace {

// What x86-64 gave when the check was written, and every target since. It changes when record bytes change, and only then.
constexpr Digest kExpected = {{0x27, 0xaf, 0x94, 0x40, 0x75, 0xe9, 0x84, 0x5b, 0x8c, 0xb1, 0x94,
                               0x68, 0xce, 0x65, 0x03, 0x10, 0x38, 0xd3, 0xd8, 0x09, 0xb4, 0x9b,
                               0x65, 0x46, 0xd8, 0x0d, 0x1f, 0x65, 0xbf, 0xc0, 0x08, 0x8e}};

constexpr uint32_t kFrames = 4000;
constexpr uint32_t kFramesPerStep = 16;
constexpr uint32_t kSteps = kFrames / kFramesPerStep;
constexpr uint32_t kTimeKnownAtStep = kSteps / 3;
constexpr uint32_t kSecondSessionAtStep = kSteps / 2;
constexpr int64_t kStepMs = 40;
constexpr int64_t kUtcOffsetUs = 1'700'000'000'123'456;
constexpr uint64_t kContinuity = 7;
// The largest content of the smallest record that a configuration may have.
constexpr size_t kSlotBytes = 1024 - 64;
constexpr size_t kSlots = 3;
constexpr size_t kCollectorBytes = Collector::memory_needed(
    kTableGroups, kTableSignals, Collector::chunks_needed(kTableGroups, kTableSignals, kSlotBytes));
static_assert(kSlotBytes <= kContentMax, "records are alike in every configuration");

class FixedClock final : public Clock {
 public:
  void advance_ms(int64_t ms) { now_ = after_ms(now_, ms); }

 private:
  MonotonicTime do_now() const override { return now_; }
  uint64_t do_continuity() const override { return kContinuity; }

  MonotonicTime now_{kNsPerSecond};
};

class FixedOpenings final : public OpeningSource {
  Status do_next_counter(uint64_t& counter) override {
    counter = ++counter_;
    return Status::kOk;
  }
  Status do_take(SuiteSet usable, TakenPrekey& out) override {
    out = {};
    out.id = 0x8000'0000'0000'0100 + counter_;
    out.suites = usable;
    WAYSEAL_TRY(fixed_point("prekey", static_cast<uint8_t>(counter_), out.point));
    WAYSEAL_TRY(fixed_bytes("bundle", 0, out.bundle_digest.mutable_bytes()));
    return fixed_bytes("backend", 0, out.certificate_digest.mutable_bytes());
  }

  uint64_t counter_ = 0x1'0000'00FF;
};

/// Everything between the frames and the digest. Lives in static memory, since an MCU's stack is small.
class Scene {
 public:
  RecordCheckResult run() {
    result_.failed_at = steps();
    result_.samples = static_cast<uint32_t>(stats().samples);
    if (digest_.finish(result_.digest) != Status::kOk && result_.failed_at == nullptr)
      result_.failed_at = "hashing";
    session_.close();
    return result_;
  }

 private:
  const char* steps() {
    if (table_.load({kTable, kTableSize}) != Status::kOk) return "loading the table";
    if (identity_.load(vault_, verifier_) != Status::kOk) return "loading the identity";
    RecorderConfig config;
    config.batch_duration_ms = 1000;
    if (recorder_.start(table_, collecting_, config) != Status::kOk) return "starting the recorder";
    if (!open_session({})) return "opening the first session";
    for (uint32_t step = 0; step < kSteps; ++step) {
      if (step == kTimeKnownAtStep) time_.publish({TimeQuality::kTrusted, kUtcOffsetUs, kContinuity});
      if (step == kSecondSessionAtStep && !open_session(ended_session())) return "opening the second session";
      clock_.advance_ms(kStepMs);
      bus_.offer(kFramesPerStep, clock_.now());
      result_.frames += kFramesPerStep;
      if (recorder_.step(clock_.now()) != Status::kOk) return "recording";
      if (!seal_what_waits()) return "sealing";
    }
    if (recorder_.flush() != Status::kOk || !seal_what_waits()) return "flushing";
    const CollectorStats collected = stats();
    return collected.samples_dropped + collected.batches_dropped == 0 ? nullptr : "keeping every sample";
  }

  CollectorStats stats() const {
    CollectorStats stats;
    static_cast<void>(recorder_.stats(stats));
    return stats;
  }

  PreviousSession ended_session() const {
    return {PreviousSession::Known::kYes, session_.id(), session_.last_sequence()};
  }

  bool open_session(const PreviousSession& previous) {
    size_t size = 0;
    if (session_.open(CryptoPolicy{}, previous, opening_, size) != Status::kOk) return false;
    digest_.add(MutableBytes(opening_).first(size));
    return true;
  }

  bool seal_what_waits() {
    QueuedContent content;
    while (queue_.front(content)) {
      SealedRecord record;
      if (session_.seal(content.content, sealed_, record) != Status::kOk) return false;
      digest_.add(MutableBytes(sealed_).first(record.size));
      ++result_.records;
      result_.record_bytes += static_cast<uint32_t>(record.size);
      queue_.pop();
    }
    return true;
  }

  // Aligned, so that as many chunks fit on every target.
  alignas(32) uint8_t collecting_[kCollectorBytes];
  uint8_t queued_[RecordQueue::memory_needed(kSlots, kSlotBytes)];
  uint8_t opening_[kSessionOpenBytesMax];
  uint8_t sealed_[kRecordMax < 1024 ? kRecordMax : 1024];
  SignalTable table_;
  FixedClock clock_;
  MadeUpBus bus_;
  FixedVault vault_;
  FixedVerifier verifier_;
  FixedOpenings openings_;
  VehicleIdentity identity_;
  TimeSnapshot time_;
  RecordQueue queue_{queued_, kSlotBytes};
  Recorder recorder_{bus_, queue_, time_, clock_};
  Session session_{vault_, clock_, openings_, identity_};
  Sha256 digest_;
  RecordCheckResult result_;
};

alignas(Scene) uint8_t scene_memory[sizeof(Scene)];

/// A line of text that is cut where its memory ends.
class Line {
 public:
  Line(char* memory, size_t size) : memory_(memory), room_(size == 0 ? 0 : size - 1) {
    if (size != 0) memory_[0] = 0;
  }
  void text(const char* text) {
    while (*text != 0) put(*text++);
  }
  void number(uint32_t value) {
    if (value >= 10) number(value / 10);
    put(static_cast<char>('0' + value % 10));
  }
  void hex(Bytes bytes) {
    for (const uint8_t byte : bytes) {
      put(kDigits[byte >> 4]);
      put(kDigits[byte & 0xF]);
    }
  }

 private:
  static constexpr char kDigits[] = "0123456789abcdef";
  void put(char c) {
    if (room_ == 0) return;
    --room_;
    *memory_++ = c;
    *memory_ = 0;
  }

  char* memory_;
  size_t room_;
};

}  // namespace

RecordCheckResult make_records() {
  if (psa_crypto_init() != PSA_SUCCESS) {
    RecordCheckResult result;
    result.failed_at = "starting PSA Crypto";
    return result;
  }
  Scene* const scene = new (scene_memory) Scene;
  const RecordCheckResult result = scene->run();
  scene->~Scene();
  return result;
}

bool run_record_check(char* report, size_t size) {
  const RecordCheckResult result = make_records();
  const bool good = result.failed_at == nullptr && result.digest == kExpected;
  Line line(report, size);
  line.number(result.frames);
  line.text(" frames, ");
  line.number(result.samples);
  line.text(" samples, ");
  line.number(result.records);
  line.text(" records, ");
  line.number(result.record_bytes);
  line.text(" bytes, ");
  line.hex(result.digest.bytes());
  if (result.failed_at != nullptr) {
    line.text(": failed at ");
    line.text(result.failed_at);
  } else if (!good) {
    line.text(": not the bytes expected");
  }
  return good;
}

}  // namespace wayseal::records
