// SPDX-License-Identifier: Apache-2.0
/// \file
/// Wayseal for firmware that is written in C: everything that flow/client.hpp does, in one header of C99, which is C++17 as
/// well. It includes no other header of Wayseal. examples/c_quickstart uses it; VERSIONING.md beside it says what stays.
///
/// The way: make or adapt the ports, load a signal table, `wayseal_client_init` in memory of yours,
/// `wayseal_client_start`, then step both sides from one loop or two threads, `wayseal_client_prepare_sleep` before power
/// goes.
///
/// Rules for all of it:
/// - Memory: no call allocates. Handles lie in memory that the caller gives and keeps, unmoved, for as long as the handle
///   is used. Pointer and length stand together; what a function borrows beyond the call is said there.
/// - Threads: the bus side and the cloud side may be two threads; each call says whose it is. Nothing is global.
/// - Blocking: no call waits for the network. The cloud side waits for token and storage, the bus side for nothing.
/// - Errors: a wayseal_status, grouped by what to do next. A null pointer where one is needed is
///   WAYSEAL_INVALID_ARGUMENT, in every function; output arguments are set only with WAYSEAL_OK unless said otherwise.
/// - Handles are checked for null alone: what else is no handle, or one that has been ended, is not found out.
/// - Structs that may grow begin with `size`, which tells the library how much of them the program knows; those without never
///   grow. Structs are compiled with the library's flags for enumerations (-fshort-enums or not).
/// - No exception crosses this interface. Functions of yours that the library calls must neither throw nor longjmp.
#ifndef WAYSEAL_WAYSEAL_H
#define WAYSEAL_WAYSEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The limits: the same file for C and C++ (see core/config.hpp). It holds macros only.
#ifdef WAYSEAL_CONFIG_FILE
#include WAYSEAL_CONFIG_FILE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Version of this header. Compare with `wayseal_version()`, that of the library that is linked.
#define WAYSEAL_VERSION_MAJOR 0
#define WAYSEAL_VERSION_MINOR 1
#define WAYSEAL_VERSION_PATCH 0
#define WAYSEAL_VERSION_OF(major, minor, patch) \
  (((uint32_t)(major) << 24) | ((uint32_t)(minor) << 16) | (uint32_t)(patch))
#define WAYSEAL_VERSION WAYSEAL_VERSION_OF(WAYSEAL_VERSION_MAJOR, WAYSEAL_VERSION_MINOR, WAYSEAL_VERSION_PATCH)

// Marks what goes in two minor versions (VERSIONING.md). The text names what to use instead.
#if defined(__GNUC__)
#define WAYSEAL_DEPRECATED(text) __attribute__((deprecated(text)))
#else
#define WAYSEAL_DEPRECATED(text)
#endif
// A result that must be looked at.
#if defined(__GNUC__)
#define WAYSEAL_NODISCARD __attribute__((warn_unused_result))
#else
#define WAYSEAL_NODISCARD
#endif
// The library hands arrays of its own frames and filters out under these types. Compilers without the attribute must not
// assume that pointers to different types differ (-fno-strict-aliasing, or link-time optimisation off for ports).
#if defined(__GNUC__)
#define WAYSEAL_MAY_ALIAS __attribute__((may_alias))
#else
#define WAYSEAL_MAY_ALIAS
#endif

// ---- Status ------------------------------------------------------------------------------------------------------------

/// Outcome of every call that can fail. The values are those of wayseal::Status, and never change.
typedef enum wayseal_status {
  WAYSEAL_OK = 0,

  // Try again: the same call may succeed later, nothing was lost and nothing changed.
  WAYSEAL_WOULD_BLOCK = 1,  ///< Not finished yet: call again at the next step, with the same arguments.
  WAYSEAL_TIMEOUT = 2,      ///< A deadline passed. Call again after a back-off.
  WAYSEAL_FULL = 3,         ///< No room in a fixed buffer, queue or store. Drain it first, or count the loss.

  // Open again: the peer or the device went away. Close, back off, open, then repeat.
  WAYSEAL_DISCONNECTED = 4,  ///< The connection, bus interface or transport ended.
  WAYSEAL_REFUSED = 5,       ///< The peer answered and said no.
  WAYSEAL_TOKEN_LOST = 6,    ///< The token was reset, removed or logged out. Every session key is gone.

  // Drop the input: it is bad, and will be bad next time. Count it.
  WAYSEAL_MALFORMED = 7,      ///< Does not follow the format.
  WAYSEAL_NOT_AUTHENTIC = 8,  ///< Every failed tag, signature, chain, role or name check, with no finer detail.
  WAYSEAL_UNSUPPORTED = 9,    ///< A version, suite or feature that this build or token does not have.
  WAYSEAL_STALE = 10,         ///< Out of date: expired, or older than what is held.
  WAYSEAL_NOT_FOUND = 11,     ///< Nothing under this name.

  // Fix the call: a mistake of the program that calls.
  WAYSEAL_INVALID_ARGUMENT = 12,  ///< An argument is out of its documented range.
  WAYSEAL_BUFFER_TOO_SMALL = 13,  ///< A buffer is shorter than the documented size.
  WAYSEAL_BAD_STATE = 14,         ///< The call is not allowed now.

  // Stop: no retry helps without somebody's hand.
  WAYSEAL_DENIED = 15,  ///< Wrong PIN or missing right. Never retried by the library, so nothing gets locked.
  WAYSEAL_STORAGE_FAILED = 16,  ///< Storage reported an error that is not lack of room.
  WAYSEAL_EXHAUSTED = 17        ///< A counter has reached its end.
} wayseal_status;

/// What to do after a status.
typedef enum wayseal_next_step {
  WAYSEAL_NEXT_NOTHING = 0,
  WAYSEAL_NEXT_TRY_AGAIN = 1,
  WAYSEAL_NEXT_OPEN_AGAIN = 2,
  WAYSEAL_NEXT_DROP_INPUT = 3,
  WAYSEAL_NEXT_FIX_CALL = 4,
  WAYSEAL_NEXT_STOP = 5
} wayseal_next_step;

/// The group that `status`, a wayseal_status, belongs to; WAYSEAL_NEXT_STOP for a number that is none. Any thread; never blocks.
wayseal_next_step wayseal_status_next_step(int status);

/// Stable lower-case name for logs, e.g. "not-authentic"; "unknown" for a number that is no status. Static storage; never
/// null. Any thread.
const char* wayseal_status_name(int status);

// ---- Version -----------------------------------------------------------------------------------------------------------

/// WAYSEAL_VERSION of the library that is linked. Any thread.
uint32_t wayseal_version(void);

/// Whether the library serves a program that was compiled with a header of version `header`: pass WAYSEAL_VERSION.
/// `wayseal_client_init` asks the same.
/// \return WAYSEAL_OK; WAYSEAL_UNSUPPORTED: another major version, a newer minor one than the library's, or, below 1.0, any
///         other minor one: compile the program with the library's header.
WAYSEAL_NODISCARD wayseal_status wayseal_check_version(uint32_t header);

// ---- Limits and sizes --------------------------------------------------------------------------------------------------

