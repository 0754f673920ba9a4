// SPDX-License-Identifier: Apache-2.0
/// \file
/// Real tokens for tests, made in a temporary directory: SoftHSM2, and NSS softoken. One PKCS#11 library holds
/// its state for the whole process, so each fixture exists once and is shared by the tests of a program.
#ifndef WAYSEAL_TESTS_CONTRACT_KEY_VAULT_TOKEN_FIXTURE_HPP
#define WAYSEAL_TESTS_CONTRACT_KEY_VAULT_TOKEN_FIXTURE_HPP

#include <string>
#include <vector>

#include "wayseal/pkcs11/pkcs11_vault.hpp"

namespace wayseal::test {

/// A PIN from memory. `reads` counts how often it was asked for.
class MemoryPin final : public PinSource {
 public:
  explicit MemoryPin(std::string pin) : pin_(std::move(pin)) {}
  int reads = 0;

 private:
  Result<size_t> do_read(MutableBytes out) override;
  std::string pin_;
};

inline constexpr char kTestPin[] = "correct-horse-4711";
inline constexpr char kTestSoPin[] = "battery-staple-0815";
inline constexpr char kWrongPin[] = "wrong-donkey-1234";

/// A directory below the system's temporary one, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// NSS softoken's library: $WAYSEAL_NSS_MODULE, or a name for the dynamic loader.
std::string nss_path();
/// What NSS wants in CK_C_INITIALIZE_ARGS.pReserved: a database in `directory`, as a token with this label.
std::string nss_parameters(const std::string& directory, const std::string& label);
/// Gives a new NSS database its PIN, kTestPin. \throw TokenError.
void initialize_nss(Pkcs11Module& module);

/// A PKCS#11 library with tokens that have a `tls` and an `e2e` key. Look at `missing` first.
class TokenFixture {
 public:
  /// The process's SoftHSM2: the library at $WAYSEAL_SOFTHSM_MODULE, or at one of the usual places.
  static TokenFixture& softhsm();
  /// The process's NSS softoken: $WAYSEAL_NSS_MODULE, or libsoftokn3.so. It has one token only.
  static TokenFixture& nss();

  /// Where SoftHSM2's library is; empty when it is not installed.
  static std::string softhsm_path();

  /// Why there is no such library, for SKIP; empty when there is one.
  const std::string& missing() const { return missing_; }
  Pkcs11Module& module() { return module_; }
  /// Where the library was loaded from.
  const std::string& module_path() const { return path_; }
  /// SoftHSM2 only: its configuration file, as $SOFTHSM2_CONF also says.
  std::string configuration() const { return directory_.path() + "/softhsm2.conf"; }
  /// The shared token. Its object `data-root` is `certificate()`.
  const char* token_label() const { return "wayseal test"; }
  MemoryPin& pin() { return pin_; }
  /// A self-signed certificate in DER.
  const std::vector<uint8_t>& certificate() const { return certificate_; }

  /// SoftHSM2 only: makes another token and returns the directory that holds its objects.
  std::string add_token(const std::string& label);

 private:
  enum class Kind { kSoftHsm, kNss };
  explicit TokenFixture(Kind kind);
  void start_softhsm();
  void start_nss();
  void provision(const std::string& label);

  std::string missing_;
  std::string path_;
  std::string reserved_;  // outlives the module, which borrows it
  std::vector<uint8_t> certificate_;
  TemporaryDirectory directory_;
  MemoryPin pin_{kTestPin};
  Pkcs11Module module_;
};

}  // namespace wayseal::test

#endif
