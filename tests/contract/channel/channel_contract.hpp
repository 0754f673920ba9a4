// SPDX-License-Identifier: Apache-2.0
/// \file
/// The contract of Channel as test cases. A port instantiates it with a rig:
///
///     struct MyRig {
///       Channel& channel();
///       void serve_lines();    // a peer that sends each line back reversed, and closes after the line "CLOSE"
///       void serve_nothing();  // nobody listens
///       void serve_refusal();  // a peer that takes the connection and then refuses who we are
///     };
///     WAYSEAL_CHANNEL_CONTRACT(MyRig)
#ifndef WAYSEAL_TESTS_CONTRACT_CHANNEL_CONTRACT_HPP
#define WAYSEAL_TESTS_CONTRACT_CHANNEL_CONTRACT_HPP

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "wayseal/hal/channel.hpp"

namespace wayseal::contract {

/// Calls `call` until it returns something else than kWouldBlock, at most 20 s.
template <typename Call>
Status until_done(Call call) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  Status status = call();
  while (status == Status::kWouldBlock && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
    status = call();
  }
  return status;
}

inline Status connect(Channel& channel, CertificateDates dates = {}) {
  const Status status = channel.open(dates);
  return status == Status::kOk ? until_done([&] { return channel.progress(); }) : status;
}

inline Status send(Channel& channel, const std::string& text) {
  Bytes left{reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  while (!left.empty()) {
    WAYSEAL_TRY(until_done([&] {
      const Result<size_t> taken = channel.write(left);
      left = left.from(taken.value_or(0));
      return taken.status();
    }));
  }
  return Status::kOk;
}

/// Reads until `size` bytes are there.
inline Status receive(Channel& channel, size_t size, std::string& text) {
  while (text.size() < size) {
    uint8_t buffer[700];
    Result<size_t> got = Status::kWouldBlock;
    WAYSEAL_TRY(until_done([&] {
      got = channel.read(buffer);
      return got.status();
    }));
    text.append(buffer, buffer + got.value());
  }
  return Status::kOk;
}

template <typename Rig>
void carries_bytes_both_ways() {
  Rig rig;
  rig.serve_lines();
  Channel& channel = rig.channel();
  REQUIRE(connect(channel) == Status::kOk);
  CHECK(channel.progress() == Status::kOk);
  CHECK(channel.diagnostic().failure == ChannelFailure::kNone);
  for (const size_t size : {size_t{1}, size_t{100}, size_t{5000}}) {
    std::string line(size, 'x');
    line.front() = '<';
    std::string answer;
    REQUIRE(send(channel, line + "\n") == Status::kOk);
    REQUIRE(receive(channel, size + 1, answer) == Status::kOk);
    CHECK(answer == std::string(line.rbegin(), line.rend()) + "\n");
  }
  uint8_t byte = 0;
  CHECK(channel.read({&byte, 1}).status() == Status::kWouldBlock);
}

template <typename Rig>
void knows_its_states() {
  Rig rig;
  rig.serve_lines();
  Channel& channel = rig.channel();
  uint8_t byte = 'x';
  const auto closed = [&] {
    CHECK(channel.progress() == Status::kBadState);
    CHECK(channel.write({&byte, 1}).status() == Status::kBadState);
    CHECK(channel.read({&byte, 1}).status() == Status::kBadState);
  };
  closed();
  channel.close();
  closed();
  REQUIRE(channel.open({}) == Status::kOk);
  CHECK(channel.write({&byte, 1}).status() == Status::kBadState);
  CHECK(channel.read({&byte, 1}).status() == Status::kBadState);
  REQUIRE(until_done([&] { return channel.progress(); }) == Status::kOk);
  CHECK(channel.write({}).status() == Status::kInvalidArgument);
  CHECK(channel.read({}).status() == Status::kInvalidArgument);
  channel.close();
  closed();
}

template <typename Rig>
void connects_again_and_again() {
  Rig rig;
  rig.serve_lines();
  Channel& channel = rig.channel();
  uint64_t wire = channel.wire_bytes();
  for (int round = 0; round < 3; ++round) {
    // Also without closing the former one, and in the middle of opening.
    REQUIRE(channel.open({}) == Status::kOk);
    (void)channel.progress();
    REQUIRE(connect(channel) == Status::kOk);
    std::string answer;
    REQUIRE(send(channel, "ab\n") == Status::kOk);
    REQUIRE(receive(channel, 3, answer) == Status::kOk);
    CHECK(answer == "ba\n");
    CHECK(channel.wire_bytes() >= wire + 6);
    wire = channel.wire_bytes();
  }
}

template <typename Rig>
void reports_a_peer_that_closes() {
  Rig rig;
  rig.serve_lines();
  Channel& channel = rig.channel();
  REQUIRE(connect(channel) == Status::kOk);
  std::string answer;
  REQUIRE(send(channel, "last words\n") == Status::kOk);
  REQUIRE(receive(channel, 11, answer) == Status::kOk);
  REQUIRE(send(channel, "CLOSE\n") == Status::kOk);
  CHECK(receive(channel, 12, answer) == Status::kDisconnected);
  CHECK(channel.diagnostic().failure == ChannelFailure::kClosedByPeer);
  CHECK(channel.progress() == Status::kBadState);
  CHECK(connect(channel) == Status::kOk);
  CHECK(channel.diagnostic().failure == ChannelFailure::kNone);
}

template <typename Rig>
void reports_that_nobody_listens() {
  Rig rig;
  rig.serve_nothing();
  Channel& channel = rig.channel();
  CHECK(connect(channel) == Status::kDisconnected);
  CHECK(channel.diagnostic().failure == ChannelFailure::kUnreachable);
  CHECK(channel.progress() == Status::kBadState);
}

template <typename Rig>
void reports_a_refusal_at_the_first_read() {
  Rig rig;
  rig.serve_refusal();
  Channel& channel = rig.channel();
  Status status = connect(channel);
  std::string answer;
  if (status == Status::kOk) {
    (void)send(channel, "hello\n");
    status = receive(channel, 6, answer);
  }
  CHECK(status == Status::kRefused);
  CHECK(answer.empty());
  CHECK(channel.diagnostic().failure == ChannelFailure::kClientCertificateRefused);
}

template <typename Rig>
void has_a_name() {
  Rig rig;
  rig.serve_lines();
  CHECK(rig.channel().authority().size() > 0);
}

}  // namespace wayseal::contract

#define WAYSEAL_CHANNEL_CONTRACT(Rig)                                                                          \
  TEST_CASE(#Rig ": bytes arrive as sent, both ways") { wayseal::contract::carries_bytes_both_ways<Rig>(); }   \
  TEST_CASE(#Rig ": closed, opening and open are kept apart") { wayseal::contract::knows_its_states<Rig>(); }  \
  TEST_CASE(#Rig ": connects again and again") { wayseal::contract::connects_again_and_again<Rig>(); }         \
  TEST_CASE(#Rig ": a peer that closes is reported") { wayseal::contract::reports_a_peer_that_closes<Rig>(); } \
  TEST_CASE(#Rig ": a peer that is not there is reported") {                                                   \
    wayseal::contract::reports_that_nobody_listens<Rig>();                                                     \
  }                                                                                                            \
  TEST_CASE(#Rig ": a refused certificate shows at the first read") {                                          \
    wayseal::contract::reports_a_refusal_at_the_first_read<Rig>();                                             \
  }                                                                                                            \
  TEST_CASE(#Rig ": the peer has a name") { wayseal::contract::has_a_name<Rig>(); }

#endif
