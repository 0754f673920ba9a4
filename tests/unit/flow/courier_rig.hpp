// SPDX-License-Identifier: Apache-2.0
/// \file
/// A Courier with its Sealer on fakes, and a gateway with the backend behind it, honest unless a test twists
/// it.
#ifndef WAYSEAL_TESTS_UNIT_FLOW_COURIER_RIG_HPP
#define WAYSEAL_TESTS_UNIT_FLOW_COURIER_RIG_HPP

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "delivery.pb.h"
#include "fakes/fake_channel.hpp"
#include "unit/flow/sealer_rig.hpp"
#include "wayseal/access/access_token.hpp"
#include "wayseal/flow/courier.hpp"

namespace wayseal::fakes {

/// One request as the gateway saw it.
struct SeenRequest {
  std::string path;
  CertificateDates::Check dates = CertificateDates::Check::kIgnored;
  int opens = 0;
  int records = 0;
  int fillers = 0;
  std::string token = {};  ///< Behind "Bearer ".
  size_t body_bytes = 0;
  int64_t at_ms = 0;
};

/// What survives restarts: token, flash, backend, and the line to it.
struct CourierWorld : SealerWorld {
  explicit CourierWorld(const FakeVaultOptions& options = {}) : SealerWorld(options) {
    channel.set_peer(http_peer([this](const HttpRequest& request) { return serve(request); }));
  }

  std::string serve(const HttpRequest& request) {
    SeenRequest seen;
    seen.path = request.path;
    seen.dates = channel.dates().back().check;
    seen.body_bytes = request.body.size();
    seen.at_ms = clock.now().ns / kNsPerMs;
    const auto field = request.fields.find("authorization");
    if (field != request.fields.end()) seen.token = field->second.substr(std::string("Bearer ").size());
    const bool authorized = !wants_tokens || (seen.token == token && clock.now() < token_ends);
    std::string answer;
    if (request.path == "/oauth/token") {
      answer = serve_token(request);
    } else if (!authorized) {
      answer = http_answer(401, "");
    } else {
      answer = request.path == "/v1/prekeys" ? serve_prekeys(request) : serve_records(request, seen);
    }
    requests.push_back(seen);
    return twist ? twist(request, answer) : answer;
  }

  std::string serve_token(const HttpRequest& request) {
    if (request.fields.at("content-type") != "application/x-www-form-urlencoded") return http_answer(400, "");
    if (request.body != "grant_type=client_credentials&client_id=vehicle-7&scope=prekeys+records")
      return http_answer(400, "");
    token = "token-" + std::to_string(++tokens_given);
    token_ends = after_ms(clock.now(), 300 * 1000);
    return http_answer(200, R"({"access_token":")" + token + R"(","token_type":"Bearer","expires_in":300})");
  }

  std::string serve_prekeys(const HttpRequest& request) {
    const auto challenge = backend.read_request(view(to_blob(request.body)));
    if (!challenge) return http_answer(403, "");
    const int64_t utc_ms = BackendHalf::kNowMs + clock.now().ns / kNsPerMs;
    const Blob time = tells_time ? backend.signed_time(*challenge, utc_ms) : Blob{};
    PrekeyPlan plan = backend.plan(*challenge, one_time);
    for (PrekeyPlan::Prekey& prekey : plan.one_time) prekey.suites = prekey_suites();
    plan.last_resort->suites = prekey_suites();
    return http_answer(200, to_string(view(backend.reply(backend.signed_bundle(plan), time))));
  }

  std::string serve_records(const HttpRequest& request, SeenRequest& seen) {
    v1::Upload upload;
    if (!upload.ParseFromString(request.body)) return http_answer(400, "");
    v1::UploadReply reply;
    const Blob ack_session = to_blob(upload.ack_session());
    std::set<Blob> touched{ack_session};
    for (const v1::UploadItem& item : upload.items()) {
      if (item.has_session_open()) ++seen.opens;
      if (item.has_sealed()) ++seen.records;
      if (!item.has_session_open() && !item.has_sealed()) ++seen.fillers;
      take_item(item, touched, reply);
    }
    if (backend.sessions.count(ack_session) != 0)
      reply.add_acks(to_string(view(ack_for(ack_session, touched))));
    return http_answer(200, reply.SerializeAsString());
  }

  void take_item(const v1::UploadItem& item, std::set<Blob>& touched, v1::UploadReply& reply) {
    if (item.has_session_open()) {
      const auto session = backend.take_open(view(to_blob(item.session_open())));
      if (session && refused.count(session->prekey_id) != 0) {
        backend.sessions.erase(id_blob(session->id));
        reply.add_refusals()->set_refusal(to_string(view(backend.signed_refusal(session->th, 2))));
      }
      return;
    }
    if (!item.has_sealed()) return;
    const Blob sealed = to_blob(item.sealed());
    const Blob session(sealed.begin() + 4, sealed.begin() + 20);
    if (backend.sessions.count(session) == 0) {
      if (reply.open_wanted_size() < 32) reply.add_open_wanted(to_string(view(session)));
      return;
    }
    const auto record = backend.open(view(sealed));
    if (!record) return;
    if (ignored.count(record->sequence) != 0) return;
    touched.insert(session);
    if (!stored.emplace(Key{session, record->sequence}, *record).second) ++repeats;
  }

