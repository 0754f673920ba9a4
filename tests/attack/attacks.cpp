// SPDX-License-Identifier: Apache-2.0
#include "attacks.hpp"

namespace attack {

Chain& shared_chain() {
  static Chain chain;
  return chain;
}

void play_request(Chain& chain, Member& own, const std::string& group, const std::string& name,
                  const std::string& holds, const std::string& expected,
                  const std::function<void(Request&)>& spoil) {
  const Request good = chain.good(own);
  Request bad = good;
  spoil(bad);
  play({group, name, holds, expected, [&] { return chain.send(bad); }, [&] { return chain.send(good); },
        chain.watch()});
}

}  // namespace attack
