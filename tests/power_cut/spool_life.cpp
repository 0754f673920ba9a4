// SPDX-License-Identifier: Apache-2.0
#include "power_cut/spool_life.hpp"

#include <algorithm>

namespace wayseal::test {
namespace {

uint32_t number_of(const SessionId& id) { return load_le32(id.data); }

std::string text(const Name& name) { return std::to_string(name.first) + ":" + std::to_string(name.second); }

bool in_range(const LossRange& range, const Name& name) {
  return number_of(range.session) == name.first && range.first <= name.second && name.second <= range.last;
}

bool covered(const std::vector<LossRange>& ranges, const Name& name) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const LossRange& r) { return in_range(r, name); });
}

std::vector<LossRange> losses_of(const Spool& spool) {
  std::vector<LossRange> out(kLossRangesMax);
  out.resize(spool.losses({out.data(), out.size()}).count);
  return out;
}

struct Delivery {
  std::set<Name> whole;
  size_t records = 0;  // whole or not
  std::string wrong;
};

// Takes everything that a connection would get.
Delivery deliver(Spool& spool, const SpoolModel& model) {
  Delivery out;
  std::vector<uint8_t> bytes(kRecordMax);
  SpoolCursor cursor;
  SpoolEntry entry;
  Status status = Status::kOk;
  std::set<uint32_t> opened = model.acked_sessions;
  while (out.wrong.empty() && (status = spool.next(cursor, entry)) == Status::kOk) {
    const Name name{number_of(entry.session), entry.sequence};
    const bool is_open = entry.kind == SpoolEntryKind::kSessionOpen;
    out.records += is_open ? 0 : 1;
    if (is_open != (entry.sequence == 0)) out.wrong = text(name) + " has the wrong kind";
    if (model.tried.count(name) == 0) out.wrong = text(name) + " was never written";
    if (!is_open && opened.count(name.first) == 0) out.wrong = text(name) + " comes before its open";
    const Status read = spool.read(entry, {bytes.data(), bytes.size()});
    if (read == Status::kMalformed && model.durable.count(name) == 0) continue;
    const std::vector<uint8_t> expected = life_bytes(name);
    if (read != Status::kOk || !equal({bytes.data(), entry.size}, {expected.data(), expected.size()})) {
      out.wrong = text(name) + " came back changed, " + status_name(read);
    }
    if (!out.whole.insert(name).second) out.wrong = text(name) + " came twice";
    if (is_open) opened.insert(name.first);
  }
  if (out.wrong.empty() && status != Status::kNotFound) out.wrong = std::string("next: ") + status_name(status);
  return out;
}

}  // namespace

SessionId life_session_id(uint32_t number) {
  SessionId id;
  store_le32(id.data, number);
  for (size_t i = 4; i < SessionId::kSize; ++i) id.data[i] = static_cast<uint8_t>(number * 31 + i);
  return id;
}

std::vector<uint8_t> life_bytes(const Name& name) {
  uint64_t state = name.first * 0x9E3779B97F4A7C15ULL + name.second;
  const auto next = [&state] {  // splitmix64
    uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  };
  const uint64_t dice = next() % 10;
  size_t size = 20 + next() % 400;
  if (name.second == 0) {
    size = 600 + next() % 900;
  } else if (dice >= 6 && dice < 9) {
    size = 400 + next() % 2600;
  } else if (dice == 9) {
    size = next() % 4 == 0 ? kRecordMax : 3000 + next() % 9000;
  }
  std::vector<uint8_t> out(size + 8);
  for (size_t i = 0; i < size; i += 8) store_le64(&out[i], next());
  out.resize(size);
  return out;
}

void SpoolModel::synced() {
  durable.insert(pending.begin(), pending.end());
  for (const Name& name : pending) {
    if (name.first == newest) newest_last = std::max(newest_last, name.second);
  }
  pending.clear();
}

