// SPDX-License-Identifier: Apache-2.0
// Covers oem::parse_dbc (to_utf8, Scanner, Parser, resolve), oem::build_table (plan_table, plan_message, plan_hash,
// write_table), list_table, SignalTable::load, decode.
//
// A DBC text gives an error that names a line of it, or a table that loads, bears its true id, prints, and decodes what
// the text says: each value equals the signal's bits picked one by one by start bit, width and byte order.
//
// Input: the text.
#include <algorithm>
#include <sstream>

#include "dbc/listing.hpp"
#include "dbc/parser.hpp"
#include "dbc/table_builder.hpp"
#include "table_probe.hpp"

namespace {

using namespace wayseal;
using oem::DbcSignal;

// The bits of a signal as the DBC format describes them, one at a time.
uint64_t pick_bits(const DbcSignal& signal, const uint8_t* data) {
  uint64_t value = 0;
  unsigned at = signal.start_bit;
  for (unsigned i = 0; i < signal.width; ++i) {
    const uint64_t bit = (data[at / 8] >> (at % 8)) & 1U;
    if (signal.motorola) {
      value = (value << 1) | bit;
      at = at % 8 == 0 ? at + 15 : at - 1;
    } else {
      value |= bit << i;
      ++at;
    }
  }
  const bool negative =
      signal.type == SignalType::kSigned && signal.width < 64 && (value >> (signal.width - 1)) != 0;
  return negative ? value | (~uint64_t{0} << signal.width) : value;
}

void check_samples(const SignalTable& table, const oem::DbcMessage& message, const uint8_t* data,
                   uint8_t length, const std::vector<fuzz::Decoded>& samples) {
  for (const fuzz::Decoded& sample : samples) {
    const std::string name = fuzz::text_of(table.signal_name(sample.signal));
    // Long names may be the same twice.
    const bool known =
        std::any_of(message.signals.begin(), message.signals.end(), [&](const DbcSignal& signal) {
          return signal.name == name && oem::needed_bytes(signal) <= length &&
                 pick_bits(signal, data) == sample.raw;
        });
    fuzz::require(known, "a value is that of the signal's bits");
  }
  const auto always =
      std::count_if(message.signals.begin(), message.signals.end(), [&](const DbcSignal& signal) {
        return signal.mux_parent.empty() && oem::needed_bytes(signal) <= length;
      });
  fuzz::require(samples.size() >= static_cast<size_t>(always), "every signal without a condition comes");
}

void check_decoding(const oem::DbcFile& dbc, const SignalTable& table) {
  fuzz::require(table.message_count() == dbc.messages.size(), "every message of the file is in the table");
  constexpr size_t kMessagesMax = 8;
  for (size_t i = 0; i < dbc.messages.size() && i < kMessagesMax; ++i) {
    uint8_t data[kCanDataMax];
    for (uint8_t round = 0; round < 6; ++round) {
      // Small numbers first: multiplexers mostly have small values.
      for (size_t k = 0; k < sizeof data; ++k) {
        data[k] = static_cast<uint8_t>(round < 4 ? round * (k + 1) : 37 * k + round * 101);
      }
      for (const uint8_t length :
           {uint8_t{0}, uint8_t{1}, uint8_t{7}, uint8_t{8}, dbc.messages[i].length, uint8_t{64}}) {
        const auto samples = fuzz::probe_frame(table, static_cast<uint16_t>(i), data, length);
        check_samples(table, dbc.messages[i], data, length, samples);
      }
    }
  }
}

void check_lines(const oem::DbcFile& dbc, size_t lines) {
  for (const oem::Diagnostic& warning : dbc.warnings) {
    fuzz::require(warning.line >= 1 && warning.line <= lines, "a warning names a line of the text");
  }
}

void run(const std::string& text, size_t lines) {
  const oem::DbcFile dbc = oem::parse_dbc(text, "input.dbc");
  check_lines(dbc, lines);
  oem::TableOptions options;
  options.name = "fuzz";
  const oem::BuiltTable built = oem::build_table({{"", dbc}}, options);
  const fuzz::ExactCopy bytes({built.bytes.data(), built.bytes.size()});
  SignalTable table;
  fuzz::require(table.load(bytes.view()) == Status::kOk, "the table that is built loads");
  fuzz::require(oem::has_true_id(bytes.view()), "and bears the id of its core section");
  std::ostringstream listing;
  oem::list_table(built.bytes, listing);
  check_decoding(dbc, table);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t lines = 1 + static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  try {
    run(text, lines);
  } catch (const oem::DbcError& error) {
    fuzz::require(error.line() >= 1 && error.line() <= lines, "an error names a line of the text");
  } catch (const oem::TableError& error) {
    fuzz::require(std::string(error.what()).find("its own check") == std::string::npos,
                  "a table that cannot be built is refused for a reason");
  }
  return 0;
}
