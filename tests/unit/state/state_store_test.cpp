// SPDX-License-Identifier: Apache-2.0
#include "wayseal/state/state_store.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "fakes/fake_flash.hpp"

namespace wayseal::test {
namespace {

constexpr StorageGeometry kGeometry{4096, 8, 4};

Bytes bytes(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

std::string get(const StateStore& store, StateItem item) {
  std::vector<uint8_t> out(kStateValueMax);
  const Result<size_t> size = store.get(item, {out.data(), out.size()});
  if (!size.ok()) return std::string("!") + status_name(size.status());
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size.value())};
}

// The value that a fresh store finds on the medium.
std::string remounted(FakeFlash& flash, StateItem item) {
  StateStore store(flash);
  const Status status = store.mount();
  return status == Status::kOk ? get(store, item) : std::string("!mount ") + status_name(status);
}

}  // namespace

TEST_CASE("state: a blank medium is empty, and values are there again after a restart") {
  for (const uint32_t program_size : {1U, 16U, 64U, 256U}) {
    FakeFlash flash({4096, 8, program_size});
    StateStore store(flash);
    CHECK(store.put(StateItem::kTimeFloor, bytes("x")) == Status::kBadState);
    CHECK(get(store, StateItem::kTimeFloor) == "!bad-state");
    REQUIRE(store.mount() == Status::kOk);
    CHECK(get(store, StateItem::kTimeFloor) == "!not-found");
    REQUIRE(store.put(StateItem::kTimeFloor, bytes("one")) == Status::kOk);
    REQUIRE(store.put(StateItem::kPolicy, bytes("")) == Status::kOk);
    REQUIRE(store.put(StateItem::kTimeFloor, bytes("two")) == Status::kOk);
    CHECK(get(store, StateItem::kTimeFloor) == "two");
    CHECK(remounted(flash, StateItem::kTimeFloor) == "two");
    CHECK(remounted(flash, StateItem::kPolicy).empty());
    CHECK(flash.violations() == 0);
  }
}

TEST_CASE("state: thousands of puts with every item in use wear the medium evenly and lose nothing") {
  FakeFlash flash(kGeometry);
  StateStore store(flash);
  REQUIRE(store.mount() == Status::kOk);
  const std::string bundle(kStateValueMax, 'b');
  REQUIRE(store.put(StateItem::kPrekeyBundle, bytes(bundle)) == Status::kOk);
  for (int i = 0; i < 5000; ++i) {
    const StateItem item = i % 2 == 0 ? StateItem::kSessionCounter : StateItem::kTimeFloor;
    REQUIRE(store.put(item, bytes(std::to_string(i))) == Status::kOk);
  }
  CHECK(remounted(flash, StateItem::kSessionCounter) == "4998");
  CHECK(remounted(flash, StateItem::kTimeFloor) == "4999");
  CHECK(remounted(flash, StateItem::kPrekeyBundle) == bundle);
  CHECK(flash.wear()[0] > 1);
  for (uint32_t wear : flash.wear()) CHECK(wear <= flash.wear()[0] + 1);
  CHECK(flash.violations() == 0);
}

TEST_CASE("state: a removed value stays away") {
  FakeFlash flash(kGeometry);
  StateStore store(flash);
  REQUIRE(store.mount() == Status::kOk);
  REQUIRE(store.put(StateItem::kPrekeyUse, bytes("used")) == Status::kOk);
  REQUIRE(store.remove(StateItem::kPrekeyUse) == Status::kOk);
  REQUIRE(store.remove(StateItem::kPrekeyUse) == Status::kOk);
  CHECK(get(store, StateItem::kPrekeyUse) == "!not-found");
  CHECK(remounted(flash, StateItem::kPrekeyUse) == "!not-found");
}

TEST_CASE("state: arguments out of range are refused and change nothing") {
  FakeFlash flash(kGeometry);
  StateStore store(flash);
  REQUIRE(store.mount() == Status::kOk);
  const std::string large(kStateValueMax + 1, 'x');
  CHECK(store.put(StateItem::kPolicy, bytes(large)) == Status::kInvalidArgument);
  CHECK(store.put(static_cast<StateItem>(kStateItemsMax), bytes("x")) == Status::kInvalidArgument);
  REQUIRE(store.put(StateItem::kPolicy, bytes("abc")) == Status::kOk);
  uint8_t two[2] = {};
  CHECK(store.get(StateItem::kPolicy, two).status() == Status::kBufferTooSmall);
  FakeFlash tiny({4096, 2, 1});
  StateStore none(tiny);
  CHECK(none.mount() == Status::kInvalidArgument);
}

