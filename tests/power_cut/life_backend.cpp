// SPDX-License-Identifier: Apache-2.0
#include "power_cut/life_backend.hpp"

#include <algorithm>

#include "record.pb.h"

namespace wayseal::test {
namespace {

using namespace fakes;

constexpr size_t kHeaderAt = 2;  // of a Sealed as the vehicle writes it
constexpr uint64_t kBeyondBits = 256;
constexpr int kRefusedPrekeyUnknown = 1;
constexpr size_t kOthersInAck = 8;
// Stands for the expiry of prekeys that nobody claims: cuts spend them without a trace at the backend.
constexpr unsigned kTimesGiven = 4;

std::string hex(const Blob& bytes, size_t most) {
  static const char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < bytes.size() && i < most; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace

std::string name_text(const EntryName& name) { return hex(name.first, 4) + ":" + std::to_string(name.second); }

size_t LifeDatabase::last_resorts_used() const {
  return static_cast<size_t>(std::count_if(
      claims.begin(), claims.end(), [&](const auto& one) { return last_resorts.count(one.first) != 0; }));
}

std::string LifeBackend::serve(const HttpRequest& request, int64_t utc_ms) {
  return request.path == "/v1/prekeys" ? serve_prekeys(request.body, utc_ms) : serve_records(request.body);
}

// Unclaimed prekeys are given again before new ones are made, and the last resort is changed now and then.
std::string LifeBackend::serve_prekeys(const std::string& body, int64_t utc_ms) {
  const Blob request = to_blob(body);
  const auto challenge = half_.read_request(view(request));
  if (!challenge) return http_answer(403, "");
  PrekeyPlan plan;
  plan.vehicle_id = half_.vehicle_id;
  plan.challenge = *challenge;
  for (const auto& given : db.given) {
    const bool again = db.claims.count(given.id) == 0 && db.times_given[given.id]++ < kTimesGiven;
    if (again && plan.one_time.size() < kPrekeysGiven) plan.one_time.push_back(given);
  }
  while (plan.one_time.size() < kPrekeysGiven) {
    plan.one_time.push_back(half_.add_prekey(random_scalar()));
    db.given.push_back(plan.one_time.back());
    db.prekeys.insert(plan.one_time.back().id);
  }
  if (fetches_++ % 4 == 0 || !last_resort_) last_resort_ = half_.add_prekey(random_scalar());
  db.prekeys.insert(last_resort_->id);
  db.last_resorts.insert(last_resort_->id);
  plan.last_resort = last_resort_;
  const Blob time = half_.signed_time(*challenge, utc_ms);
  return http_answer(200, to_string(view(half_.reply(half_.signed_bundle(plan), time))));
}

std::string LifeBackend::serve_records(const std::string& body) {
  v1::Upload upload;
  if (!upload.ParseFromString(body)) return http_answer(400, "");
  v1::UploadReply reply;
  std::set<Blob> touched;
  for (const v1::UploadItem& item : upload.items()) {
    if (item.has_session_open()) take_open(to_blob(item.session_open()), touched, reply);
    if (item.has_sealed()) take_record(to_blob(item.sealed()), touched, reply);
  }
  const Blob under = to_blob(upload.ack_session());
  if (db.sessions.count(under) == 0) return http_answer(200, reply.SerializeAsString());
  touched.insert(under);
  std::vector<AckEntry> entries;
  for (const Blob& session : touched) entries.push_back(ack_entry(session));
  size_t others = 0;
  for (const auto& [id, session] : db.sessions) {
    if (touched.count(id) != 0 || complete(id) || ++others > kOthersInAck) continue;
    entries.push_back(ack_entry(id));
  }
  reply.add_acks(to_string(view(half_.seal_ack(db.sessions.at(under).id, entries))));
  return http_answer(200, reply.SerializeAsString());
}

void LifeBackend::take_open(const Blob& encoded, std::set<Blob>& touched, v1::UploadReply& reply) {
  const auto input = BackendHalf::transcript_input(view(encoded), half_.vehicle_id);
  if (!input) {
    wrong = "a SessionOpen does not parse";
    return;
  }
  const Digest th = sha256({reinterpret_cast<const uint8_t*>(input->data()), input->size()});
  const Blob id(std::begin(th.data), std::begin(th.data) + SessionId::kSize);
  const bool repeated = db.sessions.count(id) != 0 || db.refused.count(id) != 0;
  if (!repeated) judge_open(encoded, id);
  if (db.refused.count(id) != 0 && reply.refusals_size() < 4)
    reply.add_refusals()->set_refusal(to_string(view(half_.signed_refusal(th, kRefusedPrekeyUnknown))));
  const auto known = db.sessions.find(id);
  if (known == db.sessions.end()) return;
  touched.insert(id);
  // The one before may be complete now that its end is known.
  if (db.sessions.count(known->second.previous) != 0) touched.insert(known->second.previous);
}

// Takes a new session, or refuses it, or leaves it for a better database.
void LifeBackend::judge_open(const Blob& encoded, const Blob& id) {
  half_.sessions.erase(id);
  const auto session = half_.take_open(view(encoded));
  half_.claims.clear();
  if (!session) {
    wrong = "a SessionOpen is not authentic";
  } else if (db.prekeys.count(session->prekey_id) == 0) {
    db.alarms.insert("prekey-unrecorded");  // the private half is there: this database is older than the token
  } else if (refuse_opens_ == 0) {
    add_session(*session);
  } else {
    --refuse_opens_;
    db.refused.insert(id);
  }
}

void LifeBackend::add_session(const BackendSession& session) {
  std::set<Blob>& claims = db.claims[session.prekey_id];
  claims.insert(Blob(std::begin(session.th.data), std::end(session.th.data)));
  if (claims.size() > 1 && db.last_resorts.count(session.prekey_id) == 0) db.alarms.insert("prekey-reused");
  if (!db.counters.insert(session.counter).second) db.alarms.insert("counter-reused");
  if (!session.previous.empty() &&
      !db.last_durable.emplace(session.previous, session.previous_last_durable).second) {
    db.alarms.insert("forked");
  }
  db.sessions[id_blob(session.id)] = session;
}

void LifeBackend::take_record(const Blob& sealed, std::set<Blob>& touched, v1::UploadReply& reply) {
  const EntryName name{Blob(sealed.begin() + kHeaderAt + 2, sealed.begin() + kHeaderAt + 18),
                       load_be64(sealed.data() + kHeaderAt + 18)};
  if (db.sessions.count(name.first) == 0) {
    if (reply.open_wanted_size() < 32) reply.add_open_wanted(to_string(view(name.first)));
    return;
  }
  touched.insert(name.first);
  const auto known = db.records.find(name);
  if (known != db.records.end() && known->second.ciphertext == sealed) {
    ++db.duplicates;
    return;
  }
  const auto opened = half_.open(view(sealed));
  if (!opened) {
    wrong = name_text(name) + " does not open";
  } else if (known != db.records.end()) {
    db.alarms.insert("two-records-one-number");
  } else {
    db.records[name] = {sealed, opened->type};
    if (opened->type == 2) take_losses(opened->payload, touched);
  }
}

void LifeBackend::take_losses(const Blob& payload, std::set<Blob>& touched) {
  v1::LossReport report;
  if (!report.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    wrong = "a loss report does not parse";
    return;
  }
  for (const auto& range : report.ranges()) {
    const Blob id = to_blob(range.session_id());
    if (range.last() == 0) {
      db.nameless_losses += range.count();
      continue;
    }
    if (range.count() < 1 || range.first() < 1 || range.count() > range.last() - range.first() + 1)
      wrong = "a loss range counts what it does not span";
    db.losses[id].push_back({range.first(), range.last(), range.count()});
    if (db.sessions.count(id) != 0) touched.insert(id);
  }
}

// An unmerged range settles what it spans. A merged one does when no more are missing in it than it counts.
bool LifeBackend::reported_lost(const EntryName& name) const {
  const auto found = db.losses.find(name.first);
  if (found == db.losses.end()) return false;
  for (const LossRow& row : found->second) {
    if (name.second < row.first || name.second > row.last) continue;
    const auto from = db.records.lower_bound({name.first, row.first});
    const auto to = db.records.upper_bound({name.first, row.last});
    if (row.last - row.first + 1 - static_cast<uint64_t>(std::distance(from, to)) <= row.count) return true;
  }
  return false;
}

uint64_t LifeBackend::contiguous(const Blob& session) const {
  uint64_t last = 0;
  while (is_accounted({session, last + 1})) ++last;
  return last;
}

uint64_t LifeBackend::last_known(const Blob& session) const {
  const auto said = db.last_durable.find(session);
  uint64_t last = said == db.last_durable.end() ? 0 : said->second;
  const auto end = db.records.upper_bound({session, UINT64_MAX});
  if (end != db.records.begin() && std::prev(end)->first.first == session)
    last = std::max(last, std::prev(end)->first.second);
  const auto losses = db.losses.find(session);
  if (losses == db.losses.end()) return last;
  for (const LossRow& row : losses->second) last = std::max(last, row.last);
  return last;
}

bool LifeBackend::complete(const Blob& session) const {
  return db.last_durable.count(session) != 0 && contiguous(session) >= last_known(session);
}

std::string LifeBackend::missing() {
  for (const auto& [id, session] : db.sessions) {
    if (db.last_durable.count(id) == 0 || complete(id)) continue;
    return name_text({id, contiguous(id) + 1}) + " of " + std::to_string(last_known(id)) + " is missing";
  }
  return "";
}

AckEntry LifeBackend::ack_entry(const Blob& session) const {
  AckEntry entry;
  std::copy(session.begin(), session.end(), entry.session.data);
  entry.contiguous = contiguous(session);
  const uint64_t last = last_known(session);
  const uint64_t first = entry.contiguous + 2;
  if (last < first) return entry;
  entry.beyond.assign(std::min(kBeyondBits, last - first + 8) / 8, 0);
  for (uint64_t bit = 0; bit < entry.beyond.size() * 8; ++bit) {
    if (!is_accounted({session, first + bit})) continue;
    entry.beyond[bit / 8] = static_cast<uint8_t>(entry.beyond[bit / 8] | (1U << (bit % 8)));
  }
  return entry;
}

}  // namespace wayseal::test
