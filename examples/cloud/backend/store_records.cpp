// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

namespace cloud {

std::optional<Blob> Store::record_digest(int64_t session, uint64_t sequence) {
  return database_.bytes("SELECT digest FROM records WHERE session = ? AND sequence = ?", session,
                         static_cast<int64_t>(sequence));
}

bool Store::add_record(const RecordRow& row, int64_t arrival_ms) {
  const auto table = row.table_id ? std::optional<int64_t>(static_cast<int64_t>(*row.table_id)) : std::nullopt;
  return database_.run(
             "INSERT INTO records(session, sequence, type, arrival_ms, table_id, from_us, to_us, samples, "
             "digest, "
             "payload) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(session, sequence) DO NOTHING",
             row.session, static_cast<int64_t>(row.sequence), int64_t{row.type}, arrival_ms, table, row.from_us,
             row.to_us, static_cast<int64_t>(row.samples), row.digest, row.payload) == 1;
}

std::vector<uint64_t> Store::sequences_after(int64_t session, uint64_t after, int64_t most) {
  std::vector<uint64_t> sequences;
  database_.each(
      "SELECT sequence FROM records WHERE session = ? AND sequence > ? ORDER BY sequence LIMIT ?",
      [&sequences](const Row& row) { sequences.push_back(row.unsigned_integer(0)); }, session,
      static_cast<int64_t>(after), most);
  return sequences;
}

uint64_t Store::stored_between(int64_t session, uint64_t first, uint64_t last) {
  return static_cast<uint64_t>(
      database_
          .integer("SELECT COUNT(*) FROM records WHERE session = ? AND sequence BETWEEN ? AND ?", session,
                   static_cast<int64_t>(first), static_cast<int64_t>(last))
          .value_or(0));
}

void Store::add_loss(int64_t vehicle, const Blob& session_id, const LossRow& loss, int64_t cause) {
  database_.run(
      "INSERT INTO losses(vehicle, session_id, first, last, count, cause) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
      "ON CONFLICT DO UPDATE SET count = MAX(count, ?5)",
      vehicle, session_id, static_cast<int64_t>(loss.first), static_cast<int64_t>(loss.last),
      static_cast<int64_t>(loss.count), cause);
}

void Store::add_nameless_loss(int64_t session, uint64_t sequence, uint64_t count) {
  database_.run(
      "INSERT INTO nameless_losses VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET count = MAX(count, ?3)",
      session, static_cast<int64_t>(sequence), static_cast<int64_t>(count));
}

std::vector<LossRow> Store::losses_after(const SessionRow& session, uint64_t after) {
  std::vector<LossRow> rows;
  database_.each(
      "SELECT first, last, count FROM losses WHERE vehicle = ? AND session_id = ? AND last > ? ORDER BY first "
      "LIMIT 4096",
      [&rows](const Row& row) {
        rows.push_back({row.unsigned_integer(0), row.unsigned_integer(1), row.unsigned_integer(2)});
      },
      session.vehicle, session.session_id, static_cast<int64_t>(after));
  return rows;
}

void Store::add_bus(int64_t vehicle, uint64_t epoch, const BusRow& bus) {
  database_.run(
      "INSERT INTO buses VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET "
      "frames = MAX(frames, ?4), frames_dropped = MAX(frames_dropped, ?5), error_frames = MAX(error_frames, "
      "?6), "
      "bus_off_events = MAX(bus_off_events, ?7), down_events = MAX(down_events, ?8), "
      "frames_unknown = MAX(frames_unknown, ?9)",
      vehicle, static_cast<int64_t>(epoch), bus.bus, bus.frames, bus.frames_dropped, bus.error_frames,
      bus.bus_off_events, bus.down_events, bus.frames_unknown);
}

void Store::add_start(int64_t vehicle, uint64_t epoch, uint64_t batches_dropped, uint64_t samples_dropped) {
  database_.run(
      "INSERT INTO starts VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET "
      "batches_dropped = MAX(batches_dropped, ?3), samples_dropped = MAX(samples_dropped, ?4)",
      vehicle, static_cast<int64_t>(epoch), static_cast<int64_t>(batches_dropped),
      static_cast<int64_t>(samples_dropped), now_ms());
}

}  // namespace cloud
