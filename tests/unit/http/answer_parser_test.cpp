// SPDX-License-Identifier: Apache-2.0
#include "wayseal/http/answer_parser.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <string>
#include <vector>

namespace {

using namespace wayseal;

struct Outcome {
  Status status = Status::kWouldBlock;  ///< kWouldBlock: the answer has not ended.
  uint16_t code = 0;
  std::string body;
  uint32_t retry_after_s = 0;
  bool closes = false;
  bool excess = false;

  friend bool operator==(const Outcome& a, const Outcome& b) {
    return a.status == b.status && a.code == b.code && a.body == b.body && a.retry_after_s == b.retry_after_s &&
           a.closes == b.closes && a.excess == b.excess;
  }
};

/// Gives `raw` in pieces of `size` bytes, body bytes into their place when the parser has one for them.
Outcome read_in_pieces(const std::string& raw, size_t size, size_t room) {
  std::vector<uint8_t> memory(room + 1, 0xEE);  // one more than is given: must stay as it is
  http::AnswerParser parser;
  parser.begin({memory.data(), room});
  Outcome outcome;
  for (size_t at = 0; at < raw.size();) {
    const size_t count = std::min(size, raw.size() - at);
    MutableBytes in_place = parser.body_room().first(count);
    std::vector<uint8_t> piece(raw.begin() + static_cast<long>(at),
                               raw.begin() + static_cast<long>(at + count));
    if (!in_place.empty()) std::memcpy(in_place.data(), piece.data(), in_place.size());
    const Bytes input = in_place.empty() ? Bytes{piece.data(), count} : Bytes(in_place);
    at += input.size();
    const Status status = parser.take(input);
    if (status != Status::kOk) {
      outcome.status = status;
      return outcome;
    }
  }
  REQUIRE(memory[room] == 0xEE);
  if (!parser.complete()) return outcome;
  const Bytes body = parser.body();
  return {Status::kOk,     parser.status(), {body.begin(), body.end()}, parser.retry_after_s(),
          parser.closes(), parser.excess()};
}

/// The outcome, which is the same however the answer is cut.
Outcome read(const std::string& raw, size_t room = 256) {
  const Outcome whole = read_in_pieces(raw, raw.size() + 1, room);
  for (const size_t size : {1U, 2U, 3U, 5U, 17U}) {
    INFO("in pieces of " << size);
    REQUIRE(read_in_pieces(raw, size, room) == whole);
  }
  return whole;
}

std::string head(const std::string& fields, const std::string& status_line = "HTTP/1.1 200 OK") {
  return status_line + "\r\n" + fields + "\r\n";
}

std::string chunked(const std::string& chunks) { return head("Transfer-Encoding: chunked\r\n") + chunks; }

constexpr Status kOk = Status::kOk;
constexpr Status kMalformed = Status::kMalformed;
constexpr Status kUnsupported = Status::kUnsupported;
constexpr Status kUnfinished = Status::kWouldBlock;

}  // namespace

