// SPDX-License-Identifier: Apache-2.0
// Opens an answer of the share API with a partner's private key, by the npm package jose, which shares nothing with libjose.
//   node open.mjs DEPENDENCIES KEY ANSWER     prints {"header": ..., "payload": ...}; exit code 1 when it does not open
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [dependencies, key, answer] = process.argv.slice(2);
const { loadLocked } = await import(pathToFileURL(dependencies).href);
const jose = await loadLocked('jose');
try {
  const opened = await jose.compactDecrypt(readFileSync(answer, 'utf8'), await jose.importJWK(JSON.parse(readFileSync(key, 'utf8')), 'ECDH-ES+A256KW'), {
    keyManagementAlgorithms: ['ECDH-ES+A256KW'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  process.stdout.write(JSON.stringify({ header: opened.protectedHeader, payload: JSON.parse(new TextDecoder().decode(opened.plaintext)) }));
} catch (error) {
  process.stdout.write(error.code ?? error.message);
  process.exitCode = 1;
}
