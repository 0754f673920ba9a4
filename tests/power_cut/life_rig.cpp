// SPDX-License-Identifier: Apache-2.0
#include "power_cut/life_rig.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>

namespace wayseal::test {
namespace {

using namespace fakes;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kStride = 5;  // these builds are slow
#else
constexpr uint64_t kStride = 1;
#endif

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  const uint64_t number = text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
  return number == 0 ? otherwise : number;
}

}  // namespace

CutChoice::CutChoice()
    : stride(number_from("WAYSEAL_CUT_STRIDE", kStride)), only(number_from("WAYSEAL_CUT_ONLY", 0)) {}

void CutTally::add(CutMode mode, size_t phase) {
  ++cuts;
  torn += mode == CutMode::kClean ? 0 : 1;
  ++phases[phase];
}

void CutTally::note(uint64_t seed, const std::string& what, const std::string& wrong) {
  if (!wrong.empty()) failures.push_back("seed " + std::to_string(seed) + ", " + what + ": " + wrong);
}

void CutTally::print(const char* what, const CutChoice& choice) const {
  std::string line =
      std::string(what) + ": " + std::to_string(cuts) + " cuts, " + std::to_string(torn) + " of them torn";
  if (passed_over > 0 && choice.only == 0)
    line += ", every " + std::to_string(choice.stride) + ". of " + std::to_string(cuts + passed_over);
  for (size_t i = 0; i < kPhases; ++i) {
    if (phases[i] > 0) line += std::string("; ") + kPhaseNames[i] + " " + std::to_string(phases[i]);
  }
  std::printf("%s\n", line.c_str());
}

void CutTally::check() const {
  for (const std::string& failure : failures) UNSCOPED_INFO(failure);
  CHECK(failures.empty());
}

FakeProvisioning::FakeProvisioning() {
  identity.id = "vehicle-7";
  identity.key = random_scalar();
  const FakeChain chain = verifier.issue(
      {Role::kVehicle, identity.id, public_point(identity.key), {0}, {BackendHalf::kNowMs + 365 * kMsPerDay}});
  identity.leaf = chain.leaf;
  identity.intermediate = chain.intermediate;
  identity.verifier = &verifier;
}

std::string judge(const ClientLife& life, const LifeWorld& world, LifeBackend& backend) {
  if (!life.wrong().empty()) return life.wrong();
  if (!backend.wrong.empty()) return backend.wrong;
  if (!backend.db.alarms.empty()) return "alarm " + *backend.db.alarms.begin();
  if (!backend.missing().empty()) return backend.missing();
  if (world.spool.violations() + world.state.violations() != 0) return "programmed what was not erased";
  const SpoolView left = look_at_spool(world.spool);
  if (!left.wrong.empty()) return left.wrong;
  for (const auto& [name, bytes] : left.entries) {
    if (name.second != 0 && !backend.accounts_for(name)) return name_text(name) + " was never delivered";
  }
  return "";
}

}  // namespace wayseal::test
