// SPDX-License-Identifier: Apache-2.0
// The backend's token: its identities, the private halves of prekeys, and the keys of sessions. No private or
// session
// key leaves it.
//
// Threads: one. Blocking: each call takes as long as the token does.
#ifndef WAYSEAL_CLOUD_TOKEN_HPP
#define WAYSEAL_CLOUD_TOKEN_HPP

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pkcs11.hpp"

namespace cloud {

enum class Suite : uint32_t { kHkdf = 1, kCmacKdf = 2 };

/// The two AES-256-GCM keys of one session, seen from the backend. Session objects: they die with the token's
/// session.
struct SessionKeys {
  CK_OBJECT_HANDLE open = CK_INVALID_HANDLE;  ///< `ws1.v2b`, decrypts only.
  CK_OBJECT_HANDLE seal = CK_INVALID_HANDLE;  ///< `ws1.b2v`, encrypts only.
};

/// A signing key of the token with its certificates.
struct Identity {
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  Blob certificate;   ///< DER
  Blob intermediate;  ///< DER
};

class Token {
 public:
  /// CKM_SP800_108_COUNTER_KDF of PKCS#11 3.0, absent from 2.40 headers.
  static constexpr CK_MECHANISM_TYPE kMechanismCounterKdf = 0x03AC;

  /// Logs in once; a wrong PIN is never tried again. The PIN is kept, for `reopen`, and wiped at the end.
  Token(const std::string& module_path, const std::string& module_args, const std::string& label, Blob pin);
  ~Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  /// After TokenError::lost(): new sessions and login. Session keys of before are gone. Throws, without asking the
  /// token, when `denied()`.
  void reopen();
  /// The token has refused the PIN once. It is never tried again, each try may be the one that locks the token: an
  /// operator has to look and start the program anew.
  bool denied() const { return denied_; }

  Blob random(size_t size);
  /// The key labelled `name` and the certificates labelled `name` and `name-intermediate`.
  Identity identity(const std::string& name);
  /// DER of the certificate object with this label.
  Blob certificate(const std::string& label);
  /// ECDSA P-256 over a SHA-256 digest: r then s, 64 bytes.
  Blob sign(const Identity& identity, std::string_view digest);

  /// Value of an attribute, for those who inspect keys. Throws TokenError where the token keeps it to itself.
  Blob attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

  /// Suites that the token can derive, bit n-1 for suite n.
  uint32_t suites() const { return suites_; }

  /// Makes the key pair of prekey `id` as token objects and returns its public point, 65 bytes.
  Blob make_prekey(uint64_t id);
  /// Whether the private half of prekey `id` is in the token.
  bool has_prekey(uint64_t id) { return find_prekey(id) != CK_INVALID_HANDLE; }
  /// Destroys the private half of prekey `id`. No error when it is gone already.
  void destroy_prekey(uint64_t id);

  /// Keys of a session (PROTOCOL.md, "Keys"). \return nothing when the private half is not there or `peer` is
  /// no
  /// point of the curve.
  std::optional<SessionKeys> derive(uint64_t prekey_id, std::string_view peer, Suite suite,
                                    std::string_view th);
  void destroy(const SessionKeys& keys);

  /// AES-256-GCM. \return nothing when the tag does not match.
  std::optional<Blob> open(const SessionKeys& keys, std::string_view nonce, std::string_view aad,
                           std::string_view ciphertext);
  /// \return ciphertext, then the 16-byte tag.
  Blob seal(const SessionKeys& keys, std::string_view nonce, std::string_view aad, std::string_view plaintext);

 private:
  void login();
  void close();
  uint32_t probe_suites();
  CK_OBJECT_HANDLE find_prekey(uint64_t id);
  // Key agreement, token_kdf.cpp. Objects are session objects and are destroyed by their holder.
  CK_OBJECT_HANDLE derive_object(CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base, Template& form);
  CK_OBJECT_HANDLE agree(CK_OBJECT_HANDLE prekey, std::string_view peer, CK_KEY_TYPE type);
  Blob derive_readable(CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base, size_t size);
  CK_OBJECT_HANDLE hkdf(CK_OBJECT_HANDLE z, std::string_view label, std::string_view th, CK_ATTRIBUTE_TYPE use);
  CK_OBJECT_HANDLE cmac_kdf(CK_OBJECT_HANDLE z, std::string_view label, std::string_view th,
                            CK_ATTRIBUTE_TYPE use);
  CK_OBJECT_HANDLE cmac_kdf_native(CK_OBJECT_HANDLE z, std::string_view label, std::string_view th,
                                   CK_ATTRIBUTE_TYPE use);

  std::string label_;
  Blob pin_;
  std::unique_ptr<Module> module_;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE keys_ = 0;  // makes and holds keys
  CK_SESSION_HANDLE sign_ = 0;  // one operation a session: signing apart from sealing
  CK_SESSION_HANDLE crypt_ = 0;
  uint32_t suites_ = 0;
  bool native_cmac_ = false;  ///< Suite 2 is one mechanism of the token, and nothing readable comes of it.
  bool denied_ = false;
};

}  // namespace cloud

#endif
