// SPDX-License-Identifier: Apache-2.0
/** The configuration, idp.json: checked whole, names that are not known refused, paths meant from its folder. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Trouble } from './trouble.mjs';

const kNameMax = 128; // of issuer and audience: with these a token stays below 1024 bytes
const kTtlMaxSeconds = 3600;
const kSocketMax = 107; // sun_path, less its end

const text = (value) => typeof value === 'string' && value.length > 0;
const slot = (value) => value === 'a' || value === 'b';
const audience = (v) => text(v) && v.length <= kNameMax && /^[a-z][a-z0-9+.-]*:[!-~]+$/.test(v) && !v.includes('#');
const kFields = {
  issuer: (v) => text(v) && v.length <= kNameMax && /^https:\/\/[!-~]+$/.test(v),
  audience,
  ttl_seconds: (v) => Number.isInteger(v) && v >= 1 && v <= kTtlMaxSeconds,
  socket: text,
  keys: text,
  current: slot,
  clients: text,
  log: text,
};
const kOptional = {
  partner_audience: audience,
  partner_clients: text,
  // The state of a rotation, kept and read by wayseal-oem alone.
  prepared: slot,
  spare_from: Number.isInteger,
};
// Of the partners' realm, both or none.
const kPartners = ['partner_audience', 'partner_clients'];

function check(values, path) {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) throw new Trouble(`${path}: not a JSON object`);
  const known = { ...kFields, ...kOptional };
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(known, name)) throw new Trouble(`${path}: unknown key ${JSON.stringify(name)}`);
    if (!known[name](value)) throw new Trouble(`${path}: "${name}" is not usable`);
  }
  const absent = Object.keys(kFields).find((name) => !Object.hasOwn(values, name));
  if (absent) throw new Trouble(`${path}: "${absent}" is missing`);
  const given = kPartners.filter((name) => Object.hasOwn(values, name));
  if (given.length === 1) throw new Trouble(`${path}: "${kPartners.find((name) => name !== given[0])}" is missing`);
  // Whoever takes tokens of one kind must never take those of the other.
  if (values.partner_audience === values.audience) throw new Trouble(`${path}: partners and vehicles need an audience each`);
}

/** Throws Trouble unless the file at `path` is a whole configuration. */
export function readConfig(path) {
  let values;
  try {
    values = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Trouble(`cannot read ${path}: ${error instanceof SyntaxError ? 'not JSON' : error.code}`);
  }
  check(values, path);
  const place = (name) => resolve(dirname(path), name);
  const config = { ...values, socket: place(values.socket), keys: place(values.keys), clients: place(values.clients) };
  if (values.partner_clients) config.partner_clients = place(values.partner_clients);
  if (config.partner_clients === config.clients) throw new Trouble(`${path}: partners and vehicles need a folder each`);
  if (values.log !== '-') config.log = place(values.log);
  if (Buffer.byteLength(config.socket) > kSocketMax) throw new Trouble(`${path}: the socket's path is longer than ${kSocketMax} bytes`);
  return config;
}
