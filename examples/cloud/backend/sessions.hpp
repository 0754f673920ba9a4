// SPDX-License-Identifier: Apache-2.0
// SessionOpen: verification, claiming of the prekey, refusals (PROTOCOL.md, 6, 12 and 13).
#ifndef WAYSEAL_CLOUD_SESSIONS_HPP
#define WAYSEAL_CLOUD_SESSIONS_HPP

#include "core.hpp"

namespace cloud {

struct OpenOutcome {
  enum class Kind {
    kOpened,   ///< New or known: `session_id` is to be named in the ack.
    kRefused,  ///< `refusal` is a SignedRefusal.
    kSkipped,  ///< No refusal left in this upload, not authentic, unknown version, or not now: no answer.
  };
  Kind kind = Kind::kSkipped;
  Blob session_id;
  Blob refusal;
};

class Sessions {
 public:
  explicit Sessions(Core& core) : core_(core) {}
  /// \param refusals_left how many more may be signed for this upload; counted down. A session that meets none left
  /// is refused when it comes again.
  OpenOutcome accept(const Blob& encoded, const Peer& peer, size_t& refusals_left);

 private:
  struct Authentic {
    wayseal::v1::SessionOpen open;
    Blob th;
    bool revoked = false;
  };
  std::optional<Authentic> authenticate(const Blob& encoded, const Peer& peer);
  /// What a SessionOpen meets: a refusal only when the session can never be opened.
  struct Verdict {
    enum class Kind { kOpen, kRefuse, kSkip };
    Kind kind = Kind::kOpen;
    wayseal::v1::SessionRefused::Reason reason = wayseal::v1::SessionRefused::REASON_UNSPECIFIED;
  };
  Verdict judge(const Authentic& authentic, const Peer& peer);
  Verdict unrecorded(const Authentic& authentic, const Peer& peer, wayseal::v1::SessionRefused::Reason reason);
  OpenOutcome refuse(const Authentic& authentic, const Peer& peer, wayseal::v1::SessionRefused::Reason reason,
                     size_t& refusals_left);
  OpenOutcome open(const Authentic& authentic, const Peer& peer);
  int64_t claim(const SessionRow& row, const Peer& peer);

  Core& core_;
};

}  // namespace cloud

#endif
