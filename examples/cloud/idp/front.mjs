// SPDX-License-Identifier: Apache-2.0
/** Two routes and their limits, before anything of a request reaches oidc-provider, and a log line for each request. */
import { createServer } from 'node:http';
import { readCertificate } from './certificate.mjs';
import { outside } from './log.mjs';
import { kVehicles } from './realms.mjs';

export const kBodyMax = 1024;
const kHeadMax = 12 * 1024;
const kConnectionsMax = 256;
const kHeadTimeoutMs = 5_000;
const kRequestTimeoutMs = 10_000;
const kKeepAliveMs = 65_000; // longer than a gateway keeps an idle connection, so that it is not closed under a request
const kMethods = { '/oauth/token': 'POST', '/jwks': 'GET' };
const kForm = /^application\/x-www-form-urlencoded(?: *; *charset="?utf-8"?)?$/i;

/** @return undefined, or {status, why} of what is refused here. */
function judge(request) {
  const { method, url, headers } = request;
  if (!Object.hasOwn(kMethods, url)) return { status: 404, why: 'path' };
  if (method !== kMethods[url]) return { status: 405, why: 'method' };
  if (method === 'GET') return undefined;
  if (!kForm.test(headers['content-type'] ?? '')) return { status: 415, why: 'type' };
  if (headers['content-encoding'] !== undefined) return { status: 415, why: 'encoding' };
  if (headers['content-length'] === undefined) return { status: 411, why: 'length' }; // Node refuses it together with chunks
  return Number(headers['content-length']) <= kBodyMax ? undefined : { status: 413, why: 'size' };
}

function refuse(request, response, { status, why }) {
  const body = JSON.stringify({ error: 'invalid_request', error_description: why });
  // What is left of the body is not read.
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, 'Cache-Control': 'no-store', Connection: 'close' };
  if (status === 405) headers.Allow = kMethods[request.url];
  response.writeHead(status, headers).end(body);
}

export class Front {
  #log;
  #handler;
  #notes = new WeakMap();

  /** @param handler(realm) what answers a request that begins now; undefined when there is no such realm */
  constructor(log, handler) {
    this.#log = log;
    this.#handler = handler;
  }

  /** What is known of a request; the provider's hooks add `client`, `error`, `why`. */
  noteOf(request) {
    return this.#notes.get(request);
  }

  handle(request, response) {
    const note = { begun: performance.now(), certificate: readCertificate(request.headers['x-client-cert-der']) };
    this.#notes.set(request, note);
    response.once('close', () => this.#record(request, response, note));
    note.realm = request.headers['x-client-realm'] ?? kVehicles;
    const answer = this.#handler(note.realm);
    const fault = judge(request) ?? (answer ? undefined : { status: 404, why: 'realm' });
    if (fault) {
      note.why = fault.why;
      refuse(request, response, fault);
      return;
    }
    request.headers.accept = 'application/json'; // never a page
    request.headers['x-forwarded-proto'] = 'https'; // as it was at the gateway
    delete request.headers['x-forwarded-host'];
    answer(request, response);
  }

  #record(request, response, note) {
    const ids = [note.client, note.certificate.name];
    const fields = { method: outside(request.method, ids), path: outside(request.url.split('?')[0], ids), status: response.statusCode };
    if (note.realm !== kVehicles) fields.realm = outside(note.realm, ids);
    if (!response.writableFinished) fields.cut = true;
    if (note.client) fields.client = this.#log.name(note.client);
    if (note.certificate.name) fields.certificate = this.#log.name(note.certificate.name);
    for (const name of ['scope', 'kid', 'error', 'why']) if (note[name]) fields[name] = note[name];
    for (const name of ['asked_grant', 'asked_scope']) if (note[name]) fields[name] = outside(note[name], ids);
    fields.ms = Math.round(performance.now() - note.begun);
    this.#log.write('request', fields);
  }

  /** @return an http.Server that listens nowhere yet. */
  server() {
    const server = createServer({ maxHeaderSize: kHeadMax, headersTimeout: kHeadTimeoutMs, requestTimeout: kRequestTimeoutMs,
      keepAliveTimeout: kKeepAliveMs, connectionsCheckingInterval: 1000 }, (request, response) => this.handle(request, response));
    server.maxConnections = kConnectionsMax;
    server.on('clientError', (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return;
      this.#log.write('unreadable', { why: String(error.code) });
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    return server;
  }
}