// The limits of core/config.hpp as this file was compiled. The library refuses to compile when its own differ.
#ifdef WAYSEAL_RECORD_MAX
#define WAYSEAL_LIMIT_RECORD WAYSEAL_RECORD_MAX
#else
#define WAYSEAL_LIMIT_RECORD 16384
#endif
#ifdef WAYSEAL_BUSES_MAX
#define WAYSEAL_LIMIT_BUSES WAYSEAL_BUSES_MAX
#else
#define WAYSEAL_LIMIT_BUSES 8
#endif
#ifdef WAYSEAL_RECEIVE_FRAMES_MAX
#define WAYSEAL_LIMIT_RECEIVE_FRAMES WAYSEAL_RECEIVE_FRAMES_MAX
#else
#define WAYSEAL_LIMIT_RECEIVE_FRAMES 64
#endif
#ifdef WAYSEAL_PREKEYS_MAX
#define WAYSEAL_LIMIT_PREKEYS WAYSEAL_PREKEYS_MAX
#else
#define WAYSEAL_LIMIT_PREKEYS 16
#endif
#ifdef WAYSEAL_LIVE_SESSIONS_MAX
#define WAYSEAL_LIMIT_LIVE_SESSIONS WAYSEAL_LIVE_SESSIONS_MAX
#else
#define WAYSEAL_LIMIT_LIVE_SESSIONS 32
#endif
#ifdef WAYSEAL_LOSS_RANGES_MAX
#define WAYSEAL_LIMIT_LOSS_RANGES WAYSEAL_LOSS_RANGES_MAX
#else
#define WAYSEAL_LIMIT_LOSS_RANGES 32
#endif
#ifdef WAYSEAL_CERTIFICATE_MAX
#define WAYSEAL_LIMIT_CERTIFICATE WAYSEAL_CERTIFICATE_MAX
#else
#define WAYSEAL_LIMIT_CERTIFICATE 1024
#endif
#ifdef WAYSEAL_ACK_CONTENT_MAX
#define WAYSEAL_LIMIT_ACK_CONTENT WAYSEAL_ACK_CONTENT_MAX
#else
#define WAYSEAL_LIMIT_ACK_CONTENT 4096
#endif
#ifdef WAYSEAL_UPLOAD_ITEMS_MAX
#define WAYSEAL_LIMIT_UPLOAD_ITEMS WAYSEAL_UPLOAD_ITEMS_MAX
#else
#define WAYSEAL_LIMIT_UPLOAD_ITEMS 64
#endif
#ifdef WAYSEAL_REPLY_MAX
#define WAYSEAL_LIMIT_REPLY WAYSEAL_REPLY_MAX
#else
#define WAYSEAL_LIMIT_REPLY 16384
#endif
#ifdef WAYSEAL_HTTP_REQUEST_HEAD_MAX
#define WAYSEAL_LIMIT_REQUEST_HEAD WAYSEAL_HTTP_REQUEST_HEAD_MAX
#else
#define WAYSEAL_LIMIT_REQUEST_HEAD 512
#endif
#ifdef WAYSEAL_OWN_CONTENT_MAX
#define WAYSEAL_LIMIT_OWN_CONTENT WAYSEAL_OWN_CONTENT_MAX
#else
#define WAYSEAL_LIMIT_OWN_CONTENT 1024
#endif

// Constant expressions for the sizes below.
#define WAYSEAL_LARGER_(a, b) ((a) > (b) ? (a) : (b))
#define WAYSEAL_SESSION_OPEN_ ((size_t)512 + 2 * WAYSEAL_LIMIT_CERTIFICATE)
#define WAYSEAL_LOSS_CONTENT_ \
  (((size_t)3 + 31 + 55 * WAYSEAL_LIMIT_LOSS_RANGES + 71 * WAYSEAL_LIMIT_BUSES) * 9 / 8 + 8)
#define WAYSEAL_SEAL_MEMORY_                                                                            \
  WAYSEAL_LARGER_(                                                                                      \
      (size_t)WAYSEAL_LARGER_(WAYSEAL_LIMIT_RECORD, WAYSEAL_LIMIT_ACK_CONTENT) + WAYSEAL_LOSS_CONTENT_, \
      ((size_t)WAYSEAL_LIMIT_PREKEYS + 1) * 96 + WAYSEAL_SESSION_OPEN_)
#define WAYSEAL_COURIER_MEMORY_                                                              \
  WAYSEAL_LARGER_((size_t)WAYSEAL_LARGER_(WAYSEAL_LIMIT_RECORD, WAYSEAL_SESSION_OPEN_) + 10, \
                  (size_t)WAYSEAL_LIMIT_REPLY)
#define WAYSEAL_WORDS_(count) ((count) * sizeof(void*))

/// Bytes of memory for one client: never less than it takes, and at most some hundred more. The library refuses to
/// compile when its configuration would make this too small; a program that was compiled with other limits than the library
/// gets WAYSEAL_BUFFER_TOO_SMALL at `wayseal_client_init`. `wayseal_client_size()` gives the library's own value.
#define WAYSEAL_CLIENT_SIZE                                                                \
  (((size_t)2288 + (size_t)WAYSEAL_LIMIT_REQUEST_HEAD + WAYSEAL_WORDS_(92) +               \
    (size_t)80 * WAYSEAL_LIMIT_RECEIVE_FRAMES + (size_t)140 * WAYSEAL_LIMIT_BUSES +        \
    (size_t)104 * WAYSEAL_LIMIT_LIVE_SESSIONS + (size_t)36 * WAYSEAL_LIMIT_LOSS_RANGES +   \
    (size_t)48 * WAYSEAL_LIMIT_UPLOAD_ITEMS + (size_t)2 * WAYSEAL_LIMIT_CERTIFICATE + 7) / \
   8 * 8)
/// Bytes of wayseal_client_config::cloud_memory. The library refuses to compile when it needs more.
#define WAYSEAL_CLOUD_MEMORY \
  (WAYSEAL_SEAL_MEMORY_ + WAYSEAL_COURIER_MEMORY_ + 2 * ((size_t)WAYSEAL_LIMIT_OWN_CONTENT + 8))
/// Bytes of wayseal_client_config::queue_memory for so many closed batches, at least two. With the open batch it bounds what a
/// power loss can take before it is sealed.
#define WAYSEAL_QUEUE_MEMORY(records) ((size_t)(records) * (WAYSEAL_LIMIT_RECORD - 56))
/// Bytes of wayseal_client_config::collector_memory for a table with so many groups (at least one a message) and signals,
/// and so many chunks of 32 bytes, at least 8: WAYSEAL_COLLECTOR_CHUNKS suffices to fill a record whatever the signals do;
/// with fewer, batches are closed earlier and nothing is lost.
#define WAYSEAL_COLLECTOR_MEMORY(groups, signals, chunks) \
  ((size_t)32 + (size_t)32 * (groups) + (size_t)40 * (signals) + (size_t)32 * (chunks))
#define WAYSEAL_COLLECTOR_CHUNKS(groups, signals) \
  ((size_t)(WAYSEAL_LIMIT_RECORD - 67) / 30 + (size_t)(groups) + 2 * (size_t)(signals) + 8)
/// Bytes of memory for one signal table, and for one adapted port.
#define WAYSEAL_TABLE_SIZE (WAYSEAL_WORDS_(10) + 32)
#define WAYSEAL_PORT_SIZE WAYSEAL_WORDS_(6)

