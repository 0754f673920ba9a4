// SPDX-License-Identifier: Apache-2.0
/** The vehicle's TLS certificate, as the gateway passes it on. Chain, dates and revocation were checked there. */
import { X509Certificate } from 'node:crypto';

const kBase64Max = 4096;
const kBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * @param header what came in x-client-cert-der; several such headers arrive joined by a comma and are refused by that.
 * @return {certificate, name} with the one common name; or {why}: no_certificate, certificate (it is not exactly one in DER),
 *         name (it has not exactly one common name).
 */
export function readCertificate(header) {
  if (!header) return { why: 'no_certificate' };
  if (header.length > kBase64Max || !kBase64.test(header)) return { why: 'certificate' };
  const der = Buffer.from(header, 'base64');
  let certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return { why: 'certificate' };
  }
  // PEM, and bytes behind the certificate, are taken by the parser but not by us: what is hashed into the token is what came.
  if (!certificate.raw.equals(der)) return { why: 'certificate' };
  const name = certificate.toLegacyObject().subject?.CN; // an array when there are several
  return typeof name === 'string' && name.length > 0 ? { certificate, name } : { why: 'name' };
}