TEST_CASE("status lines (RFC 9112, 4)") {
  const auto [line, expected] = GENERATE(table<std::string, Status>({
      {"HTTP/1.1 200 OK", kOk},
      {"HTTP/1.1 200 ", kOk},
      {"HTTP/1.1 200", kOk},
      {"HTTP/1.1 599 any\tthing \xC3\xBC :;,", kOk},
      {"HTTP/1.1 600 OK", kMalformed},
      {"HTTP/1.1 999 OK", kMalformed},
      {"HTTP/1.1 099 OK", kMalformed},
      {"HTTP/1.1 000 OK", kMalformed},
      {"HTTP/1.1 20 OK", kMalformed},
      {"HTTP/1.1 20", kMalformed},
      {"HTTP/1.1 2000 OK", kMalformed},
      {"HTTP/1.1 2x0 OK", kMalformed},
      {"HTTP/1.1 +200 OK", kMalformed},
      {"HTTP/1.1 200-OK", kMalformed},
      {"HTTP/1.1  200 OK", kMalformed},
      {"HTTP/1.1\t200 OK", kMalformed},
      {"HTTP/1.1 200 O\x01K", kMalformed},
      {"HTTP/1.1 200 O\x7FK", kMalformed},
      {" HTTP/1.1 200 OK", kMalformed},
      {"http/1.1 200 OK", kMalformed},
      {"HTTP/1.11 200 OK", kMalformed},
      {"HTTP/11.1 200 OK", kMalformed},
      {"HTTP/x.1 200 OK", kMalformed},
      {"HTTP/1.1", kMalformed},
      {"ICY 200 OK", kMalformed},
      {"", kMalformed},
      {"HTTP/1.0 200 OK", kUnsupported},
      {"HTTP/1.2 200 OK", kUnsupported},
      {"HTTP/0.9 200 OK", kUnsupported},
      {"HTTP/2.0 200 OK", kUnsupported},
      {"HTTP/1.1 101 Switching Protocols", kUnsupported},
  }));
  INFO(line);
  CHECK(read(head("Content-Length: 0\r\n", line)).status == expected);
}

TEST_CASE("a byte that no answer begins with is refused at once") {
  CHECK(read_in_pieces("\x16", 1, 0).status == kMalformed);
  CHECK(read_in_pieces("\n", 1, 0).status == kMalformed);
  CHECK(read_in_pieces("HTTP/1.0 ", 9, 0).status == kUnsupported);
}

TEST_CASE("lines end with CR LF and with nothing else (RFC 9112, 2.2)") {
  const std::string good =
      head("Content-Length: 0\r\nX: y\r\n") + "HTTP/1.1 204 \r\n\r\n";  // a second one, which is excess
  REQUIRE(read(good).status == kOk);
  const std::string answer =
      GENERATE(head("Content-Length: 0\r\nX: y\r\n"), chunked("1;e=f\r\nx\r\n0\r\nTrailer: t\r\n\r\n"));
  REQUIRE(read(answer).status == kOk);
  for (size_t at = answer.find('\r'); at != std::string::npos; at = answer.find('\r', at + 1)) {
    INFO("line that ends at byte " << at);
    std::string bare_lf = answer;
    bare_lf.erase(at, 1);
    CHECK(read(bare_lf).status == kMalformed);
    std::string bare_cr = answer;
    bare_cr.erase(at + 1, 1);
    CHECK(read(bare_cr).status == (at + 2 == answer.size() ? kUnfinished : kMalformed));
    std::string two_cr = answer;
    two_cr.insert(at, "\r");
    CHECK(read(two_cr).status == kMalformed);
  }
}

TEST_CASE("fields whose lines are not of the form name, colon, value are refused (RFC 9112, 5)") {
  const auto [line, expected] = GENERATE(table<std::string, Status>({
      {"X-Any: thing", kOk},
      {"X:", kOk},
      {"X:y", kOk},
      {"X: \t y \t ", kOk},
      {"!#$%&'*+-.^_`|~09azAZ: y", kOk},
      {"X: \xFF\x80", kOk},
      {"X: a:b:c", kOk},
      {std::string(200, 'n') + ": " + std::string(200, 'v'), kOk},
      {"X : y", kMalformed},
      {"X\t: y", kMalformed},
      {" X: y", kMalformed},
      {"\tX: y", kMalformed},
      {"X Y: z", kMalformed},
      {": y", kMalformed},
      {"X", kMalformed},
      {"X\xC3\xBC: y", kMalformed},
      {"X\x7F: y", kMalformed},
      {"(X): y", kMalformed},
      {"X\"Y: z", kMalformed},
      {"X@Y: z", kMalformed},
      {std::string("X\0Y: z", 6), kMalformed},
      {std::string("X: y\0z", 6), kMalformed},
      {"X: y\x0Bz", kMalformed},
      {"X: y\x1Bz", kMalformed},
      {"X: y\x7Fz", kMalformed},
      {"X: y\rz", kMalformed},
      {"X: y\r\n folded", kMalformed},
      {"X: y\r\n\tfolded: on", kMalformed},
      {"X: y\r\n \r\nZ: z", kMalformed},
  }));
  INFO(line);
  CHECK(read(head(line + "\r\nContent-Length: 0\r\n")).status == expected);
  CHECK(read(head("Content-Length: 0\r\n" + line + "\r\n")).status == expected);
  if (line[0] == ' ' || line[0] == '\t') return;
  CHECK(read(chunked("0\r\n" + line + "\r\n\r\n")).status == expected);
}