#define WAYSEAL_ACCESS_TOKEN_SIZE (WAYSEAL_WORDS_(7) + 16)

/// Memory for handles, rightly aligned. Other memory will do if it is as large and aligned as a uint64_t and a pointer.
typedef union wayseal_client_memory {
  uint64_t alignment;
  void* pointer;
  uint8_t bytes[WAYSEAL_CLIENT_SIZE];
} wayseal_client_memory;
typedef union wayseal_table_memory {
  uint64_t alignment;
  void* pointer;
  uint8_t bytes[WAYSEAL_TABLE_SIZE];
} wayseal_table_memory;
typedef union wayseal_access_token_memory {
  uint64_t alignment;
  void* pointer;
  uint8_t bytes[WAYSEAL_ACCESS_TOKEN_SIZE];
} wayseal_access_token_memory;
typedef union wayseal_port_memory {
  uint64_t alignment;
  void* pointer;
  uint8_t bytes[WAYSEAL_PORT_SIZE];
} wayseal_port_memory;

/// What the linked library needs, in bytes, for programs that cannot rely on the macros. Any thread.
size_t wayseal_client_size(void);
size_t wayseal_cloud_memory_needed(void);

// ---- Ports -------------------------------------------------------------------------------------------------------------
//
// A port is what the device gives: a bus, a token, a clock. Its handle is made in one of two ways:
// - from C: fill a table of functions (the C form of a contract in include/wayseal/hal) and adapt it, below;
// - from C++: any object that derives from a contract, with `wayseal::capi::handle(object)` of wayseal/capi/handles.hpp.
//   All ports in hal/ can be used in this way; examples/c_quickstart/platform.cpp does.
//
// Rules for the functions of a table:
// - `size` is sizeof of the table's type as the program was compiled with it.
// - `context` is what was given at adapting, untouched.
// - Only those marked optional may be null.
// - Table, memory and context are borrowed for as long as the handle is used. A table is never written: it may be in flash.
// - A status that is no wayseal_status, and a length larger than the buffer, count as WAYSEAL_INVALID_ARGUMENT.
// - Threads and blocking are the contract's: read its header in include/wayseal/hal, and run its tests (tests/contract).

typedef struct wayseal_can_bus wayseal_can_bus;
typedef struct wayseal_key_vault wayseal_key_vault;
typedef struct wayseal_cert_verifier wayseal_cert_verifier;
typedef struct wayseal_channel wayseal_channel;
typedef struct wayseal_transport wayseal_transport;
typedef struct wayseal_clock wayseal_clock;
typedef struct wayseal_storage wayseal_storage;

/// Flags of wayseal_can_frame.
#define WAYSEAL_CAN_EXTENDED_ID 1U
#define WAYSEAL_CAN_FD 2U
#define WAYSEAL_CAN_BIT_RATE_SWITCH 4U
#define WAYSEAL_CAN_ERROR_STATE_INDICATOR 8U
#define WAYSEAL_CAN_DATA_MAX 64

/// One received data frame. 80 bytes. Bytes of `data` from `length` on are not looked at.
typedef struct WAYSEAL_MAY_ALIAS wayseal_can_frame {
  int64_t time_ns;   ///< When it was received, on the bus's time base.
  uint32_t id;       ///< 11 or 29 bits, without flag bits.
  uint8_t bus;       ///< Index of the bus, from 0.
  uint8_t flags;     ///< WAYSEAL_CAN_..., or-ed.
  uint8_t length;    ///< Bytes of `data`: 0 to 8, CAN FD to 64.
  uint8_t reserved;  ///< 0.
  uint8_t data[WAYSEAL_CAN_DATA_MAX];
} wayseal_can_frame;

/// Accepts frames with (id & mask) == (this id & mask) and the same id width.
typedef struct WAYSEAL_MAY_ALIAS wayseal_can_filter {
  uint32_t id;
  uint32_t mask;
  uint8_t extended;  ///< 0 or 1.
  uint8_t bus;       ///< WAYSEAL_CAN_EVERY_BUS, or an index.
} wayseal_can_filter;
#define WAYSEAL_CAN_EVERY_BUS 0xFFU

typedef enum wayseal_bus_state {
  WAYSEAL_BUS_DOWN = 0,           ///< Absent or not up. Frames are missed, and nobody can count them.
  WAYSEAL_BUS_ACTIVE = 1,         ///< Receiving.
  WAYSEAL_BUS_ERROR_PASSIVE = 2,  ///< Receiving, with error counters above 127 (ISO 11898-1).
  WAYSEAL_BUS_OFF = 3,            ///< The controller took itself off the bus.
  WAYSEAL_BUS_ENDED = 4           ///< A recording has been played to its end; no more frames will come.
} wayseal_bus_state;

/// What has happened on one bus since it was opened. All values only grow.
typedef struct wayseal_bus_counters {
  uint64_t frames;          ///< Data frames handed out.
  uint64_t frames_dropped;  ///< Lost before this port saw them.
  uint64_t error_frames;    ///< Error frames seen (never handed out as data).
  uint64_t bus_off_events;
  uint64_t down_events;      ///< Times the interface went down or vanished.
  uint64_t unreadable;       ///< Input that is not a data frame: bad lines, remote frames.
  uint64_t time_steps_back;  ///< Frames whose time lay before that of the frame before.
} wayseal_bus_counters;

typedef enum wayseal_time_base {
  WAYSEAL_TIME_MONOTONIC = 0,  ///< Frames are dated by the clock port.
  WAYSEAL_TIME_RECORDED = 1    ///< By a recording's own clock, most often UTC.
} wayseal_time_base;

/// hal/can_bus.hpp. Bus thread; no call blocks.
typedef struct wayseal_can_bus_functions {
  size_t size;
  /// Optional. Deliver only what passes one of `filters` (count 0: every frame); delivering more is allowed.
  /// \return WAYSEAL_OK; WAYSEAL_UNSUPPORTED: too many for the driver, everything is delivered; WAYSEAL_DISCONNECTED.
  wayseal_status (*set_filters)(void* context, const wayseal_can_filter* filters, size_t count);
  /// Moves up to `max` (at least 1) frames into `frames`, in order of reception; `*count` is how many, 0 when none waits.
  /// \return WAYSEAL_OK; WAYSEAL_DISCONNECTED: every bus is down, reopen by yourself.
  wayseal_status (*receive)(void* context, wayseal_can_frame* frames, size_t max, size_t* count);
  /// Buses, at least 1. Constant.
  uint8_t (*bus_count)(void* context);
  wayseal_bus_state (*state)(void* context, uint8_t bus);
  /// Fills `counters`, which holds zeros, for a bus below `bus_count`.
  void (*counters)(void* context, uint8_t bus, wayseal_bus_counters* counters);
  /// Optional; WAYSEAL_TIME_MONOTONIC without it. Constant.
  wayseal_time_base (*time_base)(void* context);
} wayseal_can_bus_functions;

#define WAYSEAL_DIGEST_SIZE 32
#define WAYSEAL_POINT_SIZE 65
#define WAYSEAL_SIGNATURE_SIZE 64
#define WAYSEAL_NONCE_SIZE 12
#define WAYSEAL_TAG_SIZE 16
#define WAYSEAL_VEHICLE_ID_MAX 32

