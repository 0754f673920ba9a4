// SPDX-License-Identifier: Apache-2.0
#include "scoreboard.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>

namespace attack {
namespace {

/// Names of what was counted between two states, with commas.
std::string risen(const State& before, const State& after) {
  std::string names;
  for (const auto& [name, count] : after.evidence) {
    const auto known = before.evidence.find(name);
    if (count == (known == before.evidence.end() ? 0 : known->second)) continue;
    names += (names.empty() ? "" : ",") + name;
  }
  return names;
}

struct Outcome {
  std::string text;
  bool changed;
};

Outcome observe(const std::function<std::string()>& act, const std::function<State()>& state) {
  const State before = state();
  std::string text;
  try {
    text = act();
  } catch (const std::exception& error) {
    text = std::string("failed: ") + error.what();
  }
  const State after = state();
  const std::string evidence = risen(before, after);
  return {evidence.empty() ? text : text + " " + evidence, before.digest != after.digest};
}

void note(const Case& one, const Outcome& attack, const Outcome& twin, bool refused, bool accepted) {
  if (std::getenv("WAYSEAL_ATTACK_QUIET") == nullptr) {
    std::printf("%-9s %-64s %-48s %-4s twin %s\n", one.group.c_str(), one.name.c_str(), attack.text.c_str(),
                refused ? "ok" : "BAD", accepted ? "ok" : "BAD");
    if (attack.changed) std::printf("%-9s the attack changed what is stored\n", "");
    if (attack.text != one.expected) std::printf("%-9s expected: %s\n", "", one.expected.c_str());
    if (!accepted)
      std::printf("%-9s twin: %s%s\n", "", twin.text.c_str(), twin.changed ? "" : ", stored nothing");
    std::fflush(stdout);
  }
  const char* const file = std::getenv("WAYSEAL_ATTACK_RESULTS");
  if (file == nullptr) return;
  std::ofstream(file, std::ios::app) << nlohmann::json{{"group", one.group}, {"case", one.name},
                                                       {"holds", one.holds}, {"expected", one.expected},
                                                       {"got", attack.text}, {"twin", twin.text},
                                                       {"refused", refused}, {"twin_accepted", accepted}}
                                            .dump()
                                     << "\n";
}

}  // namespace

void play(const Case& one) {
  const Outcome attack = observe(one.attack, one.state);
  const Outcome twin = observe(one.twin, one.state);
  const bool refused = attack.text == one.expected && !attack.changed;
  const bool accepted = twin.text == one.twin_expected && (twin.changed || !one.twin_stores);
  note(one, attack, twin, refused, accepted);
  INFO(one.group << ": " << one.name);
  CHECK(attack.text == one.expected);
  CHECK_FALSE(attack.changed);
  CHECK(twin.text == one.twin_expected);
  if (one.twin_stores) CHECK(twin.changed);
}

}  // namespace attack
