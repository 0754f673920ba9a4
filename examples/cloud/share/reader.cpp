// SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include "samples.hpp"

namespace share {
namespace {

constexpr int64_t kBatchesMax = 64;
constexpr size_t kSamplesMax = 1000;

nlohmann::ordered_json json_of(const cloud::Sample& sample, const std::string& name) {
  nlohmann::ordered_json json{
      {"time", cloud::iso_time(sample.time_us)}, {"signal", name}, {"value", sample.value}};
  if (!sample.name->unit.empty()) json["unit"] = sample.name->unit;
  if (!sample.text.empty()) json["text"] = sample.text;
  json["quality"] = sample.quality == cloud::TimeQuality::kTrusted ? "trusted" : "recorded";
  return json;
}

/// One batch from `page.end.sample` on. \return false when the page is full before its end.
bool add_batch(const cloud::BatchSamples& batch, const PageQuery& query, const Permit& permit, Page& page) {
  for (; static_cast<size_t>(page.end.sample) < batch.samples.size(); ++page.end.sample) {
    const cloud::Sample& sample = batch.samples[static_cast<size_t>(page.end.sample)];
    if (sample.quality == cloud::TimeQuality::kUntrusted) continue;
    if (sample.time_us < query.since_us || sample.time_us >= query.until_us) continue;
    const std::string name = sample.name->message + "." + sample.name->signal;
    if (query.names.count(name) == 0 || !permit.covers(name, sample.time_us)) continue;
    if (page.samples.size() == kSamplesMax) return false;
    page.samples.push_back(json_of(sample, name));
  }
  return true;
}

}  // namespace

Page read_page(cloud::Database& database, const PageQuery& query, const Permit& permit) {
  Page page;
  page.end = query.from;
  cloud::Tables tables(database);
  int64_t batches = 0;
  // The inner query goes by the index of the vehicle's sessions; `+` keeps it from walking through everybody's records.
  database.each(
      "SELECT id, payload FROM records WHERE id IN (SELECT id FROM records WHERE session IN "
      "(SELECT sessions.id FROM sessions JOIN vehicles ON vehicles.id = sessions.vehicle WHERE vehicles.name = "
      "?1) "
      "AND +id >= ?2 AND type = 1 AND to_us >= ?3 AND from_us < ?4 ORDER BY +id LIMIT ?5) ORDER BY id",
      [&](const cloud::Row& row) {
        if (page.more) return;
        if (++batches > kBatchesMax) {
          page.more = true;
          return;
        }
        if (row.integer(0) != page.end.record) page.end = {row.integer(0), 0};
        const cloud::BatchSamples batch = cloud::read_batch(tables, row.bytes(1));
        if (batch.unknown_table || batch.undecodable) ++page.unreadable;
        page.more = !add_batch(batch, query, permit, page);
      },
      cloud::Text{query.vehicle}, query.from.record, query.since_us, query.until_us, kBatchesMax + 1);
  return page;
}

}  // namespace share
