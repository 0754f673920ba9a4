// SPDX-License-Identifier: Apache-2.0
// Covers SignalTable::load (TableCheck), find_message, the accessors, decode (extract, extract_far, GroupWalk), physical.
//
// A table that loads never decodes outside a frame: whatever its bytes, frames of every length give only signals that
// they hold whole, and nothing behind the length has an influence. Without its names it is the same table.
//
// Input: 1 byte of mode (1: the checksums are made right, so that the checks behind them are reached), 64 bytes for
// frames, the table.
#include "table_probe.hpp"

namespace {

using namespace wayseal;
namespace fmt = wayseal::table_format;

void repair(MutableBytes bytes) {
  if (bytes.size() < fmt::kHeaderSize) return;
  uint8_t* p = bytes.data();
  std::memcpy(p, fmt::kMagic, sizeof fmt::kMagic);
  const Bytes rest = Bytes(bytes).from(fmt::kHeaderSize);
  const Bytes core = rest.first(load_le32(p + fmt::header::kCoreSize));
  const Bytes names = rest.from(core.size());
  // The length of an input changes all the time; a table whose lengths are wrong is refused at once.
  store_le32(p + fmt::header::kCoreSize, static_cast<uint32_t>(core.size()));
  store_le32(p + fmt::header::kNamesSize, static_cast<uint32_t>(names.size()));
  store_le32(p + fmt::header::kCoreCrc, fmt::crc32(core));
  store_le32(p + fmt::header::kNamesCrc, fmt::crc32(names));
  store_le32(p + fmt::header::kHeaderCrc, fmt::crc32(Bytes(bytes).first(fmt::header::kHeaderCrc)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const bool right_sums = (in.u8() & 1U) != 0;
  const Bytes frame = in.bytes(kCanDataMax);
  fuzz::ExactCopy bytes(in.rest());
  if (right_sums) repair(bytes.mutable_view());

  SignalTable table;
  const Status status = table.load(bytes.view());
  if (status != Status::kOk) {
    fuzz::require(status == Status::kMalformed || status == Status::kUnsupported, "load says why");
    fuzz::require(table.message_count() == 0 && table.id() == 0, "a table that is refused is empty");
    return 0;
  }
  fuzz::probe_table(table, bytes.view(), frame);

  const size_t core = load_le32(bytes.view().data() + fmt::header::kCoreSize);
  const fuzz::ExactCopy nameless(bytes.view().first(fmt::kHeaderSize + core));
  SignalTable same;
  fuzz::require(same.load(nameless.view()) == Status::kOk, "a table loads without its names");
  fuzz::require(same.id() == table.id() && same.signal_count() == table.signal_count() && !same.has_names(),
                "and is the same table");
  return 0;
}
