// SPDX-License-Identifier: Apache-2.0
#include "unit/enrol/enrolment_rig.hpp"

#include <catch2/catch_test_macros.hpp>

namespace wayseal::test {

using namespace fakes;

namespace {

constexpr StorageGeometry kStateGeometry{4096, 16, 4};
constexpr int kStepsMax = 1000;

}  // namespace

VehicleId vehicle_id(const std::string& text) {
  VehicleId out;
  out.size = static_cast<uint8_t>(text.copy(out.text, sizeof out.text));
  return out;
}

// As provisioned: place A of each key.
EnrolmentWorld::EnrolmentWorld() : flash(kStateGeometry) {
  for (const IdentityKey key : {IdentityKey::kTls, IdentityKey::kE2e}) {
    IdentityPlace& place = token.at(key, IdentitySlot::kA);
    place.key = random_scalar();
    const EcPoint point = public_point(*place.key);
    const bool e2e = key == IdentityKey::kE2e;
    place.leaf = (e2e ? est.issue_e2e("vehicle-7", point) : est.issue_tls("vehicle-7", point)).der;
    place.intermediate = est.intermediate(e2e);
  }
}

EnrolmentBoot::EnrolmentBoot(EnrolmentWorld& the_world)
    : world(the_world),
      identities(the_world.token),
      state(the_world.flash),
      est_channel(http_peer([this](const HttpRequest& r) { return world.est.serve(r); })),
      probe_channel(http_peer([this](const HttpRequest&) { return http_answer(world.gateway_status, ""); })),
      workspace(kEnrolmentWorkspace) {
  REQUIRE(verifier.set_root(bytes_of(world.est.data_root())) == Status::kOk);
  enrolment = std::make_unique<Enrolment>(EnrolmentParts{identities, verifier, *this},
                                          MutableBytes{workspace.data(), workspace.size()});
}

Status EnrolmentBoot::restore() {
  const Status mounted = state.mount();
  return mounted == Status::kOk ? enrolment->restore(state) : mounted;
}

Status EnrolmentBoot::run() {
  MonotonicTime now;
  for (int i = 0; i < kStepsMax; ++i) {
    now = after_ms(now, 1);
    const Status status = enrolment->step(now);
    if (status != Status::kWouldBlock) return status;
  }
  return Status::kTimeout;
}

Channel* EnrolmentBoot::do_enrolment(EnrolmentAs as) {
  asked_as.push_back(as);
  return no_line ? nullptr : &est_channel;
}

Channel* EnrolmentBoot::do_probe(IdentitySlot, Bytes leaf, Bytes) {
  world.probed.insert(Der(leaf.begin(), leaf.end()));
  if (world.gateway_refuses) probe_channel.refuse_certificate();
  return &probe_channel;
}

}  // namespace wayseal::test
