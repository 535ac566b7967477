/** Real processes: a sidecar whose keys are kept by another program, and rotation to and from such a key. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { endAll } from '../support/endings.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { makePlace, type Place, type Settings, spawnSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';

const programFile = fileURLToPath(new URL('../support/key-program.ts', import.meta.url));
const program = (seed: string) => ({ command: [process.execPath, programFile, seed], timeoutMs: 20_000 });
let settings: Settings;
let place: Place;

beforeEach(async () => {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['content-type: application/json'], chatText('Hello.'))),
  );
  settings = { upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } } };
  place = makePlace(settings);
});
afterEach(endAll);

/** Starts a sidecar with these keys, makes calls at once, stops it, and gives the chain of keys. */
async function runWith(keys: Readonly<Record<string, unknown>>, calls = 12): Promise<readonly string[]> {
  const config = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(place.configFile, 'utf8')));
  writeFileSync(place.configFile, JSON.stringify({ ...config, keys }));
  const sidecar = await spawnSidecar(settings, place);
  const statuses = await Promise.all(
    Array.from({ length: calls }, async () => {
      const response = await fetch(`${sidecar.proxyUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: chatRequest(),
      });
      await response.arrayBuffer();
      return response.status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  const verdict = await verifyDirectory(place.dataDir, { everySignature: true });
  expect(verdict.findings).toEqual([]);
  return verdict.keys.map(({ key }) => key);
}

test('calls are sealed under a key that a program keeps, many by one signature', {
  timeout: 60_000,
}, async () => {
  const keys = await runWith({ signing: program('kms'), kek: program('kms') });
  expect(keys).toHaveLength(1);
  expect(readdirSync(join(place.dataDir, 'keys'))).toEqual(['kek.wrapped']);
});

test('a start with keys.nextSigning rotates: from a file to a program, and to another program', {
  timeout: 90_000,
}, async () => {
  const first = await runWith({});
  const second = await runWith({ nextSigning: program('a') });
  expect(second.slice(0, 1)).toEqual(first);
  expect(await runWith({ signing: program('a') })).toEqual(second);
  const third = await runWith({ signing: program('a'), nextSigning: program('b') });
  expect(third.slice(0, 2)).toEqual(second);
  expect(new Set(third).size).toBe(3);
});

test('a start without the key that the ledger asks for is refused', { timeout: 60_000 }, async () => {
  await runWith({ signing: program('a') });
  await expect(runWith({ signing: program('b') })).rejects.toThrow(
    /ended with 2: .*is sealed under the key/s,
  );
});

test('secrets from a mount serve a ledger, and no key is made', async () => {
  const mounted = join(place.directory, 'mounted');
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(`${mounted}.pem`, pem);
  writeFileSync(`${mounted}.key`, Buffer.alloc(32, 7).toString('base64'));
  await runWith({ signing: { file: `${mounted}.pem` }, kek: { file: `${mounted}.key` } });
  expect(existsSync(join(place.dataDir, 'keys'))).toBe(false);
});
