// SPDX-License-Identifier: Apache-2.0
// Changes requests at random: method, target, fields, lengths, tokens, protobuf bodies.
#ifndef WAYSEAL_TESTS_REQUESTS_MUTATION_HPP
#define WAYSEAL_TESTS_REQUESTS_MUTATION_HPP

#include <random>
#include <string>

#include "attack/chain.hpp"

namespace requests {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  /// Below `bound`, which is not 0.
  size_t below(size_t bound) { return static_cast<size_t>(random_() % bound); }

  /// One to three changes. A request that declares more bytes than it has gets them, so that no server waits for the rest.
  attack::Request change(attack::Request request);

 private:
  std::string bits(std::string text);
  std::string protobuf(const std::string& message, unsigned depth);
  std::string one_field(const std::string& field, const std::string& inner, size_t tag_size, unsigned depth);
  std::string junk_field();
  void change_line(attack::Request& request);
  void change_field(attack::Request& request);
  void change_token(attack::Request& request);
  void change_length(attack::Request& request);
  void change_body(attack::Request& request);

  std::mt19937_64 random_;
};

}  // namespace requests

#endif
