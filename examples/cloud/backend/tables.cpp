// SPDX-License-Identifier: Apache-2.0
#include "tables.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace cloud {
namespace {

namespace format = wayseal::table_format;

std::string text_of(wayseal::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t computed_id(const Blob& file) {
  const uint32_t core_size = wayseal::load_le32(octets(file) + format::header::kCoreSize);
  return read_be(sha256(file.substr(format::kHeaderSize, core_size)).substr(0, format::kIdSize));
}

}  // namespace

Table::Table(Blob file) : file_(std::move(file)) {
  const std::string_view bytes = file_;
  const wayseal::Status status = table_.load({octets(bytes), bytes.size()});
  if (status != wayseal::Status::kOk) {
    throw std::runtime_error(std::string("not a signal table: ") + wayseal::status_name(status));
  }
  if (computed_id(file_) != table_.id())
    throw std::runtime_error("the signal table's id is not that of its contents");
  for (uint16_t index = 0; index < table_.signal_count(); ++index) {
    const uint16_t message = table_.group(table_.group_of(index)).message;
    SignalName name{text_of(table_.message_name(message)), text_of(table_.signal_name(index)),
                    text_of(table_.signal_unit(index))};
    if (name.message.empty()) name.message = "message" + std::to_string(message);
    if (name.signal.empty()) name.signal = "signal" + std::to_string(index);
    names_.push_back(std::move(name));
  }
}

std::optional<uint16_t> Table::index(uint32_t group, uint32_t signal) const {
  if (group >= table_.group_count()) return std::nullopt;
  const wayseal::GroupInfo info = table_.group(static_cast<uint16_t>(group));
  if (signal >= info.signal_count) return std::nullopt;
  return static_cast<uint16_t>(info.first_signal + signal);
}

std::string Table::text(uint16_t index, uint64_t raw) const { return text_of(table_.value_text(index, raw)); }

const Table* Tables::find(uint64_t id) {
  const auto known = tables_.find(id);
  if (known != tables_.end()) return known->second.get();
  auto file = database_.bytes("SELECT file FROM tables WHERE table_id = ?", static_cast<int64_t>(id));
  if (!file) return nullptr;
  return tables_.emplace(id, std::make_unique<Table>(std::move(*file))).first->second.get();
}

uint64_t add_table(Database& database, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  Blob file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const Table table(file);
  // A table with names takes the place of the same one without.
  database.run(
      "INSERT INTO tables(table_id, file, added_ms) VALUES(?1, ?2, ?3) "
      "ON CONFLICT DO UPDATE SET file = ?2 WHERE length(file) < length(?2)",
      static_cast<int64_t>(table.id()), file, now_ms());
  return table.id();
}

}  // namespace cloud
