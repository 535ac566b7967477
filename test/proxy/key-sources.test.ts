/** Real processes: a sidecar whose keys are kept by another program, or come from a mount. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { type KeptKeys, openKeptKeys, program } from './kept-keys.ts';

let kept: KeptKeys;
beforeEach(async () => {
  kept = await openKeptKeys();
});
afterEach(endAll);

test('calls are sealed under a key that a program keeps, many by one signature', {
  timeout: 60_000,
}, async () => {
  const keys = await kept.runWith({ signing: program('kms'), kek: program('kms') });
  expect(keys).toHaveLength(1);
  expect(readdirSync(join(kept.place.dataDir, 'keys'))).toEqual(['kek.wrapped']);
});

test('a start without the key that the ledger asks for is refused', { timeout: 60_000 }, async () => {
  await kept.runWith({ signing: program('a') });
  await expect(kept.runWith({ signing: program('b') })).rejects.toThrow(
    /ended with 2: .*is sealed under the key/s,
  );
});

test('secrets from a mount serve a ledger, and no key is made', async () => {
  const mounted = join(kept.place.directory, 'mounted');
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(`${mounted}.pem`, pem);
  writeFileSync(`${mounted}.key`, Buffer.alloc(32, 7).toString('base64'));
  await kept.runWith({ signing: { file: `${mounted}.pem` }, kek: { file: `${mounted}.key` } });
  expect(existsSync(join(kept.place.dataDir, 'keys'))).toBe(false);
});
