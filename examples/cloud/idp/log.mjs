// SPDX-License-Identifier: Apache-2.0
/**
 * JSON lines of printable ASCII, whatever is put in. Clients are named by a short hash under a key of the day (UTC), made from the
 * log key: WAYSEAL_LOG_KEY in the environment, the same for every program, or else one that is made at the start and kept nowhere
 * (proto/PROTOCOL.md, "Security events").
 */
import { createHmac, randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { Trouble } from './trouble.mjs';

const kOutsideMax = 64;
const kLogKey = /^[A-Za-z0-9+/]{43}=$/; // 32 bytes
const kStandardError = 2;

const ascii = (json) => json.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const mac = (key, text) => createHmac('sha256', key).update(text);

function logKey() {
  const text = process.env.WAYSEAL_LOG_KEY;
  if (!text) return randomBytes(32);
  if (!kLogKey.test(text)) throw new Trouble('WAYSEAL_LOG_KEY is not base64 of 32 bytes');
  return Buffer.from(text, 'base64');
}

export class Log {
  #path;
  #fd = kStandardError;
  #key = logKey();
  #lost = 0;

  /** @param path file to append to, of mode 0600; '-' is standard error. Throws Trouble. */
  constructor(path) {
    this.#path = path;
    this.reopen();
  }

  /** For those who move the file away. When the new one cannot be opened, the old stays in use. */
  reopen() {
    if (this.#path === '-') return;
    let fd;
    try {
      fd = openSync(this.#path, 'a', 0o600);
    } catch (error) {
      throw new Trouble(`cannot write the log ${this.#path}: ${error.code}`);
    }
    if (this.#fd !== kStandardError) closeSync(this.#fd);
    this.#fd = fd;
  }

  write(event, fields = {}) {
    const lost = this.#lost > 0 ? { lines_lost: this.#lost } : {};
    const line = `${ascii(JSON.stringify({ at: new Date(Date.now()).toISOString(), event, ...fields, ...lost }))}\n`;
    try {
      writeSync(this.#fd, line);
      this.#lost = 0;
    } catch {
      this.#lost += 1; // a full disk stops no vehicle
    }
  }

  /** The name of a client in the log. */
  name(id) {
    const day = new Date(Date.now()).toISOString().slice(0, 10).replaceAll('-', '');
    return mac(mac(this.#key, day).digest(), id).digest('hex').slice(0, 12);
  }
}

/** Text that an outsider chose, fit for a field: cut, and without the ids that the same request names. */
export function outside(text, ids) {
  let clean = String(text);
  for (const id of ids) if (id) clean = clean.split(id).join('*');
  return clean.slice(0, kOutsideMax);
}
