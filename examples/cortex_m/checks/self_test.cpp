// SPDX-License-Identifier: Apache-2.0
// `self_test` on the firmware's own ports: a "check" line for each rule, and a "summary". README.md has its arguments.
// Exit code: 0 no check failed; 1 one did, or the ports do not start; 2 wrong arguments.
#include "wayseal/selftest/self_test.hpp"

#include "board/board.hpp"
#include "image/arena.hpp"
#include "image/device.hpp"

namespace {

using wayseal::SelfTestCheck;
using wayseal::SelfTestVerdict;
using wayseal::Status;

int stop(const char* what) {
  board::print("self_test: ");
  board::print(what);
  board::print("\n");
  return 1;
}

const char* verdict_name(SelfTestVerdict verdict) {
  switch (verdict) {
    case SelfTestVerdict::kPassed: return "passed";
    case SelfTestVerdict::kFailed: return "failed";
    case SelfTestVerdict::kSkipped: break;
  }
  return "skipped";
}

void print_check(void*, SelfTestCheck check, SelfTestVerdict verdict, Status status) {
  board::print("check name=");
  board::print(wayseal::self_test_name(check));
  board::print(" verdict=");
  board::print(verdict_name(verdict));
  board::print(" status=");
  board::print(wayseal::status_name(status));
  board::print("\n");
}

// The first frame is taken here; those that follow it in the ring are the self test's.
bool frames_wait(wayseal::CanBus& bus, wayseal::Clock& clock, uint32_t patience_ms) {
  constexpr uint32_t kGatherMs = 20;
  const wayseal::MonotonicTime end = wayseal::after_ms(clock.now(), patience_ms);
  wayseal::CanFrame frame;
  for (;;) {
    const auto got = bus.receive({&frame, 1});
    if (got.ok() && got.value() != 0) break;
    if (end < clock.now()) return false;
    board::idle();
  }
  const wayseal::MonotonicTime gathered = wayseal::after_ms(clock.now(), kGatherMs);
  while (clock.now() < gathered) board::idle();
  return true;
}

int test(const wayseal::SelfTestPorts& ports) {
  static uint8_t memory[wayseal::kSelfTestMemory];
  wayseal::SelfTestObserver observer;
  observer.checked = print_check;
  wayseal::SelfTestReport report;
  const Status status = wayseal::self_test(ports, memory, observer, report);
  board::print("summary");
  board::print_field("passed", report.passed);
  board::print_field("failed", report.failed);
  board::print_field("skipped", report.skipped);
  board::print_field("stack", board::stack_used());
  board::print_field("arena", image::arena_peak());
  board::print("\n");
  return status == Status::kOk ? 0 : 1;
}

}  // namespace

int main() {
  static board::BoardClock clock;
  static board::Words words;
  if (!words.read()) return 2;
  static image::Areas areas(image::kSpoolSectors);
  static flash::MemoryNor chip;
  static flash::NorFlash scratch(chip, image::scratch_area());
  static image::Trust trust(areas.keys());
  image::start_arena();
  if (const image::Trouble trouble = trust.start()) return stop(trouble);
  static image::Link link(words, trust, clock);
  static image::Bus bus(clock, can::WhenRingFull::kDropAndCount);
  bus.start();
  wayseal::SelfTestPorts ports;
  ports.clock = &clock;
  ports.scratch = &scratch;
  ports.bus = &bus.port();
  ports.vault = &trust.vault();
  ports.transport = &link.transport();
  // The channel needs certificates: on a blank device it is left out.
  const image::Trouble blank = trust.load();
  if (blank == nullptr) {
    if (const image::Trouble trouble = link.start(trust)) return stop(trouble);
    ports.channel = &link.channel();
  }
  const uint32_t patience_ms = words.number("can_ms", 0);
  if (patience_ms != 0 && !frames_wait(bus.port(), clock, patience_ms)) return stop("no CAN frame came");
  return test(ports);
}
