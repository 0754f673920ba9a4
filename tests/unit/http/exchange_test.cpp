// SPDX-License-Identifier: Apache-2.0
#include "wayseal/http/exchange.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <string>
#include <vector>

#include "fakes/fake_channel.hpp"

namespace {

using namespace wayseal;
using fakes::FakeChannel;
using fakes::http_answer;
using fakes::http_peer;
using fakes::HttpRequest;

Bytes as_bytes(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
std::string as_text(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

void open(FakeChannel& channel) {
  REQUIRE(channel.open({}) == Status::kOk);
  while (channel.progress() == Status::kWouldBlock) {
  }
}

/// One exchange over a fresh line, stepped until it ends; the clock stands still.
struct Run {
  explicit Run(FakeChannel& channel, size_t buffer_size = 256) : buffer(buffer_size), exchange(channel) {}

  Status post(const std::string& body) {
    http::FixedBody source(as_bytes(body));
    const http::Request request{"/v1/records", "application/x-protobuf", body.size(), &source};
    const Status started = exchange.start(request, {buffer.data(), buffer.size()}, {});
    if (started != Status::kOk) return started;
    Status status = Status::kWouldBlock;
    for (int i = 0; i < 100000 && status == Status::kWouldBlock; ++i) status = exchange.step({});
    return status;
  }

  std::vector<uint8_t> buffer;
  http::Exchange exchange;
};

Status answer_of(const std::string& raw, http::Response* response = nullptr, size_t buffer_size = 256,
                 const fakes::LineFaults& faults = {}) {
  FakeChannel channel(http_peer([&](const HttpRequest&) { return raw; }));
  channel.set_faults(faults);
  channel.close_by_peer();
  open(channel);
  Run run(channel, buffer_size);
  const Status status = run.post("x");
  if (status == Status::kOk && response != nullptr) *response = run.exchange.response();
  return status;
}

std::string body_of(const std::string& raw, const fakes::LineFaults& faults = {}) {
  FakeChannel channel(http_peer([&](const HttpRequest&) { return raw; }));
  channel.set_faults(faults);
  open(channel);
  Run run(channel);
  REQUIRE(run.post("x") == Status::kOk);
  return as_text(run.exchange.response().body);
}

/// Gives `total` bytes in pieces of `size`, and fails at byte `fail_at`.
class Pieces final : public http::BodySource {
 public:
  Pieces(size_t total, size_t size, size_t fail_at = SIZE_MAX)
      : left_(total), piece_(size, 'p'), fail_at_(fail_at) {}

 private:
  Result<Bytes> do_next() override {
    if (given_ >= fail_at_) return Status::kStorageFailed;
    const size_t count = piece_.size() < left_ ? piece_.size() : left_;
    left_ -= count;
    given_ += count;
    return as_bytes(piece_).first(count);
  }
  size_t left_;
  std::string piece_;
  size_t fail_at_;
  size_t given_ = 0;
};

}  // namespace

TEST_CASE("a POST arrives whole, and its answer comes back") {
  HttpRequest seen;
  FakeChannel channel(http_peer([&](const HttpRequest& request) {
    seen = request;
    return http_answer(200, "pong", "Retry-After: 7\r\n");
  }));
  open(channel);
  Run run(channel);
  REQUIRE(run.post("ping") == Status::kOk);
  CHECK(seen.method == "POST");
  CHECK(seen.path == "/v1/records");
  CHECK(seen.fields["host"] == "gateway.test");
  CHECK(seen.fields["content-type"] == "application/x-protobuf");
  CHECK(seen.fields["content-length"] == "4");
  CHECK(seen.body == "ping");
  const http::Response& response = run.exchange.response();
  CHECK(response.status == 200);
  CHECK(as_text(response.body) == "pong");
  CHECK(response.retry_after_s == 7);
  CHECK(response.reusable);
}

TEST_CASE("one connection carries many requests") {
  int requests = 0;
  FakeChannel channel(
      http_peer([&](const HttpRequest& r) { return http_answer(200, r.body + std::to_string(++requests)); }));
  open(channel);
  Run run(channel);
  for (int i = 1; i <= 5; ++i) {
    REQUIRE(run.post("n") == Status::kOk);
    REQUIRE(as_text(run.exchange.response().body) == "n" + std::to_string(i));
    REQUIRE(run.exchange.response().reusable);
  }
  CHECK(channel.openings() == 1);
}

TEST_CASE("a request without a body is sent with length 0") {
  HttpRequest seen;
  FakeChannel channel(http_peer([&](const HttpRequest& request) {
    seen = request;
    return http_answer(204, "");
  }));
  open(channel);
  Run run(channel);
  const http::Request request{"/v1/hello", "", 0, nullptr};
  REQUIRE(run.exchange.start(request, {run.buffer.data(), run.buffer.size()}, {}) == Status::kOk);
  Status status = Status::kWouldBlock;
  while (status == Status::kWouldBlock) status = run.exchange.step({});
  REQUIRE(status == Status::kOk);
  CHECK(run.exchange.response().status == 204);
  CHECK(seen.fields["content-length"] == "0");
  CHECK(seen.fields.count("content-type") == 0);
}

TEST_CASE("a line that takes and gives single bytes, with stalls, changes nothing") {
  const size_t most = GENERATE(1U, 2U, 3U, 7U);
  fakes::LineFaults faults;
  faults.write_max = most;
  faults.read_max = most;
  faults.stalls = 2;
  const std::string chunked =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After: 12\r\n\r\n"
      "3;ext=1\r\nabc\r\n5\r\ndefgh\r\n0\r\nTrailer: x\r\n\r\n";
  http::Response response;
  REQUIRE(answer_of(chunked, &response, 256, faults) == Status::kOk);
  CHECK(response.status == 200);
  CHECK(response.retry_after_s == 12);
  CHECK(body_of(chunked, faults) == "abcdefgh");
}

TEST_CASE("a connection cut at any byte of the answer is a disconnection, never an answer") {
  const std::string raw =
      GENERATE(std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
               std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  for (size_t cut = 0; cut < raw.size(); ++cut) {
    fakes::LineFaults faults;
    faults.cut_after_received = cut;
    INFO("cut after " << cut);
    REQUIRE(answer_of(raw, nullptr, 256, faults) == Status::kDisconnected);
  }
  CHECK(answer_of(raw) == Status::kOk);
}

TEST_CASE("a connection cut at any byte of the request is a disconnection") {
  for (uint64_t cut = 0; cut <= 140; ++cut) {
    FakeChannel channel(http_peer([](const HttpRequest&) { return http_answer(200, ""); }));
    fakes::LineFaults faults;
    faults.cut_after_sent = cut;
    channel.set_faults(faults);
    open(channel);
    Run run(channel);
    INFO("cut after " << cut);
    REQUIRE(run.post(std::string(60, 'x')) == Status::kDisconnected);
  }
}

TEST_CASE("what is not a plain HTTP/1.1 answer is refused") {
  const auto [raw, expected] = GENERATE(table<std::string, Status>({
      {"nonsense\r\n\r\n", Status::kMalformed},
      {"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", Status::kMalformed},
      {"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", Status::kMalformed},
      {"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", Status::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", Status::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Status::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", Status::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       Status::kMalformed},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Status::kMalformed},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", Status::kMalformed},
      {"HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 0\r\n\r\n", Status::kMalformed},
      {"\x16\x03\x01\x02", Status::kMalformed},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Status::kUnsupported},
      {"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", Status::kUnsupported},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", Status::kUnsupported},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx", Status::kUnsupported},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx", Status::kUnsupported},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: identitY2\r\nContent-Length: 2\r\n\r\nxx", Status::kUnsupported},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: jdentity\r\nContent-Length: 2\r\n\r\nxx", Status::kUnsupported},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: Identity \t\r\nContent-Length: 2\r\n\r\nxx", Status::kOk},
      {"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", Status::kUnsupported},
  }));
  INFO(raw);
  CHECK(answer_of(raw) == expected);
}

