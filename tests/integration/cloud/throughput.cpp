// SPDX-License-Identifier: Apache-2.0
// How many records a second one backend process opens and stores durably. Not a test: prints figures.
#include <chrono>
#include <cstdio>

#include "world.hpp"

int main() {
  using namespace cloud_test;
  using Clock = std::chrono::steady_clock;
  World world;
  for (const size_t payload : {size_t{256}, size_t{1024}, size_t{4096}}) {
    TestVehicle vehicle = world.vehicle(1);
    TestSession session = vehicle.open_session();
    static_cast<void>(world.deliver(vehicle.id(), session.id, {session.open}, {}));
    const size_t per_upload = std::min<size_t>(200, 250000 / payload);
    constexpr size_t kRecords = 2000;
    std::vector<std::string> uploads;
    for (size_t done = 0; done < kRecords; done += per_upload) {
      v1::Upload upload;
      upload.set_ack_session(session.id);
      for (size_t i = 0; i < per_upload; ++i) {
        upload.add_items()->set_sealed(session.seal(frame(5, random_bytes(payload))));
      }
      uploads.push_back(upload.SerializeAsString());
    }
    const auto begin = Clock::now();
    for (const std::string& upload : uploads) {
      if (world.post("/v1/records", vehicle.id(), upload).status != 200) return 1;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const auto stored = static_cast<double>(uploads.size() * per_upload);
    std::printf("payload %5zu B, %3zu records an upload: %8.0f records/s, %6.1f ms an upload\n", payload,
                per_upload, stored / seconds, seconds * 1000 / static_cast<double>(uploads.size()));
  }
  TestVehicle vehicle = Fleet::get().make_vehicle();
  constexpr int kRequests = 50;
  const auto begin = Clock::now();
  for (int i = 0; i < kRequests; ++i) {
    if (world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(1)).status != 200) return 1;
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("prekeys given again, with signed time: %.1f ms a request\n", seconds * 1000 / kRequests);
  return world.stop_gently();
}
