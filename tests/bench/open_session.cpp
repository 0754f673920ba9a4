// SPDX-License-Identifier: Apache-2.0
// What it takes to open a session: calls of the token, bytes of the SessionOpen, processor time and the share of it that
// is spent inside the token:
//     bench_open_session softhsm|nss
// The floor of the time is what the token's own functions took in the same opening.
#include "bench/counted_functions.hpp"
#include "bench/token_vehicle.hpp"

namespace wayseal::bench {
namespace {

constexpr size_t kRounds = 15;

int run(const std::string& name) {
  test::TokenFixture& fixture = token_named(name);
  if (!fixture.missing().empty()) {
    std::fprintf(stderr, "%s\n", fixture.missing().c_str());
    return kSkipped;
  }
  CountedFunctions functions(fixture.module().functions());
  TokenVehicle vehicle(fixture, functions.list());
  vehicle.fetch_prekeys();
  vehicle.show_session(vehicle.open_session());

  std::vector<double> total_us;
  std::vector<double> ratio;
  size_t bytes = 0;
  for (size_t round = 0; round < kRounds; ++round) {
    if (vehicle.prekeys.counts().one_time == 0) vehicle.fetch_prekeys();
    vehicle.session.close();
    functions.clear();
    total_us.push_back(cpu_us_of([&] { bytes = vehicle.open_session(); }));
    ratio.push_back(total_us.back() / functions.inside_us());
    vehicle.show_session(bytes);
  }
  figure("bytes", bytes);
  figure("calls", functions.calls());
  figure("signatures", functions.calls("C_Sign"));
  figure("derivations", functions.calls("C_DeriveKey"));
  figure("key_pairs", functions.calls("C_GenerateKeyPair"));
  figure("time_us", median(total_us));
  figure("time_ratio", median(ratio));
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(argv[1]); });
}
