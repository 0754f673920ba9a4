// SPDX-License-Identifier: Apache-2.0
/// \file
/// One HTTP/1.1 request and its answer over a Channel (RFC 9112), without heap.
#ifndef WAYSEAL_HTTP_EXCHANGE_HPP
#define WAYSEAL_HTTP_EXCHANGE_HPP

#include <string_view>

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/time.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/http/answer_parser.hpp"

#ifndef WAYSEAL_HTTP_REQUEST_HEAD_MAX
#define WAYSEAL_HTTP_REQUEST_HEAD_MAX 512
#endif

namespace wayseal::http {

/// Longest request head (request line and fields) in bytes: path, authority and content type share it.
inline constexpr size_t kRequestHeadMax = WAYSEAL_HTTP_REQUEST_HEAD_MAX;
static_assert(kRequestHeadMax >= 192, "room for the paths of the gateway and a host name");

/// Gives a request's body piece by piece, so that it never has to be in memory whole.
class BodySource {
 public:
  /// The next bytes of the body, in order.
  /// \return a view that stays valid until the next call, never empty; any failure ends the exchange with that
  ///         status, and the connection is of no more use, since the promised length cannot be kept.
  Result<Bytes> next() { return do_next(); }

 protected:
  ~BodySource() = default;

 private:
  virtual Result<Bytes> do_next() = 0;
};

/// A body that is in memory. Borrows it.
class FixedBody final : public BodySource {
 public:
  explicit FixedBody(Bytes body) : body_(body) {}
  uint64_t size() const { return body_.size(); }

 private:
  Result<Bytes> do_next() override;
  Bytes body_;
};

enum class Method : uint8_t { kPost, kGet };

/// Everything is borrowed until the exchange ends.
struct Request {
  std::string_view path;          ///< Origin form, e.g. "/v1/records": visible ASCII, starting with '/'.
  std::string_view content_type;  ///< Visible ASCII and spaces.
  uint64_t body_size = 0;         ///< Bytes that `body` will give in all; sent as Content-Length.
  BodySource* body = nullptr;     ///< May be null when body_size is 0.
  /// Sent as "Authorization: Bearer" (RFC 6750, 2.1) unless empty: visible ASCII, of any length, straight from where it lies.
  std::string_view bearer = {};
  Method method = Method::kPost;  ///< kGet: without type and body.
};

/// What came back.
struct Response {
  uint16_t status = 0;  ///< 200 to 599.
  uint32_t retry_after_s =
      0;                  ///< Retry-After in seconds (RFC 9110, 10.2.3); 0 when the peer does not ask to wait.
  Bytes body;             ///< In the buffer given to `start`.
  bool reusable = false;  ///< The connection may carry another request.
};

/// How long to wait, in milliseconds. Both 1 s to 1 h.
struct Timeouts {
  int64_t idle_ms = 30 * 1000;       ///< Without a byte moving in either direction.
  int64_t total_ms = 5 * 60 * 1000;  ///< From `start` to the last byte of the answer.
};

/// One request at a time, keep-alive between them. Takes answers of HTTP/1.1 with Content-Length or chunked
/// coding and nothing else: what has no clear end (RFC 9112, 6.3), two lengths, another version, a protocol
/// switch or a content coding is refused, and so is what exceeds a limit. Interim 1xx answers are skipped. An
/// answer that comes before the request has been sent whole is taken: nothing more is sent then, since the peer has
/// decided, and the connection is not reusable, nor
/// is it when the peer closes it or has said more than the answer. What it says later still, look for before the
/// next `start`: it is no answer to that request (RFC 9112, 9.2).
///
/// Unauthenticated bytes (the gateway's) are read by AnswerParser.
///
/// Threads: one thread. Blocking: never. About kRequestHeadMax + 200 bytes; `step` reads through 64 bytes of stack,
/// and the body straight into its buffer.
class Exchange {
 public:
  explicit Exchange(Channel& channel, Timeouts timeouts = {});
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Begins. The channel must be open, and any earlier exchange over.
  /// \param response_body receives the answer's body; borrowed until the next `start`. It may be the memory that the
  ///        request's body source works in: no byte of the source is read any more once this is written.
  /// \return kOk: call `step`; kInvalidArgument for a path or type with other characters, for a head longer
  ///         than kRequestHeadMax, or for a missing body; kBadState while an exchange runs.
  Status start(const Request& request, MutableBytes response_body, MonotonicTime now);

  /// Moves bytes, a bounded number of them.
  /// \return kOk: `response` holds the answer; kWouldBlock: call again; kTimeout; kDisconnected and kRefused
  ///         from the channel; kMalformed: not HTTP/1.1; kUnsupported: an answer larger than the buffer, or of
  ///         a kind that is not taken; kBadState when none runs; any failure of the body source. After every
  ///         failure close the channel.
  Status step(MonotonicTime now);

  /// Gives up the running exchange, if any. Close the channel then.
  void abandon() { running_ = false; }

  bool running() const { return running_; }
  /// The answer, after `step` returned kOk.
  const Response& response() const { return response_; }
  /// Whether any byte of an answer has arrived since `start`.
  bool answered() const { return parser_.begun(); }
  /// Bytes of the request's body that the channel has taken since `start`.
  uint64_t body_sent() const { return body_sent_; }

 private:
  /// What is sent, in this order. The last two fields only with a bearer.
  enum class Stage : uint8_t { kHead, kBearer, kHeadEnd, kBody };

  Status build_head(const Request& request);
  Status next_piece();
  Status pump(MonotonicTime now);
  Status send(MonotonicTime now);
  Status refill();
  Status receive(MonotonicTime now);
  Status finish();
  bool all_sent() const;
  bool silent();

  Channel& channel_;
  Timeouts timeouts_;
  MonotonicTime started_;
  MonotonicTime moved_;
  Response response_;
  AnswerParser parser_;
  BodySource* source_ = nullptr;
  uint64_t body_left_ = 0;
  uint64_t body_sent_ = 0;
  Bytes piece_;
  std::string_view bearer_;
  Stage stage_ = Stage::kHead;  ///< Of `piece_`.
  bool cut_short_ = false;
  bool running_ = false;
  char head_[kRequestHeadMax] = {};
};

}  // namespace wayseal::http

#endif