TEST_CASE("an answer larger than the buffer is refused, and one that just fits is not") {
  const std::string fits(64, 'b');
  const std::string large(65, 'b');
  const auto chunked = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
           std::string(body.size() == 64 ? "40" : "41") + "\r\n" + body + "\r\n0\r\n\r\n";
  };
  CHECK(answer_of(http_answer(200, fits), nullptr, 64) == Status::kOk);
  CHECK(answer_of(http_answer(200, large), nullptr, 64) == Status::kUnsupported);
  CHECK(answer_of(chunked(fits), nullptr, 64) == Status::kOk);
  CHECK(answer_of(chunked(large), nullptr, 64) == Status::kUnsupported);
  CHECK(answer_of(http_answer(200, "x"), nullptr, 0) == Status::kUnsupported);
  CHECK(answer_of(http_answer(200, ""), nullptr, 0) == Status::kOk);
}

TEST_CASE("endless header fields, interim answers and chunk sizes are refused") {
  std::string fields;
  while (fields.size() < http::kOverheadMax) fields += "X-Filler: 0123456789012345678901234567890123456789\r\n";
  CHECK(answer_of(http_answer(200, "", fields)) == Status::kMalformed);
  CHECK(answer_of("HTTP/1.1 200 OK\r\nX: " + std::string(2 * http::kOverheadMax, 'a')) == Status::kMalformed);

  std::string interim;
  while (interim.size() <= http::kOverheadMax) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  CHECK(answer_of(interim + http_answer(200, "")) == Status::kMalformed);

  const std::string extension = "0;" + std::string(2 * http::kOverheadMax, 'e') + "\r\n\r\n";
  CHECK(answer_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + extension) == Status::kMalformed);
}

