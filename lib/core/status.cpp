// SPDX-License-Identifier: Apache-2.0
#include "wayseal/core/status.hpp"

namespace wayseal {

const char* status_name(Status status) {
  switch (status) {
    case Status::kOk: return "ok";
    case Status::kWouldBlock: return "would-block";
    case Status::kTimeout: return "timeout";
    case Status::kFull: return "full";
    case Status::kDisconnected: return "disconnected";
    case Status::kRefused: return "refused";
    case Status::kTokenLost: return "token-lost";
    case Status::kMalformed: return "malformed";
    case Status::kNotAuthentic: return "not-authentic";
    case Status::kUnsupported: return "unsupported";
    case Status::kStale: return "stale";
    case Status::kNotFound: return "not-found";
    case Status::kInvalidArgument: return "invalid-argument";
    case Status::kBufferTooSmall: return "buffer-too-small";
    case Status::kBadState: return "bad-state";
    case Status::kDenied: return "denied";
    case Status::kStorageFailed: return "storage-failed";
    case Status::kExhausted: return "exhausted";
  }
  return "unknown";
}

}  // namespace wayseal
