// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a power cut must leave, read from the media alone: a spool and a state store of the watcher's own look at them.
#ifndef WAYSEAL_TESTS_POWER_CUT_LIFE_WATCH_HPP
#define WAYSEAL_TESTS_POWER_CUT_LIFE_WATCH_HPP

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "power_cut/client_life.hpp"
#include "wayseal/state/state_store.hpp"

namespace wayseal::test {

/// What a spool's medium holds.
struct SpoolView {
  std::map<EntryName, Blob> entries;
  std::vector<LossRange> losses;
  std::string wrong;  // it does not mount, or contradicts itself

  bool counts_as_lost(const EntryName& name) const;
};
SpoolView look_at_spool(const FakeFlash& flash);

/// The values of a state store's medium, each old or new and never a mixture.
struct StateView {
  std::map<StateItem, Blob> values;
  std::string wrong;

  uint64_t number(StateItem item) const;  // of a counter or a time; 0 when there is none
};
StateView look_at_state(const FakeFlash& flash);

/// Watches one course of things.
class LifeWatch {
 public:
  explicit LifeWatch(LifeWorld& world) : world_(world) {}

  /// Notes what has become durable since the last call: to be called before each write, and when a record leaves.
  void look();
  /// A record is on its way to the other end. It has to be durable by then.
  void sent(const Blob& record);
  /// Compares what a cut has left with what was durable. \return what is wrong, or an empty string.
  std::string compare(const FakeFlash& spool, const FakeFlash& state, OtherEnd& end);
  /// Records that were durable at the last look.
  const std::map<EntryName, Blob>& durable() const { return durable_; }
  /// Starts anew after a cut, on what it has left.
  void start_over();
  /// After a cut: power on, `compare`, what the other end still lacks is owed, `start_over`. \return as `compare`, or
  /// what was wrong before the cut.
  std::string power_on_again(const ClientLife& life, OtherEnd& end);
  /// Empty in a good life.
  const std::string& wrong() const { return wrong_; }

 private:
  void look_at_state_now();
  std::string compare_spool(const SpoolView& left, OtherEnd& end) const;

  LifeWorld& world_;
  std::map<EntryName, Blob> durable_;
  std::map<EntryName, Blob> was_durable_;  // at any look since the power came
  StateView state_;
  std::vector<std::map<StateItem, Blob>> cut_states_;  // since the last sync, each to be old or new
  uint64_t spool_syncs_ = 0;
  uint64_t state_syncs_ = 0;
  std::string wrong_;
};

}  // namespace wayseal::test

#endif