TEST_CASE("a connection carries another request only when it is quiet behind the answer and nobody closes it") {
  const auto reusable = [](const std::string& raw, bool closed = false) {
    FakeChannel channel(http_peer([&](const HttpRequest&) { return raw; }));
    if (closed) channel.close_by_peer();
    open(channel);
    Run run(channel);
    REQUIRE(run.post("x") == Status::kOk);
    return run.exchange.response().reusable;
  };
  const std::string body =
      GENERATE(std::string("short"), std::string(250, 'l'));  // read with its head, or apart
  const std::string answer = http_answer(200, body);
  CHECK(reusable(answer));
  CHECK_FALSE(reusable(http_answer(200, body, "Connection: close\r\n")));
  CHECK_FALSE(reusable(http_answer(200, body, "connection: Keep-Alive , CLOSE\r\n")));
  CHECK_FALSE(reusable(answer, true));
  CHECK_FALSE(reusable(answer + "x"));
  CHECK_FALSE(reusable(answer + "\r\n"));
  CHECK_FALSE(reusable(answer + http_answer(200, "unasked")));
}

TEST_CASE("a large answer is received in place, in few steps") {
  const std::string body(16000, 'l');
  FakeChannel channel(http_peer([&](const HttpRequest&) { return http_answer(200, body); }));
  int calls = 0;
  channel.on_call([&] { ++calls; });
  open(channel);
  Run run(channel, body.size());
  REQUIRE(run.post("x") == Status::kOk);
  CHECK(as_text(run.exchange.response().body) == body);
  CHECK(calls < 20);
}

TEST_CASE("an answer that comes before the request is sent whole is taken") {
  bool answered = false;
  FakeChannel channel([&](std::string&, std::string& to_send) {
    if (!answered) to_send += http_answer(413, "too much");
    answered = true;
  });
  fakes::LineFaults faults;
  faults.write_max = 1000;
  channel.set_faults(faults);
  open(channel);
  Run run(channel);
  REQUIRE(run.post(std::string(100000, 'x')) == Status::kOk);
  CHECK(run.exchange.response().status == 413);
  CHECK_FALSE(run.exchange.response().reusable);
}

// Makes each piece of the body anew in the same memory.
class InPlace final : public http::BodySource {
 public:
  explicit InPlace(std::vector<uint8_t>& memory) : memory_(memory) {}

 private:
  Result<Bytes> do_next() override {
    std::fill(memory_.begin(), memory_.end(), 'x');
    return Bytes(memory_.data(), memory_.size());
  }
  std::vector<uint8_t>& memory_;
};

TEST_CASE("an answer may lie where its request came from: nothing is sent any more once its body comes") {
  std::string seen;
  bool answered = false;
  FakeChannel channel([&](std::string& received, std::string& to_send) {
    seen += received;
    received.clear();
    if (!answered && seen.size() > 2000) {
      to_send += http_answer(413, std::string(200, 'A'));
      answered = true;
    }
  });
  fakes::LineFaults faults;
  faults.write_max = 1000;
  faults.read_max = 5;  // several steps, with room to send in between
  channel.set_faults(faults);
  open(channel);
  std::vector<uint8_t> memory(1000);
  InPlace source(memory);
  http::Exchange exchange(channel);
  constexpr size_t kBodySize = 100000;
  const http::Request request{"/v1/records", "a/b", kBodySize, &source};
  REQUIRE(exchange.start(request, {memory.data(), memory.size()}, {}) == Status::kOk);
  Status status = Status::kWouldBlock;
  for (int i = 0; i < 1000 && status == Status::kWouldBlock; ++i) status = exchange.step({});
  REQUIRE(status == Status::kOk);
  CHECK(as_text(exchange.response().body) == std::string(200, 'A'));
  CHECK_FALSE(exchange.response().reusable);
  CHECK(seen.substr(seen.find("\r\n\r\n") + 4).find_first_not_of('x') == std::string::npos);
  CHECK(exchange.body_sent() < kBodySize);
}

