// SPDX-License-Identifier: Apache-2.0
// Profile standard, with room for contents of 4,096 bytes.
#define WAYSEAL_RECORD_MAX 4352
#include "wayseal/core/profile_standard.hpp"
