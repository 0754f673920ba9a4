// SPDX-License-Identifier: Apache-2.0
/// \file
/// Limits for a microcontroller that collects and seals, and hands its records to something else that carries them: Recorder,
/// RecordQueue, Session and an OpeningSource of its own, at most 8 KiB of RAM with a table of 24 signals. A file for
/// WAYSEAL_CONFIG_FILE; a file of your own may define some of these and include this one for the rest.
#ifndef WAYSEAL_CORE_PROFILE_TINY_HPP
#define WAYSEAL_CORE_PROFILE_TINY_HPP

#ifndef WAYSEAL_RECORD_MAX
#define WAYSEAL_RECORD_MAX 1024
#endif
#ifndef WAYSEAL_BUSES_MAX
#define WAYSEAL_BUSES_MAX 1
#endif
#ifndef WAYSEAL_RECEIVE_FRAMES_MAX
#define WAYSEAL_RECEIVE_FRAMES_MAX 4
#endif
#ifndef WAYSEAL_CERTIFICATE_MAX
#define WAYSEAL_CERTIFICATE_MAX 512
#endif
#ifndef WAYSEAL_OWN_CONTENT_MAX
#define WAYSEAL_OWN_CONTENT_MAX 256
#endif

#include "wayseal/core/profile_standard.hpp"

#endif
