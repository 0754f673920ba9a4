// SPDX-License-Identifier: Apache-2.0
// A process is killed in the middle of its work on a real file.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "power_cut/spool_life.hpp"
#include "wayseal/posix/file_storage.hpp"

namespace wayseal::test {
namespace {

constexpr StorageGeometry kGeometry{16384, 64, 1};

// Appends and syncs for ever; tells the pipe each sequence that is durable.
[[noreturn]] void work(const std::string& path, uint32_t session, int pipe) {
  FileStorage storage;
  Spool spool(storage);
  std::vector<uint8_t> bytes = life_bytes({session, 0});
  const SessionId id = life_session_id(session);
  if (storage.open(path.c_str(), kGeometry) != Status::kOk || spool.mount() != Status::kOk) ::_exit(1);
  if (spool.append_open(id, {bytes.data(), bytes.size()}) != Status::kOk) ::_exit(2);
  for (uint32_t sequence = 1;; ++sequence) {
    bytes = life_bytes({session, sequence});
    if (spool.append(id, sequence, {bytes.data(), bytes.size()}) != Status::kOk) ::_exit(3);
    if (sequence % 4 != 0) continue;
    if (spool.sync() != Status::kOk) ::_exit(4);
    if (::write(pipe, &sequence, sizeof sequence) != sizeof sequence) ::_exit(5);
  }
}

// Starts a worker, kills it after it has said `reports` times how far it is, and returns the last number it
// said.
uint32_t kill_in_the_middle(const std::string& path, uint32_t session, int reports) {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    work(path, session, ends[1]);
  }
  ::close(ends[1]);
  uint32_t durable = 0;
  int said = 0;
  while (said < reports && ::read(ends[0], &durable, sizeof durable) == sizeof durable) ++said;
  ::kill(child, SIGKILL);
  uint32_t later = 0;
  while (::read(ends[0], &later, sizeof later) == sizeof later) durable = later;
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(said == reports);
  return durable;
}

}  // namespace

TEST_CASE("spool on a file survives kill -9 with everything that was synced") {
  std::string directory = (std::filesystem::temp_directory_path() / "wayseal-XXXXXX").string();
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/spool";
  SpoolModel model;
  for (uint32_t session = 1; session <= 12; ++session) {
    const uint32_t durable = kill_in_the_middle(path, session, static_cast<int>(session) * 5 % 17 + 1);
    for (uint32_t sequence = 0; sequence <= durable + 8; ++sequence) model.tried.insert({session, sequence});
    for (uint32_t sequence = 0; sequence <= durable; ++sequence) model.durable.insert({session, sequence});
    model.newest = session;
    model.newest_last = durable;
    FileStorage storage;
    REQUIRE(storage.open(path.c_str(), kGeometry) == Status::kOk);
    Spool spool(storage);
    REQUIRE(spool.mount() == Status::kOk);
    CHECK(check_mounted(spool, model).empty());
  }
  std::filesystem::remove_all(directory);
}

}  // namespace wayseal::test
