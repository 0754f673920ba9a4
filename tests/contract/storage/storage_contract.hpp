// SPDX-License-Identifier: Apache-2.0
// The contract of Storage, for every port and fake.
#ifndef WAYSEAL_TESTS_CONTRACT_STORAGE_CONTRACT_HPP
#define WAYSEAL_TESTS_CONTRACT_STORAGE_CONTRACT_HPP

#include "wayseal/hal/storage.hpp"

namespace wayseal::test {

// Checks an erased storage of at least 4 blocks; leaves its content undefined. Call it inside a TEST_CASE.
void check_storage_contract(Storage& storage);

}  // namespace wayseal::test

#endif
