// SPDX-License-Identifier: Apache-2.0
// Covers what follows a good signature: PrekeyStore::store (Scan, check_point), load, take and its marks;
// TimeKeeper::take (check, raise_floor); verify_refusal. The target signs the input with the backend's keys.
//
// A bundle that is taken is for this vehicle and this request, with points on the curve, distinct ids and a living last
// resort; each one-time prekey is handed out once, also across a restart. A time that is taken lies above the floor and
// inside its signer's validity. A refusal that is taken names this vehicle.
//
// Input: 1 byte of mode (bundle, time, refusal; 4: challenge, vehicle and version are made right), the body.
#include <functional>
#include <set>

#include "fuzz.hpp"
#include "quiet_protobuf.hpp"
#include "session.pb.h"
#include "unit/seal/vehicle_half.hpp"
#include "wayseal/seal/refusal.hpp"

namespace {

using namespace wayseal;
using fakes::BackendHalf;

constexpr int64_t kFloorMs = fakes::VehicleLife::kBuildMs;

/// The world is made once; its flash is put back before each input.
struct Scene {
  Scene() {
    const fakes::VehicleLife life(world);
    blank = world.state_flash.image();
    fakes::must(identity.load(world.vault, world.verifier));
    for (size_t i = 0; i < sizeof challenge.data; ++i) challenge.data[i] = static_cast<uint8_t>(i + 1);
  }
  fakes::VehicleWorld world;
  VehicleIdentity identity;
  Challenge challenge;
  std::vector<uint8_t> blank;
};

Scene& scene() {
  static Scene made;
  return made;
}

/// What a start of the program makes of the flash.
struct Life {
  Life() {
    fakes::must(state.mount());
    fakes::must(time.load());
    fakes::must(prekeys.load());
  }
  StateStore state{scene().world.state_flash};
  TimeKeeper time{scene().world.clock, scene().world.verifier, state, UtcTime{kFloorMs}};
  fakes::Blob workspace = fakes::Blob(kPrekeyBundleMax);
  PrekeyStore prekeys{state, time, scene().identity, fakes::mutable_view(workspace)};
};

template <typename Message>
std::string made_right(const std::string& body, bool wanted, const std::function<void(Message&)>& repair) {
  Message message;
  if (!wanted || !message.ParseFromString(body)) return body;
  repair(message);
  return message.SerializeAsString();
}

bool good_point(const std::string& bytes) {
  EcPoint point;
  if (bytes.size() != EcPoint::kSize) return false;
  std::memcpy(point.data, bytes.data(), EcPoint::kSize);
  return fakes::is_point(point);
}

void check_prekey(const v1::Prekey& prekey, std::set<uint64_t>& ids) {
  fuzz::require(prekey.id() != 0 && ids.insert(prekey.id()).second,
                "the ids of a bundle are distinct and not 0");
  fuzz::require(prekey.suites() != 0, "a prekey has a suite");
  fuzz::require(good_point(prekey.point()), "a prekey's point is on the curve");
}

void check_bundle(const std::string& body) {
  v1::PrekeyBundle bundle;
  // nanopb passes over a number of any length in a field that it does not know; libprotobuf refuses it.
  if (!bundle.ParseFromString(body)) return;
  fuzz::require(bundle.version() == 1 && bundle.vehicle_id() == scene().world.vehicle_id, "for this vehicle");
  fuzz::require(bundle.challenge() == fuzz::text_of(scene().challenge.bytes()), "and this request");
  fuzz::require(static_cast<size_t>(bundle.one_time_size()) <= kPrekeysMax, "with no more than can be kept");
  std::set<uint64_t> ids;
  for (const v1::Prekey& prekey : bundle.one_time()) check_prekey(prekey, ids);
  fuzz::require(bundle.has_last_resort() && bundle.last_resort().expires_ms() > kFloorMs,
                "and a living last resort");
  check_prekey(bundle.last_resort(), ids);
}

void take_some(Life& life, std::set<uint64_t>& given) {
  TakenPrekey taken;
  const Status status = life.prekeys.take(SuiteSet{3}, taken);
  if (status == Status::kNotFound) return;
  fuzz::require(status == Status::kOk, "what was stored can be taken");
  fuzz::require(taken.id != 0 && !taken.suites.empty() && (taken.suites.bits & ~3U) == 0,
                "with suites that were asked for");
  fuzz::require(taken.last_resort || given.insert(taken.id).second, "a one-time prekey is handed out once");
}

void try_bundle(const std::string& body) {
  const fakes::Blob message = BackendHalf::sign("wayseal/1 prekeys", body, scene().world.backend.prekey);
  std::set<uint64_t> given;
  {
    Life life;
    const fuzz::ExactCopy bytes(fakes::view(message));
    if (life.prekeys.store(bytes.view(), scene().challenge) != Status::kOk) {
      fuzz::require(life.prekeys.counts().one_time == 0 && !life.prekeys.counts().last_resort,
                    "a refusal leaves nothing");
      return;
    }
    check_bundle(body);
    take_some(life, given);
  }
  Life next;
  take_some(next, given);
  fuzz::require(next.prekeys.counts().last_resort, "the last resort stays");
}

void try_time(const std::string& body) {
  Life life;
  const fakes::Blob message = BackendHalf::sign("wayseal/1 time", body, scene().world.backend.time);
  const fuzz::ExactCopy bytes(fakes::view(message));
  if (life.time.take(bytes.view(), scene().challenge, life.time.moment()) != Status::kOk) {
    fuzz::require(!life.time.trusted(), "a time that is refused is not trusted");
    return;
  }
  v1::TimeStatement statement;
  fuzz::require(life.time.trusted(), "a time that is taken is trusted");
  if (!statement.ParseFromString(body)) return;  // as above
  fuzz::require(statement.challenge() == fuzz::text_of(scene().challenge.bytes()), "of this request");
  const int64_t now = life.time.now().value().ms;
  fuzz::require(now == statement.utc_ms() && now >= kFloorMs, "it is what was signed, and not below the floor");
  fuzz::require(now >= BackendHalf::kNowMs - 30 * kMsPerDay && now <= BackendHalf::kNowMs + 30 * kMsPerDay,
                "inside its signer's validity");
  const Life next;
  fuzz::require(next.time.not_before().ms == now, "the floor stays");
}

void try_refusal(const std::string& body) {
  const Life life;
  const fakes::Blob message = BackendHalf::sign("wayseal/1 refuse", body, scene().world.backend.prekey);
  const fuzz::ExactCopy bytes(fakes::view(message));
  Refusal refusal;
  if (verify_refusal(bytes.view(), life.time, scene().identity, refusal) != Status::kOk) return;
  v1::SessionRefused refused;
  if (!refused.ParseFromString(body)) return;  // as above
  fuzz::require(refused.vehicle_id() == scene().world.vehicle_id, "and names this vehicle");
  fuzz::require(refused.th().empty() || refused.th() == fuzz::text_of(refusal.th.bytes()),
                "and the transcript");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::quiet_protobuf();
  fuzz::Input in(data, size);
  const uint8_t mode = in.u8();
  const bool repair = (mode & 4U) != 0;
  const std::string raw = fuzz::text_of(in.rest());
  if (raw.empty()) return 0;
  scene().world.state_flash.set_image(scene().blank);
  const std::string vehicle = scene().world.vehicle_id;
  const std::string challenge = fuzz::text_of(scene().challenge.bytes());
  switch (mode & 3U) {
    case 0:
      try_bundle(made_right<v1::PrekeyBundle>(raw, repair, [&](v1::PrekeyBundle& bundle) {
        bundle.set_version(1);
        bundle.set_vehicle_id(vehicle);
        bundle.set_challenge(challenge);
      }));
      break;
    case 1:
      try_time(made_right<v1::TimeStatement>(raw, repair,
                                             [&](v1::TimeStatement& time) { time.set_challenge(challenge); }));
      break;
    default:
      try_refusal(made_right<v1::SessionRefused>(
          raw, repair, [&](v1::SessionRefused& refused) { refused.set_vehicle_id(vehicle); }));
  }
  return 0;
}
