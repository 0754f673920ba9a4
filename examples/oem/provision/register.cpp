// SPDX-License-Identifier: Apache-2.0
#include "provision/register.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <stdexcept>

#include "sqlite.hpp"

namespace wayseal::oem {
namespace {

using cloud::Blob;
using cloud::Row;
using cloud::Text;

constexpr const char* kSchema = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE identities(
  id INTEGER PRIMARY KEY, serial TEXT NOT NULL UNIQUE, authority TEXT NOT NULL, vehicle TEXT NOT NULL, label TEXT NOT NULL,
  key TEXT NOT NULL, digest TEXT NOT NULL, not_before_s INTEGER NOT NULL, not_after_s INTEGER NOT NULL,
  requested_by TEXT NOT NULL, issued_s INTEGER NOT NULL, state INTEGER NOT NULL, seen_s INTEGER NOT NULL,
  used_s INTEGER NOT NULL, certificate BLOB NOT NULL) STRICT;
CREATE INDEX identities_by_vehicle ON identities(vehicle, label);
CREATE INDEX identities_by_key ON identities(key);
CREATE INDEX identities_by_digest ON identities(digest);
CREATE INDEX identities_revoked ON identities(authority) WHERE state >= 2;
CREATE TABLE vehicles(
  vehicle TEXT PRIMARY KEY, decommissioned INTEGER NOT NULL, ownership INTEGER NOT NULL, since_s INTEGER NOT NULL) STRICT;
)sql";

#define WAYSEAL_IDENTITY_COLUMNS                                                                               \
  "SELECT serial, authority, vehicle, label, key, digest, not_before_s, not_after_s, requested_by, issued_s, " \
  "state, seen_s, used_s, certificate FROM identities "

Identity identity_of(const Row& row) {
  Identity found;
  found.serial = row.bytes(0);
  found.authority = row.bytes(1);
  found.vehicle = row.bytes(2);
  found.label = row.bytes(3);
  found.key = row.bytes(4);
  found.digest = row.bytes(5);
  found.not_before_s = row.integer(6);
  found.not_after_s = row.integer(7);
  found.requested_by = row.bytes(8);
  found.issued_s = row.integer(9);
  found.state = static_cast<IdentityState>(row.integer(10));
  found.seen_s = row.integer(11);
  found.used_s = row.integer(12);
  found.certificate = row.bytes(13);
  return found;
}

constexpr int64_t number_of(IdentityState state) { return static_cast<int64_t>(state); }

}  // namespace

const char* name_of(IdentityState state) {
  switch (state) {
    case IdentityState::kIssued: return "issued";
    case IdentityState::kSeen: return "seen";
    case IdentityState::kSuperseded: return "superseded";
    case IdentityState::kRevoked: return "revoked";
  }
  throw std::invalid_argument("no such state");
}

struct Register::State {
  explicit State(const std::filesystem::path& file)
      : database(file.string(), cloud::Database::Mode::kReadWrite) {}

  template <typename... Args>
  std::vector<Identity> all(const char* sql, const Args&... args) {
    std::vector<Identity> found;
    database.each(
        sql, [&](const Row& row) { found.push_back(identity_of(row)); }, args...);
    return found;
  }

  cloud::Database database;
};

void Register::create(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("cannot make " + file.string());
  ::close(fd);
  cloud::Database database(file.string(), cloud::Database::Mode::kReadWrite);
  Blob key(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1) {
    throw std::runtime_error("no randomness");
  }
  cloud::Transaction transaction(database);
  database.script(kSchema);
  database.run("INSERT INTO meta VALUES('log_key', ?)", key);
  transaction.commit();
}

Register::Register(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) throw std::runtime_error("there is no register " + file.string());
  state_ = std::make_unique<State>(file);
}

Register::~Register() = default;

void Register::atomically(const std::function<void()>& work) {
  cloud::Transaction transaction(state_->database);
  work();
  transaction.commit();
}

void Register::add(const Identity& identity) {
  state_->database.run("INSERT INTO identities VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       Text{identity.serial}, Text{identity.authority}, Text{identity.vehicle},
                       Text{identity.label}, Text{identity.key}, Text{identity.digest}, identity.not_before_s,
                       identity.not_after_s, Text{identity.requested_by}, identity.issued_s,
                       number_of(identity.state), identity.seen_s, identity.used_s, identity.certificate);
}

std::optional<Identity> Register::by_serial(const std::string& serial) {
  const auto found = state_->all(WAYSEAL_IDENTITY_COLUMNS "WHERE serial = ?", Text{serial});
  return found.empty() ? std::nullopt : std::optional<Identity>(found.front());
}

std::vector<Identity> Register::by_key(const std::string& key) {
  return state_->all(WAYSEAL_IDENTITY_COLUMNS "WHERE key = ? ORDER BY id", Text{key});
}

