// SPDX-License-Identifier: Apache-2.0
/// \file
/// The drive that ships with the project: two buses' worth of frames of a car that does not exist.
#ifndef WAYSEAL_OEM_DRIVE_DRIVE_HPP
#define WAYSEAL_OEM_DRIVE_DRIVE_HPP

#include <functional>
#include <string>
#include <string_view>

#include "dbc/model.hpp"

namespace wayseal::oem {

/// The text of drive.dbc, built in.
std::string_view drive_dbc();

struct DriveOptions {
  uint64_t seed = 1;
  double seconds = 60;
  int64_t start_ns = 1767225600LL * 1000000000;  ///< 2026-01-01T00:00:00Z
};

/// Gives every frame of a drive in the order of time, about 1,170 a second on buses 0 (can0) and 1 (can1), some
/// of them with identifiers that drive.dbc does not know. The same seed gives the same frames.
void drive(const DriveOptions& options, const std::function<void(const CanFrame&)>& sink);

/// A frame as `candump -L` writes it, without the end of line.
std::string candump_line(const CanFrame& frame);

}  // namespace wayseal::oem

#endif
