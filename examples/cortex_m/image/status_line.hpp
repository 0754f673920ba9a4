// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the image says on the console, for people and tests: lines of name=value.
#ifndef IMAGE_STATUS_LINE_HPP
#define IMAGE_STATUS_LINE_HPP

#include "wayseal/flow/client.hpp"

namespace image {

/// Prints "status" lines at an interval, a "failure" line for each time that the courier backs off, and a "summary" line.
/// Numbers are since this start. No telemetry and no id is in them.
class StatusLine {
 public:
  /// \param interval_ms between two "status" lines, at least 1.
  StatusLine(const wayseal::Client& client, uint32_t interval_ms)
      : client_(client), interval_ms_(interval_ms) {}

  /// To be called in each turn of the loop.
  void update(wayseal::MonotonicTime now);
  void print_summary();

 private:
  void print_counts(const char* kind);

  const wayseal::Client& client_;
  const uint32_t interval_ms_;
  wayseal::MonotonicTime next_;
  wayseal::BusCounters buses_[wayseal::kBusesMax];
  uint32_t failures_ = 0;
};

}  // namespace image

#endif
