// SPDX-License-Identifier: Apache-2.0
// A medium that fails at any one operation, for good or once: the old value or the new one, and the failure told.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fakes/fake_flash.hpp"
#include "wayseal/state/state_store.hpp"

namespace wayseal::test {
namespace {

constexpr StorageGeometry kGeometry{4096, 8, 4};
constexpr StateItem kItems[] = {StateItem::kTimeFloor, StateItem::kPolicy, StateItem::kSessionCounter};

using Value = std::optional<std::string>;

Bytes bytes(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

/// Nothing when it cannot be had; `status` says why.
Value get(const StateStore& store, StateItem item, Status& status) {
  std::vector<uint8_t> out(kStateValueMax);
  const Result<size_t> size = store.get(item, {out.data(), out.size()});
  status = size.status();
  if (!size.ok()) return {};
  return std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size.value()));
}

/// What each item may be: the value of the last call that succeeded, and those of calls that failed since.
struct Book {
  std::map<StateItem, std::vector<Value>> allowed;

  void note(StateItem item, Status status, const Value& value) {
    CHECK((status == Status::kOk || status == Status::kStorageFailed));
    if (status == Status::kOk) allowed[item].clear();
    allowed[item].push_back(value);
  }
};

void work(StateStore& store, Book& book) {
  if (store.mount() != Status::kOk) return;
  for (int round = 0; round < 12; ++round) {
    for (const StateItem item : kItems) {
      // Sizes that fill a half soon, so that compaction takes part.
      const std::string value(static_cast<size_t>(300 + 150 * round), static_cast<char>('a' + round));
      book.note(item, store.put(item, bytes(value)), value);
      Status status = Status::kOk;
      const Value found = get(store, item, status);
      CHECK((found.has_value() || status == Status::kStorageFailed || status == Status::kNotFound));
    }
    if (round % 4 == 3) book.note(StateItem::kPolicy, store.remove(StateItem::kPolicy), {});
  }
}

/// One fault is one: what the operation struck did not use up is taken back.
void forget_single_faults(FakeFlash& flash) {
  flash.fail_read_at(0, Status::kOk);
  flash.fail_write_at(0, Status::kOk);
}

/// \return how many runs had their fault.
int runs_with(const std::function<void(FakeFlash&)>& strike) {
  for (int n = 1;; ++n) {
    FakeFlash flash(kGeometry);
    Book book;
    for (const StateItem item : kItems) book.allowed[item] = {Value()};
    int calls = 0;
    flash.on_call = [&] {
      if (++calls == n) strike(flash);
      if (calls == n + 1) forget_single_faults(flash);
    };
    StateStore store(flash);
    work(store, book);
    flash.on_call = nullptr;
    flash.fail_all_writes({});
    flash.make_unreadable(0, 0);
    forget_single_faults(flash);
    if (calls < n) return n - 1;
    INFO("operation " << n);
    StateStore next(flash);
    REQUIRE(next.mount() == Status::kOk);
    for (const StateItem item : kItems) {
      Status status = Status::kOk;
      const Value found = get(next, item, status);
      CHECK((found.has_value() || status == Status::kNotFound));
      const std::vector<Value>& allowed = book.allowed[item];
      INFO("item " << static_cast<int>(item) << " is " << (found ? found->substr(0, 4) : "absent")
                   << ", was to be " << (allowed.back() ? allowed.back()->substr(0, 4) : "absent"));
      CHECK(std::find(allowed.begin(), allowed.end(), found) != allowed.end());
    }
    CHECK(next.put(StateItem::kTimeFloor, bytes("later")) == Status::kOk);
    CHECK(flash.violations() == 0);
  }
}

}  // namespace

TEST_CASE("state: a medium that dies at any operation has the old values or the new ones when it comes back") {
  CHECK(runs_with([](FakeFlash& flash) {
          flash.fail_all_writes(Status::kStorageFailed);
          flash.make_unreadable(0, uint64_t{kGeometry.block_size} * kGeometry.block_count);
        }) > 100);
}

TEST_CASE("state: one operation that fails, whichever it is, is told and leaves the old value or the new one") {
  CHECK(runs_with([](FakeFlash& flash) {
          flash.fail_read_at(1, Status::kStorageFailed);
          flash.fail_write_at(1, Status::kStorageFailed);
        }) > 100);
}

}  // namespace wayseal::test
