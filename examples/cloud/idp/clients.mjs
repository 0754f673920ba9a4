// SPDX-License-Identifier: Apache-2.0
/**
 * The clients: a file for each vehicle or partner, CLIENTS/ID.json with {"client_id": ID, "scopes": [...]}, read at every
 * request. So a new one needs no restart, and one whose file is gone gets no token.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const kClientId = /^[A-Za-z0-9._-]{1,32}$/;
const kFileMax = 4096;

function scopesOf(text, id, known) {
  const { client_id: named, scopes, ...others } = JSON.parse(text);
  const usable = named === id && Object.keys(others).length === 0 && Array.isArray(scopes) && scopes.length > 0 &&
    scopes.every((scope) => known.includes(scope)) && new Set(scopes).size === scopes.length;
  if (!usable) throw new Error('malformed');
  return scopes;
}

/**
 * @param known scopes that a client of this kind may have
 * @return {scopes}; or {why}: unknown, client_file (unreadable or malformed: the operator has to look at it).
 */
export async function findClient(folder, id, known) {
  if (!kClientId.test(id)) return { why: 'unknown' };
  try {
    const text = await readFile(join(folder, `${id}.json`), 'utf8');
    if (text.length > kFileMax) return { why: 'client_file' };
    return { scopes: scopesOf(text, id, known) };
  } catch (error) {
    return { why: error.code === 'ENOENT' ? 'unknown' : 'client_file' };
  }
}
