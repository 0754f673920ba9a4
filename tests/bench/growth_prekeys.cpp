// SPDX-License-Identifier: Apache-2.0
// How taking a prekey grows with the number kept, up to the most that a vehicle keeps:
//     bench_growth_prekeys
// Counted regions are named take.n: taking the last of n one-time prekeys, n - 1 of which are marked as used. Most of it
// is the verification of the bundle's three signatures, at each taking anew.
#include "bench/measure.hpp"
#include "unit/seal/vehicle_half.hpp"

namespace wayseal::bench {
namespace {

void measure(size_t prekeys) {
  fakes::VehicleWorld world;
  fakes::VehicleLife life(world);
  must(life.fetch(prekeys).bundle);
  const auto take = [&] {
    TakenPrekey taken;
    must(life.prekeys.take(world.vault.capabilities().suites, taken));
    must(!taken.last_resort, "a one-time prekey");
  };
  while (life.prekeys.counts().one_time != 1) take();
  counted("take." + std::to_string(prekeys), take);
}

int run() {
  for (size_t prekeys = 1; prekeys <= kPrekeysMax; prekeys *= 2) measure(prekeys);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main() {
  return wayseal::bench::guarded([] { return wayseal::bench::run(); });
}
