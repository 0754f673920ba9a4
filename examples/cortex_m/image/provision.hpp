// SPDX-License-Identifier: Apache-2.0
/// \file
/// First trust of the device, over the console.
#ifndef IMAGE_PROVISION_HPP
#define IMAGE_PROVISION_HPP

#include "image/device.hpp"

namespace image {

/// Makes the keys that are missing and prints the signing requests.
/// \return the program's exit code: 0 or 1.
int print_requests(Trust& trust);

/// Takes object lines from the console until the device is complete.
/// \return the program's exit code: 0 complete; 1 an object was refused.
int take_objects(Trust& trust);

}  // namespace image

#endif