/// The vehicle's two identity keys, P-256, made in the token and never leaving it.
typedef enum wayseal_identity_key {
  WAYSEAL_KEY_TLS = 0,  ///< Client key of mutual TLS.
  WAYSEAL_KEY_E2E = 1   ///< Signs SessionOpen and requests.
} wayseal_identity_key;

/// Public objects that provisioning wrote into the token.
typedef enum wayseal_vault_object {
  WAYSEAL_OBJECT_TLS_CERTIFICATE = 0,
  WAYSEAL_OBJECT_TLS_INTERMEDIATE = 1,
  WAYSEAL_OBJECT_E2E_CERTIFICATE = 2,
  WAYSEAL_OBJECT_E2E_INTERMEDIATE = 3,
  WAYSEAL_OBJECT_DATA_ROOT = 4,
  WAYSEAL_OBJECT_GATEWAY_CA = 5
} wayseal_vault_object;

/// Key agreement, derivation and AEAD of a session (PROTOCOL.md, "Suites").
typedef enum wayseal_suite {
  WAYSEAL_SUITE_P256_HKDF_SHA256 = 1,  ///< HKDF-SHA256 (RFC 5869), AES-256-GCM.
  WAYSEAL_SUITE_P256_CMAC_KDF = 2      ///< SP 800-108 counter mode with CMAC-AES-256, AES-256-GCM.
} wayseal_suite;
/// One suite as an element of a set: bit (number - 1).
#define WAYSEAL_SUITE_BIT(suite) (1U << ((suite)-1))
#define WAYSEAL_SUITES_ALL 3U

/// Handles of one session's two AES-256-GCM keys. 0 is none.
typedef struct wayseal_session_keys {
  uint32_t vehicle_to_backend;  ///< `ws1.v2b`: the vehicle seals.
  uint32_t backend_to_vehicle;  ///< `ws1.b2v`: the vehicle opens.
} wayseal_session_keys;

/// hal/key_vault.hpp: a token, opened and logged in. Cloud thread; a call takes as long as the token does. No private or
/// session key ever crosses it. Every call may return WAYSEAL_TOKEN_LOST: then `reopen` is called.
typedef struct wayseal_key_vault_functions {
  size_t size;
  /// Suites (WAYSEAL_SUITE_BIT) whose whole derivation and AEAD were seen to work on this token.
  uint8_t (*suites)(void* context);
  /// Number that grows with every loss of session keys.
  uint32_t (*epoch)(void* context);
  /// Opens the token again. Logs in once only: a wrong PIN is WAYSEAL_DENIED and is never repeated.
  /// \return WAYSEAL_OK; WAYSEAL_TOKEN_LOST while it is absent; WAYSEAL_DENIED.
  wayseal_status (*reopen)(void* context);
  /// Random bytes from the token.
  wayseal_status (*random)(void* context, uint8_t* out, size_t bytes);
  /// ECDSA (FIPS 186-5) over a SHA-256 digest: r then s, 32 bytes each, big-endian.
  wayseal_status (*sign)(void* context, wayseal_identity_key key, const uint8_t digest[WAYSEAL_DIGEST_SIZE],
                         uint8_t signature[WAYSEAL_SIGNATURE_SIZE]);
  /// The public point, uncompressed.
  wayseal_status (*public_key)(void* context, wayseal_identity_key key, uint8_t point[WAYSEAL_POINT_SIZE]);
  /// Copies a provisioned object; `*used` is its size. \return WAYSEAL_OK; WAYSEAL_NOT_FOUND; WAYSEAL_BUFFER_TOO_SMALL.
  wayseal_status (*read_object)(void* context, wayseal_vault_object object, uint8_t* out, size_t max,
                                size_t* used);
  /// Makes an ephemeral key pair for one agreement. At most one exists; a former one is destroyed. The handle is not 0.
  wayseal_status (*make_ephemeral)(void* context, uint32_t* ephemeral, uint8_t point[WAYSEAL_POINT_SIZE]);
  /// ECDH, then both session keys by suite and transcript (PROTOCOL.md). The ephemeral and all intermediate values are
  /// destroyed before it returns, whatever it returns, also for `ephemeral` 0: then nothing is derived.
  /// \return WAYSEAL_OK; WAYSEAL_NOT_AUTHENTIC: `peer` is no point of the curve; WAYSEAL_UNSUPPORTED: the suite;
  ///         WAYSEAL_INVALID_ARGUMENT: the handle.
  wayseal_status (*derive)(void* context, uint32_t ephemeral, wayseal_suite suite,
                           const uint8_t peer[WAYSEAL_POINT_SIZE],
                           const uint8_t transcript[WAYSEAL_DIGEST_SIZE], wayseal_session_keys* keys);
  /// AES-256-GCM in the token: writes text_bytes of ciphertext, then WAYSEAL_TAG_SIZE bytes of tag. The library never
  /// gives one nonce twice for one key, and expects the same of you: never call again by yourself.
  wayseal_status (*seal)(void* context, uint32_t key, const uint8_t nonce[WAYSEAL_NONCE_SIZE],
                         const uint8_t* aad, size_t aad_bytes, const uint8_t* text, size_t text_bytes,
                         uint8_t* out);
  /// The reverse: `sealed_bytes` with the tag at their end, at least WAYSEAL_TAG_SIZE; writes sealed_bytes less the tag.
  /// \return WAYSEAL_OK; WAYSEAL_NOT_AUTHENTIC; WAYSEAL_INVALID_ARGUMENT: an unknown key.
  wayseal_status (*open)(void* context, uint32_t key, const uint8_t nonce[WAYSEAL_NONCE_SIZE],
                         const uint8_t* aad, size_t aad_bytes, const uint8_t* sealed, size_t sealed_bytes,
                         uint8_t* out);
  /// Destroys both keys. Handles of 0 are ignored.
  void (*destroy)(void* context, const wayseal_session_keys* keys);
  /// Optional, both or none: a counter in the token that never goes back.
  wayseal_status (*monotonic_counter)(void* context, uint64_t* value);
  wayseal_status (*increment_monotonic_counter)(void* context, uint64_t* value);
  /// Optional. The last native code, for people who search for a cause.
  uint64_t (*diagnostic)(void* context);
} wayseal_key_vault_functions;

/// Bytes that somebody else owns.
typedef struct wayseal_bytes {
  const uint8_t* data;
  size_t size;
} wayseal_bytes;

/// What a certificate may be used for (PROTOCOL.md, "Roles").
typedef enum wayseal_role {
  WAYSEAL_ROLE_VEHICLE = 0,  ///< Signs SessionOpen and prekey requests.
  WAYSEAL_ROLE_PREKEY = 1,   ///< Signs prekey bundles and refusals.
  WAYSEAL_ROLE_TIME = 2      ///< Signs time.
} wayseal_role;

/// Whether validity is judged, and against when.
typedef struct wayseal_certificate_dates {
  bool check;      ///< false: no trusted time yet; dates alone are then not judged.
  int64_t utc_ms;  ///< Milliseconds since 1970, when `check`.
} wayseal_certificate_dates;

/// What a verified leaf says.
typedef struct wayseal_certificate_info {
  uint8_t public_key[WAYSEAL_POINT_SIZE];
  uint8_t subject_bytes;                 ///< 0 to WAYSEAL_VEHICLE_ID_MAX.
  char subject[WAYSEAL_VEHICLE_ID_MAX];  ///< The subject's common name, not terminated.
  int64_t not_before_ms;                 ///< UTC.
  int64_t not_after_ms;
} wayseal_certificate_info;

