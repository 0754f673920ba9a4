// SPDX-License-Identifier: Apache-2.0
/// \file
/// Limits for a microcontroller that does the whole way: collect, seal, spool, deliver. Chosen so that everything of the
/// library together, a table of 32 signals included, takes at most 20 KiB of RAM. A file for WAYSEAL_CONFIG_FILE; a file of
/// your own may define some of these and include this one for the rest.
#ifndef WAYSEAL_CORE_PROFILE_STANDARD_HPP
#define WAYSEAL_CORE_PROFILE_STANDARD_HPP

#ifndef WAYSEAL_RECORD_MAX
#define WAYSEAL_RECORD_MAX 1536
#endif
#ifndef WAYSEAL_BUSES_MAX
#define WAYSEAL_BUSES_MAX 2
#endif
#ifndef WAYSEAL_RECEIVE_FRAMES_MAX
#define WAYSEAL_RECEIVE_FRAMES_MAX 8
#endif
#ifndef WAYSEAL_PREKEYS_MAX
#define WAYSEAL_PREKEYS_MAX 4
#endif
#ifndef WAYSEAL_LIVE_SESSIONS_MAX
#define WAYSEAL_LIVE_SESSIONS_MAX 6
#endif
#ifndef WAYSEAL_LOSS_RANGES_MAX
#define WAYSEAL_LOSS_RANGES_MAX 8
#endif
#ifndef WAYSEAL_CERTIFICATE_MAX
#define WAYSEAL_CERTIFICATE_MAX 640
#endif
#ifndef WAYSEAL_CHECKSUM_TABLES
#define WAYSEAL_CHECKSUM_TABLES 0
#endif
#ifndef WAYSEAL_ACK_CONTENT_MAX
#define WAYSEAL_ACK_CONTENT_MAX 2304
#endif
#ifndef WAYSEAL_UPLOAD_ITEMS_MAX
#define WAYSEAL_UPLOAD_ITEMS_MAX 12
#endif
#ifndef WAYSEAL_HTTP_REQUEST_HEAD_MAX
#define WAYSEAL_HTTP_REQUEST_HEAD_MAX 256
#endif
#ifndef WAYSEAL_REPLY_MAX
#define WAYSEAL_REPLY_MAX 4096
#endif
#ifndef WAYSEAL_OWN_CONTENT_MAX
#define WAYSEAL_OWN_CONTENT_MAX 256
#endif

#endif
