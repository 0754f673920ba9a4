// SPDX-License-Identifier: Apache-2.0
/// \file
/// What every measuring program shares: a counted region, a clock, and the lines that tests/bench/run reads.
#ifndef WAYSEAL_TESTS_BENCH_MEASURE_HPP
#define WAYSEAL_TESTS_BENCH_MEASURE_HPP

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/status.hpp"

#ifdef WAYSEAL_HAS_CALLGRIND
#include <valgrind/callgrind.h>
#endif

namespace wayseal::bench {

/// Runs `work`; under callgrind its instructions are dumped under `name`, and only those. The program is started
/// with --instr-atstart=no, so that setting up runs fast and uncounted.
template <class Work>
void counted(const char* name, Work&& work) {
#ifdef WAYSEAL_HAS_CALLGRIND
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  work();
  CALLGRIND_STOP_INSTRUMENTATION;
  CALLGRIND_DUMP_STATS_AT(name);
#else
  static_cast<void>(name);
  work();
#endif
}
template <class Work>
void counted(const std::string& name, Work&& work) {
  counted(name.c_str(), static_cast<Work&&>(work));
}

/// Processor time of this thread, for interleaved comparisons: other processes disturb it least.
inline double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

template <class Work>
double cpu_us_of(Work&& work) {
  const double start = cpu_us();
  work();
  return cpu_us() - start;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// A figure for tests/bench/run: "name value".
inline void figure(const std::string& name, double value) { std::printf("%s %.10g\n", name.c_str(), value); }
inline void figure(const std::string& name, size_t value) { std::printf("%s %zu\n", name.c_str(), value); }

inline void must(Status status) {
  if (status != Status::kOk) throw std::runtime_error(status_name(status));
}
inline void must(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

using Blob = std::vector<uint8_t>;
inline Bytes view(const Blob& blob) { return {blob.data(), blob.size()}; }
inline MutableBytes mutable_view(Blob& blob) { return {blob.data(), blob.size()}; }

/// Keeps the compiler from dropping what nobody reads.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

/// Exit code 77 says "skipped", with the reason on standard error.
inline constexpr int kSkipped = 77;

template <class Run>
int guarded(Run&& run) {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace wayseal::bench

#endif
