// SPDX-License-Identifier: Apache-2.0
/// \file
/// A Channel to a peer that the test writes, with the faults of a bad network.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_CHANNEL_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_CHANNEL_HPP

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wayseal/hal/channel.hpp"

namespace wayseal::fakes {

/// The other end of the line. Called whenever bytes have arrived: takes what it understands from the front of
/// `received` and appends its answer to `to_send`. A new connection starts with both empty.
using FakePeer = std::function<void(std::string& received, std::string& to_send)>;

/// What is wrong with the line. Counts of bytes begin anew with each connection.
struct LineFaults {
  size_t write_max = SIZE_MAX;  ///< Bytes taken by one write at most.
  size_t read_max = SIZE_MAX;   ///< Bytes given by one read at most.
  unsigned stalls = 0;          ///< Writes, and reads, that return kWouldBlock before each that does something.
  unsigned handshake_steps = 0;                ///< Calls of `progress` that return kWouldBlock.
  std::optional<uint64_t> cut_after_sent;      ///< The line breaks when the peer has got so many bytes.
  std::optional<uint64_t> deaf_after_sent;     ///< Later writes fail; what the peer has said can still be read.
  std::optional<uint64_t> cut_after_received;  ///< The line breaks when we have got so many bytes.
};

class FakeChannel final : public Channel {
 public:
  explicit FakeChannel(FakePeer peer, std::string authority = "gateway.test");
  ~FakeChannel() = default;
  FakeChannel(const FakeChannel&) = delete;
  FakeChannel& operator=(const FakeChannel&) = delete;

  void set_peer(FakePeer peer) { peer_ = std::move(peer); }
  /// Called at the start of each call that may reach the line.
  void on_call(std::function<void()> hook) { hook_ = std::move(hook); }
  void set_faults(const LineFaults& faults) { faults_ = faults; }
  /// Every opening fails in `progress` with this status and failure, until `heal`.
  void fail_opening(Status status, ChannelFailure failure) { opening_fault_ = {status, failure}; }
  /// The handshake succeeds and the first read brings the peer's alert, as in TLS 1.3, until `heal`.
  void refuse_certificate() { refuse_at_read_ = true; }
  /// The peer closes once it has said something and everything it has said has been read.
  void close_by_peer() { peer_closed_ = true; }
  void heal();

  unsigned openings() const { return static_cast<unsigned>(dates_.size()); }
  /// How each opening asked to have dates judged.
  const std::vector<CertificateDates>& dates() const { return dates_; }
  bool is_open() const { return state_ == State::kOpen; }
  uint64_t sent() const { return sent_; }          ///< Bytes of this connection that the peer has got.
  uint64_t received() const { return received_; }  ///< Bytes of this connection that have been read.

 private:
  enum class State : uint8_t { kClosed, kOpening, kOpen };
  struct OpeningFault {
    Status status;
    ChannelFailure failure;
  };

  Status do_open(CertificateDates dates) override;
  Status do_progress() override;
  Result<size_t> do_write(Bytes data) override;
  Result<size_t> do_read(MutableBytes out) override;
  void do_close() override;
  Bytes do_authority() const override;
  ChannelDiagnostic do_diagnostic() const override { return diagnostic_; }
  uint64_t do_wire_bytes() const override { return wire_bytes_; }
  bool stalled(unsigned& left) const;
  Status fail(Status status, ChannelFailure failure);

  FakePeer peer_;
  std::function<void()> hook_;
  std::string authority_;
  LineFaults faults_;
  std::optional<OpeningFault> opening_fault_;
  bool refuse_at_read_ = false;
  bool peer_closed_ = false;
  bool spoke_ = false;
  State state_ = State::kClosed;
  std::string at_peer_;
  std::string from_peer_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t wire_bytes_ = 0;
  unsigned write_stalls_ = 0;
  unsigned read_stalls_ = 0;
  unsigned steps_left_ = 0;
  ChannelDiagnostic diagnostic_;
  std::vector<CertificateDates> dates_;
};

/// What an HttpPeer understood.
struct HttpRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> fields;  ///< Names in lower case.
  std::string body;
};

/// A peer that speaks just enough HTTP/1.1: calls `handler` for each whole request and sends what it returns.
FakePeer http_peer(std::function<std::string(const HttpRequest&)> handler);

/// "HTTP/1.1 STATUS x" with Content-Length, extra fields ("Name: value\r\n" each) and a body.
std::string http_answer(int status, const std::string& body, const std::string& fields = "");

}  // namespace wayseal::fakes

#endif