TEST_CASE("a fold right behind the status line, and one of a length, are refused") {
  CHECK(read("HTTP/1.1 200 OK\r\n folded\r\nContent-Length: 0\r\n\r\n").status == kMalformed);
  CHECK(read(head("Content-Length: 1\r\n 2\r\n") + "x").status == kMalformed);
  CHECK(read(head("Content-Length:\r\n 1\r\n") + "x").status == kMalformed);
  CHECK(read(head("Transfer-Encoding:\r\n chunked\r\n") + "0\r\n\r\n").status != kOk);
}

TEST_CASE("the length of a body is told once, in one way (RFC 9112, 6.3)") {
  const auto [fields, expected] = GENERATE(table<std::string, Status>({
      {"Content-Length: 5\r\n", kOk},
      {"content-LENGTH:5\r\n", kOk},
      {"Content-Length: 0005\t \r\n", kOk},
      {"Content-Length: 5                         \r\n", kOk},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", kMalformed},
      {"Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n", kMalformed},
      {"Content-Length: 5, 5\r\n", kMalformed},
      {"Content-Length: 5,\r\n", kMalformed},
      {"Content-Length:\r\n", kMalformed},
      {"Content-Length: +5\r\n", kMalformed},
      {"Content-Length: -5\r\n", kMalformed},
      {"Content-Length: 0x5\r\n", kMalformed},
      {"Content-Length: 5.0\r\n", kMalformed},
      {"Content-Length: 5 5\r\n", kMalformed},
      {"Content-Length: \"5\"\r\n", kMalformed},
      {"Content-Length: 5;x\r\n", kMalformed},
      {"Content-Length: 5                         5\r\n", kMalformed},
      {"Content-Length: 18446744073709551621\r\n", kMalformed},  // 5 more than 64 bits hold
      {"Content-Length: 4294967301\r\n", kUnsupported},          // 5 more than 32 bits hold
      {"Content-Length: 9223372036854775813\r\n", kUnsupported},
      {"Content-Length: 257\r\n", kUnsupported},
      {"Content-Length : 5\r\n", kMalformed},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", kMalformed},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", kMalformed},
      {"Content-Length: 5\r\nTransfer-Encoding: identity\r\n", kMalformed},
      {"Content-Length: 5\r\nTransfer-Encoding:\r\n", kMalformed},
      {"X-Content-Length: 7\r\nContent-Length: 5\r\nContent-Length-X: 6\r\n", kOk},
      {"X: y\r\n", kUnsupported},  // to the connection's end
      {"Connection: close\r\n", kUnsupported},
  }));
  INFO(fields);
  const Outcome outcome = read(head(fields) + "hello");
  CHECK(outcome.status == expected);
  if (expected == kOk) CHECK(outcome.body == "hello");
}

TEST_CASE("a length beside chunks is refused in either order, whichever of the two would fit") {
  const std::string length =
      GENERATE("Content-Length: 15\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n");
  const std::string coding = "Transfer-Encoding: chunked\r\n";
  const std::string chunks = "5\r\nhello\r\n0\r\n\r\n";
  CHECK(read(head(coding) + chunks).status == kOk);
  CHECK(read(head(length + coding) + chunks).status == kMalformed);
  CHECK(read(head(coding + length) + chunks).status == kMalformed);
  CHECK(read(head(length + "X: y\r\n" + coding) + chunks).status == kMalformed);
}

