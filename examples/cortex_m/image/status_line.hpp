// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the image says on the console, for people and tests: lines of name=value.
#ifndef IMAGE_STATUS_LINE_HPP
#define IMAGE_STATUS_LINE_HPP

#include "wayseal/flow/client.hpp"

namespace image {

/// Prints "status" lines, one a second and at each change of what is wrong, and one "summary" line.
/// Numbers are since this start. No telemetry and no id is in them.
class StatusLine {
 public:
  explicit StatusLine(const wayseal::Client& client) : client_(client) {}

  void update(wayseal::MonotonicTime now);
  void print_summary();

 private:
  void print_counts(const char* kind);

  const wayseal::Client& client_;
  wayseal::MonotonicTime next_;
  wayseal::BusCounters buses_[wayseal::kBusesMax];
  uint32_t failures_ = 0;
};

}  // namespace image

#endif
