// SPDX-License-Identifier: Apache-2.0
#ifndef WAYSEAL_SELFTEST_RUN_HPP
#define WAYSEAL_SELFTEST_RUN_HPP

#include "wayseal/selftest/self_test.hpp"

namespace wayseal::selftest {

/// One self test under way.
class Run {
 public:
  Run(const SelfTestObserver& observer, MutableBytes memory, SelfTestReport& report)
      : observer_(observer), memory_(memory), report_(report) {}

  MutableBytes memory() const { return memory_; }
  void alive() const {
    if (observer_.keep_alive != nullptr) observer_.keep_alive(observer_.context);
  }
  /// Passes on `status`, which a call has just returned, and remembers it for the next verdict.
  Status saw(Status status) {
    alive();
    last_ = status;
    return status;
  }
  bool check(SelfTestCheck check, bool good) {
    tell(check, good ? SelfTestVerdict::kPassed : SelfTestVerdict::kFailed);
    return good;
  }
  void skip(SelfTestCheck check) { tell(check, SelfTestVerdict::kSkipped); }
  void skip(SelfTestCheck first, SelfTestCheck last) {
    for (auto i = static_cast<uint8_t>(first); i <= static_cast<uint8_t>(last); ++i) {
      skip(static_cast<SelfTestCheck>(i));
    }
  }

 private:
  void tell(SelfTestCheck check, SelfTestVerdict verdict) {
    uint8_t* const counts[] = {&report_.passed, &report_.failed, &report_.skipped};
    ++*counts[static_cast<uint8_t>(verdict)];
    alive();
    if (observer_.checked != nullptr) observer_.checked(observer_.context, check, verdict, last_);
    last_ = Status::kOk;
  }

  const SelfTestObserver& observer_;
  MutableBytes memory_;
  SelfTestReport& report_;
  Status last_ = Status::kOk;
};

void test_crypto(Run& run);
void test_clock(Run& run, const Clock& clock);
void test_storage(Run& run, Storage& storage);
void test_can_bus(Run& run, CanBus& bus);
void test_vault(Run& run, KeyVault& vault);

}  // namespace wayseal::selftest

#endif