TEST_CASE("the only transfer coding is chunked, once") {
  const auto [fields, expected] = GENERATE(table<std::string, Status>({
      {"Transfer-Encoding: chunked\r\n", kOk},
      {"TRANSFER-encoding:\tCHUNKED \r\n", kOk},
      {"Transfer-Encoding: gzip\r\n", kUnsupported},
      {"Transfer-Encoding: gzip, chunked\r\n", kUnsupported},
      {"Transfer-Encoding: chunked, gzip\r\n", kUnsupported},
      {"Transfer-Encoding: chunked, chunked\r\n", kUnsupported},
      {"Transfer-Encoding: chunked,\r\n", kUnsupported},
      {"Transfer-Encoding: ,chunked\r\n", kUnsupported},
      {"Transfer-Encoding: xchunked\r\n", kUnsupported},
      {"Transfer-Encoding: chunkedx\r\n", kUnsupported},
      {"Transfer-Encoding: chunked;q=1\r\n", kUnsupported},
      {"Transfer-Encoding: \"chunked\"\r\n", kUnsupported},
      {"Transfer-Encoding: \xA0"
       "chunked\r\n",
       kUnsupported},
      {"Transfer-Encoding: \x0B"
       "chunked\r\n",
       kMalformed},
      {"Transfer-Encoding: identity\r\n", kUnsupported},
      {"Transfer-Encoding:\r\n", kUnsupported},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kMalformed},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", kMalformed},
      {"Transfer-Encoding : chunked\r\n", kMalformed},
      {"Transfer_Encoding: chunked\r\n", kUnsupported},
      {"Transfer-Encodings: chunked\r\n", kUnsupported},
  }));
  INFO(fields);
  const Outcome outcome = read(head(fields) + "5\r\nhello\r\n0\r\n\r\n");
  CHECK(outcome.status == expected);
  if (expected == kOk) CHECK(outcome.body == "hello");
}

TEST_CASE("chunks (RFC 9112, 7.1)") {
  const auto [chunks, expected] = GENERATE(table<std::string, Status>({
      {"5\r\nhello\r\n0\r\n\r\n", kOk},
      {"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", kOk},
      {"00000000000000000000000000000005\r\nhello\r\n000\r\n\r\n", kOk},
      {"5;name\r\nhello\r\n0;a=\"b \\\" c\";d = e\r\n\r\n", kOk},
      {"5 \t;name=value\r\nhello\r\n0\r\n\r\n", kOk},
      {"5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n", kOk},
      {"\r\n", kMalformed},
      {" 5\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5 \r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5 5\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"0 5;x\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5 0\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5g\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"0x5\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"-5\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"+5\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5,\r\nhello\r\n0\r\n\r\n", kMalformed},
      {";a\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5;a\x01\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5;a\nhello\r\n0\r\n\r\n", kMalformed},
      {"5;a\r\n b\r\nhello\r\n0\r\n\r\n", kMalformed},
      {"5\r\nhello0\r\n\r\n", kMalformed},
      {"5\r\nhello!\r\n0\r\n\r\n", kMalformed},
      {"5\r\nhell\r\n0\r\n\r\n", kMalformed},
      {"5\r\nhello\r\n\r\n0\r\n\r\n", kMalformed},
      {"5\r\nhello\r\n\r\n\r\n", kMalformed},
      {"100000005\r\nhello\r\n0\r\n\r\n", kMalformed},          // 5 in 32 bits
      {"10000000000000005\r\nhello\r\n0\r\n\r\n", kMalformed},  // 5 in 64 bits
      {"FFFFFFFF\r\n", kUnsupported},
      {"101\r\n", kUnsupported},
      {"5\r\nhello\r\nfc\r\n", kUnsupported},
      {"5\r\nhello\r\n0\r\n", kUnfinished},
      {"5\r\nhello\r\n", kUnfinished},
      {"6\r\nhello", kUnfinished},
      {"5", kUnfinished},
  }));
  INFO(chunks);
  const Outcome outcome = read(chunked(chunks));
  CHECK(outcome.status == expected);
  if (expected == kOk) CHECK(outcome.body == "hello");
}