std::optional<Identity> Register::newest(const std::string& vehicle, const std::string& label) {
  const auto found =
      state_->all(WAYSEAL_IDENTITY_COLUMNS "WHERE vehicle = ? AND label = ? ORDER BY id DESC LIMIT 1",
                  Text{vehicle}, Text{label});
  return found.empty() ? std::nullopt : std::optional<Identity>(found.front());
}

std::vector<Identity> Register::list(const std::string& vehicle) {
  if (vehicle.empty()) return state_->all(WAYSEAL_IDENTITY_COLUMNS "ORDER BY id");
  return state_->all(WAYSEAL_IDENTITY_COLUMNS "WHERE vehicle = ? ORDER BY id", Text{vehicle});
}

int64_t Register::requested_since(const std::string& vehicle, int64_t since_s) {
  return state_->database
      .integer("SELECT count(*) FROM identities WHERE vehicle = ? AND issued_s >= ? AND requested_by <> 'oem'",
               Text{vehicle}, since_s)
      .value_or(0);
}

int64_t Register::see(const std::string& digest_start, int64_t now_s) {
  constexpr size_t kLeast = 12;
  if (digest_start.size() < kLeast || digest_start.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return 0;
  }
  return state_->database.run(
      "UPDATE identities SET seen_s = CASE state WHEN 0 THEN ?1 ELSE seen_s END, used_s = ?1, state = 1"
      " WHERE state < 2 AND digest >= ?2 AND digest < ?2 || 'g'",
      now_s, Text{digest_start});
}

int64_t Register::revoke(const std::string& vehicle, Keep keep) {
  return state_->database.run(
      "UPDATE identities SET state = 3 WHERE vehicle = ? AND (label <> 'bootstrap' OR ?)", Text{vehicle},
      int64_t{keep == Keep::kNothing});
}

std::vector<Identity> Register::supersede(const std::string& label, const std::string& vehicle,
                                          int64_t before_s) {
  std::vector<Identity> old = state_->all(
      WAYSEAL_IDENTITY_COLUMNS
      "AS old WHERE label = ?1 AND state < 2 AND (?2 = '' OR vehicle = ?2) AND EXISTS("
      "  SELECT 1 FROM identities AS new WHERE new.vehicle = old.vehicle AND new.label = old.label AND new.id "
      "> old.id"
      "  AND new.state < 2 AND CASE WHEN new.label = 'tls' THEN new.state = 1 AND new.seen_s <= ?3"
      "  ELSE new.issued_s <= ?3 AND EXISTS(SELECT 1 FROM identities AS way WHERE way.vehicle = new.vehicle"
      "    AND way.label = 'tls' AND way.used_s >= new.issued_s) END) ORDER BY id",
      Text{label}, Text{vehicle}, before_s);
  for (Identity& identity : old) {
    state_->database.run("UPDATE identities SET state = 2 WHERE serial = ?", Text{identity.serial});
    identity.state = IdentityState::kSuperseded;
  }
  return old;
}

std::vector<std::string> Register::revoked_serials(const std::string& authority) {
  std::vector<std::string> serials;
  state_->database.each(
      "SELECT serial FROM identities WHERE authority = ? AND state >= 2 ORDER BY id",
      [&](const Row& row) { serials.push_back(row.bytes(0)); }, Text{authority});
  return serials;
}

int64_t Register::living(const std::string& authority, int64_t now_s) {
  return state_->database
      .integer("SELECT count(*) FROM identities WHERE authority = ? AND state < 2 AND not_after_s > ?",
               Text{authority}, now_s)
      .value_or(0);
}

VehicleStanding Register::standing(const std::string& vehicle) {
  VehicleStanding standing;
  state_->database.each(
      "SELECT decommissioned, ownership, since_s FROM vehicles WHERE vehicle = ?",
      [&](const Row& row) {
        standing = {row.integer(0) != 0, row.integer(1), row.integer(2)};
      },
      Text{vehicle});
  return standing;
}

void Register::decommission(const std::string& vehicle) {
  state_->database.run(
      "INSERT INTO vehicles VALUES(?, 1, 1, 0) ON CONFLICT(vehicle) DO UPDATE SET decommissioned = 1",
      Text{vehicle});
}

int64_t Register::change_owner(const std::string& vehicle, int64_t now_s) {
  state_->database.run(
      "INSERT INTO vehicles VALUES(?1, 0, 2, ?2) ON CONFLICT(vehicle) DO UPDATE SET ownership = ownership + 1, "
      "since_s = ?2",
      Text{vehicle}, now_s);
  return standing(vehicle).ownership;
}

std::string Register::log_key() {
  return state_->database.bytes("SELECT value FROM meta WHERE name = 'log_key'").value();
}

}  // namespace wayseal::oem
