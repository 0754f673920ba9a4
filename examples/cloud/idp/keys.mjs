// SPDX-License-Identifier: Apache-2.0
/**
 * The signing keys: two slots, a.jwk and b.jwk, private P-256 keys of mode 0600 (RFC 7517). The key id begins with the letter
 * of its slot, which is how the gateway chooses the public key.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from './trouble.mjs';

const kKeyId = /^[ab]-[0-9]{8}-[0-9]{1,6}$/;

function readPrivate(path) {
  const fd = openSync(path, 'r');
  try {
    if ((fstatSync(fd).mode & 0o077) !== 0) throw new Trouble(`${path} may be read by others: its mode has to be 0600`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Node takes a private key whose public half is another's; tokens signed by it would be refused by every gateway. */
function isPair(key) {
  const probe = Buffer.from('wayseal');
  try {
    const pair = createPublicKey({ key: { kty: key.kty, crv: key.crv, x: key.x, y: key.y }, format: 'jwk' });
    return verify('sha256', probe, pair, sign('sha256', probe, createPrivateKey({ key, format: 'jwk' })));
  } catch {
    return false;
  }
}

function readKey(path, slot) {
  let key;
  try {
    key = JSON.parse(readPrivate(path));
  } catch (error) {
    if (error instanceof Trouble) throw error;
    // The text of a JSON error may quote the key.
    throw new Trouble(`cannot read ${path}: ${error instanceof SyntaxError ? 'not JSON' : error.code}`);
  }
  const { kty, crv, x, y, d, kid } = key ?? {};
  if (kty !== 'EC' || crv !== 'P-256' || ![x, y, d].every((part) => typeof part === 'string')) {
    throw new Trouble(`${path}: not a private key on P-256 in JWK form`);
  }
  if (typeof kid !== 'string' || !kKeyId.test(kid) || kid[0] !== slot) throw new Trouble(`${path}: its kid has to be ${slot}-YYYYMMDD-N`);
  const clean = { kty, crv, x, y, d, kid, alg: 'ES256', use: 'sig' };
  if (!isPair(clean)) throw new Trouble(`${path}: its private and public half do not fit together`);
  return clean;
}

/** @return {keys, kid}: the keys of both slots (the one that is not signed with may be absent), and the id to sign with. */
export function readKeys(folder, current) {
  const keys = [];
  for (const slot of ['a', 'b']) {
    try {
      keys.push(readKey(join(folder, `${slot}.jwk`), slot));
    } catch (error) {
      if (slot === current || !/: ENOENT$/.test(error.message)) throw error;
    }
  }
  return { keys, kid: keys.find((key) => key.kid[0] === current).kid };
}