TEST_CASE("an answer is taken although the line no longer takes the rest of the request") {
  FakeChannel channel([](std::string& received, std::string& to_send) {
    if (!received.empty()) to_send = http_answer(413, "too much");
    received.clear();
  });
  fakes::LineFaults faults;
  faults.deaf_after_sent = 50;
  faults.write_max = 50;
  channel.set_faults(faults);
  open(channel);
  Run run(channel);
  REQUIRE(run.post(std::string(1000, 'x')) == Status::kOk);
  CHECK(run.exchange.response().status == 413);
  channel.refuse_certificate();
  open(channel);
  CHECK(run.post(std::string(1000, 'x')) == Status::kRefused);
}

TEST_CASE("Retry-After is taken in seconds and ignored as a date") {
  const auto [value, seconds] = GENERATE(table<std::string, uint32_t>({
      {"0", 0},
      {"120", 120},
      {"  30  ", 30},
      {"999999999", 999999999},
      {"9999999999", 0},
      {"12a", 0},
      {"-5", 0},
      {"", 0},
      {"Fri, 31 Dec 1999 23:59:59 GMT", 0},
  }));
  http::Response response;
  REQUIRE(answer_of(http_answer(503, "", "retry-AFTER: " + value + "\r\n"), &response) == Status::kOk);
  CHECK(response.status == 503);
  CHECK(response.retry_after_s == seconds);
}

TEST_CASE("a peer that says nothing is given up after the idle time, a dribbling one after the total time") {
  FakeChannel channel([](std::string&, std::string&) {});
  open(channel);
  uint8_t buffer[16];
  http::FixedBody body(as_bytes("x"));
  const http::Timeouts timeouts{1000, 5000};
  http::Exchange exchange(channel, timeouts);
  REQUIRE(exchange.start({"/", "", 1, &body}, buffer, {}) == Status::kOk);
  CHECK(exchange.step(after_ms({}, 1)) == Status::kWouldBlock);
  CHECK(exchange.step(after_ms({}, 1000)) == Status::kWouldBlock);
  CHECK(exchange.step(after_ms({}, 1001)) == Status::kTimeout);
  CHECK_FALSE(exchange.running());

  Pieces slow(100, 1);
  fakes::LineFaults faults;
  faults.stalls = 1;
  channel.set_faults(faults);
  open(channel);
  REQUIRE(exchange.start({"/", "", 100, &slow}, buffer, {}) == Status::kOk);
  Status status = Status::kWouldBlock;
  int64_t ms = 0;
  while (status == Status::kWouldBlock && ms < 20000) status = exchange.step(after_ms({}, ms += 500));
  CHECK(status == Status::kTimeout);
  CHECK(ms == 5000);
}

TEST_CASE("a large body is sent in pieces and in order") {
  std::string got;
  FakeChannel channel(http_peer([&](const HttpRequest& r) {
    got = r.body;
    return http_answer(200, "");
  }));
  open(channel);
  Run run(channel);
  Pieces source(70001, 1000);
  REQUIRE(run.exchange.start({"/v1/records", "", 70001, &source}, {run.buffer.data(), run.buffer.size()}, {}) ==
          Status::kOk);
  Status status = Status::kWouldBlock;
  int steps = 0;
  while (status == Status::kWouldBlock && ++steps < 1000) status = run.exchange.step({});
  REQUIRE(status == Status::kOk);
  CHECK(got == std::string(70001, 'p'));
  CHECK(run.exchange.body_sent() == 70001);
  CHECK(steps > 5);  // the work of one step is bounded
}

TEST_CASE("a body that fails or gives more than it promised ends the exchange") {
  FakeChannel channel(http_peer([](const HttpRequest&) { return http_answer(200, ""); }));
  const auto [total, promised, fail_at, expected] = GENERATE(table<size_t, uint64_t, size_t, Status>({
      {100, 100, 50, Status::kStorageFailed},
      {100, 95, SIZE_MAX, Status::kInvalidArgument},
      {90, 100, SIZE_MAX, Status::kInvalidArgument},
  }));
  open(channel);
  Run run(channel);
  Pieces source(total, 10, fail_at);
  REQUIRE(run.exchange.start({"/", "", promised, &source}, {run.buffer.data(), run.buffer.size()}, {}) ==
          Status::kOk);
  Status status = Status::kWouldBlock;
  while (status == Status::kWouldBlock) status = run.exchange.step({});
  CHECK(status == expected);
  CHECK_FALSE(run.exchange.running());
}

