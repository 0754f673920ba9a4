// SPDX-License-Identifier: Apache-2.0
// Whether records are the same bytes here as on every other target: prints one line. Exit code: 0 they are; 1 not.
#include "records/record_check.hpp"

#include <wayseal_vault_driver.h>

#include "board/board.hpp"
#include "image/arena.hpp"

namespace {

psa_status_t random_bytes(void*, uint8_t* out, size_t size) {
  return board::entropy(out, size) ? PSA_SUCCESS : PSA_ERROR_INSUFFICIENT_ENTROPY;
}

}  // namespace

int main() {
  image::start_arena();
  wayseal_psa_set_platform_random(random_bytes, nullptr);
  static char report[256];
  const bool good = wayseal::records::run_record_check(report, sizeof report);
  board::print(report);
  board::print("\nsummary");
  board::print_field("stack", board::stack_used());
  board::print_field("arena", image::arena_peak());
  board::print("\n");
  return good ? 0 : 1;
}
