// SPDX-License-Identifier: Apache-2.0
/// \file
/// The register of vehicles' identities: every certificate that was ever issued for one, what became of it, and what became of
/// the vehicle. An SQLite file that wayseal-oem and wayseal-est share; what a call has written survives a power cut. Every
/// failure throws std::runtime_error.
#ifndef WAYSEAL_OEM_PROVISION_REGISTER_HPP
#define WAYSEAL_OEM_PROVISION_REGISTER_HPP

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wayseal::oem {

/// Labels of certificates, as of the keys in a vehicle's token.
inline constexpr char kTlsLabel[] = "tls";
inline constexpr char kE2eLabel[] = "e2e";
inline constexpr char kBootstrapLabel[] = "bootstrap";

enum class IdentityState : uint8_t {
  kIssued = 0,      ///< Nobody has seen it used.
  kSeen = 1,        ///< Its vehicle has shown it.
  kSuperseded = 2,  ///< Revoked by the operator's policy, because a newer one is in use.
  kRevoked = 3,
};
const char* name_of(IdentityState state);

/// One certificate.
struct Identity {
  std::string serial;     ///< Hexadecimal, as `serial_of` gives it.
  std::string authority;  ///< Name of the issuing authority in ca/.
  std::string vehicle;
  std::string label;
  std::string key;     ///< `key_digest_of` its key.
  std::string digest;  ///< SHA-256 of the certificate, hexadecimal.
  int64_t not_before_s = 0;
  int64_t not_after_s = 0;
  std::string requested_by;  ///< `oem`, or the serial number of the certificate that asked for it.
  int64_t issued_s = 0;
  IdentityState state = IdentityState::kIssued;
  int64_t seen_s = 0;       ///< First time that it was seen; 0: never.
  int64_t used_s = 0;       ///< Last time.
  std::string certificate;  ///< DER.
  bool good() const { return state <= IdentityState::kSeen; }
};

/// What is known of a vehicle as such.
struct VehicleStanding {
  bool decommissioned = false;
  int64_t ownership = 1;  ///< Grows with each change of owner.
  int64_t since_s = 0;    ///< When this ownership began; 0: when the vehicle was made.
};

class Register {
 public:
  /// Makes an empty one, with mode 0600.
  static void create(const std::filesystem::path& file);
  explicit Register(const std::filesystem::path& file);
  ~Register();
  Register(const Register&) = delete;
  Register& operator=(const Register&) = delete;

  /// Runs `work` as one transaction: all that it writes, durably, or nothing when it throws. Others wait meanwhile.
  void atomically(const std::function<void()>& work);

  void add(const Identity& identity);
  std::optional<Identity> by_serial(const std::string& serial);
  /// All certificates of a key.
  std::vector<Identity> by_key(const std::string& key);
  /// The one that was issued last, whatever became of it.
  std::optional<Identity> newest(const std::string& vehicle, const std::string& label);
  /// All, oldest first. \param vehicle empty: of every vehicle.
  std::vector<Identity> list(const std::string& vehicle);
  /// Certificates that vehicles have asked for since then.
  int64_t requested_since(const std::string& vehicle, int64_t since_s);

  /// Notes that certificates were used. \param digest_start at least 12 digits of the digest. \return how many are known.
  int64_t see(const std::string& digest_start, int64_t now_s);
  enum class Keep : uint8_t { kNothing, kBootstrap };
  /// \return how many there were.
  int64_t revoke(const std::string& vehicle, Keep keep);
  /// Supersedes certificates of `label` that a newer one replaced: a newer TLS certificate that was seen before `before_s`; a
  /// newer e2e certificate that was issued before it, and the vehicle was seen since. \param vehicle empty: of all.
  /// \return the certificates, as they are now.
  std::vector<Identity> supersede(const std::string& label, const std::string& vehicle, int64_t before_s);
  /// Serial numbers that belong on the authority's revocation list.
  std::vector<std::string> revoked_serials(const std::string& authority);
  /// Certificates of an authority that may still be used at that time.
  int64_t living(const std::string& authority, int64_t now_s);

  VehicleStanding standing(const std::string& vehicle);
  void decommission(const std::string& vehicle);
  /// \return the new ownership.
  int64_t change_owner(const std::string& vehicle, int64_t now_s);

  /// 32 random bytes made with the register: key of the names of vehicles in logs.
  std::string log_key();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wayseal::oem

#endif