/// hal/cert_verifier.hpp: X.509 path validation (RFC 5280, 6) under the OEM's data root. Cloud thread.
typedef struct wayseal_cert_verifier_functions {
  size_t size;
  /// Accepts exactly leaf and intermediate, P-256 and ECDSA with SHA-256, where both carry a critical extended key usage
  /// with exactly one element, that of `role`; the leaf is no CA and signs digitally.
  /// \param certificates DER, leaf first, 1 or 2 of them, each at most WAYSEAL_LIMIT_CERTIFICATE bytes. Unauthenticated.
  /// \param info holds zeros; fill it with WAYSEAL_OK.
  /// \return WAYSEAL_OK; WAYSEAL_NOT_AUTHENTIC; WAYSEAL_STALE outside the validity; WAYSEAL_MALFORMED.
  wayseal_status (*verify)(void* context, const wayseal_bytes* certificates, size_t count, wayseal_role role,
                           wayseal_certificate_dates dates, wayseal_certificate_info* info);
} wayseal_cert_verifier_functions;

/// Why the last connection failed or ended, for people and statistics. The values are those of wayseal::ChannelFailure.
typedef enum wayseal_channel_failure {
  WAYSEAL_CHANNEL_NONE = 0,
  WAYSEAL_CHANNEL_NAME_NOT_FOUND = 1,
  WAYSEAL_CHANNEL_UNREACHABLE = 2,
  WAYSEAL_CHANNEL_TIMED_OUT = 3,
  WAYSEAL_CHANNEL_SERVER_UNTRUSTED = 4,
  WAYSEAL_CHANNEL_SERVER_WRONG_NAME = 5,
  WAYSEAL_CHANNEL_SERVER_EXPIRED = 6,
  WAYSEAL_CHANNEL_SERVER_REVOKED = 7,
  WAYSEAL_CHANNEL_SERVER_WRONG_ROLE = 8,
  WAYSEAL_CHANNEL_PROTOCOL_VERSION = 9,
  WAYSEAL_CHANNEL_NO_COMMON_CIPHER = 10,
  WAYSEAL_CHANNEL_CLIENT_CERTIFICATE_REFUSED = 11,
  WAYSEAL_CHANNEL_TOKEN_FAILED = 12,
  WAYSEAL_CHANNEL_CLOSED_BY_PEER = 13,
  WAYSEAL_CHANNEL_PROTOCOL_ERROR = 14
} wayseal_channel_failure;

/// Stable lower-case name for logs, e.g. "server-wrong-name"; "unknown" for another number. Never null. Any thread.
const char* wayseal_channel_failure_name(int failure);

typedef struct wayseal_channel_diagnostic {
  wayseal_channel_failure failure;
  int32_t native;  ///< The port's own code.
} wayseal_channel_diagnostic;

/// hal/channel.hpp: a mutually authenticated byte stream to one fixed peer, TLS 1.3 most often. Cloud thread; no call waits
/// for the network.
typedef struct wayseal_channel_functions {
  size_t size;
  /// Starts to connect; what was open has been closed. \return WAYSEAL_OK; WAYSEAL_DISCONNECTED when it failed at once.
  wayseal_status (*open)(void* context, wayseal_certificate_dates dates);
  /// Drives the handshake. \return WAYSEAL_OK when open; WAYSEAL_WOULD_BLOCK; WAYSEAL_DISCONNECTED, WAYSEAL_NOT_AUTHENTIC,
  ///         WAYSEAL_REFUSED: failed and closed; WAYSEAL_TOKEN_LOST; WAYSEAL_BAD_STATE when closed.
  wayseal_status (*progress)(void* context);
  /// Takes some of `bytes` (at least 1); `*taken` is how many, at least 1. \return WAYSEAL_OK; WAYSEAL_WOULD_BLOCK when none;
  ///         WAYSEAL_DISCONNECTED; WAYSEAL_REFUSED; WAYSEAL_BAD_STATE unless open.
  wayseal_status (*write)(void* context, const uint8_t* data, size_t bytes, size_t* taken);
  /// Gives up to `max` (at least 1) bytes; `*given` is how many, at least 1. \return as `write`.
  wayseal_status (*read)(void* context, uint8_t* out, size_t max, size_t* given);
  /// Ends the connection. Always allowed.
  void (*close)(void* context);
  /// The peer's name for the HTTP Host field, "host" or "host:port", terminated by 0. Constant; the port owns it.
  const char* (*authority)(void* context);
  /// Optional. About the last failure since `open`; `diagnostic` holds zeros.
  void (*diagnostic)(void* context, wayseal_channel_diagnostic* diagnostic);
  /// Optional. Bytes on the wire since start, both directions.
  uint64_t (*wire_bytes)(void* context);
} wayseal_channel_functions;

/// hal/transport.hpp: an unprotected byte stream that a channel of hal/ runs over. Cloud thread; no call waits for the
/// network. The client does not take one; a channel does.
typedef struct wayseal_transport_functions {
  size_t size;
  /// Starts to connect; what was open has been closed. \return WAYSEAL_OK; WAYSEAL_NOT_FOUND: no name;
  ///         WAYSEAL_DISCONNECTED.
  wayseal_status (*connect)(void* context);
  /// \return WAYSEAL_OK when connected; WAYSEAL_WOULD_BLOCK; WAYSEAL_NOT_FOUND, WAYSEAL_DISCONNECTED, WAYSEAL_TIMEOUT: failed
  ///         and closed; WAYSEAL_BAD_STATE when closed.
  wayseal_status (*progress)(void* context);
  /// As `write` and `read` of a channel, without WAYSEAL_REFUSED.
  wayseal_status (*send)(void* context, const uint8_t* data, size_t bytes, size_t* taken);
  wayseal_status (*receive)(void* context, uint8_t* out, size_t max, size_t* given);
  /// Ends the connection. Always allowed.
  void (*close)(void* context);
  /// Optional. The port's own code of the last failure; 0 when there was none since `connect`.
  int32_t (*diagnostic)(void* context);
} wayseal_transport_functions;

/// hal/clock.hpp. Any thread, also concurrently; never blocks.
typedef struct wayseal_clock_functions {
  size_t size;
  /// Nanoseconds since an arbitrary start of this boot. Never steps back.
  int64_t (*now_ns)(void* context);
  /// A number that changes whenever this program may run twice from the same memory: after fork, resume from suspend,
  /// restore of an image.
  uint64_t (*continuity)(void* context);
} wayseal_clock_functions;

/// Shape of a storage. Constant.
typedef struct wayseal_storage_geometry {
  uint32_t block_size;    ///< Bytes that are erased together. A power of two, 256 to 1 MiB.
  uint32_t block_count;   ///< At least 2.
  uint32_t program_size;  ///< Bytes that are programmed together. A power of two, 1 to 256.
} wayseal_storage_geometry;

