// SPDX-License-Identifier: Apache-2.0
// The writing side of a token: keys and certificates of an identity's two places.
#include "attributes.hpp"
#include "session_keys.hpp"
#include "wayseal/pkcs11/pkcs11_identities.hpp"

namespace wayseal {
namespace {

using pkcs11::Attributes;

constexpr CK_OBJECT_CLASS kCertificateClass = CKO_CERTIFICATE;
constexpr CK_RV kActionProhibited = 0x1B;  // CKR_ACTION_PROHIBITED of PKCS#11 2.40
constexpr CK_CERTIFICATE_TYPE kX509 = CKC_X_509;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kVersion = 0xA0;
/// More objects of one label than this are no work of ours.
constexpr int kSameLabelMax = 8;

/// A session for the time of one call that may write.
class WritingSession {
 public:
  WritingSession(const CK_FUNCTION_LIST* functions, CK_SLOT_ID slot) : functions_(functions) {
    rv_ = functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &handle_);
  }
  ~WritingSession() {
    if (rv_ == CKR_OK) functions_->C_CloseSession(handle_);
  }
  WritingSession(const WritingSession&) = delete;
  WritingSession& operator=(const WritingSession&) = delete;
  CK_RV opened() const { return rv_; }
  CK_SESSION_HANDLE handle() const { return handle_; }

 private:
  const CK_FUNCTION_LIST* functions_;
  CK_SESSION_HANDLE handle_ = 0;
  CK_RV rv_;
};

/// Takes the DER element that `bytes` begins with. Empty when there is none with this tag.
Bytes take_element(Bytes& bytes, uint8_t tag, Bytes& content) {
  if (bytes.size() < 2 || bytes[0] != tag) return {};
  const size_t more = bytes[1] < 0x80 ? 0 : bytes[1] - 0x80U;
  if (more > 2 || bytes.size() < 2 + more) return {};
  size_t length = more == 0 ? bytes[1] : 0;
  for (size_t i = 0; i < more; ++i) length = length << 8 | bytes[2 + i];
  const size_t head = 2 + more;
  if (bytes.size() - head < length) return {};
  const Bytes element = bytes.first(head + length);
  content = element.from(head);
  bytes = bytes.from(head + length);
  return element;
}

/// What a token wants to know of a certificate besides its bytes (PKCS#11 2.40, 4.6.3), each as the DER in it.
struct CertificateNames {
  Bytes serial;
  Bytes issuer;
  Bytes subject;
};

bool read_names(Bytes certificate, CertificateNames& names) {
  Bytes outer;
  Bytes body;
  Bytes content;
  if (take_element(certificate, kSequence, outer).empty() || take_element(outer, kSequence, body).empty())
    return false;
  take_element(body, kVersion, content);
  names.serial = take_element(body, kInteger, content);
  take_element(body, kSequence, content);  // algorithm
  names.issuer = take_element(body, kSequence, content);
  take_element(body, kSequence, content);  // validity
  names.subject = take_element(body, kSequence, content);
  return !names.serial.empty() && !names.issuer.empty() && !names.subject.empty();
}

}  // namespace

const IdentityLabels& Pkcs11Identities::labels(IdentityKey key, IdentitySlot slot) const {
  const IdentityLabels* both = key == IdentityKey::kTls ? options_.tls : options_.e2e;
  return both[static_cast<size_t>(slot)];
}

Status Pkcs11Identities::destroy_all(CK_SESSION_HANDLE session, CK_OBJECT_CLASS type, const char* label) {
  const CK_FUNCTION_LIST* functions = vault_.module_.functions();
  Attributes wanted;
  wanted.add(CKA_CLASS, type).set(CKA_TOKEN).text(CKA_LABEL, label);
  for (int i = 0; i < kSameLabelMax; ++i) {
    WAYSEAL_TRY(vault_.check(functions->C_FindObjectsInit(session, wanted.list(), wanted.count())));
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    const CK_RV rv = functions->C_FindObjects(session, &found, 1, &count);
    functions->C_FindObjectsFinal(session);
    WAYSEAL_TRY(vault_.check(rv));
    if (count == 0) return Status::kOk;
    WAYSEAL_TRY(vault_.check(functions->C_DestroyObject(session, found)));
  }
  return Status::kFull;
}

// The private key goes first: what is left of a cut is then no identity.
Status Pkcs11Identities::do_erase(IdentityKey key, IdentitySlot slot) {
  WAYSEAL_TRY(vault_.begin());
  const IdentityLabels& name = labels(key, slot);
  const WritingSession session(vault_.module_.functions(), vault_.slot_);
  WAYSEAL_TRY(vault_.check(session.opened()));
  WAYSEAL_TRY(destroy_all(session.handle(), CKO_PRIVATE_KEY, name.key));
  WAYSEAL_TRY(destroy_all(session.handle(), CKO_PUBLIC_KEY, name.key));
  WAYSEAL_TRY(destroy_all(session.handle(), CKO_CERTIFICATE, name.key));
  bool kept = false;
  return drop_intermediate(session.handle(), key, slot, kept);
}

