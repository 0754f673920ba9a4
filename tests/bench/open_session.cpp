// SPDX-License-Identifier: Apache-2.0
// What it takes to open a session: calls of the token, bytes of the SessionOpen, processor time and the share of it that
// is spent inside the token:
//     bench_open_session softhsm|nss
// The floor of the time is what the token's own functions took in the same opening. And how many system calls of ours a
// seal in that session takes, for instructions do not show what those cost: getpid, by which a forked child is noticed.
// The linker counts them.
#include <unistd.h>

#include "bench/counted_functions.hpp"
#include "bench/token_vehicle.hpp"

namespace {
size_t getpids = 0;
}

// Names that the linker makes of --wrap.
extern "C" {
pid_t __real_getpid();
pid_t __wrap_getpid();
pid_t __wrap_getpid() {
  ++getpids;
  return __real_getpid();
}
}

namespace wayseal::bench {
namespace {

constexpr size_t kRounds = 15;

size_t getpids_of_seal(Session& session) {
  const Blob content(256);
  Blob out(kRecordMax);
  SealedRecord record;
  getpids = 0;
  must(session.seal(view(content), mutable_view(out), record));
  return getpids;
}

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
  figure("getpids_a_seal", getpids_of_seal(vehicle.session));
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
