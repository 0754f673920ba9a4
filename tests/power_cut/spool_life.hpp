// SPDX-License-Identifier: Apache-2.0
// A random life of a spool, beside a model that knows what must not be lost.
#ifndef WAYSEAL_TESTS_POWER_CUT_SPOOL_LIFE_HPP
#define WAYSEAL_TESTS_POWER_CUT_SPOOL_LIFE_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fake_flash.hpp"
#include "wayseal/spool/spool.hpp"

namespace wayseal::test {

// (session, sequence); sequence 0 is the SessionOpen.
using Name = std::pair<uint32_t, uint64_t>;

SessionId life_session_id(uint32_t number);
// Bytes that belong to one entry and no other; the size is part of them.
std::vector<uint8_t> life_bytes(const Name& name);

// What the vehicle was promised and has said.
struct SpoolModel {
  std::set<Name> tried;    // everything ever handed to the spool: nothing else may come out
  std::set<Name> pending;  // accepted, not yet synced
  std::set<Name> durable;  // accepted and synced: must be there, settled, or counted
  std::set<Name> settled;  // named by an ack
  std::set<uint32_t> acked_sessions;
  std::vector<LossRange> reported;  // losses whose report was settled
  std::set<Name> voids;
  uint32_t newest = 0;
  uint64_t newest_last = 0;

  void synced();
  // After a cut nothing is pending.
  void cut() { pending.clear(); }
};

// Mounts what a cut left and compares. Returns what is wrong, or an empty string.
std::string check_against(FakeFlash& flash, const SpoolModel& model);
std::string check_mounted(Spool& spool, const SpoolModel& model);

// One vehicle's life.
class SpoolLife {
 public:
  SpoolLife(FakeFlash& flash, SpoolModel& model, uint64_t seed) : spool_(flash), model_(model), random_(seed) {}

  // Mounts. Empty, or what is wrong.
  std::string begin();
  // One random action. False when the spool returned a failure: the power is gone.
  bool act();
  Spool& spool() { return spool_; }

 private:
  bool open();
  bool append();
  bool append_as(uint64_t sequence);
  bool sync();
  bool flush();
  bool settle();
  bool refuse();
  bool report();
  bool make_void();
  bool read_some();
  bool remount();
  void note_acked(uint32_t session, uint64_t contiguous, const std::vector<uint8_t>& beyond);
  uint64_t dice(uint64_t sides) { return random_() % sides; }

  Spool spool_;
  SpoolModel& model_;
  std::mt19937_64 random_;
  uint32_t current_ = 0;  // 0: none opened in this life
  uint64_t sequence_ = 0;
  std::optional<Name> report_name_;
  std::vector<LossRange> report_ranges_;
};

}  // namespace wayseal::test

#endif
