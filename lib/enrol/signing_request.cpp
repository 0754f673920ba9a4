// SPDX-License-Identifier: Apache-2.0
// PKCS#10 (RFC 2986), written backwards.
#include "enrol/der.hpp"
#include "wayseal/enrol/certificate.hpp"
#include "wayseal/trust/vehicle_identity.hpp"

namespace wayseal {
namespace {

using der::Writer;

void write_oid(Writer& out, Bytes oid) {
  const size_t end = out.position();
  out.bytes(oid);
  out.wrap(der::kOid, end);
}

// SubjectPublicKeyInfo (RFC 5480, 2).
void write_key(Writer& out, const EcPoint& key) {
  const size_t end = out.position();
  out.bytes(key.data);
  out.byte(0);  // no unused bits
  out.wrap(der::kBitString, end);
  const size_t algorithm = out.position();
  write_oid(out, der::kP256Oid);
  write_oid(out, der::kEcPublicKeyOid);
  out.wrap(der::kSequence, algorithm);
  out.wrap(der::kSequence, end);
}

// Name with one relative name of one attribute: the common name, UTF8String (RFC 5280, 4.1.2.6).
void write_subject(Writer& out, const VehicleId& id) {
  const size_t end = out.position();
  out.bytes(id.bytes());
  out.wrap(der::kUtf8String, end);
  write_oid(out, der::kCommonNameOid);
  out.wrap(der::kSequence, end);
  out.wrap(der::kSet, end);
  out.wrap(der::kSequence, end);
}

// A positive INTEGER: no leading zeros but the one that keeps it positive.
void write_integer(Writer& out, Bytes value) {
  const size_t end = out.position();
  while (value.size() > 1 && value[0] == 0) value = value.from(1);
  out.bytes(value);
  if (value[0] >= 0x80) out.byte(0);
  out.wrap(der::kInteger, end);
}

}  // namespace

Result<size_t> write_request_info(const VehicleId& id, const EcPoint& key, MutableBytes out) {
  if (!valid_vehicle_id(id)) return Status::kInvalidArgument;
  Writer writer(out);
  const size_t end = writer.position();
  writer.wrap(der::kContext0, end);  // no attributes
  write_key(writer, key);
  write_subject(writer, id);
  const size_t version = writer.position();
  writer.byte(0);
  writer.wrap(der::kInteger, version);
  writer.wrap(der::kSequence, end);
  if (!writer.fits()) return Status::kBufferTooSmall;
  return writer.finish();
}

Result<size_t> write_signing_request(Bytes info, const EcSignature& signature, MutableBytes out) {
  Writer writer(out);
  const size_t end = writer.position();
  const Bytes both(signature.data);
  write_integer(writer, both.from(EcSignature::kSize / 2));
  write_integer(writer, both.first(EcSignature::kSize / 2));
  writer.wrap(der::kSequence, end);
  writer.byte(0);
  writer.wrap(der::kBitString, end);
  const size_t algorithm = writer.position();
  write_oid(writer, der::kEcdsaSha256Oid);
  writer.wrap(der::kSequence, algorithm);
  writer.bytes(info);
  writer.wrap(der::kSequence, end);
  if (!writer.fits()) return Status::kBufferTooSmall;
  return writer.finish();
}

}  // namespace wayseal
