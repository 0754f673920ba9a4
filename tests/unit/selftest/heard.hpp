// SPDX-License-Identifier: Apache-2.0
/// \file
/// A self test, and what it said.
#ifndef WAYSEAL_TESTS_UNIT_SELFTEST_HEARD_HPP
#define WAYSEAL_TESTS_UNIT_SELFTEST_HEARD_HPP

#include <string>
#include <vector>

#include "wayseal/selftest/self_test.hpp"

namespace wayseal::test {

struct Heard {
  Status status = Status::kOk;
  SelfTestReport report;
  std::vector<SelfTestCheck> order;
  std::vector<std::string> failed;
  std::vector<std::string> skipped;
  uint32_t keep_alives = 0;
  bool wiped = false;  // its memory, at the end
};

inline void hear(void* context, SelfTestCheck check, SelfTestVerdict verdict, Status) {
  auto& heard = *static_cast<Heard*>(context);
  heard.order.push_back(check);
  if (verdict == SelfTestVerdict::kFailed) heard.failed.emplace_back(self_test_name(check));
  if (verdict == SelfTestVerdict::kSkipped) heard.skipped.emplace_back(self_test_name(check));
}

inline Heard run_self_test(const SelfTestPorts& ports) {
  Heard heard;
  SelfTestObserver observer;
  observer.checked = hear;
  observer.keep_alive = [](void* context) { ++static_cast<Heard*>(context)->keep_alives; };
  observer.context = &heard;
  std::vector<uint8_t> memory(kSelfTestMemory, 0xA5);
  heard.status = self_test(ports, {memory.data(), memory.size()}, observer, heard.report);
  heard.wiped = memory == std::vector<uint8_t>(kSelfTestMemory, 0);
  return heard;
}

}  // namespace wayseal::test

#endif
