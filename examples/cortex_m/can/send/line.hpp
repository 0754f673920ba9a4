// SPDX-License-Identifier: Apache-2.0
/// \file
/// The sender's end of the line: a stream socket.
#ifndef CAN_SEND_LINE_HPP
#define CAN_SEND_LINE_HPP

#include <string>

#include "can/frame_format.hpp"

namespace can {

/// A connection that is written to with a buffer in between. Throws std::runtime_error when the other side is gone.
class Line {
 public:
  /// Takes over a connected stream socket.
  explicit Line(int socket) : fd_(socket) {}
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void write(wayseal::Bytes bytes);
  void flush();
  /// Waits for at most `timeout_ms` and throws away what the other side says.
  /// \return false when the other side has closed the line.
  bool wait(int timeout_ms);
  /// Returns when the other side has read everything. (For TCP: has received it.)
  void drain();
  size_t bytes_written() const { return bytes_written_; }

 private:
  static constexpr size_t kBufferMax = 4096;

  int fd_;
  std::string buffer_;
  size_t bytes_written_ = 0;
};

/// Connects, trying again until `patience_ms` have passed: the emulator may be starting still.
/// \return the socket. Throws std::runtime_error.
int connect_unix(const std::string& path, int patience_ms);
int connect_tcp(const std::string& host, const std::string& port, int patience_ms);

}  // namespace can

#endif
