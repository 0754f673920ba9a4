// SPDX-License-Identifier: Apache-2.0
// The identity provider of the reference cloud: vehicles and partners get their access tokens from it, through the gateway.
import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import { readConfig } from './config.mjs';
import { loadOidcProvider } from './dependencies.mjs';
import { Front } from './front.mjs';
import { Live } from './live.mjs';
import { Log } from './log.mjs';
import { listen } from './socket.mjs';
import { Trouble } from './trouble.mjs';

const kUsage = `usage: node server.mjs --config FILE [--check]

Gives access tokens to vehicles and partners: POST /oauth/token, behind the gateway, on a unix socket of mode 0600.

  --config FILE  idp.json, made by \`wayseal-oem provision\`
  --check        reads configuration and keys, says whether they are good, and stops
  --help         this text

SIGHUP reads configuration and keys again and opens the log anew; a change of the configuration's file is noticed
at the next request. SIGTERM ends it.
Exit codes: 0 ended by SIGTERM or SIGINT, or all good; 1 trouble, said on standard error; 2 wrong usage.
`;
const kEndMs = 5_000;

function wrong(message) {
  process.stderr.write(`idp: ${message}\n${kUsage}`);
  process.exit(2);
}

function readArguments() {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' }, check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
    return values;
  } catch (error) {
    return wrong(error.message);
  }
}

/** Requests under way are answered first. */
function endOn(signals, server, log) {
  const end = () => {
    server.close(() => {
      log.write('ended');
      process.exit(0);
    });
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), kEndMs).unref();
  };
  for (const signal of signals) process.once(signal, end);
}

async function serve(path, check) {
  const oidc = await loadOidcProvider();
  const log = new Log(check ? '-' : readConfig(path).log);
  const front = new Front(log, (realm) => live.handler(realm));
  const live = new Live(oidc, path, log, (request) => front.noteOf(request));
  if (check) {
    process.stdout.write(`${path} is good; tokens are signed with ${live.kid}\n`);
    return;
  }
  process.on('SIGHUP', () => {
    live.reload();
    try {
      log.reopen();
    } catch (error) {
      log.write('log_failed', { why: error.message });
    }
  });
  const server = front.server();
  await listen(server, live.config.socket);
  endOn(['SIGTERM', 'SIGINT'], server, log);
  log.write('started', { kid: live.kid, node: process.versions.node });
}

const values = readArguments();
if (values.help) {
  process.stdout.write(kUsage);
} else if (values.config === undefined) {
  wrong('--config is needed');
} else {
  serve(resolve(values.config), values.check).catch((error) => {
    process.stderr.write(`idp: ${error instanceof Trouble ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });
}