/// hal/storage.hpp: durable memory with the semantics of raw NOR flash. Cloud thread; blocks as long as the medium takes.
typedef struct wayseal_storage_functions {
  size_t size;
  void (*geometry)(void* context, wayseal_storage_geometry* geometry);
  /// Ranges are inside the area. \return WAYSEAL_OK; WAYSEAL_STORAGE_FAILED.
  wayseal_status (*read)(void* context, uint64_t offset, uint8_t* out, size_t bytes);
  /// Programs erased bytes: multiples of program_size within one block. \return WAYSEAL_OK; WAYSEAL_FULL;
  ///         WAYSEAL_STORAGE_FAILED.
  wayseal_status (*program)(void* context, uint64_t offset, const uint8_t* data, size_t bytes);
  /// Sets every byte of a block to 0xFF.
  wayseal_status (*erase)(void* context, uint32_t block);
  /// Makes all before it durable.
  wayseal_status (*sync)(void* context);
} wayseal_storage_functions;

/// Make handles of tables of functions. Before the threads; nothing of yours is called.
/// \param memory one for each handle. \param functions, context borrowed, as the memory, for as long as the handle is used.
///        There is nothing to end.
/// \return WAYSEAL_OK; WAYSEAL_INVALID_ARGUMENT: null, misaligned memory, a function missing, or `size` smaller than the
///         first version's table; WAYSEAL_UNSUPPORTED: a table of a newer header than the library's.
WAYSEAL_NODISCARD wayseal_status wayseal_can_bus_adapt(wayseal_port_memory* memory,
                                                       const wayseal_can_bus_functions* functions,
                                                       void* context, wayseal_can_bus** handle);
WAYSEAL_NODISCARD wayseal_status wayseal_key_vault_adapt(wayseal_port_memory* memory,
                                                         const wayseal_key_vault_functions* functions,
                                                         void* context, wayseal_key_vault** handle);
WAYSEAL_NODISCARD wayseal_status wayseal_cert_verifier_adapt(wayseal_port_memory* memory,
                                                             const wayseal_cert_verifier_functions* functions,
                                                             void* context, wayseal_cert_verifier** handle);
WAYSEAL_NODISCARD wayseal_status wayseal_channel_adapt(wayseal_port_memory* memory,
                                                       const wayseal_channel_functions* functions,
                                                       void* context, wayseal_channel** handle);
WAYSEAL_NODISCARD wayseal_status wayseal_transport_adapt(wayseal_port_memory* memory,
                                                         const wayseal_transport_functions* functions,
                                                         void* context, wayseal_transport** handle);
WAYSEAL_NODISCARD wayseal_status wayseal_clock_adapt(wayseal_port_memory* memory,
                                                     const wayseal_clock_functions* functions, void* context,
                                                     wayseal_clock** handle);
WAYSEAL_NODISCARD wayseal_status wayseal_storage_adapt(wayseal_port_memory* memory,
                                                       const wayseal_storage_functions* functions,
                                                       void* context, wayseal_storage** handle);

// ---- Access token ----------------------------------------------------------------------------------------------------------

/// The token of OAuth 2.0 that a gateway wants besides the certificate (access/access_token.hpp). The client fetches and renews it.
typedef struct wayseal_access_token wayseal_access_token;

/// Longest token, in bytes.
#ifdef WAYSEAL_ACCESS_TOKEN_MAX
#define WAYSEAL_LIMIT_ACCESS_TOKEN WAYSEAL_ACCESS_TOKEN_MAX
#else
#define WAYSEAL_LIMIT_ACCESS_TOKEN 1024
#endif

/// \param scope what is asked for, at most 64 characters, ending with NUL: names with one space between. Borrowed, as the memories, for as
///        long as a client uses the handle. There is nothing to end.
/// \param token_memory, bytes room for the token: WAYSEAL_LIMIT_ACCESS_TOKEN bytes hold every one that is taken.
/// \return WAYSEAL_OK; WAYSEAL_INVALID_ARGUMENT: null, misaligned memory, no bytes, or a scope that is empty or too long.
WAYSEAL_NODISCARD wayseal_status wayseal_access_token_init(wayseal_access_token_memory* memory,
                                                           const char* scope, uint8_t* token_memory,
                                                           size_t bytes, wayseal_access_token** token);

// ---- Signal table ------------------------------------------------------------------------------------------------------

/// Which frames carry which signals (signal/signal_table.hpp). Made by `wayseal-oem dbc`, used where its bytes are.
typedef struct wayseal_table wayseal_table;

/// Checks everything, in time in proportion to the table. Any thread.
/// \param memory, bytes borrowed, unchanged, for as long as the handle is used. There is nothing to end; loading again into
///        the same memory is allowed when no client uses it.
/// \return WAYSEAL_OK; WAYSEAL_MALFORMED: no table, or a damaged one; WAYSEAL_UNSUPPORTED: of another version of the format.
WAYSEAL_NODISCARD wayseal_status wayseal_table_load(wayseal_table_memory* memory, const uint8_t* bytes,
                                                    size_t size, wayseal_table** table);
/// The same for a table that is part of the firmware image and as trustworthy as the code beside it: looks at sizes and
/// checksums only. Never for what came from outside. \return as `wayseal_table_load`.
WAYSEAL_NODISCARD wayseal_status wayseal_table_load_built_in(wayseal_table_memory* memory, const uint8_t* bytes,
                                                             size_t size, wayseal_table** table);

/// `size` is set by the caller to sizeof(wayseal_table_info).
typedef struct wayseal_table_info {
  size_t size;
  uint64_t id;       ///< First 8 bytes of the SHA-256 of its core section, big-endian.
  uint32_t version;  ///< That the author gave.
  uint16_t buses;    ///< 0: messages are those of every bus.
  uint16_t messages;
  uint16_t groups;
  uint16_t signals;
} wayseal_table_info;

/// What is in a loaded table. Any thread.
/// \return WAYSEAL_OK; WAYSEAL_INVALID_ARGUMENT: `size` is smaller than the first version's; of a larger one the members that
///         this library knows are set.
WAYSEAL_NODISCARD wayseal_status wayseal_table_describe(const wayseal_table* table, wayseal_table_info* info);

// ---- Client ------------------------------------------------------------------------------------------------------------

typedef struct wayseal_client wayseal_client;

typedef enum wayseal_when_full {
  WAYSEAL_WHEN_FULL_DROP_AND_COUNT =
      0,                      ///< Goes on reading, since a bus does not wait. What fits nowhere is counted.
  WAYSEAL_WHEN_FULL_WAIT = 1  ///< Stops reading. Only for recordings; needs WAYSEAL_COLLECTOR_CHUNKS.
} wayseal_when_full;

/// The OEM's wish for sessions, within what the protocol allows.
typedef struct wayseal_policy {
  size_t size;
  uint32_t suites;  ///< WAYSEAL_SUITE_BIT, or-ed.
  /// What a session may do before a new one follows it; each from 1 to the default, which is the protocol's limit.
  uint64_t session_records;
  uint64_t session_bytes;  ///< Of plaintext, at least one record's content.
  int64_t session_age_ms;
} wayseal_policy;

/// The protocol's limits and all suites, with `size` set. \param size sizeof(wayseal_policy).
/// \return WAYSEAL_OK; WAYSEAL_INVALID_ARGUMENT, WAYSEAL_UNSUPPORTED for the size, as `wayseal_client_config_init`.
WAYSEAL_NODISCARD wayseal_status wayseal_policy_init(wayseal_policy* policy, size_t size);

