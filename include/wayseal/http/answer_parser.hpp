// SPDX-License-Identifier: Apache-2.0
/// \file
/// Reads one HTTP/1.1 answer as its bytes come (RFC 9112), without heap and without holding its head.
#ifndef WAYSEAL_HTTP_ANSWER_PARSER_HPP
#define WAYSEAL_HTTP_ANSWER_PARSER_HPP

#include <string_view>

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"

#ifndef WAYSEAL_HTTP_OVERHEAD_MAX
#define WAYSEAL_HTTP_OVERHEAD_MAX 8192
#endif

namespace wayseal::http {

/// Bytes of an answer that are not its body: status lines, header and trailer fields, chunk sizes, interim
/// (1xx) answers. An answer with more is refused.
inline constexpr size_t kOverheadMax = WAYSEAL_HTTP_OVERHEAD_MAX;
static_assert(kOverheadMax >= 512, "a gateway's ordinary header fields take some hundred bytes");

/// The answer to a POST, one byte after the other; body bytes are moved whole. However the answer is cut into
/// pieces, the outcome is the same. Each byte is looked at once. `Exchange` is its user.
///
/// Lines end with CR LF and with nothing else, and no line is folded; names of fields are tokens up to the colon;
/// control characters are refused everywhere but in the body. The end of the body is told by one Content-Length
/// or by "Transfer-Encoding: chunked" and by nothing else. Interim (1xx) answers are passed over. Of trailer
/// fields only the form is checked; they mean nothing (RFC 9110, 6.5.1).
///
/// Reads unauthenticated bytes. Threads: one thread. Blocking: never. About 100 bytes.
class AnswerParser {
 public:
  /// Begins with the first byte of an answer.
  /// \param body receives the body; borrowed until the next `begin`.
  void begin(MutableBytes body);

  /// Takes the next bytes of the answer, at least 1. Bytes behind its end are dropped; see `excess`.
  /// \param input may be the front of `body_room()`, and must not overlap the body's buffer otherwise.
  /// \return kOk: see `complete`; kMalformed: not HTTP/1.1, or more than kOverheadMax bytes besides the body;
  ///         kUnsupported: HTTP, but of a kind that is not taken, or a body larger than its buffer. After a
  ///         failure only `begin` may be called: drop the connection.
  Status take(Bytes input);

  /// Where the next bytes can be received in place, because all of it will be body; empty when lines come.
  MutableBytes body_room() const;

  /// The head of the answer proper has been read: from here on the body's buffer is written.
  bool head_complete() const { return in_trailer_ || part_ >= Part::kBody; }
  /// The answer has been read whole. What follows is meaningful then.
  bool complete() const { return part_ == Part::kDone; }
  uint16_t status() const { return code_; }                  ///< 200 to 599.
  Bytes body() const { return body_.first(body_used_); }     ///< In the buffer given to `begin`.
  uint32_t retry_after_s() const { return retry_after_s_; }  ///< Retry-After in seconds; 0 without, or a date.
  bool closes() const { return closes_; }                    ///< The peer ends the connection (RFC 9112, 9.6).
  bool excess() const { return excess_; }                    ///< Bytes came behind the end.

  /// Whether any byte has been taken since `begin`.
  bool begun() const { return overhead_ > 0; }

 private:
  /// What the next byte belongs to. Where a line may end, CR and LF are looked after by `step`.
  enum class Part : uint8_t {
    kVersion,
    kCode,
    kReason,
    kName,  ///< Of a field; or the empty line, when it ends before its first character.
    kValue,
    kBody,  ///< `left_` bytes of it.
    kChunkSize,
    kChunkBlank,  ///< Blanks in front of an extension's semicolon.
    kChunkExtension,
    kChunk,     ///< `left_` bytes of it.
    kChunkEnd,  ///< The empty line behind it.
    kDone,
  };
  enum class Field : uint8_t {
    kOther,
    kConnection,
    kContentEncoding,
    kContentLength,
    kRetryAfter,
    kTransferEncoding,
  };

  static Field field_named(std::string_view name);
  void begin_message();
  bool in_body() const { return part_ == Part::kBody || part_ == Part::kChunk; }
  size_t take_body(Bytes input);
  Status step(uint8_t c);
  Status take_version(uint8_t c);
  Status take_code(uint8_t c);
  Status take_name(uint8_t c);
  Status take_value(uint8_t c);
  Status take_chunk_size(uint8_t c);
  Status end_line();
  Status end_field();
  Status end_fields();
  Status end_chunk_size();
  Status take_content_length();
  Status take_transfer_encoding();
  void take_retry_after();
  void gather(uint8_t c);
  std::string_view text() const;

  MutableBytes body_;
  size_t body_used_ = 0;
  size_t overhead_ = 0;
  uint64_t left_ = 0;  ///< Of the body, or of the chunk.
  uint32_t retry_after_s_ = 0;
  uint16_t code_ = 0;
  Part part_ = Part::kVersion;
  Field field_ = Field::kOther;
  uint8_t position_ = 0;   ///< In the version or the code; digits of a chunk's size.
  uint8_t text_used_ = 0;  ///< More than fits: longer than anything that is looked for.
  bool after_cr_ = false;
  bool other_version_ = false;
  bool has_length_ = false;
  bool chunked_ = false;
  bool in_trailer_ = false;
  bool closes_ = false;
  bool excess_ = false;
  char text_[20] = {};  ///< A name, a value or an element of one: in lower case, without blanks around it.
};

}  // namespace wayseal::http

#endif
