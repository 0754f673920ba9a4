// SPDX-License-Identifier: Apache-2.0
/// \file
/// The whole life of a Client, from a first boot without prekeys to the last delivery, in phases. It can be begun in
/// any of them on whatever a power cut has left.
#ifndef WAYSEAL_TESTS_POWER_CUT_CLIENT_LIFE_HPP
#define WAYSEAL_TESTS_POWER_CUT_CLIENT_LIFE_HPP

#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fakes/fake_can_bus.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_flash.hpp"
#include "fakes/fake_vault.hpp"
#include "power_cut/life_backend.hpp"
#include "wayseal/flow/client.hpp"

namespace wayseal::test {

inline constexpr size_t kPhases = 11;
extern const char* const kPhaseNames[kPhases];

/// Who the vehicle is: what provisioning wrote.
struct LifeIdentity {
  std::string id;
  fakes::Scalar key = {};
  Blob leaf;
  Blob intermediate;
  CertVerifier* verifier = nullptr;
};

/// What a request met.
enum class RequestFate : uint8_t { kServed, kLostBefore, kLostAfter };

/// What outlives the power: flash, the time of day, the other end and the way to it. A copy with another `end` is
/// another course of things.
struct LifeWorld {
  LifeWorld(uint64_t seed, const LifeIdentity& who, int64_t utc_ms, OtherEnd& other);

  uint64_t seed;
  const LifeIdentity* identity;
  OtherEnd* end;
  FakeFlash spool;
  FakeFlash state;
  int64_t utc_ms;  // when this boot began
  int64_t up_ns = 0;
  int64_t told_ms = 0;     // the last signed time that was sent in this boot
  int64_t trusted_ms = 0;  // the last one that the vehicle has acted on: no floor may be below it
  uint64_t boots = 0;
  uint64_t requests = 0;
  size_t phase = 0;
  // Circumstances that the script changes.
  bool online = false;
  bool gives_prekeys = true;
  std::set<uint64_t> spoilt;  // records with these numbers do not get through
  // What was durable at a cut must be accounted for in the end.
  std::set<EntryName> owed;
  std::function<RequestFate(LifeWorld&)> fate;   // of a request; none: served
  std::function<void(const Blob& record)> sent;  // each record that leaves the vehicle
};

class ClientLife {
 public:
  explicit ClientLife(LifeWorld& world);
  ~ClientLife();
  ClientLife(const ClientLife&) = delete;
  ClientLife& operator=(const ClientLife&) = delete;

  /// Runs the phases from world.phase to the last. \return true at the end; false when the power was lost, or when
  /// `wrong` says what is.
  bool run();
  /// Empty in a good life.
  const std::string& wrong() const { return wrong_; }
  const ClientStats& totals() const { return totals_; }

 private:
  struct Boot;

  bool boot();
  void shut();
  bool powered() const { return world_.spool.powered() && world_.state.powered(); }
  void set_line();
  bool step();
  bool steps(int count);
  bool run_until(const std::function<bool()>& done);
  bool delivered();
  bool batch(int frames);
  bool say(size_t size);
  bool sleep();
  std::string answer(const fakes::HttpRequest& request);
  std::string pass_on(const fakes::HttpRequest& request);
  bool fail(const std::string& what);

  bool first_boot();
  bool first_contact();
  bool partial_acks();
  bool long_offline();
  bool catching_up();
  bool refusal();
  bool token_lost();
  bool out_of_prekeys();
  bool renewal();
  bool sleep_and_wake();
  bool last_words();

  LifeWorld& world_;
  std::unique_ptr<Boot> boot_;
  std::mt19937_64 random_;
  ClientStats totals_;
  std::string wrong_;
};

}  // namespace wayseal::test

#endif
