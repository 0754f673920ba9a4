// SPDX-License-Identifier: Apache-2.0
// What was tried, and what came of it: a row for each attack.
#ifndef WAYSEAL_TESTS_ATTACK_SCOREBOARD_HPP
#define WAYSEAL_TESTS_ATTACK_SCOREBOARD_HPP

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace attack {

/// What is stored that an attacker must not change, as a digest, and what the system counted on the side: kinds of alarms and
/// counters of refusals, by name.
struct State {
  std::string digest;
  std::map<std::string, int64_t> evidence;
};

struct Case {
  std::string group;
  std::string name;
  std::string holds;     ///< What the attacker has.
  std::string expected;  ///< What `attack` has to give, followed by the evidence that it left.
  std::function<std::string()> attack;
  std::function<std::string()> twin;  ///< The same without what makes it an attack.
  std::function<State()> state;
  std::string twin_expected = "200";
  bool twin_stores = true;  ///< The twin has to change the state.
};

/// Runs the attack and then its twin, prints a row, and fails the Catch2 test that runs unless the attack gave exactly what is
/// expected and changed nothing, and the twin was accepted. Writes the row to the file $WAYSEAL_ATTACK_RESULTS as well.
void play(const Case& one);

}  // namespace attack

#endif
