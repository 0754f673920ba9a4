// SPDX-License-Identifier: Apache-2.0
/**
 * The provider in use. It is made anew when the configuration's file has changed or on demand; requests under way end with the
 * one that they began with. Where that fails, the old one stays in use, and the log says why.
 */
import { statSync } from 'node:fs';
import { findClient } from './clients.mjs';
import { readConfig } from './config.mjs';
import { readKeys } from './keys.mjs';
import { makeProvider } from './provider.mjs';
import { realmsOf } from './realms.mjs';
import { Trouble } from './trouble.mjs';

function stampOf(path) {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return 'absent';
  }
}

export class Live {
  #oidc;
  #path;
  #log;
  #noteOf;
  #stamp;
  #handlers;
  #kid;
  config;

  /**
   * @param oidc the module oidc-provider
   * @param path of the configuration
   * @param noteOf gives the front's notes of a request
   * Throws Trouble when configuration or keys cannot be used.
   */
  constructor(oidc, path, log, noteOf) {
    this.config = readConfig(path);
    this.#oidc = oidc;
    this.#path = path;
    this.#log = log;
    this.#noteOf = noteOf;
    this.#stamp = stampOf(path);
    this.#use(this.config);
  }

  get kid() {
    return this.#kid;
  }

  /** What answers a request of this realm that begins now: a function of request and response; undefined: no such realm. */
  handler(realm) {
    if (stampOf(this.#path) !== this.#stamp) this.reload();
    return this.#handlers.get(realm);
  }

  reload() {
    this.#stamp = stampOf(this.#path); // a file that is wrong is looked at once, until it changes again
    try {
      const config = readConfig(this.#path);
      const fixed = ['socket', 'log'].find((name) => config[name] !== this.config[name]);
      if (fixed) throw new Trouble(`"${fixed}" has changed, which needs a restart`);
      this.#use(config);
      this.#log.write('reloaded', { kid: this.#kid });
    } catch (error) {
      this.#log.write('reload_failed', { why: error.message, kid: this.#kid });
    }
  }

  #use(config) {
    const keys = readKeys(config.keys, config.current);
    const handlers = new Map();
    for (const realm of realmsOf(config).values()) {
      handlers.set(realm.name, makeProvider(this.#oidc, config, realm, keys, this.#hooks(realm, keys.kid)).callback());
    }
    this.#handlers = handlers;
    this.#kid = keys.kid;
    this.config = config;
  }

  #hooks(realm, kid) {
    const refused = (ctx, error) => {
      const note = this.#noteOf(ctx.req);
      note.client ??= ctx.oidc?.params?.client_id?.toString();
      note.asked_grant = ctx.oidc?.params?.grant_type;
      note.asked_scope = ctx.oidc?.params?.scope;
      note.error = error.error;
      note.why = this.#why(note, error);
    };
    return {
      certificateOf: (request) => this.#noteOf(request).certificate,
      clientOf: (id) => this.#clientOf(realm, id),
      granted: (ctx) => Object.assign(this.#noteOf(ctx.req), { client: ctx.oidc.client.clientId, scope: ctx.body.scope, kid }),
      refused,
      failed: (ctx, error) => {
        refused(ctx, { error: 'server_error' });
        this.#log.write('failed', { why: error.message });
      },
    };
  }

  async #clientOf(realm, id) {
    const { scopes, why } = await findClient(realm.clients, id, realm.scopes);
    if (why === 'client_file') this.#log.write('client_file', { client: this.#log.name(id), why: 'unreadable or malformed' });
    return scopes;
  }

  #why(note, error) {
    if (error.error === 'invalid_client' && note.certificate.why) return note.certificate.why;
    return error.error_detail ?? error.error_description;
  }
}