TEST_CASE("a chunk's digits are taken in both cases") {
  const std::string body(0xAB, 'b');
  CHECK(read(chunked("aB\r\n" + body + "\r\n0\r\n\r\n")).body == body);
  CHECK(read(chunked("Ab\r\n" + body + "\r\n0\r\n\r\n")).body == body);
}

TEST_CASE("what a trailer says has no effect (RFC 9110, 6.5.1)") {
  const std::string trailer =
      "Content-Length: 9\r\nTransfer-Encoding: gzip\r\nContent-Encoding: gzip\r\nConnection: "
      "close\r\nRetry-After: 9\r\n";
  const Outcome outcome = read(chunked("5\r\nhello\r\n0\r\n" + trailer + "\r\n"));
  CHECK(outcome == Outcome{kOk, 200, "hello", 0, false, false});
}

TEST_CASE("answers that have no body say none (RFC 9110, 15.3.5 and 15.4.5)") {
  const std::string line = GENERATE("HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified");
  CHECK(read(head("", line)).status == kOk);
  CHECK(read(head("Content-Length: 0\r\n", line)).status == kOk);
  CHECK(read(head("Content-Length: 5\r\n", line) + "hello").status == kMalformed);
  CHECK(read(head("Transfer-Encoding: chunked\r\n", line) + "0\r\n\r\n").status == kMalformed);
  CHECK(read(head("", line) + "x").excess);
}

TEST_CASE("interim answers are passed over and leave nothing behind (RFC 9110, 15.2)") {
  const std::string ok = head("Content-Length: 5\r\n") + "hello";
  const Outcome plain{kOk, 200, "hello", 0, false, false};
  CHECK(read(head("", "HTTP/1.1 100 Continue") + ok) == plain);
  CHECK(read(head("", "HTTP/1.1 100") + head("Link: </a>\r\n", "HTTP/1.1 103 Early Hints") + ok) == plain);
  CHECK(read(head("Retry-After: 9\r\n", "HTTP/1.1 102 Processing") + ok) == plain);
  CHECK(read(head("Content-Length: 0\r\n", "HTTP/1.1 100 Continue") + ok) == plain);
  CHECK(read(head("Connection: close\r\n", "HTTP/1.1 100 Continue") + ok).closes);
  // With a length, the answer behind it could be its body, or the body an answer.
  CHECK(read(head("Content-Length: 5\r\n", "HTTP/1.1 100 Continue") + ok).status == kMalformed);
  CHECK(read(head("Transfer-Encoding: chunked\r\n", "HTTP/1.1 199 X") + ok).status == kMalformed);
  CHECK(read(head("", "HTTP/1.1 100 Continue")).status == kUnfinished);
  CHECK(read(head("", "HTTP/1.1 100 Continue") + "\r\n" + ok).status == kMalformed);
  CHECK(read(head("", "HTTP/1.1 100 Continue") + head("", "HTTP/1.1 101 Switch")).status == kUnsupported);
}

TEST_CASE("content codings other than identity are refused") {
  const auto [fields, expected] = GENERATE(table<std::string, Status>({
      {"Content-Encoding: identity\r\n", kOk},
      {"Content-Encoding: IDENTITY\r\nContent-Encoding: identity\r\n", kOk},
      {"Content-Encoding: gzip\r\n", kUnsupported},
      {"Content-Encoding: identity, gzip\r\n", kUnsupported},
      {"Content-Encoding: identity             gzip\r\n", kUnsupported},
      {"Content-Encoding: identity\r\nContent-Encoding: br\r\n", kUnsupported},
      {"Content-Encoding:\r\n", kUnsupported},
  }));
  INFO(fields);
  CHECK(read(head(fields + "Content-Length: 0\r\n")).status == expected);
}

