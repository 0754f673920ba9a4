// SPDX-License-Identifier: Apache-2.0
/// \file
/// A vehicle with a token of two places, a state store on flash, an EST server and a gateway.
#ifndef WAYSEAL_TESTS_UNIT_ENROL_ENROLMENT_RIG_HPP
#define WAYSEAL_TESTS_UNIT_ENROL_ENROLMENT_RIG_HPP

#include <memory>
#include <set>

#include "fakes/fake_flash.hpp"
#include "fakes/fake_identity_store.hpp"
#include "unit/enrol/est_server.hpp"
#include "wayseal/enrol/enrolment.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"

namespace wayseal::test {

VehicleId vehicle_id(const std::string& text);

/// What outlives the power, and the world outside.
struct EnrolmentWorld {
  EnrolmentWorld();

  fakes::IdentityMedium token;
  FakeFlash flash;
  EstServer est;
  int gateway_status = 401;      ///< Of its answer to a probe.
  bool gateway_refuses = false;  ///< The certificate, by an alert.
  std::set<Der> probed;          ///< Leaves that the gateway was shown.
};

/// From one start of the program to the next.
class EnrolmentBoot final : public EnrolmentLine {
 public:
  explicit EnrolmentBoot(EnrolmentWorld& world);
  virtual ~EnrolmentBoot() = default;

  /// As a firmware does at start. Called by the constructor's user.
  Status restore();
  /// Steps until something else than kWouldBlock is returned.
  Status run();
  Status replace(IdentityKey key, EnrolmentAs as = EnrolmentAs::kCurrent) {
    const Status begun = enrolment->begin(key, as, vehicle_id("vehicle-7"), {});
    return begun == Status::kOk ? run() : begun;
  }

  EnrolmentWorld& world;
  fakes::FakeIdentityStore identities;
  StateStore state;
  X509Verifier verifier;
  fakes::FakeChannel est_channel;
  fakes::FakeChannel probe_channel;
  std::vector<uint8_t> workspace;
  std::unique_ptr<Enrolment> enrolment;
  std::vector<IdentityKey> changes;
  std::vector<EnrolmentAs> asked_as;
  bool no_line = false;

 private:
  Channel* do_enrolment(EnrolmentAs as) override;
  Channel* do_probe(IdentitySlot slot, Bytes leaf, Bytes intermediate) override;
  void do_changed(IdentityKey key) override { changes.push_back(key); }
};

}  // namespace wayseal::test

#endif
