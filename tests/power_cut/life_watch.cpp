// SPDX-License-Identifier: Apache-2.0
#include "power_cut/life_watch.hpp"

#include <algorithm>

namespace wayseal::test {
namespace {

constexpr StateItem kItems[] = {StateItem::kSessionCounter,  StateItem::kTimeFloor,
                                StateItem::kPrekeyBundle,    StateItem::kPrekeyUse,
                                StateItem::kPreviousSession, StateItem::kPolicy};

MutableBytes whole(Blob& bytes) { return {bytes.data(), bytes.size()}; }

FakeFlash copy_of(const FakeFlash& flash) {
  FakeFlash copy(static_cast<const Storage&>(flash).geometry());
  copy.set_image(flash.image());
  return copy;
}

const Blob& value_of(const std::map<StateItem, Blob>& values, StateItem item) {
  static const Blob kNone;
  const auto found = values.find(item);
  return found == values.end() ? kNone : found->second;
}

}  // namespace

bool SpoolView::counts_as_lost(const EntryName& name) const {
  return std::any_of(losses.begin(), losses.end(), [&](const LossRange& range) {
    const bool nameless = range.last == 0;
    return nameless ||
           (id_blob(range.session) == name.first && range.first <= name.second && name.second <= range.last);
  });
}

SpoolView look_at_spool(const FakeFlash& flash) {
  SpoolView view;
  FakeFlash copy = copy_of(flash);
  Spool spool(copy);
  Status status = spool.mount();
  if (status != Status::kOk) {
    view.wrong = std::string("the spool does not mount: ") + status_name(status);
    return view;
  }
  SpoolCursor cursor;
  SpoolEntry entry;
  while ((status = spool.next(cursor, entry)) == Status::kOk) {
    const EntryName name{id_blob(entry.session), entry.sequence};
    Blob bytes(entry.size);
    const Status read = spool.read(entry, whole(bytes));
    if (read == Status::kMalformed) continue;  // torn, and counted by now
    if (read != Status::kOk) view.wrong = name_text(name) + " cannot be read: " + status_name(read);
    if (!view.entries.emplace(name, std::move(bytes)).second) view.wrong = name_text(name) + " is there twice";
  }
  if (status != Status::kNotFound) view.wrong = std::string("next: ") + status_name(status);
  view.losses.resize(kLossRangesMax);
  view.losses.resize(spool.losses({view.losses.data(), view.losses.size()}).count);
  return view;
}

uint64_t StateView::number(StateItem item) const {
  const Blob& value = value_of(values, item);
  return value.size() == 8 ? load_be64(value.data()) : 0;
}

StateView look_at_state(const FakeFlash& flash) {
  StateView view;
  FakeFlash copy = copy_of(flash);
  StateStore store(copy);
  const Status status = store.mount();
  if (status != Status::kOk) view.wrong = std::string("the state does not mount: ") + status_name(status);
  for (const StateItem item : kItems) {
    Blob value(kStateValueMax);
    const Result<size_t> size = store.get(item, whole(value));
    if (!size.ok()) continue;
    value.resize(size.value());
    view.values[item] = std::move(value);
  }
  return view;
}

void LifeWatch::look() {
  // A medium that was synced holds exactly what is durable until the next write, before which this is called.
  if (world_.spool.syncs() != spool_syncs_) {
    spool_syncs_ = world_.spool.syncs();
    SpoolView view = look_at_spool(world_.spool);
    if (!view.wrong.empty()) wrong_ = view.wrong;
    durable_ = std::move(view.entries);
    for (const auto& entry : durable_) was_durable_.insert(entry);
  }
  if (world_.state.syncs() != state_syncs_) look_at_state_now();
}

void LifeWatch::look_at_state_now() {
  state_syncs_ = world_.state.syncs();
  const StateView now = look_at_state(world_.state);
  if (!now.wrong.empty()) wrong_ = now.wrong;
  for (const auto& cut : cut_states_) {
    for (const StateItem item : kItems) {
      const Blob& value = value_of(cut, item);
      if (value == value_of(state_.values, item) || value == value_of(now.values, item)) continue;
      wrong_ =
          "a cut has left a state that is neither old nor new: item " + std::to_string(static_cast<int>(item));
    }
  }
  cut_states_.clear();
  state_ = now;
}

void LifeWatch::sent(const Blob& record) {
  look();
  const EntryName name{Blob(record.begin() + 4, record.begin() + 20), load_be64(record.data() + 20)};
  // An upload travels in pieces: what was read for it may have been evicted since.
  const auto found = was_durable_.find(name);
  if (found == was_durable_.end()) {
    wrong_ = name_text(name) + " was sent before it was durable";
  } else if (found->second != record) {
    wrong_ = name_text(name) + " was sent with other bytes than are durable";
  }
}

std::string LifeWatch::compare(const FakeFlash& spool, const FakeFlash& state, OtherEnd& end) {
  const SpoolView left = look_at_spool(spool);
  if (!left.wrong.empty()) return left.wrong;
  const StateView state_left = look_at_state(state);
  if (!state_left.wrong.empty()) return state_left.wrong;
  for (const StateItem item : {StateItem::kSessionCounter, StateItem::kTimeFloor}) {
    if (state_left.number(item) < state_.number(item))
      return item == StateItem::kTimeFloor ? "the time floor has gone back"
                                           : "the session counter has gone back";
  }
  if (state_left.number(StateItem::kTimeFloor) < static_cast<uint64_t>(world_.trusted_ms))
    return "the time floor is below a time that was trusted";
  cut_states_.push_back(state_left.values);
  return compare_spool(left, end);
}

std::string LifeWatch::compare_spool(const SpoolView& left, OtherEnd& end) const {
  for (const auto& [name, bytes] : durable_) {
    const auto found = left.entries.find(name);
    if (found != left.entries.end() && found->second == bytes) continue;
    if (found != left.entries.end()) return name_text(name) + " came back changed";
    if (name.second == 0) continue;  // asked for below, by those who need it
    if (!end.accounts_for(name) && !left.counts_as_lost(name)) return name_text(name) + " has vanished";
  }
  for (const auto& [name, bytes] : left.entries) {
    if (name.second == 0 || left.entries.count({name.first, 0}) != 0) continue;
    if (!end.knows_session(name.first)) return name_text(name) + " has lost its SessionOpen";
  }
  return "";
}

void LifeWatch::start_over() {
  durable_ = look_at_spool(world_.spool).entries;
  was_durable_ = durable_;
  state_ = look_at_state(world_.state);
  cut_states_.clear();
  spool_syncs_ = world_.spool.syncs();
  state_syncs_ = world_.state.syncs();
}

std::string LifeWatch::power_on_again(const ClientLife& life, OtherEnd& end) {
  if (!life.wrong().empty()) return life.wrong();
  if (!wrong_.empty()) return wrong_;
  world_.spool.power_on();
  world_.state.power_on();
  const std::string wrong = compare(world_.spool, world_.state, end);
  for (const auto& [name, bytes] : durable_) {
    if (name.second != 0 && !end.accounts_for(name)) world_.owed.insert(name);
  }
  start_over();
  return wrong;
}

}  // namespace wayseal::test