/// All that a client is made of and how it works. Fill it by `wayseal_client_config_init`, then set ports and memory, and
/// what you want different. The values are those of flow/client.hpp; times are in milliseconds.
typedef struct wayseal_client_config {
  size_t size;  ///< Set by wayseal_client_config_init, as `version`.
  uint32_t version;

  /// Ports: all are needed and outlive the client. `can_bus` is used by the bus side, `clock` by both, the rest by the cloud
  /// side.
  wayseal_can_bus* can_bus;
  wayseal_key_vault* vault;
  wayseal_cert_verifier* verifier;
  wayseal_channel* channel;
  wayseal_clock* clock;
  wayseal_storage* spool;  ///< Sealed records. An area of its own.
  wayseal_storage* state;  ///< Counters, prekeys. Another.

  /// What the gateway wants besides the client certificate. Null: nothing.
  wayseal_access_token* access_token;

  /// Memory, of any alignment, borrowed for the client's life.
  uint8_t* collector_memory;  ///< WAYSEAL_COLLECTOR_MEMORY.
  size_t collector_bytes;
  uint8_t* queue_memory;  ///< WAYSEAL_QUEUE_MEMORY.
  size_t queue_bytes;
  uint8_t* cloud_memory;  ///< WAYSEAL_CLOUD_MEMORY.
  size_t cloud_bytes;

  /// No time before this is ever believed: when this firmware was built. UTC.
  int64_t build_time_ms;

  // RecorderConfig
  int64_t batch_duration_ms;  ///< 1 to 3,600,000.
  uint32_t when_full;         ///< A wayseal_when_full: WAYSEAL_WHEN_FULL_DROP_AND_COUNT.
  uint32_t rounds_per_step;   ///< Times WAYSEAL_LIMIT_RECEIVE_FRAMES frames in one step at most. 1 to 255.

  // SealerConfig
  const wayseal_policy* policy;  ///< Copied. Null: all suites, the protocol's limits.
  int64_t sync_interval_ms;
  uint32_t sync_bytes;
  uint32_t records_per_step;
  int64_t loss_report_interval_ms;
  int64_t retry_min_ms;
  int64_t retry_max_ms;
  int64_t refused_wait_ms;

  // CourierConfig
  uint32_t upload_bytes;
  uint32_t prekeys_low;  ///< 0 to 255.
  int64_t linger_ms;
  int64_t back_off_min_ms;
  int64_t back_off_max_ms;
  int64_t retry_after_max_ms;
  int64_t resend_ms;
  int64_t idle_close_ms;
  int64_t refresh_ms;
  int64_t http_idle_ms;
  int64_t http_total_ms;

  /// Called on the cloud thread between the pieces of long work, for the watchdog: before each call of the token, each
  /// verification, erasure and sync, and every 32nd read or program of a storage. Returns at once, and does not call the
  /// library. Null: never.
  void (*keep_alive)(void* context);
  void* keep_alive_context;
} wayseal_client_config;

/// Sets every member: no ports, no memory, the defaults for the rest, and `size` and `version` as given.
/// \param size sizeof(wayseal_client_config). \param version WAYSEAL_VERSION.
/// \return WAYSEAL_OK; WAYSEAL_INVALID_ARGUMENT: the first version's struct was larger; WAYSEAL_UNSUPPORTED: the size or
///         the version is that of a newer header than the library's, or not compatible with it. Nothing is set then.
WAYSEAL_NODISCARD wayseal_status wayseal_client_config_init(wayseal_client_config* config, size_t size,
                                                            uint32_t version);

/// Makes a client in the caller's memory. Calls no port. Before the threads.
/// \param memory, bytes WAYSEAL_CLIENT_SIZE bytes, aligned (wayseal_client_memory is); borrowed until `wayseal_client_end`.
/// \param config copied; ports and memories in it are borrowed until `wayseal_client_end`.
/// \param[out] client the handle; null unless WAYSEAL_OK.
/// \return WAYSEAL_OK;
///         WAYSEAL_INVALID_ARGUMENT: null (ports and memories too), misaligned memory, config.size, or a number that does
///         not fit (rounds_per_step, prekeys_low, suites);
///         WAYSEAL_BUFFER_TOO_SMALL: `bytes` is less than `wayseal_client_size()`: the program was compiled with other limits
///         (WAYSEAL_CONFIG_FILE) than the library;
///         WAYSEAL_UNSUPPORTED: config.version, see `wayseal_check_version`. The rest of the configuration is judged by
///         `wayseal_client_start`.
WAYSEAL_NODISCARD wayseal_status wayseal_client_init(void* memory, size_t bytes,
                                                     const wayseal_client_config* config,
                                                     wayseal_client** client);

/// Ends a client: destroys its session's keys in the token. What is stored stays; what was not sealed is gone (see
/// `wayseal_client_prepare_sleep`). After the threads. The memory is the caller's again. Null is ignored.
void wayseal_client_end(wayseal_client* client);

/// Mounts state and spool, reads the vehicle's identity from the token, and starts to collect. Before the threads. May be
/// called again after a failure. \param table borrowed for the client's life.
/// \return WAYSEAL_OK;
///         WAYSEAL_BUFFER_TOO_SMALL: one of the memories; WAYSEAL_INVALID_ARGUMENT: the configuration or a storage's size;
///         WAYSEAL_NOT_FOUND: the token is not provisioned; WAYSEAL_NOT_AUTHENTIC: its certificate is not under the data
///         root or not of its key; WAYSEAL_MALFORMED: a storage holds something foreign or rotten, or the identity is no
///         vehicle id; WAYSEAL_UNSUPPORTED: another version's storage, or no common suite;
///         WAYSEAL_TOKEN_LOST, WAYSEAL_DENIED, WAYSEAL_STORAGE_FAILED, WAYSEAL_FULL.
WAYSEAL_NODISCARD wayseal_status wayseal_client_start(wayseal_client* client, const wayseal_table* table);

/// Bus thread, never waits: takes what has arrived, and closes batches that are due.
/// \param now_ns the clock port's time.
/// \return WAYSEAL_OK: nothing more waits (wait for the bus, a second at most); WAYSEAL_WOULD_BLOCK: more waits, call again at
///         once; WAYSEAL_FULL: let the cloud side run, then call again; samples may have been dropped and counted;
///         WAYSEAL_DISCONNECTED: every bus is down, call again after a while; WAYSEAL_BAD_STATE before `wayseal_client_start`.
WAYSEAL_NODISCARD wayseal_status wayseal_client_step_bus(wayseal_client* client, int64_t now_ns);

/// Bus thread: hands over what has been collected so far, before sleep or at the end of a recording.
/// \return WAYSEAL_OK; WAYSEAL_FULL: call again when the cloud side has made room; WAYSEAL_BAD_STATE before start.
WAYSEAL_NODISCARD wayseal_status wayseal_client_flush_bus(wayseal_client* client);

/// Bus thread: whether every bus has come to the end of its recording and no frame is left. Then flush. False for null.
bool wayseal_client_bus_ended(const wayseal_client* client);

/// Bus thread, once after start: asks the bus to deliver only what the table knows.
/// \param scratch for building the filters, needed during the call only; with fewer elements than the table has messages
///        every frame is asked for, which is right, only slower. May be null with count 0.
/// \return WAYSEAL_OK; WAYSEAL_UNSUPPORTED: everything is delivered, which is fine; WAYSEAL_DISCONNECTED: applied later;
///         WAYSEAL_BAD_STATE before start.
WAYSEAL_NODISCARD wayseal_status wayseal_client_apply_filters(wayseal_client* client,
                                                              wayseal_can_filter* scratch, size_t count);

