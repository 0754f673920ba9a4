// SPDX-License-Identifier: Apache-2.0
#ifndef WAYSEAL_TESTS_ATTACK_ATTACKS_HPP
#define WAYSEAL_TESTS_ATTACK_ATTACKS_HPP

#include "chain.hpp"

namespace attack {

/// The one of this program.
Chain& shared_chain();

/// A good request of a member, what an attacker makes of it, and then the good one.
void play_request(Chain& chain, Member& own, const std::string& group, const std::string& name,
                  const std::string& holds, const std::string& expected,
                  const std::function<void(Request&)>& spoil);

}  // namespace attack

#endif
