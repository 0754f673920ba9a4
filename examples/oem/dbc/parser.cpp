// SPDX-License-Identifier: Apache-2.0
#include "dbc/parser.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "dbc/raw.hpp"
#include "dbc/scanner.hpp"

namespace wayseal::oem {

namespace {

constexpr uint32_t kExtendedBit = 0x80000000U;
/// Signals that belong to no message live in a message that never exists on a bus.
constexpr RawId kIndependentSignals = 0xC0000000U;

/// Sections that begin with these words and end with a semicolon say nothing that collecting needs.
constexpr const char* kSkippedSections[] = {"CM_",
                                            "EV_",
                                            "EV_DATA_",
                                            "ENVVAR_DATA_",
                                            "SGTYPE_",
                                            "SGTYPE_VAL_",
                                            "BA_DEF_SGTYPE_",
                                            "BA_SGTYPE_",
                                            "CAT_DEF_",
                                            "CAT_",
                                            "FILTER",
                                            "SIG_GROUP_",
                                            "SIGTYPE_VALTYPE_",
                                            "SIG_TYPE_REF_",
                                            "BO_TX_BU_",
                                            "BA_DEF_REL_",
                                            "BA_REL_",
                                            "BA_DEF_DEF_REL_",
                                            "BU_SG_REL_",
                                            "BU_EV_REL_",
                                            "BU_BO_REL_",
                                            "NS_DESC_"};

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : scan_(text, file) { raw_.dbc.file = file; }

  RawFile run() {
    while (!scan_.at_end()) section();
    return std::move(raw_);
  }

 private:
  struct Section {
    const char* keyword;
    void (Parser::*parse)();
  };
  static const Section kSections[];

  void section();
  static const Section* find_section(std::string_view word);
  static bool is_section(std::string_view word);
  void skip_statement();

  void version() { raw_.dbc.version = scan_.expect_string("the version in quotes"); }
  void new_symbols();
  void bit_timing() { scan_.skip_line(); }
  void nodes();
  void message();
  void stray_signal() { scan_.fail(keyword_line_, "SG_ is only allowed below the BO_ of its message"); }
  void signal(DbcMessage& message);
  void multiplexing(DbcSignal& signal);
  void layout(DbcSignal& signal);
  void receivers();
  void value_table() {
    const std::string name = scan_.expect_identifier("the name of a value table");
    tables_[name] = value_texts();
  }
  void values();
  std::vector<ValueText> value_texts();
  void value_type();
  void extended_multiplexing();
  void attribute_definition();
  void attribute_default();
  void attribute();
  RawAttribute attribute_value();
  RawId message_number() {
    return static_cast<RawId>(scan_.expect_unsigned("the number of a message", 0xFFFFFFFFU));
  }

