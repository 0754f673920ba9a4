// SPDX-License-Identifier: Apache-2.0
// Proves, when it is compiled, that wayseal.h and the library mean the same. wayseal.h comes first, so that it sees the limits
// as a program in C does: without the library's defaults. No code comes of it.
#include "wayseal/wayseal.h"

#include <cstddef>
#include <type_traits>

#include "wayseal/flow/client.hpp"

namespace wayseal::capi {
namespace {

#define SAME(c, cpp) \
  static_assert(static_cast<long>(c) == static_cast<long>(cpp), #c " and " #cpp " are the same")

SAME(WAYSEAL_VERSION_MAJOR, WAYSEAL_PROJECT_MAJOR);
SAME(WAYSEAL_VERSION_MINOR, WAYSEAL_PROJECT_MINOR);
SAME(WAYSEAL_VERSION_PATCH, WAYSEAL_PROJECT_PATCH);

SAME(WAYSEAL_OK, Status::kOk);
SAME(WAYSEAL_WOULD_BLOCK, Status::kWouldBlock);
SAME(WAYSEAL_TIMEOUT, Status::kTimeout);
SAME(WAYSEAL_FULL, Status::kFull);
SAME(WAYSEAL_DISCONNECTED, Status::kDisconnected);
SAME(WAYSEAL_REFUSED, Status::kRefused);
SAME(WAYSEAL_TOKEN_LOST, Status::kTokenLost);
SAME(WAYSEAL_MALFORMED, Status::kMalformed);
SAME(WAYSEAL_NOT_AUTHENTIC, Status::kNotAuthentic);
SAME(WAYSEAL_UNSUPPORTED, Status::kUnsupported);
SAME(WAYSEAL_STALE, Status::kStale);
SAME(WAYSEAL_NOT_FOUND, Status::kNotFound);
SAME(WAYSEAL_INVALID_ARGUMENT, Status::kInvalidArgument);
SAME(WAYSEAL_BUFFER_TOO_SMALL, Status::kBufferTooSmall);
SAME(WAYSEAL_BAD_STATE, Status::kBadState);
SAME(WAYSEAL_DENIED, Status::kDenied);
SAME(WAYSEAL_STORAGE_FAILED, Status::kStorageFailed);
SAME(WAYSEAL_EXHAUSTED, Status::kExhausted);

SAME(WAYSEAL_NEXT_NOTHING, NextStep::kNothing);
SAME(WAYSEAL_NEXT_TRY_AGAIN, NextStep::kTryAgain);
SAME(WAYSEAL_NEXT_OPEN_AGAIN, NextStep::kOpenAgain);
SAME(WAYSEAL_NEXT_DROP_INPUT, NextStep::kDropInput);
SAME(WAYSEAL_NEXT_FIX_CALL, NextStep::kFixCall);
SAME(WAYSEAL_NEXT_STOP, NextStep::kStop);

SAME(WAYSEAL_BUS_DOWN, BusState::kDown);
SAME(WAYSEAL_BUS_ACTIVE, BusState::kActive);
SAME(WAYSEAL_BUS_ERROR_PASSIVE, BusState::kErrorPassive);
SAME(WAYSEAL_BUS_OFF, BusState::kBusOff);
SAME(WAYSEAL_BUS_ENDED, BusState::kEnded);
SAME(WAYSEAL_TIME_MONOTONIC, TimeBase::kMonotonic);
SAME(WAYSEAL_TIME_RECORDED, TimeBase::kRecorded);
SAME(WAYSEAL_KEY_TLS, IdentityKey::kTls);
SAME(WAYSEAL_KEY_E2E, IdentityKey::kE2e);
SAME(WAYSEAL_OBJECT_TLS_CERTIFICATE, VaultObject::kTlsCertificate);
SAME(WAYSEAL_OBJECT_TLS_INTERMEDIATE, VaultObject::kTlsIntermediate);
SAME(WAYSEAL_OBJECT_E2E_CERTIFICATE, VaultObject::kE2eCertificate);
SAME(WAYSEAL_OBJECT_E2E_INTERMEDIATE, VaultObject::kE2eIntermediate);
SAME(WAYSEAL_OBJECT_DATA_ROOT, VaultObject::kDataRoot);
SAME(WAYSEAL_OBJECT_GATEWAY_CA, VaultObject::kGatewayCa);
SAME(WAYSEAL_SUITE_P256_HKDF_SHA256, Suite::kP256HkdfSha256Aes256Gcm);
SAME(WAYSEAL_SUITE_P256_CMAC_KDF, Suite::kP256CmacKdfAes256Gcm);
SAME(WAYSEAL_SUITES_ALL, CryptoPolicy{}.suites.bits);
SAME(WAYSEAL_ROLE_VEHICLE, Role::kVehicle);
SAME(WAYSEAL_ROLE_PREKEY, Role::kPrekey);
SAME(WAYSEAL_ROLE_TIME, Role::kTime);
SAME(WAYSEAL_WHEN_FULL_DROP_AND_COUNT, WhenFull::kDropAndCount);
SAME(WAYSEAL_WHEN_FULL_WAIT, WhenFull::kWait);
SAME(WAYSEAL_CONTENT_SECURITY_EVENT, ContentType::kSecurityEvent);
SAME(WAYSEAL_CONTENT_VERSION_MANIFEST, ContentType::kVersionManifest);
SAME(WAYSEAL_CONTENT_DIAGNOSTICS, ContentType::kDiagnostics);

SAME(WAYSEAL_CHANNEL_NONE, ChannelFailure::kNone);
SAME(WAYSEAL_CHANNEL_NAME_NOT_FOUND, ChannelFailure::kNameNotFound);
SAME(WAYSEAL_CHANNEL_UNREACHABLE, ChannelFailure::kUnreachable);
SAME(WAYSEAL_CHANNEL_TIMED_OUT, ChannelFailure::kTimedOut);
SAME(WAYSEAL_CHANNEL_SERVER_UNTRUSTED, ChannelFailure::kServerUntrusted);
SAME(WAYSEAL_CHANNEL_SERVER_WRONG_NAME, ChannelFailure::kServerWrongName);
SAME(WAYSEAL_CHANNEL_SERVER_EXPIRED, ChannelFailure::kServerExpired);
SAME(WAYSEAL_CHANNEL_SERVER_REVOKED, ChannelFailure::kServerRevoked);
SAME(WAYSEAL_CHANNEL_SERVER_WRONG_ROLE, ChannelFailure::kServerWrongRole);
SAME(WAYSEAL_CHANNEL_PROTOCOL_VERSION, ChannelFailure::kProtocolVersion);
SAME(WAYSEAL_CHANNEL_NO_COMMON_CIPHER, ChannelFailure::kNoCommonCipher);
SAME(WAYSEAL_CHANNEL_CLIENT_CERTIFICATE_REFUSED, ChannelFailure::kClientCertificateRefused);
SAME(WAYSEAL_CHANNEL_TOKEN_FAILED, ChannelFailure::kTokenFailed);
SAME(WAYSEAL_CHANNEL_CLOSED_BY_PEER, ChannelFailure::kClosedByPeer);
SAME(WAYSEAL_CHANNEL_PROTOCOL_ERROR, ChannelFailure::kProtocolError);

// An enumerator that wayseal.h does not have makes a switch incomplete, which is an error (-Wswitch).
constexpr bool known(Status status) {
  switch (status) {
    case Status::kOk:
    case Status::kWouldBlock:
    case Status::kTimeout:
    case Status::kFull:
    case Status::kDisconnected:
    case Status::kRefused:
    case Status::kTokenLost:
    case Status::kMalformed:
    case Status::kNotAuthentic:
    case Status::kUnsupported:
    case Status::kStale:
    case Status::kNotFound:
    case Status::kInvalidArgument:
    case Status::kBufferTooSmall:
    case Status::kBadState:
    case Status::kDenied:
    case Status::kStorageFailed:
    case Status::kExhausted: return true;
  }
  return false;
}
constexpr bool known(ChannelFailure failure) {
  switch (failure) {
    case ChannelFailure::kNone:
    case ChannelFailure::kNameNotFound:
    case ChannelFailure::kUnreachable:
    case ChannelFailure::kTimedOut:
    case ChannelFailure::kServerUntrusted:
    case ChannelFailure::kServerWrongName:
    case ChannelFailure::kServerExpired:
    case ChannelFailure::kServerRevoked:
    case ChannelFailure::kServerWrongRole:
    case ChannelFailure::kProtocolVersion:
    case ChannelFailure::kNoCommonCipher:
    case ChannelFailure::kClientCertificateRefused:
    case ChannelFailure::kTokenFailed:
    case ChannelFailure::kClosedByPeer:
    case ChannelFailure::kProtocolError: return true;
  }
  return false;
}
constexpr bool known(BusState state) {
  switch (state) {
    case BusState::kDown:
    case BusState::kActive:
    case BusState::kErrorPassive:
    case BusState::kBusOff:
    case BusState::kEnded: return true;
  }
  return false;
}
constexpr bool known(VaultObject object) {
  switch (object) {
    case VaultObject::kTlsCertificate:
    case VaultObject::kTlsIntermediate:
    case VaultObject::kE2eCertificate:
    case VaultObject::kE2eIntermediate:
    case VaultObject::kDataRoot:
    case VaultObject::kGatewayCa: return true;
  }
  return false;
}
constexpr bool known(Role role) {
  switch (role) {
    case Role::kVehicle:
    case Role::kPrekey:
    case Role::kTime: return true;
  }
  return false;
}
constexpr bool known(Suite suite) {
  switch (suite) {
    case Suite::kP256HkdfSha256Aes256Gcm:
    case Suite::kP256CmacKdfAes256Gcm: return true;
  }
  return false;
}
constexpr bool known(ContentType type) {
  switch (type) {
    case ContentType::kBatch:  // the first three are not a program's to make
    case ContentType::kLossReport:
    case ContentType::kAck:
    case ContentType::kSecurityEvent:
    case ContentType::kVersionManifest:
    case ContentType::kDiagnostics: return true;
  }
  return false;
}
static_assert(known(Status::kOk) && known(ChannelFailure::kNone) && known(BusState::kDown) &&
                  known(VaultObject::kDataRoot) && known(Role::kTime) && known(Suite::kP256CmacKdfAes256Gcm) &&
                  known(ContentType::kBatch),
              "each switch has all");

// Limits, in a header that was compiled without the library's.
SAME(WAYSEAL_LIMIT_RECORD, kRecordMax);
SAME(WAYSEAL_LIMIT_BUSES, kBusesMax);
SAME(WAYSEAL_LIMIT_RECEIVE_FRAMES, kReceiveFramesMax);
SAME(WAYSEAL_LIMIT_PREKEYS, kPrekeysMax);
SAME(WAYSEAL_LIMIT_LIVE_SESSIONS, kLiveSessionsMax);
SAME(WAYSEAL_LIMIT_LOSS_RANGES, kLossRangesMax);
SAME(WAYSEAL_LIMIT_CERTIFICATE, kCertificateMax);
SAME(WAYSEAL_LIMIT_ACK_CONTENT, kAckContentMax);
SAME(WAYSEAL_LIMIT_UPLOAD_ITEMS, kUploadItemsMax);
SAME(WAYSEAL_LIMIT_REPLY, kReplyMax);
SAME(WAYSEAL_LIMIT_REQUEST_HEAD, http::kRequestHeadMax);
SAME(WAYSEAL_LIMIT_OWN_CONTENT, kOwnContentMax);
SAME(WAYSEAL_CAN_DATA_MAX, kCanDataMax);
SAME(WAYSEAL_VEHICLE_ID_MAX, kVehicleIdMax);
SAME(WAYSEAL_DIGEST_SIZE, Digest::kSize);
SAME(WAYSEAL_POINT_SIZE, EcPoint::kSize);
SAME(WAYSEAL_SIGNATURE_SIZE, EcSignature::kSize);
SAME(WAYSEAL_NONCE_SIZE, Nonce::kSize);
SAME(WAYSEAL_TAG_SIZE, kGcmTagSize);
SAME(WAYSEAL_QUEUE_MEMORY(3), RecordQueue::memory_needed(3));
SAME(WAYSEAL_COLLECTOR_MEMORY(5, 7, 11), Collector::memory_needed(5, 7, 11));
SAME(WAYSEAL_COLLECTOR_CHUNKS(5, 7), Collector::chunks_needed(5, 7));

// Frames, filters and counters have one layout: the library hands its own out under the C types.
#define SAME_MEMBER(c, cpp, member) SAME(offsetof(c, member), offsetof(cpp, member))
static_assert(sizeof(wayseal_can_frame) == sizeof(CanFrame));
static_assert(alignof(wayseal_can_frame) == alignof(CanFrame));
SAME_MEMBER(wayseal_can_frame, CanFrame, time_ns);
SAME_MEMBER(wayseal_can_frame, CanFrame, id);
SAME_MEMBER(wayseal_can_frame, CanFrame, bus);
SAME_MEMBER(wayseal_can_frame, CanFrame, flags);
SAME_MEMBER(wayseal_can_frame, CanFrame, length);
SAME_MEMBER(wayseal_can_frame, CanFrame, data);
SAME(WAYSEAL_CAN_EXTENDED_ID, CanFrame::kExtendedId);
SAME(WAYSEAL_CAN_FD, CanFrame::kFd);
SAME(WAYSEAL_CAN_BIT_RATE_SWITCH, CanFrame::kBitRateSwitch);
SAME(WAYSEAL_CAN_ERROR_STATE_INDICATOR, CanFrame::kErrorStateIndicator);
static_assert(sizeof(wayseal_can_filter) == sizeof(CanFilter) && sizeof(bool) == 1);
static_assert(alignof(wayseal_can_filter) == alignof(CanFilter));
SAME_MEMBER(wayseal_can_filter, CanFilter, id);
SAME_MEMBER(wayseal_can_filter, CanFilter, mask);
SAME_MEMBER(wayseal_can_filter, CanFilter, extended);
SAME_MEMBER(wayseal_can_filter, CanFilter, bus);
SAME(WAYSEAL_CAN_EVERY_BUS, CanFilter::kEveryBus);
static_assert(sizeof(wayseal_bus_counters) == sizeof(BusCounters) && std::is_trivially_copyable_v<BusCounters>);
SAME_MEMBER(wayseal_bus_counters, BusCounters, frames);
SAME_MEMBER(wayseal_bus_counters, BusCounters, frames_dropped);
SAME_MEMBER(wayseal_bus_counters, BusCounters, error_frames);
SAME_MEMBER(wayseal_bus_counters, BusCounters, bus_off_events);
SAME_MEMBER(wayseal_bus_counters, BusCounters, down_events);
SAME_MEMBER(wayseal_bus_counters, BusCounters, unreadable);
SAME_MEMBER(wayseal_bus_counters, BusCounters, time_steps_back);

}  // namespace
}  // namespace wayseal::capi
