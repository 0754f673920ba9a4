// SPDX-License-Identifier: Apache-2.0
// Covers, up to the signature: PrekeyClient::take_reply, split_signed, TimeKeeper::take, PrekeyStore::store,
// verify_refusal, verify_signed; of the backend libprotobuf's SignedPrekeysRequest and PrekeysRequest.
//
// Nothing is taken that is not signed for this vehicle's request, whatever it is: no time, no bundle, no refusal, and
// nothing of it is stored. The parts of a message that can be split lie inside it and keep to their limits.
//
// Input: the message.
#include "fuzz.hpp"
#include "quiet_protobuf.hpp"
#include "session.pb.h"
#include "unit/seal/vehicle_half.hpp"
#include "wayseal/seal/refusal.hpp"

namespace {

using namespace wayseal;

/// A vehicle that has asked. Made once: nothing that the target does changes it, or it would fail.
struct Scene {
  Scene() : life(world) { life.world.clock.advance_ms(1); }
  fakes::VehicleWorld world;
  fakes::VehicleLife life;
};

void check_split(Bytes bytes) {
  for (const SignedLabel label : {SignedLabel::kPrekeys, SignedLabel::kTime, SignedLabel::kRefuse}) {
    SignedMessage parts;
    if (split_signed(label, bytes, parts) != Status::kOk) continue;
    fuzz::require(!parts.body.empty() && parts.body.size() <= signed_body_max(label),
                  "a body keeps to its limit");
    fuzz::require(fuzz::inside(parts.body, bytes) && fuzz::inside(parts.signature, bytes),
                  "and lies in the message");
    fuzz::require(parts.signature.size() == EcSignature::kSize && parts.chain.count == kChainMax,
                  "with a signature and a chain");
    for (size_t i = 0; i < parts.chain.count; ++i) {
      fuzz::require(fuzz::inside(parts.chain.certificates[i], bytes), "in the message as well");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::quiet_protobuf();
  static Scene scene;
  static const std::vector<uint8_t> medium = scene.world.state_flash.image();
  const fuzz::ExactCopy bytes({data, size});
  check_split(bytes.view());

  // Of the seeds' answers, which are signed as they should be: this vehicle has never asked for them.
  Challenge challenge;
  challenge.data[0] = 0xA5;
  TimeKeeper& time = scene.life.time;
  fuzz::require(time.take(bytes.view(), challenge, time.moment()) != Status::kOk && !time.trusted(),
                "no time that nobody has signed");
  fuzz::require(scene.life.prekeys.store(bytes.view(), challenge) != Status::kOk,
                "no bundle that nobody has signed");
  Refusal refusal;
  fuzz::require(verify_refusal(bytes.view(), time, scene.life.identity, refusal) != Status::kOk,
                "no refusal that nobody has signed");
  scene.life.request();
  PrekeysOutcome outcome;
  fuzz::require(scene.life.client.take_reply(bytes.view(), outcome) != Status::kOk,
                "nor any of them in an answer");
  fuzz::require(scene.world.state_flash.image() == medium, "nothing of it is stored");

  v1::SignedPrekeysRequest request;
  v1::PrekeysRequest body;
  if (request.ParseFromArray(data, static_cast<int>(size)))
    static_cast<void>(body.ParseFromString(request.body()));
  return 0;
}
