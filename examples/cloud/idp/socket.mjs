// SPDX-License-Identifier: Apache-2.0
/** A unix socket of mode 0600: whoever can connect is believed to be the gateway. */
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { Trouble } from './trouble.mjs';

function answers(path) {
  return new Promise((done) => {
    const probe = connect(path, () => { probe.destroy(); done(true); });
    probe.on('error', () => done(false));
  });
}

function listenOnce(server, path) {
  return new Promise((done, failed) => {
    server.once('error', failed);
    const before = process.umask(0o177); // the socket is private from its first moment
    server.listen(path, () => { server.off('error', failed); done(); });
    process.umask(before);
  });
}

/** Takes the place of a socket that nobody answers any more. Throws Trouble. */
export async function listen(server, path) {
  try {
    await listenOnce(server, path);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw new Trouble(`cannot listen on ${path}: ${error.code}`);
    if (await answers(path)) throw new Trouble(`somebody listens on ${path} already`);
    rmSync(path);
    await listenOnce(server, path);
  }
}