  AckEntry ack_entry(const Blob& session) const {
    AckEntry entry;
    std::copy(session.begin(), session.end(), entry.session.data);
    while (stored.count({session, entry.contiguous + 1}) != 0) ++entry.contiguous;
    entry.beyond.assign(32, 0);
    for (uint32_t bit = 0; bit < 256; ++bit) {
      if (stored.count({session, entry.contiguous + 2 + bit}) == 0) continue;
      entry.beyond[bit / 8] = static_cast<uint8_t>(entry.beyond[bit / 8] | (1U << (bit % 8)));
    }
    return entry;
  }

  Blob ack_for(const Blob& ack_session, const std::set<Blob>& touched) const {
    std::vector<AckEntry> entries;
    entries.reserve(touched.size());
    for (const Blob& session : touched) entries.push_back(ack_entry(session));
    SessionId id;
    std::copy(ack_session.begin(), ack_session.end(), id.data);
    return backend.seal_ack(id, entries);
  }

  size_t count(const std::string& path) const {
    size_t found = 0;
    for (const SeenRequest& one : requests) found += one.path == path ? 1U : 0U;
    return found;
  }

  FakeChannel channel{{}};
  std::vector<SeenRequest> requests;
  std::function<std::string(const HttpRequest&, const std::string& honest)> twist;
  bool tells_time = true;
  bool wants_tokens = false;
  std::string token;  // the one that is taken
  MonotonicTime token_ends = {};
  int tokens_given = 0;
  size_t one_time = 8;
  std::function<uint32_t()> prekey_suites = [] { return 3U; };
  std::set<uint64_t> ignored;  // sequences that the backend pretends not to have got
  std::set<uint64_t> refused;  // prekeys whose sessions are refused
  uint64_t repeats = 0;
};

/// One life of the program.
struct CourierLife : SealerLife {
  explicit CourierLife(CourierWorld& in, const CourierConfig& settings = {}, const SealerConfig& sealing = {})
      : SealerLife(in, sealing),
        courier_world(in),
        courier({in.channel, in.vault, in.clock, spool, time, prekeys, client, sealer,
                 mutable_view(courier_workspace), in.wants_tokens ? &authorization : nullptr, &identity},
                settings) {}

  void collect_records(int count, size_t size = 40) {
    for (int i = 0; i < count; ++i) {
      std::string payload = "record " + std::to_string(collected++);
      payload.resize(size, '.');
      while (!collect(bus_queue, payload)) {
        must_seal();
        if (bus_queue.size() == bus_queue.capacity()) throw std::runtime_error(status_name(last_sealing));
      }
    }
    must_seal();
  }

  /// Both sides step until `done`, the clock moving by 20 ms, or by a 50,000th of a long limit, whenever
  /// neither has more to do; false after `limit_ms`.
  bool run_until(const std::function<bool()>& done, int64_t limit_ms = 60 * 1000) {
    const MonotonicTime end = after_ms(clock().now(), limit_ms);
    while (!done()) {
      if (end <= clock().now()) return false;
      step(limit_ms / 50000 > 20 ? limit_ms / 50000 : 20);
    }
    return true;
  }

  void run_for(int64_t ms) {
    static_cast<void>(run_until([] { return false; }, ms));
  }

  void step(int64_t tick_ms = 20) {
    const Status sealed = sealer.step(clock().now());
    const Status delivered = courier.step(clock().now());
    if (sealed != Status::kWouldBlock && delivered != Status::kWouldBlock) clock().advance_ms(tick_ms);
  }

  uint64_t waiting() const { return spool.stats().waiting_records; }
  bool deliver_all(int64_t limit_ms = 60 * 1000) {
    return run_until([this] { return bus_queue.size() == 0 && waiting() == 0; }, limit_ms);
  }

  /// Prekeys are there, a session is open, and the backend knows it.
  void warm_up() {
    collect_records(1);
    if (!deliver_all()) throw std::runtime_error("the way does not work at all");
  }

  CourierWorld& courier_world;
  Blob token_memory = Blob(kAccessTokenMax);
  AccessToken authorization{"prekeys records", mutable_view(token_memory)};
  Blob courier_workspace = Blob(kCourierWorkspace);
  Courier courier;
  int collected = 0;
  Status last_sealing = Status::kOk;

 private:
  void must_seal() {
    Status status = Status::kWouldBlock;
    for (int i = 0; i < 100 && status == Status::kWouldBlock; ++i) {
      status = sealer.step(clock().now());
    }
    last_sealing = status;
  }
};

}  // namespace wayseal::fakes

#endif