  Scanner scan_;
  RawFile raw_;
  std::map<std::string, std::vector<ValueText>> tables_;
  size_t keyword_line_ = 0;
};

const Parser::Section Parser::kSections[] = {
    {"VERSION", &Parser::version},
    {"NS_", &Parser::new_symbols},
    {"BS_", &Parser::bit_timing},
    {"BU_", &Parser::nodes},
    {"BO_", &Parser::message},
    {"SG_", &Parser::stray_signal},
    {"VAL_TABLE_", &Parser::value_table},
    {"VAL_", &Parser::values},
    {"SIG_VALTYPE_", &Parser::value_type},
    {"SG_MUL_VAL_", &Parser::extended_multiplexing},
    {"BA_DEF_", &Parser::attribute_definition},
    {"BA_DEF_DEF_", &Parser::attribute_default},
    {"BA_", &Parser::attribute},
};

const Parser::Section* Parser::find_section(std::string_view word) {
  const auto* found = std::find_if(std::begin(kSections), std::end(kSections),
                                   [&](const Section& section) { return word == section.keyword; });
  return found == std::end(kSections) ? nullptr : found;
}

bool Parser::is_section(std::string_view word) {
  return find_section(word) != nullptr || std::find(std::begin(kSkippedSections), std::end(kSkippedSections),
                                                    word) != std::end(kSkippedSections);
}

void Parser::section() {
  keyword_line_ = scan_.line();
  if (scan_.accept(';')) return;
  const std::string word = scan_.expect_identifier("a section such as BO_, SG_, VAL_ or BA_");
  if (const Section* known = find_section(word)) return (this->*known->parse)();
  if (!is_section(word)) raw_.warn(keyword_line_, "unknown section '" + word + "' is left out");
  skip_statement();
}

/// To the semicolon. A section that begins before it means that it is missing.
void Parser::skip_statement() {
  const size_t begin = scan_.line();
  while (true) {
    if (scan_.at_end())
      scan_.fail(begin, "expected ';' at the end of this statement, found the end of the file");
    const std::string_view word = scan_.peek_identifier();
    if (!word.empty() && is_section(word) && scan_.at_line_start()) scan_.fail_expected("';'");
    if (!word.empty()) {
      (void)scan_.accept_identifier();
    } else if (scan_.accept(';')) {
      return;
    } else if (!scan_.accept_string()) {
      (void)scan_.accept(scan_.peek());
    }
  }
}

/// A list of words, each on a line of its own, most of which are names of sections.
void Parser::new_symbols() {
  (void)scan_.accept(':');
  while (true) {
    const size_t mark = scan_.mark();
    if (!scan_.accept_identifier()) return;
    if (scan_.peek() != '\0' && scan_.on_same_line()) return scan_.reset(mark);
  }
}

void Parser::nodes() {
  scan_.expect(':');
  while (true) {
    const std::string_view word = scan_.peek_identifier();
    if (word.empty() || is_section(word)) return;
    (void)scan_.accept_identifier();
    (void)scan_.accept(',');
  }
}

void Parser::message() {
  DbcMessage message;
  message.line = keyword_line_;
  const RawId number = message_number();
  message.short_name = message.name = scan_.expect_identifier("the name of the message");
  scan_.expect(':');
  const uint64_t length = scan_.expect_unsigned("the length of the message in bytes", 0xFFFFU);
  if (scan_.on_same_line()) (void)scan_.accept_identifier();  // the sender
  message.extended = (number & kExtendedBit) != 0;
  message.id = number & ~kExtendedBit;
  const bool independent = number == kIndependentSignals;
  if (!independent && message.id > (message.extended ? kCanExtendedIdMax : kCanStandardIdMax)) {
    scan_.fail(keyword_line_, "message '" + message.name + "': number " + std::to_string(number) +
                                  (message.extended ? " has more than 29 bits" : " has more than 11 bits") +
                                  " (29-bit identifiers have bit 31 set as well)");
  }
  while (scan_.peek_identifier() == "SG_") {
    (void)scan_.accept_identifier();
    signal(message);
  }
  if (independent) return;
  if (length > kCanDataMax) {
    return raw_.warn(message.line, "message '" + message.name + "' of " + std::to_string(length) +
                                       " bytes is longer than a CAN FD frame; it is left out");
  }
  message.length = static_cast<uint8_t>(length);
  if (!raw_.message_of.emplace(number, raw_.dbc.messages.size()).second) {
    return raw_.warn(message.line,
                     "message '" + message.name + "' has the number of an earlier message; it is left out");
  }
  raw_.dbc.messages.push_back(std::move(message));
}

void Parser::signal(DbcMessage& message) {
  DbcSignal signal;
  signal.line = scan_.line();
  signal.short_name = signal.name = scan_.expect_identifier("the name of the signal");
  multiplexing(signal);
  scan_.expect(':');
  layout(signal);
  scan_.expect('(');
  signal.scale = scan_.expect_number("the factor");
  scan_.expect(',');
  signal.offset = scan_.expect_number("the offset");
  scan_.expect(')');
  scan_.expect('[');
  signal.minimum = scan_.expect_number("the minimum");
  scan_.expect('|');
  signal.maximum = scan_.expect_number("the maximum");
  scan_.expect(']');
  signal.unit = scan_.expect_string("the unit in quotes");
  receivers();
  const bool known = std::any_of(message.signals.begin(), message.signals.end(),
                                 [&](const DbcSignal& other) { return other.short_name == signal.short_name; });
  if (known) {
    return raw_.warn(signal.line, "signal '" + signal.name + "' is declared twice in message '" + message.name +
                                      "'; the second one is left out");
  }
  message.signals.push_back(std::move(signal));
}

/// Nothing, M, m<k> or m<k>M.
void Parser::multiplexing(DbcSignal& signal) {
  const size_t line = scan_.line();
  auto word = scan_.accept_identifier();
  if (!word) return;
  std::string text = *std::move(word);
  signal.is_selector = text.back() == 'M';
  if (signal.is_selector) text.pop_back();
  if (text.empty()) return;
  const bool digits =
      text.size() > 1 && text.size() < 20 && text.find_first_not_of("0123456789", 1) == std::string::npos;
  if (text[0] != 'm' || !digits)
    scan_.fail(line, "expected M, m<number>, m<number>M or ':' after the name of the signal");
  signal.mux_value = std::stoull(text.substr(1));
}

/// start | width @ order sign
void Parser::layout(DbcSignal& signal) {
  const size_t line = scan_.line();
  signal.start_bit = static_cast<uint16_t>(scan_.expect_unsigned("the start bit", 0xFFFFU));
  scan_.expect('|');
  signal.width = static_cast<uint16_t>(scan_.expect_unsigned("the number of bits", 0xFFFFU));
  if (signal.width < 1 || signal.width > 64) {
    scan_.fail(line, "signal '" + signal.name + "' has " + std::to_string(signal.width) +
                         " bits; 1 to 64 are possible");
  }
  scan_.expect('@');
  signal.motorola = scan_.expect_unsigned("the byte order, 0 (Motorola) or 1 (Intel)", 1) == 0;
  if (scan_.accept('-')) {
    signal.type = SignalType::kSigned;
  } else if (!scan_.accept('+')) {
    scan_.fail_expected("the sign, '+' or '-'");
  }
}

void Parser::receivers() {
  bool more = scan_.on_same_line();
  while (more && !scan_.peek_identifier().empty() &&
         !(scan_.at_line_start() && is_section(scan_.peek_identifier()))) {
    (void)scan_.accept_identifier();
    more = scan_.accept(',') || scan_.on_same_line();
  }
}

std::vector<ValueText> Parser::value_texts() {
  std::vector<ValueText> texts;
  while (!scan_.accept(';')) {
    const auto number = scan_.accept_number();
    if (!number) scan_.fail_expected("a value or ';'");
    ValueText entry{0, scan_.expect_string("the text of the value in quotes")};
    if (std::floor(*number) != *number || std::fabs(*number) >= 0x1p63) continue;  // no raw value equals it
    entry.value = static_cast<int64_t>(*number);
    texts.push_back(std::move(entry));
  }
  return texts;
}

void Parser::values() {
  // Of an environment variable when a name comes first; that is not on the bus.
  if (scan_.accept_identifier()) {
    (void)value_texts();
    return;
  }
  RawValues values;
  values.signal.line = keyword_line_;
  values.signal.message = message_number();
  values.signal.signal = scan_.expect_identifier("the name of the signal");
  if (const auto table = scan_.accept_identifier()) {
    values.values = tables_[*table];
    scan_.expect(';');
  } else {
    values.values = value_texts();
  }
  raw_.values.push_back(std::move(values));
}

void Parser::value_type() {
  RawValueType type;
  type.signal.line = keyword_line_;
  type.signal.message = message_number();
  type.signal.signal = scan_.expect_identifier("the name of the signal");
  (void)scan_.accept(':');
  type.type = scan_.expect_unsigned("the type, 0 (integer), 1 (float) or 2 (double)", 3);
  scan_.expect(';');
  raw_.value_types.push_back(std::move(type));
}

void Parser::extended_multiplexing() {
  RawMux mux;
  mux.signal.line = keyword_line_;
  mux.signal.message = message_number();
  mux.signal.signal = scan_.expect_identifier("the name of the multiplexed signal");
  mux.selector = scan_.expect_identifier("the name of its multiplexer switch");
  do {
    MuxRange range;
    range.low = scan_.expect_unsigned("the first value of a range", UINT64_MAX);
    scan_.expect('-');
    range.high = scan_.expect_unsigned("the last value of a range", UINT64_MAX);
    if (range.low > range.high)
      scan_.fail(keyword_line_, "a range of multiplexer values ends before it begins");
    mux.ranges.push_back(range);
  } while (scan_.accept(','));
  scan_.expect(';');
  raw_.muxes.push_back(std::move(mux));
}

void Parser::attribute_definition() {
  (void)scan_.accept_identifier();  // BU_, BO_, SG_, EV_ or nothing
  const std::string name = scan_.expect_string("the name of the attribute in quotes");
  const std::string type = scan_.expect_identifier("INT, HEX, FLOAT, STRING or ENUM");
  if (type != "ENUM") return skip_statement();
  std::vector<std::string>& texts = raw_.enums[name];
  texts.clear();
  while (!scan_.accept(';')) {
    texts.push_back(scan_.expect_string("a value of the ENUM in quotes"));
    (void)scan_.accept(',');
  }
}

RawAttribute Parser::attribute_value() {
  RawAttribute value;
  if (auto text = scan_.accept_string()) {
    value.text = *std::move(text);
  } else if (const auto number = scan_.accept_number()) {
    value.is_number = true;
    value.number = *number;
  } else if (auto word = scan_.accept_identifier()) {
    value.text = *std::move(word);
  } else if (scan_.peek() != ';') {
    scan_.fail_expected("the value of the attribute");
  }
  scan_.expect(';');
  return value;
}

void Parser::attribute_default() {
  const std::string name = scan_.expect_string("the name of the attribute in quotes");
  raw_.defaults[name] = attribute_value();
}

void Parser::attribute() {
  const std::string name = scan_.expect_string("the name of the attribute in quotes");
  const std::string_view object = scan_.peek_identifier();
  if (object == "BO_") {
    (void)scan_.accept_identifier();
    const RawId message = message_number();
    raw_.message_attributes[name][message] = attribute_value();
  } else if (object == "SG_") {
    (void)scan_.accept_identifier();
    SignalRef signal;
    signal.line = keyword_line_;
    signal.message = message_number();
    signal.signal = scan_.expect_identifier("the name of the signal");
    raw_.signal_attributes[name].emplace_back(std::move(signal), attribute_value());
  } else if (object == "BU_" || object == "EV_") {
    skip_statement();
  } else {
    raw_.network_attributes[name] = attribute_value();
  }
}

}  // namespace

DbcFile parse_dbc(std::string_view text, const std::string& file) {
  const std::string utf8 = to_utf8(text);
  return resolve(Parser(utf8, file).run());
}

DbcFile read_dbc(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("can't open '" + path + "': " + std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) throw std::runtime_error("can't read '" + path + "'");
  return parse_dbc(text, path);
}

}  // namespace wayseal::oem