TEST_CASE("state: when everything together does not fit, the put is refused and the rest stays") {
  FakeFlash flash(kGeometry);
  StateStore store(flash);
  REQUIRE(store.mount() == Status::kOk);
  const std::string large(kStateValueMax, 'x');
  uint8_t item = 1;
  Status status = Status::kOk;
  while (status == Status::kOk && item < kStateItemsMax) {
    status = store.put(static_cast<StateItem>(item), bytes(large));
    ++item;
  }
  CHECK(status == Status::kFull);
  CHECK(get(store, static_cast<StateItem>(1)) == large);
  CHECK(store.put(static_cast<StateItem>(1), bytes("small")) == Status::kOk);
  CHECK(remounted(flash, static_cast<StateItem>(2)) == large);
}

TEST_CASE("state: a foreign medium is not formatted unless asked to") {
  FakeFlash flash(kGeometry);
  flash.fill(0x42);
  StateStore store(flash);
  CHECK(store.mount() == Status::kMalformed);
  CHECK(flash.writes() == 0);
  REQUIRE(store.format() == Status::kOk);
  REQUIRE(store.put(StateItem::kPolicy, bytes("p")) == Status::kOk);
  CHECK(remounted(flash, StateItem::kPolicy) == "p");
}

TEST_CASE("state: rot is noticed, never taken for a value") {
  FakeFlash flash(kGeometry);
  StateStore store(flash);
  REQUIRE(store.mount() == Status::kOk);
  REQUIRE(store.put(StateItem::kPolicy, bytes("old policy")) == Status::kOk);
  REQUIRE(store.put(StateItem::kPolicy, bytes("new policy")) == Status::kOk);
  REQUIRE(store.put(StateItem::kTimeFloor, bytes("floor")) == Status::kOk);
  const std::vector<uint8_t> good = flash.image();
  size_t falls_back = 0;
  for (size_t at = 0; at < 256; ++at) {
    flash.set_image(good);
    flash.flip(at, 0x10);
    const std::string policy = remounted(flash, StateItem::kPolicy);
    CHECK((policy == "new policy" || policy == "!malformed" || policy == "!mount malformed"));
    const std::string floor = remounted(flash, StateItem::kTimeFloor);
    // The last entry alone cannot be told from a put that was cut.
    falls_back += floor == "!not-found" ? 1 : 0;
    CHECK((floor == "floor" || floor == "!not-found" || floor == "!mount malformed"));
  }
  CHECK(falls_back <= 16 + 5);
}

TEST_CASE("state: a put that fails leaves the old value, and the next one works") {
  FakeFlash flash(kGeometry);
  StateStore store(flash);
  REQUIRE(store.mount() == Status::kOk);
  REQUIRE(store.put(StateItem::kTimeFloor, bytes("before")) == Status::kOk);
  const std::vector<uint8_t> start = flash.image();
  for (uint64_t n = 1; n < 20; ++n) {
    for (const Status error : {Status::kFull, Status::kStorageFailed}) {
      flash.set_image(start);
      REQUIRE(store.mount() == Status::kOk);
      flash.fail_write_at(n, error);
      const Status first = store.put(StateItem::kTimeFloor, bytes("during"));
      CHECK(get(store, StateItem::kTimeFloor) == (first == Status::kOk ? "during" : "before"));
      Status second = store.put(StateItem::kTimeFloor, bytes("after"));
      if (second != Status::kOk) second = store.put(StateItem::kTimeFloor, bytes("after"));
      REQUIRE(second == Status::kOk);
      CHECK(get(store, StateItem::kTimeFloor) == "after");
      CHECK(remounted(flash, StateItem::kTimeFloor) == "after");
    }
  }
  CHECK(flash.violations() == 0);
}

}  // namespace wayseal::test