std::string check_mounted(Spool& spool, const SpoolModel& model) {
  const uint64_t waiting = spool.stats().waiting_records;
  if (model.newest != 0) {
    const Result<uint64_t> last = spool.last_durable(life_session_id(model.newest));
    // The open of a later session may have become durable in the cut: then a settled one is forgotten rightly.
    const bool superseded = model.tried.rbegin()->first > model.newest;
    if (last.ok() ? last.value() < model.newest_last : !superseded)
      return "the newest session has forgotten its end";
  }
  const std::vector<LossRange> losses = losses_of(spool);
  const Delivery delivery = deliver(spool, model);
  if (!delivery.wrong.empty()) return delivery.wrong;
  if (delivery.records != waiting) return "waiting is counted wrongly";

  // Ranges that have lost their session's name count for any.
  uint64_t nameless = 0;
  uint64_t all = 0;
  for (const LossRange& range : model.reported) nameless += range.last == 0 ? range.count : 0;
  for (const LossRange& range : losses) nameless += range.last == 0 ? range.count : 0;
  for (const LossRange& range : losses) all += range.last == 0 ? 0 : range.count;
  std::map<uint32_t, uint64_t> missing;
  uint64_t missing_all = 0;
  for (const Name& name : model.durable) {
    if (name.second == 0 || delivery.whole.count(name) != 0 || model.settled.count(name) != 0) continue;
    if (covered(model.reported, name)) continue;
    if (nameless == 0 && !covered(losses, name)) return text(name) + " has vanished";
    ++missing[name.first];
    ++missing_all;
  }
  for (const auto& [session, count] : missing) {
    uint64_t counted = nameless;
    for (const LossRange& range : losses) counted += number_of(range.session) == session ? range.count : 0;
    if (counted < count) return "session " + std::to_string(session) + " has lost more than it says";
  }
  if (missing_all > nameless + all) return "more is lost than is said";
  return "";
}

std::string check_against(FakeFlash& flash, const SpoolModel& model) {
  Spool spool(flash);
  const Status status = spool.mount();
  if (status != Status::kOk) return std::string("mount: ") + status_name(status);
  return check_mounted(spool, model);
}

std::string SpoolLife::begin() {
  const Status status = spool_.mount();
  return status == Status::kOk ? "" : std::string("mount: ") + status_name(status);
}

bool SpoolLife::act() {
  if (current_ == 0) return open();
  const uint64_t way = dice(200);
  if (way < 100) return append();
  if (way < 135) return sync();
  if (way < 165) return settle();
  if (way < 174) return report();
  if (way < 180) return make_void();
  if (way < 186) return open();
  if (way < 189) return flush();
  if (way < 196) return read_some();
  return way < 198 ? refuse() : remount();
}

bool SpoolLife::open() {
  const uint32_t session = model_.tried.empty() ? 1 : model_.tried.rbegin()->first + 1;
  const Name name{session, 0};
  model_.tried.insert(name);
  const std::vector<uint8_t> bytes = life_bytes(name);
  if (spool_.append_open(life_session_id(session), {bytes.data(), bytes.size()}) != Status::kOk) return false;
  model_.synced();
  model_.durable.insert(name);
  model_.newest = session;
  model_.newest_last = 0;
  current_ = session;
  sequence_ = 0;
  return true;
}

bool SpoolLife::append() { return append_as(++sequence_); }

bool SpoolLife::append_as(uint64_t sequence) {
  const Name name{current_, sequence};
  model_.tried.insert(name);
  const std::vector<uint8_t> bytes = life_bytes(name);
  if (spool_.append(life_session_id(current_), sequence, {bytes.data(), bytes.size()}) != Status::kOk)
    return false;
  model_.pending.insert(name);
  return true;
}

bool SpoolLife::sync() {
  if (spool_.sync() != Status::kOk) return false;
  model_.synced();
  return true;
}