/// Cloud thread: one bounded piece of sealing and one of delivery. What failed is retried by itself after a back-off.
/// \return WAYSEAL_OK: nothing to do until something arrives (wait for the connection, some tens of milliseconds at most);
///         WAYSEAL_WOULD_BLOCK: more to do, call again at once; WAYSEAL_BAD_STATE before start; else the first failure of
///         sealing, or of delivery: go on calling. WAYSEAL_DENIED and WAYSEAL_INVALID_ARGUMENT will not get better by
///         themselves.
WAYSEAL_NODISCARD wayseal_status wayseal_client_step_cloud(wayseal_client* client, int64_t now_ns);

/// By when a step is due if no frame, contents or bytes of the connection arrive before, in the clock port's time: each on its
/// side's thread, right after its step. See Client::next_bus_due and next_cloud_due in flow/client.hpp for who wakes whom.
/// \return `now_ns` or later; INT64_MAX: nothing is due (for null as well).
int64_t wayseal_client_next_bus_due(wayseal_client* client, int64_t now_ns);
int64_t wayseal_client_next_cloud_due(const wayseal_client* client, int64_t now_ns);

/// Cloud thread, after the bus side has flushed: seals and makes durable what is collected, before power goes.
/// \param deadline_ns when to stop, in the clock port's time; one call of token or storage may overrun it.
/// \return WAYSEAL_OK: all is durable; WAYSEAL_TIMEOUT: something is left in the queues, what was sealed is durable;
///         WAYSEAL_NOT_FOUND: contents wait for prekeys; failures as `wayseal_client_step_cloud`.
WAYSEAL_NODISCARD wayseal_status wayseal_client_prepare_sleep(wayseal_client* client, int64_t deadline_ns);

/// Cloud thread: replaces the crypto policy, also before start. A session that it forbids ends before the next record.
/// \return WAYSEAL_OK; WAYSEAL_UNSUPPORTED: it leaves no suite that this token and build can use, or `size` is of a newer
///         header; WAYSEAL_INVALID_ARGUMENT: a limit, `suites` or `size` out of range. Refused: the old one stays.
WAYSEAL_NODISCARD wayseal_status wayseal_client_set_policy(wayseal_client* client,
                                                           const wayseal_policy* policy);

/// Contents of one's own. The numbers are the wire's.
typedef enum wayseal_content {
  WAYSEAL_CONTENT_SECURITY_EVENT = 3,
  WAYSEAL_CONTENT_VERSION_MANIFEST = 4,
  WAYSEAL_CONTENT_DIAGNOSTICS = 5
} wayseal_content;

/// Cloud thread: copies an event or manifest into the queue of own contents, which are sealed before the bus side's.
/// \param type a wayseal_content. \param payload 1 to wayseal_own_content_max() bytes; not kept.
/// \return WAYSEAL_OK; WAYSEAL_FULL: two wait already, step the cloud side and call again; WAYSEAL_INVALID_ARGUMENT: the
///         size, or another type.
WAYSEAL_NODISCARD wayseal_status wayseal_client_add_content(wayseal_client* client, int type,
                                                            const uint8_t* payload, size_t bytes);
/// Bytes of the largest own content. Any thread.
size_t wayseal_own_content_max(void);

/// Cloud thread: true when every record that was sealed has been settled by the backend and none waits to be sealed. False for
/// null.
bool wayseal_client_all_delivered(const wayseal_client* client);

/// What has been counted since start, for status pages and logs; no secret and no telemetry is in it. The caller sets `size`
/// to sizeof(wayseal_client_stats). The members are those of the structs named, without their prefix.
typedef struct wayseal_client_stats {
  size_t size;
  // CollectorStats, as of the bus side's last step; zeros when it was just replacing them.
  uint64_t samples;  ///< Kept.
  uint64_t samples_dropped;
  uint64_t batches;
  uint64_t batches_dropped;
  // SealerStats
  uint64_t records_sealed;
  uint64_t samples_sealed;
  uint64_t content_bytes;  ///< Sealed contents, with padding.
  uint64_t sealed_bytes;   ///< As stored.
  uint64_t loss_reports;
  uint64_t acks;
  uint64_t acks_rejected;
  uint64_t refusals;
  uint64_t refusals_rejected;
  uint32_t sessions_opened;
  uint32_t voids;
  uint32_t contents_dropped;
  uint32_t token_reopens;
  // CourierStats
  uint64_t wire_bytes;     ///< Both directions, TLS included.
  uint64_t payload_bytes;  ///< Bodies of requests.
  uint64_t items_sent;
  uint32_t connections;
  uint32_t connections_failed;
  uint32_t uploads;
  uint32_t uploads_acked;
  uint32_t prekey_fetches;
  uint32_t prekey_replies;  ///< Of those, answered by authentic prekeys.
  uint32_t retries;
  uint32_t resends;
  // SpoolStats
  uint32_t spool_sessions;
  uint64_t spool_capacity_bytes;
  uint64_t waiting_bytes;    ///< Now: records not settled.
  uint64_t waiting_records;  ///< Now.
  uint64_t settled;          ///< Records freed by acks.
  uint64_t evicted;          ///< Records lost for want of room.
  uint64_t refused;          ///< Records freed by refusals.
  uint64_t damaged;          ///< Records that the medium gave back changed or not at all.
  uint64_t voided;
  // What went wrong last; WAYSEAL_OK when the last attempt succeeded.
  wayseal_status seal_failure;
  wayseal_status delivery_failure;
  wayseal_channel_diagnostic channel_failure;
  uint16_t last_http_status;
  uint8_t prekeys;  ///< One-time prekeys, neither used nor expired.
  bool last_resort_prekey;
  bool time_trusted;
} wayseal_client_stats;

/// Cloud thread.
/// \return WAYSEAL_OK; WAYSEAL_INVALID_ARGUMENT: `size` is smaller than the first version's; of a larger one the members that
///         this library knows are set.
WAYSEAL_NODISCARD wayseal_status wayseal_client_get_stats(const wayseal_client* client,
                                                          wayseal_client_stats* stats);

/// Any thread: one bus as of the bus side's last step.
/// \return WAYSEAL_OK; WAYSEAL_NOT_FOUND: no such bus, or none was seen yet; WAYSEAL_WOULD_BLOCK: just being replaced, ask
///         again at your next step.
WAYSEAL_NODISCARD wayseal_status wayseal_client_get_bus(const wayseal_client* client, uint8_t bus,
                                                        wayseal_bus_state* state,
                                                        wayseal_bus_counters* counters);

/// The vehicle's id, terminated by 0. Cloud thread, after start. For certificates and requests; log only a token of it.
/// \param out at least WAYSEAL_VEHICLE_ID_MAX + 1 bytes.
/// \return WAYSEAL_OK; WAYSEAL_BUFFER_TOO_SMALL; WAYSEAL_BAD_STATE before start.
WAYSEAL_NODISCARD wayseal_status wayseal_client_vehicle_id(const wayseal_client* client, char* out,
                                                           size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