// A token that keeps a certificate once (NSS softoken) has no second object for the same intermediate: then both places have
// the one that bears the name of either.
Status Pkcs11Identities::find_intermediate(IdentityKey key, IdentitySlot slot, CK_OBJECT_HANDLE& object,
                                           bool& shared) {
  shared = false;
  const Status own = vault_.find_object(CKO_CERTIFICATE, {labels(key, slot).intermediate}, object);
  if (own != Status::kNotFound) return own;
  WAYSEAL_TRY(vault_.find_object(CKO_CERTIFICATE, {labels(key, other_slot(slot)).intermediate}, object));
  uint8_t leaf[kCertificateMax];
  uint8_t above[kCertificateMax];
  CertificateNames of_leaf;
  CertificateNames of_above;
  const Result<size_t> leaf_size = vault_.read_certificate({labels(key, slot).key}, leaf);
  const Result<size_t> above_size =
      vault_.read_certificate({labels(key, other_slot(slot)).intermediate}, above);
  shared = leaf_size.ok() && above_size.ok() && read_names(Bytes(leaf).first(leaf_size.value()), of_leaf) &&
           read_names(Bytes(above).first(above_size.value()), of_above) &&
           equal(of_leaf.issuer, of_above.subject);
  return shared ? Status::kOk : Status::kNotFound;
}

// Not when the other place leans on it: then it takes the other's name. One that provisioning wrote cannot be renamed and
// keeps its own; a place whose name is taken like that has no room for another intermediate.
Status Pkcs11Identities::drop_intermediate(CK_SESSION_HANDLE session, IdentityKey key, IdentitySlot slot,
                                           bool& kept) {
  kept = false;
  CK_OBJECT_HANDLE object = 0;
  bool shared = false;
  const Status others = find_intermediate(key, other_slot(slot), object, shared);
  if (others != Status::kOk && others != Status::kNotFound) return others;
  if (!shared) return destroy_all(session, CKO_CERTIFICATE, labels(key, slot).intermediate);
  Attributes name;
  name.text(CKA_LABEL, labels(key, other_slot(slot)).intermediate);
  const CK_RV rv = vault_.module_.functions()->C_SetAttributeValue(session, object, name.list(), name.count());
  kept = rv == CKR_ATTRIBUTE_READ_ONLY || rv == kActionProhibited;
  if (kept) return Status::kOk;
  WAYSEAL_TRY(vault_.check(rv));
  // The place in use may be the one that leant on it.
  for (TokenObjectName& used : vault_.options_.objects) {
    if (used.label == labels(key, slot).intermediate) used.label = labels(key, other_slot(slot)).intermediate;
  }
  return Status::kOk;
}

bool Pkcs11Identities::holds(const char* label, Bytes certificate) {
  uint8_t found[kCertificateMax];
  const Result<size_t> size = vault_.read_certificate({label}, found);
  return size.ok() && equal(Bytes(found).first(size.value()), certificate);
}

Status Pkcs11Identities::write_intermediate(CK_SESSION_HANDLE session, IdentityKey key, IdentitySlot slot,
                                            Bytes certificate) {
  bool kept = false;
  WAYSEAL_TRY(drop_intermediate(session, key, slot, kept));
  if (certificate.empty()) return Status::kOk;
  if (kept) return holds(labels(key, slot).intermediate, certificate) ? Status::kOk : Status::kUnsupported;
  const bool there = holds(labels(key, other_slot(slot)).intermediate, certificate);
  const CK_RV rv = create(session, labels(key, slot).intermediate, certificate);
  return there ? Status::kOk : vault_.check(rv);
}

Status Pkcs11Identities::do_make_key(IdentityKey key, IdentitySlot slot, EcPoint& point) {
  WAYSEAL_TRY(do_erase(key, slot));
  const char* label = labels(key, slot).key;
  const CK_FUNCTION_LIST* functions = vault_.module_.functions();
  const WritingSession session(functions, vault_.slot_);
  WAYSEAL_TRY(vault_.check(session.opened()));
  Attributes public_part;
  public_part.set(CKA_TOKEN).text(CKA_LABEL, label).text(CKA_ID, label).add(CKA_EC_PARAMS, pkcs11::kP256Oid);
  public_part.set(CKA_VERIFY).clear(CKA_ENCRYPT).clear(CKA_WRAP);
  Attributes private_part;
  private_part.set(CKA_TOKEN).set(CKA_PRIVATE).set(CKA_SENSITIVE).clear(CKA_EXTRACTABLE);
  private_part.text(CKA_LABEL, label).text(CKA_ID, label).set(CKA_SIGN).clear(CKA_DERIVE);
  private_part.clear(CKA_SIGN_RECOVER).clear(CKA_DECRYPT).clear(CKA_UNWRAP);
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  WAYSEAL_TRY(vault_.check(functions->C_GenerateKeyPair(session.handle(), &mechanism, public_part.list(),
                                                        public_part.count(), private_part.list(),
                                                        private_part.count(), &public_key, &private_key)));
  return vault_.check(pkcs11::read_point({functions, session.handle()}, public_key, point));
}