bool SpoolLife::flush() {
  if (spool_.flush() != Status::kOk) return false;
  model_.synced();
  return true;
}

void SpoolLife::note_acked(uint32_t session, uint64_t contiguous, const std::vector<uint8_t>& beyond) {
  for (auto it = model_.tried.lower_bound({session, 1}); it != model_.tried.end() && it->first == session;
       ++it) {
    const uint64_t sequence = it->second;
    const uint64_t bit = sequence - contiguous - 2;
    const bool named = sequence <= contiguous || (sequence >= contiguous + 2 && bit / 8 < beyond.size() &&
                                                  ((beyond[bit / 8] >> (bit % 8)) & 1U) != 0);
    if (named) model_.settled.insert(*it);
  }
  model_.acked_sessions.insert(session);
}

bool SpoolLife::settle() {
  const uint32_t session = current_ - static_cast<uint32_t>(dice(std::min<uint32_t>(current_, 4)));
  uint64_t last = 0;
  for (auto it = model_.tried.lower_bound({session, 0}); it != model_.tried.end() && it->first == session;
       ++it) {
    last = it->second;
  }
  if (session == current_) last = sequence_;
  const uint64_t contiguous = dice(4) == 0 ? last : dice(last + 1);
  std::vector<uint8_t> beyond(dice(3));
  for (size_t i = 0; i < beyond.size() * 8; ++i) {
    if (contiguous + 2 + i <= last && dice(2) == 0)
      beyond[i / 8] = static_cast<uint8_t>(beyond[i / 8] | (1U << (i % 8)));
  }
  // The backend names what it has; it may do so before the vehicle's next write.
  note_acked(session, contiguous, beyond);
  const Status status = spool_.settle(life_session_id(session), contiguous, {beyond.data(), beyond.size()});
  if (status != Status::kOk && status != Status::kNotFound) return false;
  if (report_name_ && model_.settled.count(*report_name_) != 0) {
    model_.reported.insert(model_.reported.end(), report_ranges_.begin(), report_ranges_.end());
    report_name_.reset();
  }
  return true;
}

bool SpoolLife::refuse() {
  const uint32_t session = current_ - static_cast<uint32_t>(dice(std::min<uint32_t>(current_, 3)));
  const Status status = spool_.refuse(life_session_id(session));
  if (session == current_) current_ = 0;
  return status == Status::kOk || status == Status::kNotFound;
}

bool SpoolLife::report() {
  if (!spool_.losses_unreported()) return true;
  std::vector<LossRange> ranges(1 + dice(kLossRangesMax));
  const LossSnapshot snapshot = spool_.losses({ranges.data(), ranges.size()});
  ranges.resize(snapshot.count);
  const uint64_t sequence = ++sequence_;
  if (!append_as(sequence)) return false;
  spool_.losses_reported(snapshot.token, life_session_id(current_), sequence);
  report_name_ = Name{current_, sequence};
  report_ranges_ = std::move(ranges);
  return true;
}

bool SpoolLife::make_void() {
  ++sequence_;
  model_.voids.insert({current_, sequence_});
  spool_.note_void(life_session_id(current_), sequence_);
  return true;
}

bool SpoolLife::read_some() {
  SpoolCursor cursor;
  SpoolEntry entry;
  std::vector<uint8_t> bytes(kRecordMax);
  for (uint64_t count = dice(20); count > 0; --count) {
    const Status status = spool_.next(cursor, entry);
    if (status == Status::kNotFound) return true;
    if (status != Status::kOk) return false;
    const Status read = spool_.read(entry, {bytes.data(), bytes.size()});
    if (read != Status::kOk && read != Status::kMalformed) return false;
  }
  return true;
}

// A restart without a cut: nothing is lost that was accepted.
bool SpoolLife::remount() {
  if (spool_.mount() != Status::kOk) return false;
  current_ = 0;
  report_name_.reset();
  return true;
}

}  // namespace wayseal::test
