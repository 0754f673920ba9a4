// SPDX-License-Identifier: Apache-2.0
#include "capi/convert.hpp"
#include "wayseal/flow/client.hpp"
#include "wayseal/wayseal.h"

using namespace wayseal;

namespace {

void copy(const CollectorStats& from, wayseal_client_stats& to) {
  to.samples = from.samples;
  to.samples_dropped = from.samples_dropped;
  to.batches = from.batches;
  to.batches_dropped = from.batches_dropped;
}

void copy(const SealerStats& from, wayseal_client_stats& to) {
  to.records_sealed = from.records_sealed;
  to.samples_sealed = from.samples_sealed;
  to.content_bytes = from.content_bytes;
  to.sealed_bytes = from.sealed_bytes;
  to.loss_reports = from.loss_reports;
  to.acks = from.acks;
  to.acks_rejected = from.acks_rejected;
  to.refusals = from.refusals;
  to.refusals_rejected = from.refusals_rejected;
  to.sessions_opened = from.sessions_opened;
  to.voids = from.voids;
  to.contents_dropped = from.contents_dropped;
  to.token_reopens = from.token_reopens;
  to.seal_failure = capi::to_c(from.last_failure);
}

void copy(const CourierStats& from, wayseal_client_stats& to) {
  to.wire_bytes = from.wire_bytes;
  to.payload_bytes = from.payload_bytes;
  to.items_sent = from.items_sent;
  to.connections = from.connections;
  to.connections_failed = from.connections_failed;
  to.uploads = from.uploads;
  to.uploads_acked = from.uploads_acked;
  to.prekey_fetches = from.prekey_fetches;
  to.prekey_replies = from.prekey_replies;
  to.retries = from.retries;
  to.resends = from.resends;
  to.delivery_failure = capi::to_c(from.last_failure);
  to.channel_failure = {static_cast<wayseal_channel_failure>(from.last_channel_failure.failure),
                        from.last_channel_failure.native};
  to.last_http_status = from.last_http_status;
}

void copy(const SpoolStats& from, wayseal_client_stats& to) {
  to.spool_sessions = from.sessions;
  to.spool_capacity_bytes = from.capacity_bytes;
  to.waiting_bytes = from.waiting_bytes;
  to.waiting_records = from.waiting_records;
  to.settled = from.settled;
  to.evicted = from.evicted;
  to.refused = from.refused;
  to.damaged = from.damaged;
  to.voided = from.voided;
}

}  // namespace

wayseal_status wayseal_client_get_stats(const wayseal_client* client, wayseal_client_stats* stats) {
  if (client == nullptr || stats == nullptr || stats->size < sizeof *stats) return WAYSEAL_INVALID_ARGUMENT;
  const ClientStats found = reinterpret_cast<const Client*>(client)->stats();
  copy(found.collector, *stats);
  copy(found.sealer, *stats);
  copy(found.courier, *stats);
  copy(found.spool, *stats);
  stats->prekeys = found.prekeys.one_time;
  stats->last_resort_prekey = found.prekeys.last_resort;
  stats->time_trusted = found.time_trusted;
  return WAYSEAL_OK;
}