TEST_CASE("a fixed body gives itself once") {
  const std::string text = "four";
  http::FixedBody body(as_bytes(text));
  CHECK(body.size() == 4);
  CHECK(as_text(body.next().value()) == "four");
  CHECK(body.next().status() == Status::kBadState);
}

TEST_CASE("a path or type that would break the request's head is refused") {
  FakeChannel channel(http_peer([](const HttpRequest&) { return http_answer(200, ""); }));
  open(channel);
  Run run(channel);
  const auto start = [&](std::string_view path, std::string_view type) {
    return run.exchange.start({path, type, 0, nullptr}, {run.buffer.data(), run.buffer.size()}, {});
  };
  CHECK(start("", "") == Status::kInvalidArgument);
  CHECK(start("no-slash", "") == Status::kInvalidArgument);
  CHECK(start("/a b", "") == Status::kInvalidArgument);
  CHECK(start("/a\r\nX: y", "") == Status::kInvalidArgument);
  CHECK(start("/a\x7F", "") == Status::kInvalidArgument);
  CHECK(start("/", "text/plain\r\nX: y") == Status::kInvalidArgument);
  CHECK(start("/" + std::string(600, 'a'), "") == Status::kInvalidArgument);
  CHECK(run.exchange.start({"/", "", 1, nullptr}, {}, {}) == Status::kInvalidArgument);
  CHECK(run.exchange.step({}) == Status::kBadState);
  CHECK(start("/ok", "text/plain; charset=utf-8") == Status::kOk);
  CHECK(start("/ok", "") == Status::kBadState);
}

TEST_CASE("a certificate refused after the handshake shows at the first answer") {
  FakeChannel channel(http_peer([](const HttpRequest&) { return http_answer(200, ""); }));
  channel.refuse_certificate();
  open(channel);
  Run run(channel);
  CHECK(run.post("x") == Status::kRefused);
  CHECK(channel.diagnostic().failure == ChannelFailure::kClientCertificateRefused);
}

TEST_CASE("a bearer token stands behind the other fields, however long it is, and however the line cuts it") {
  const std::string token(1500, 't');
  HttpRequest seen;
  FakeChannel channel(http_peer([&](const HttpRequest& request) {
    seen = request;
    return http_answer(200, "");
  }));
  fakes::LineFaults faults;
  faults.write_max = GENERATE(size_t{1}, size_t{7}, size_t{4096});
  faults.stalls = 1;
  channel.set_faults(faults);
  open(channel);
  Run run(channel);
  const std::string body = GENERATE(std::string(), std::string("body"));
  http::FixedBody source(as_bytes(body));
  http::Request request{"/v1/records", "application/x-protobuf", body.size(), &source, token};
  REQUIRE(run.exchange.start(request, {run.buffer.data(), run.buffer.size()}, {}) == Status::kOk);
  Status status = Status::kWouldBlock;
  while (status == Status::kWouldBlock) status = run.exchange.step({});
  CHECK(status == Status::kOk);
  CHECK(run.exchange.response().reusable);
  CHECK(seen.fields.at("authorization") == "Bearer " + token);
  CHECK(seen.fields.at("content-type") == "application/x-protobuf");
  CHECK(seen.body == body);

  for (const char* bad : {"a b", "a\r\nX: y", "\x7F"}) {
    request.bearer = bad;
    CHECK(run.exchange.start(request, {run.buffer.data(), run.buffer.size()}, {}) == Status::kInvalidArgument);
  }
}

TEST_CASE("a connection whose peer answers before it has seen the token is not used again") {
  const std::string token(64, 't');
  const http::Request request{"/v1/records", "", 0, nullptr, token};
  for (size_t write_max = 1; write_max < 16; ++write_max) {
    bool spoken = false;
    FakeChannel channel([&](std::string& received, std::string& to_send) {
      if (!spoken && !received.empty()) to_send = http_answer(401, "");
      spoken = spoken || !received.empty();
    });
    fakes::LineFaults faults;
    faults.write_max = write_max;
    channel.set_faults(faults);
    open(channel);
    Run run(channel);
    REQUIRE(run.exchange.start(request, {run.buffer.data(), run.buffer.size()}, {}) == Status::kOk);
    CAPTURE(write_max);
    REQUIRE(run.exchange.step({}) == Status::kOk);  // eight pieces, and then the answer
    CHECK(run.exchange.response().status == 401);
    CHECK_FALSE(run.exchange.response().reusable);
  }
}