TEST_CASE("Connection is a list of options in any case (RFC 9112, 9.6)") {
  const auto [fields, closes] = GENERATE(table<std::string, bool>({
      {"", false},
      {"Connection: keep-alive\r\n", false},
      {"Connection:\r\n", false},
      {"Connection: close\r\n", true},
      {"connection:CLOSE\r\n", true},
      {"Connection: keep-alive, close\r\n", true},
      {"Connection: close , upgrade\r\n", true},
      {"Connection: ,,\tclose\t,\r\n", true},
      {"Connection: close\r\nConnection: keep-alive\r\n", true},
      {"Connection: keep-alive\r\nConnection: Close\r\n", true},
      {"Connection: an-option-longer-than-any-of-ours, close\r\n", true},
      {"Connection: closed\r\n", false},
      {"Connection: not-close\r\n", false},
      {"Connection: close x\r\n", false},
      {"Connection: close                    x\r\n", false},
      {"X-Connection: close\r\n", false},
      {"Upgrade: h2c\r\nConnection: upgrade\r\n", false},
  }));
  INFO(fields);
  const Outcome outcome = read(head(fields + "Content-Length: 0\r\n"));
  CHECK(outcome.status == kOk);
  CHECK(outcome.closes == closes);
}

TEST_CASE("bytes behind the end are told, and are nothing of the answer") {
  for (const char* const behind : {"x", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    const Outcome with_length = read(head("Content-Length: 5\r\n") + "hello" + behind);
    CHECK(with_length == Outcome{kOk, 200, "hello", 0, false, true});
    const Outcome in_chunks = read(chunked("5\r\nhello\r\n0\r\n\r\n") + behind);
    CHECK(in_chunks == Outcome{kOk, 200, "hello", 0, false, true});
  }
}

TEST_CASE("what is not the body is counted to the byte") {
  const auto answer = [](size_t overhead) {
    const std::string frame = head("Content-Length: 5\r\nX: \r\n");
    return head("Content-Length: 5\r\nX: " + std::string(overhead - frame.size(), 'x') + "\r\n") + "hello";
  };
  CHECK(read(answer(http::kOverheadMax)).status == kOk);
  CHECK(read(answer(http::kOverheadMax + 1)).status == kMalformed);
  std::string chunks;
  while (chunks.size() < 6 * 256) chunks += "1\r\nx\r\n";
  CHECK(read(chunked(chunks + "0\r\n\r\n")).body == std::string(256, 'x'));
}

TEST_CASE("a parser that has failed or ended begins anew") {
  uint8_t memory[8] = {};
  http::AnswerParser parser;
  const auto take = [&](const std::string& raw) {
    return parser.take({reinterpret_cast<const uint8_t*>(raw.data()), raw.size()});
  };
  parser.begin(memory);
  CHECK_FALSE(parser.begun());
  REQUIRE(take("HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nConnection: close\r\nTransfer-Encoding: "
               "chunked\r\n\r\n3\r\nab") == kOk);
  CHECK(parser.begun());
  parser.begin(memory);
  CHECK_FALSE(parser.begun());
  REQUIRE(take(head("Content-Length: 2\r\n") + "hi" + "!") == kOk);
  REQUIRE(parser.complete());
  CHECK((parser.status() == 200 && parser.retry_after_s() == 0 && !parser.closes() && parser.excess()));
  CHECK(std::string(parser.body().begin(), parser.body().end()) == "hi");
  parser.begin(memory);
  CHECK(take("\r") == kOk);
  CHECK(take("x") == kMalformed);
  parser.begin(memory);
  CHECK(take(head("Content-Length: 0\r\n")) == kOk);
  CHECK((parser.complete() && !parser.excess()));
}
