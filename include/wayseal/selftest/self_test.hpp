// SPDX-License-Identifier: Apache-2.0
/// \file
/// The contracts' essentials, tried on the device itself: what a port has to get right before `Client` is given it.
#ifndef WAYSEAL_SELFTEST_SELF_TEST_HPP
#define WAYSEAL_SELFTEST_SELF_TEST_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/hal/storage.hpp"
#include "wayseal/hal/transport.hpp"

namespace wayseal {

/// One rule each. What a port cannot break, because the contract's own half checks it (lengths, ranges, a nonce used twice), is
/// not here.
enum class SelfTestCheck : uint8_t {
  // The device's PSA Crypto, which verifies what the backend has signed.
  kSha256,           ///< Two known answers, one of them in pieces (FIPS 180-4).
  kVerifyGood,       ///< A known good ECDSA P-256 signature is accepted (RFC 6979, A.2.5).
  kVerifyDigest,     ///< The same over another digest is refused.
  kVerifySignature,  ///< The same with one bit changed is refused.
  kVerifyPoint,      ///< A key that is no point of the curve is refused.
  // Clock
  kClockNotBack,     ///< `now` never steps back.
  kClockAdvances,    ///< `now` advances: seen within kSelfTestClockReads readings.
  kClockContinuity,  ///< `continuity` stays while this program goes on.
  // Storage
  kStorageGeometry,  ///< Powers of two within the contract's ranges, at least two blocks, the same at every call.
  kStorageErase,     ///< An erased block holds 0xFF.
  kStorageProgram,   ///< One program unit reads back as written, also after `sync`.
  kStorageUnit,      ///< Programming one unit changes no byte before or after it.
  kStorageRead,      ///< A read may begin and end anywhere.
  kStorageEnds,      ///< First and last block, filled to their ends, are two.
  kStorageOneBlock,  ///< Erasing one block leaves the others.
  kStorageAgain,     ///< What was erased can be programmed with something else.
  // CanBus
  kCanBuses,     ///< At least one bus; beyond the last one: kDown and counters of zero.
  kCanFilters,   ///< No filter means every frame: kOk, kUnsupported, or kDisconnected while the bus is gone.
  kCanReceive,   ///< Never more frames than there is room for; only kOk and kDisconnected.
  kCanFrames,    ///< Id, length, bus and flags within their ranges. Skipped when no frame came.
  kCanCounters,  ///< `frames` has grown by what was handed out. Skipped when no frame came.
  // KeyVault
  kVaultSuites,  ///< At least one suite.
  kVaultRandom,  ///< Draws differ, and are no constant.
  kVaultTlsKey,  ///< Signs under its public key, and only what it was given. Skipped without such a key (kNotFound).
  kVaultE2eKey,       ///< The same of the key that signs SessionOpen.
  kVaultCertificate,  ///< The end-to-end certificate carries that key. Skipped when none is provisioned.
  kVaultObjectSize,   ///< An object that does not fit is kBufferTooSmall. Skipped likewise.
  kVaultEphemeral,    ///< Each is a point of the curve, another one, and ends the former.
  kVaultPeer,         ///< A peer that is no point is refused, and the ephemeral is gone all the same.
  kVaultOnce,         ///< An ephemeral serves one agreement.
  kVaultSeal,  ///< Sealed bytes are those that the peer computes, under the nonce that was given. Both suites,
               ///< as far as the vault and the device's PSA Crypto have them.
  kVaultOpen,  ///< What the peer seals opens.
  kVaultTamper,     ///< Changed ciphertext, tag, additional data or nonce: kNotAuthentic.
  kVaultDirection,  ///< Each key works in its own direction only: kInvalidArgument.
  kVaultDestroyed,  ///< A destroyed key is kInvalidArgument; a session beside it lives on.
  kVaultCounter,    ///< A monotonic counter reads the same twice; without one, kUnsupported.
  kVaultEpoch,      ///< The epoch stays while no key is lost.
  kVaultReopen,     ///< After `reopen` the epoch is larger, old keys are gone, identity keys are the same.
  // Transport
  kTransportClosed,  ///< When closed, everything is kBadState.
  // Channel
  kChannelClosed,  ///< When closed, everything is kBadState.
  kChannelName,    ///< There is an authority.
};
inline constexpr size_t kSelfTestChecks = static_cast<size_t>(SelfTestCheck::kChannelName) + 1;

/// Stable lower-case name for consoles and logs, e.g. "storage-one-block". Never null.
const char* self_test_name(SelfTestCheck check);

enum class SelfTestVerdict : uint8_t { kPassed, kFailed, kSkipped };

/// What is tested: each may be null, and is skipped then without a word. All are borrowed during the call.
struct SelfTestPorts {
  const Clock* clock = nullptr;
  /// **Its content is destroyed**: blocks 0, 1 and the last one. An area that nothing else uses.
  Storage* scratch = nullptr;
  /// Opened. Frames that wait are taken and dropped. Its filters are cleared: apply them afterwards.
  CanBus* bus = nullptr;
  /// Opened, and in no use: its session keys are destroyed, and it is opened anew (one log-in).
  KeyVault* vault = nullptr;
  /// Both are closed first. Nothing is sent.
  Transport* transport = nullptr;
  Channel* channel = nullptr;
};

/// Who hears of each check as it ends. Either function may be null.
struct SelfTestObserver {
  /// \param status what the port returned last; kOk where it returned something else than a Status.
  void (*checked)(void* context, SelfTestCheck check, SelfTestVerdict verdict, Status status) = nullptr;
  /// Called between any two calls of a port that may take long: feed the watchdog here.
  void (*keep_alive)(void* context) = nullptr;
  void* context = nullptr;
};

struct SelfTestReport {
  uint8_t passed = 0;
  uint8_t failed = 0;
  uint8_t skipped = 0;
};

/// Readings of a clock that stands still before it is given up.
inline constexpr uint32_t kSelfTestClockReads = 4 * 1000 * 1000;
/// Bytes of memory that `self_test` works in: a certificate, or two program units.
inline constexpr size_t kSelfTestMemory = kCertificateMax > 512 ? kCertificateMax : 512;

/// Tries what `ports` has, in the order of SelfTestCheck, to the end also when a check fails. A check whose ground is
/// missing because one before it failed is skipped.
///
/// It writes: in `scratch` 4 erasures, two blocks and two units of programs; nothing into the token but session objects, which it
/// destroys. With two suites it takes 2 signatures, 10 ephemerals and 11 agreements of the vault, 7 verifications, and until the
/// clock has advanced.
/// Call it before `Client::start`, in the factory or at the bench; not at every start.
///
/// Threads: one, and no other uses any of the ports. Blocking: as its ports.
/// \param memory kSelfTestMemory bytes, for the call; zeros afterwards.
/// \param[out] report counts.
/// \return kOk: nothing failed; kBadState: a check failed, and the observer knows which; kBufferTooSmall: `memory`, nothing was
///         tried.
Status self_test(const SelfTestPorts& ports, MutableBytes memory, const SelfTestObserver& observer,
                 SelfTestReport& report);

}  // namespace wayseal

#endif
