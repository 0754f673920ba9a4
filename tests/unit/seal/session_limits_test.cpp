// SPDX-License-Identifier: Apache-2.0
// Counters at their end or of another size, and acks that do not fit.
#include <catch2/catch_test_macros.hpp>

#include "unit/seal/vehicle_half.hpp"
#include "wayseal/seal/session.hpp"

namespace wayseal {
namespace {

using fakes::BackendSession;
using fakes::Blob;
using fakes::mutable_view;
using fakes::VaultCall;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

struct Opener {
  explicit Opener(VehicleWorld& world)
      : life(world),
        openings(life.state, life.prekeys),
        session(world.vault, world.clock, openings, life.identity) {
    REQUIRE(life.fetch(4).bundle == Status::kOk);
  }
  Status open() { return session.open({}, {}, mutable_view(bytes), size); }
  Status open_with_counter(const Blob& counter) {
    REQUIRE(life.state.put(StateItem::kSessionCounter, view(counter)) == Status::kOk);
    return open();
  }

  VehicleLife life;
  StoredOpenings openings;
  Session session;
  Blob bytes = Blob(kSessionOpenBytesMax);
  size_t size = 0;
};

TEST_CASE("session: a counter at its end, of another size or that cannot be read opens none") {
  VehicleWorld world;
  Opener opener(world);
  CHECK(opener.open_with_counter(Blob(8, 0xFF)) == Status::kExhausted);
  CHECK(opener.open_with_counter(Blob(7, 0)) == Status::kStorageFailed);
  CHECK(opener.open_with_counter(Blob(9, 0)) == Status::kBufferTooSmall);
  CHECK(world.vault.calls(VaultCall::kMakeEphemeral) == 0);
  Blob last(8, 0xFF);
  last[7] = 0xFE;
  CHECK(opener.open_with_counter(last) == Status::kOk);
  CHECK(opener.open() == Status::kExhausted);
  CHECK(opener.session.state() == SessionState::kNone);
}

TEST_CASE("session: whatever read of the storage fails while it opens, no session and no key is left") {
  VehicleWorld world;
  Opener opener(world);
  int failed = 0;
  for (uint64_t n = 1;; ++n) {
    world.state_flash.fail_read_at(n, Status::kStorageFailed);
    const Status status = opener.open();
    if (status == Status::kOk) break;
    CHECK(status == Status::kStorageFailed);
    CHECK(opener.session.state() == SessionState::kNone);
    CHECK(world.vault.live_session_keys() == 0);
    CHECK(opener.size == 0);
    ++failed;
  }
  CHECK(failed >= 3);
}

TEST_CASE("session: an ack larger than any, into too little room, or without content is refused") {
  VehicleWorld world;
  Opener opener(world);
  REQUIRE(opener.open() == Status::kOk);
  REQUIRE(world.backend.take_open(view(opener.bytes).first(opener.size)).has_value());
  const SessionId id = opener.session.id();
  Blob plain(kAckContentMax);
  Bytes ack;
  const auto take = [&](const Blob& sealed, size_t room) {
    return opener.session.open_ack(view(sealed), mutable_view(plain).first(room), ack);
  };
  constexpr uint8_t kAckType = 64;
  const Blob large = world.backend.seal_content(id, kAckType, Blob(kAckContentMax + 1, 1));
  CHECK(take(large, plain.size()) == Status::kMalformed);
  const Blob good = world.backend.seal_ack(id, {{id, 0, {}}});
  CHECK(take(good, 8) == Status::kBufferTooSmall);
  CHECK(take(good, plain.size()) == Status::kOk);
  const Blob unknown_type = world.backend.seal_content(id, 99, Blob(4, 1));
  CHECK(take(unknown_type, plain.size()) == Status::kUnsupported);
  const Blob other_type = world.backend.seal_content(id, 1, Blob(4, 1));
  CHECK(take(other_type, plain.size()) == Status::kUnsupported);
}

}  // namespace
}  // namespace wayseal
