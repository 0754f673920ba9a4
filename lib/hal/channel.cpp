// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/channel.hpp"

namespace wayseal {

const char* channel_failure_name(ChannelFailure failure) {
  switch (failure) {
    case ChannelFailure::kNone: return "none";
    case ChannelFailure::kNameNotFound: return "name-not-found";
    case ChannelFailure::kUnreachable: return "unreachable";
    case ChannelFailure::kTimedOut: return "timed-out";
    case ChannelFailure::kServerUntrusted: return "server-untrusted";
    case ChannelFailure::kServerWrongName: return "server-wrong-name";
    case ChannelFailure::kServerExpired: return "server-expired";
    case ChannelFailure::kServerRevoked: return "server-revoked";
    case ChannelFailure::kServerWrongRole: return "server-wrong-role";
    case ChannelFailure::kProtocolVersion: return "protocol-version";
    case ChannelFailure::kNoCommonCipher: return "no-common-cipher";
    case ChannelFailure::kClientCertificateRefused: return "client-certificate-refused";
    case ChannelFailure::kTokenFailed: return "token-failed";
    case ChannelFailure::kClosedByPeer: return "closed-by-peer";
    case ChannelFailure::kProtocolError: return "protocol-error";
  }
  return "unknown";
}

Status Channel::open(CertificateDates dates) {
  do_close();
  return do_open(dates);
}

Status Channel::progress() { return do_progress(); }

Result<size_t> Channel::write(Bytes data) {
  if (data.empty()) return Status::kInvalidArgument;
  return do_write(data);
}

Result<size_t> Channel::read(MutableBytes out) {
  if (out.empty()) return Status::kInvalidArgument;
  return do_read(out);
}

}  // namespace wayseal
