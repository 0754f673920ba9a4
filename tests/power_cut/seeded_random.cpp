// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED  // RAND_METHOD has no successor that takes three lines
#include "power_cut/seeded_random.hpp"

#include <openssl/rand.h>

namespace wayseal::test {
namespace {

uint64_t g_state = 0;
unsigned g_depth = 0;

uint64_t splitmix(uint64_t& state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

int fill(unsigned char* out, int size) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(splitmix(g_state) >> 56);
  return 1;
}

int is_seeded() { return 1; }

const RAND_METHOD kMethod{nullptr, fill, nullptr, nullptr, fill, is_seeded};

}  // namespace

SeededRandom::SeededRandom(uint64_t seed) : outer_state_(g_state), outermost_(g_depth++ == 0) {
  g_state = seed;
  if (outermost_) RAND_set_rand_method(&kMethod);
}

SeededRandom::~SeededRandom() {
  g_state = outer_state_;
  --g_depth;
  if (outermost_) RAND_set_rand_method(nullptr);
}

uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t state = a * 0xD6E8FEB86659FD93ULL + b;
  return splitmix(state);
}

}  // namespace wayseal::test
