// SPDX-License-Identifier: Apache-2.0
// Covers http::Exchange and AnswerParser: lines, fields, the limits, chunked bodies, interim answers, Retry-After.
//
// How an answer is cut into pieces on its way makes no difference: in one piece and in any others it gives the same
// status, body and time to wait, or is refused both times. What is taken keeps to the documented limits.
//
// Input: 1 byte for the room of the body, 1 byte for the cuts, the answer.
#include <algorithm>

#include "fuzz.hpp"
#include "wayseal/http/exchange.hpp"

namespace {

using namespace wayseal;

/// A line whose peer has said everything, and after a while closes. Gives it in pieces of sizes made from `cuts`; 0: whole.
class Line final : public Channel {
 public:
  Line(Bytes answer, uint32_t cuts) : answer_(answer), cuts_(cuts) {}
  size_t left() const { return answer_.size(); }

 private:
  Status do_open(CertificateDates) override { return Status::kOk; }
  Status do_progress() override { return Status::kOk; }
  Result<size_t> do_write(Bytes data) override {
    return cuts_ == 0 ? data.size() : std::min<size_t>(data.size(), 1 + next() % 64);
  }
  Result<size_t> do_read(MutableBytes out) override {
    if (cuts_ != 0 && next() % 3 == 0) return Status::kWouldBlock;
    if (answer_.empty()) return ++silences_ > kSilences ? Status::kDisconnected : Status::kWouldBlock;
    const size_t most =
        cuts_ == 0 ? out.size() : std::min<size_t>(out.size(), 1 + next() % (1U << (cuts_ % 8)));
    const Bytes piece = answer_.first(most);
    std::memcpy(out.data(), piece.data(), piece.size());
    answer_ = answer_.from(piece.size());
    return piece.size();
  }
  void do_close() override {}
  Bytes do_authority() const override { return fuzz::bytes_of(name_); }
  ChannelDiagnostic do_diagnostic() const override { return {}; }
  uint64_t do_wire_bytes() const override { return 0; }

  uint32_t next() {
    state_ = state_ * 1664525U + 1013904223U + cuts_;
    return state_ >> 16;
  }

  static constexpr int kSilences = 2;
  Bytes answer_;
  int silences_ = 0;
  uint32_t cuts_;
  uint32_t state_ = 1;
  std::string name_ = "gateway.test";
};

struct Outcome {
  Status status = Status::kWouldBlock;
  http::Response response;
  std::string body;
  bool trailing = false;
  bool sent_whole = false;
};

Outcome run(Bytes answer, size_t room, uint32_t cuts) {
  static const std::string kRequest(40, 'r');
  Line line(answer, cuts);
  fuzz::require(line.open({}) == Status::kOk && line.progress() == Status::kOk, "the line opens");
  http::Exchange exchange(line);
  http::FixedBody source(fuzz::bytes_of(kRequest));
  const auto memory = std::make_unique<uint8_t[]>(room);
  const http::Request request{"/v1/records", "application/x-protobuf", kRequest.size(), &source};
  fuzz::require(exchange.start(request, {memory.get(), room}, {}) == Status::kOk, "the exchange starts");
  Outcome outcome;
  for (size_t i = 0; outcome.status == Status::kWouldBlock; ++i) {
    fuzz::require(i <= 64 + 16 * answer.size(), "an answer that has ended ends the exchange");
    outcome.status = exchange.step({});
  }
  fuzz::require(!exchange.running(), "an exchange that has ended does not run");
  if (outcome.status != Status::kOk) return outcome;
  outcome.response = exchange.response();
  const Bytes body = outcome.response.body;
  fuzz::require(fuzz::inside(body, {memory.get(), room}), "the body lies in the buffer that was given");
  outcome.body = fuzz::text_of(body);
  outcome.trailing = line.left() != 0;
  outcome.sent_whole = exchange.body_sent() == kRequest.size();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const size_t room = size_t{in.u8()} * 8;
  const uint32_t cuts = 1U + in.u8();
  const fuzz::ExactCopy answer(in.rest());
  const Outcome whole = run(answer.view(), room, 0);
  const Outcome cut = run(answer.view(), room, cuts);
  fuzz::require(whole.status == cut.status, "cut differently, an answer has the same outcome");
  if (whole.status != Status::kOk) return 0;
  fuzz::require(whole.response.status >= 200 && whole.response.status <= 599, "a final status");
  fuzz::require(whole.response.status == cut.response.status && whole.body == cut.body &&
                    whole.response.retry_after_s == cut.response.retry_after_s,
                "cut differently, an answer says the same");
  fuzz::require(whole.response.retry_after_s <= 999'999'999, "a time to wait of at most nine digits");
  fuzz::require(cut.sent_whole || !cut.response.reusable, "a request sent in part is not followed by another");
  // Whether bytes behind the answer are seen depends on the cuts; without any, both agree.
  if (!whole.trailing && whole.response.reusable && cut.sent_whole)
    fuzz::require(cut.response.reusable, "and may be followed by another");
  return 0;
}
