// SPDX-License-Identifier: Apache-2.0
/**
 * JSON lines of printable ASCII, whatever is put in. Clients are named by a short hash under a key that is made at the start
 * and again each day (UTC) and is kept nowhere: lines of one day can be matched, those of two days cannot.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { Trouble } from './trouble.mjs';

const kOutsideMax = 64;
const kDayMs = 86_400_000;
const kStandardError = 2;

const ascii = (json) => json.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

export class Log {
  #path;
  #fd = kStandardError;
  #key;
  #day;
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
    const line = `${ascii(JSON.stringify({ at: new Date().toISOString(), event, ...fields, ...lost }))}\n`;
    try {
      writeSync(this.#fd, line);
      this.#lost = 0;
    } catch {
      this.#lost += 1; // a full disk stops no vehicle
    }
  }

  /** The name of a client in the log. */
  name(id) {
    const day = Math.floor(Date.now() / kDayMs);
    if (day !== this.#day) {
      this.#day = day;
      this.#key = randomBytes(32);
    }
    return createHmac('sha256', this.#key).update(id).digest('hex').slice(0, 12);
  }
}

/** Text that an outsider chose, fit for a field: cut, and without the ids that the same request names. */
export function outside(text, ids) {
  let clean = String(text);
  for (const id of ids) if (id) clean = clean.split(id).join('*');
  return clean.slice(0, kOutsideMax);
}