Status Pkcs11Identities::do_sign(IdentityKey key, IdentitySlot slot, const Digest& digest,
                                 EcSignature& signature) {
  WAYSEAL_TRY(vault_.begin());
  return vault_.sign_with({labels(key, slot).key}, digest, signature);
}

Status Pkcs11Identities::do_public_key(IdentityKey key, IdentitySlot slot, EcPoint& point) {
  WAYSEAL_TRY(vault_.begin());
  return vault_.read_public({labels(key, slot).key}, point);
}

// Whatever bears the label must be gone by now.
CK_RV Pkcs11Identities::create(CK_SESSION_HANDLE session, const char* label, Bytes certificate) {
  CertificateNames names;
  if (!read_names(certificate, names)) return CKR_ATTRIBUTE_VALUE_INVALID;
  Attributes attributes;
  attributes.add(CKA_CLASS, kCertificateClass)
      .add(CKA_CERTIFICATE_TYPE, kX509)
      .set(CKA_TOKEN)
      .clear(CKA_PRIVATE);
  attributes.text(CKA_LABEL, label).text(CKA_ID, label);
  attributes.add(CKA_SUBJECT, names.subject.data(), names.subject.size());
  attributes.add(CKA_ISSUER, names.issuer.data(), names.issuer.size());
  attributes.add(CKA_SERIAL_NUMBER, names.serial.data(), names.serial.size());
  attributes.add(CKA_VALUE, certificate.data(), certificate.size());
  CK_OBJECT_HANDLE object = 0;
  return vault_.module_.functions()->C_CreateObject(session, attributes.list(), attributes.count(), &object);
}

// The leaf comes last: with it, the place is whole.
Status Pkcs11Identities::do_write_chain(IdentityKey key, IdentitySlot slot, Bytes leaf, Bytes intermediate) {
  WAYSEAL_TRY(vault_.begin());
  const IdentityLabels& name = labels(key, slot);
  const WritingSession session(vault_.module_.functions(), vault_.slot_);
  WAYSEAL_TRY(vault_.check(session.opened()));
  WAYSEAL_TRY(destroy_all(session.handle(), CKO_CERTIFICATE, name.key));
  WAYSEAL_TRY(write_intermediate(session.handle(), key, slot, intermediate));
  return vault_.check(create(session.handle(), name.key, leaf));
}

Result<size_t> Pkcs11Identities::do_read_certificate(IdentityKey key, IdentitySlot slot, IdentityPart part,
                                                     MutableBytes out) {
  const Status status = vault_.begin();
  if (status != Status::kOk) return status;
  if (part == IdentityPart::kLeaf) return vault_.read_certificate({labels(key, slot).key}, out);
  CK_OBJECT_HANDLE object = 0;
  bool shared = false;
  const Status found = find_intermediate(key, slot, object, shared);
  if (found != Status::kOk) return found;
  return vault_.read_certificate({labels(key, shared ? other_slot(slot) : slot).intermediate}, out);
}

Status Pkcs11Identities::do_use(IdentityKey key, IdentitySlot slot) {
  WAYSEAL_TRY(vault_.begin());
  const TokenObjectName name = {labels(key, slot).key};
  CK_OBJECT_HANDLE private_key = 0;
  CK_OBJECT_HANDLE leaf = 0;
  WAYSEAL_TRY(vault_.find_object(CKO_PRIVATE_KEY, name, private_key));
  WAYSEAL_TRY(vault_.find_object(CKO_CERTIFICATE, name, leaf));
  CK_OBJECT_HANDLE intermediate = 0;
  bool shared = false;
  const Status above = find_intermediate(key, slot, intermediate, shared);
  if (above != Status::kOk && above != Status::kNotFound) return above;
  const bool tls = key == IdentityKey::kTls;
  const auto first = static_cast<size_t>(tls ? VaultObject::kTlsCertificate : VaultObject::kE2eCertificate);
  Pkcs11VaultOptions& options = vault_.options_;
  (tls ? options.tls_key : options.e2e_key) = name;
  options.objects[first] = name;
  options.objects[first + 1] = {labels(key, shared ? other_slot(slot) : slot).intermediate};
  vault_.identity_[static_cast<size_t>(key)] = private_key;
  return Status::kOk;
}

Result<size_t> Pkcs11SigningKey::read_certificate(MutableBytes out) {
  const Status status = vault_.begin();
  if (status != Status::kOk) return status;
  return vault_.read_certificate({label_}, out);
}

Status Pkcs11SigningKey::do_sign(const Digest& digest, EcSignature& signature) {
  WAYSEAL_TRY(vault_.begin());
  return vault_.sign_with({label_}, digest, signature);
}

Status Pkcs11SigningKey::do_public_key(EcPoint& point) {
  WAYSEAL_TRY(vault_.begin());
  return vault_.read_public({label_}, point);
}

}  // namespace wayseal
