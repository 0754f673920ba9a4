// SPDX-License-Identifier: Apache-2.0
/**
 * Where the locked packages are: in node_modules beside this file when somebody ran `npm ci` here, else in the cache that
 * toolchains/setup fills. The cache's folder carries the digest of the lock file, so that other versions are never taken.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Trouble } from './trouble.mjs';

const kHere = fileURLToPath(new URL('.', import.meta.url));

function cached() {
  const cache = process.env.WAYSEAL_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'wayseal');
  const lock = createHash('sha256').update(readFileSync(join(kHere, 'package-lock.json'))).digest('hex');
  return join(cache, 'npm', `idp-${lock.slice(0, 16)}`);
}

/** @return a module out of the locked packages. Throws Trouble when they are not installed. */
export async function loadLocked(name) {
  const folder = [kHere, cached()].find((each) => existsSync(join(each, 'node_modules', name)));
  if (!folder) {
    throw new Trouble('the locked npm packages are not there: run toolchains/setup, or in examples/cloud/idp npm ci --ignore-scripts --omit=dev');
  }
  const resolve = createRequire(join(folder, 'node_modules', 'any.js')).resolve;
  return import(pathToFileURL(resolve(name)).href);
}

export const loadOidcProvider = () => loadLocked('oidc-provider');
