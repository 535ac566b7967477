/** Real processes: keys change under load and on a stopped sidecar; every call is answered and the ledger verifies. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { endAll } from '../support/endings.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import {
  makePlace,
  type Place,
  type Settings,
  type SidecarProcess,
  spawnSidecar,
} from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
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

const keysSchema = z.object({ key: z.string(), kek: z.string(), retiredKeks: z.array(z.string()) });
const chainSchema = z.object({ keys: z.array(z.object({ key: z.string(), from: z.number() })) });

async function chat({ proxyUrl }: SidecarProcess): Promise<number> {
  const response = await fetch(`${proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-1' },
    body: chatRequest(),
  });
  await response.arrayBuffer();
  return response.status;
}

async function change(sidecar: SidecarProcess, action: string) {
  const response = await fetch(`${sidecar.controlUrl}/api/v1/keys`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${place.tokenOf('olga', 'admin')}`,
    },
    body: JSON.stringify({ action, reason: 'yearly' }),
  });
  expect(response.status).toBe(200);
  return keysSchema.parse(await response.json());
}

function holdpoint(...args: readonly string[]): string {
  const run = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
  expect([run.status, run.stderr]).toEqual([0, '']);
  return run.stdout;
}

const chainOf = () =>
  chainSchema.parse(JSON.parse(holdpoint('keys', 'show', '--json', '--config', place.configFile))).keys;

async function expectTrusted(keys: readonly string[]): Promise<void> {
  for (const trust of keys) {
    const verdict = await verifyDirectory(place.dataDir, { trust });
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({ trusted: [trust], keys: keys.map((key) => ({ key })) });
    expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
  }
}

test('keys change while calls are made: each is answered, and every key of the chain vouches for the ledger', async () => {
  const sidecar = await spawnSidecar(settings, place);
  const [genesis] = chainOf();
  let over = false;
  const callers = Array.from({ length: 6 }, async () => {
    const statuses: number[] = [];
    while (!over) statuses.push(await chat(sidecar));
    return statuses;
  });
  const changed: z.output<typeof keysSchema>[] = [];
  for (const action of ['rotate', 'epoch', 'rotate', 'epoch', 'rotate']) {
    changed.push(await change(sidecar, action));
    await chat(sidecar);
  }
  over = true;
  const statuses = (await Promise.all(callers)).flat();
  expect(statuses.length).toBeGreaterThan(5);
  expect(new Set(statuses)).toEqual(new Set([200]));
  await sidecar.kill('SIGTERM');
  const chain = chainOf().map(({ key }) => key);
  expect(chain).toEqual([genesis?.key, ...[0, 2, 4].map((at) => changed[at]?.key)]);
  expect(new Set(chain).size).toBe(4);
  await expectTrusted(chain);
  const keysDir = join(place.dataDir, 'keys');
  for (const name of readdirSync(keysDir)) expect(statSync(join(keysDir, name)).mode & 0o777).toBe(0o600);
  expect(existsSync(join(keysDir, 'signing.next.pem'))).toBe(false);
});

test('a killed sidecar goes on under the new key', async () => {
  const first = await spawnSidecar(settings, place);
  const { key } = await change(first, 'rotate');
  await first.kill('SIGKILL');
  const second = await spawnSidecar(settings, place);
  expect(await chat(second)).toBe(200);
  await second.kill('SIGTERM');
  expect(chainOf().at(-1)?.key).toBe(key);
});

test.each(['before', 'after'])(
  'a crash %s the boundary was durable, with both keys on disk, is gone on from',
  async (when) => {
    const signing = join(place.dataDir, 'keys', 'signing.pem');
    const first = await spawnSidecar(settings, place);
    const old = readFileSync(signing);
    await change(first, 'rotate');
    await first.kill('SIGKILL');
    const fresh = readFileSync(signing);
    const next = join(place.dataDir, 'keys', 'signing.next.pem');
    if (when === 'after') {
      // As it lay there when the boundary was on disk and the new key had not taken the old one's place.
      writeFileSync(signing, old);
      writeFileSync(next, fresh);
    } else {
      // A key that no entry brought in yet.
      writeFileSync(next, old);
    }
    const second = await spawnSidecar(settings, place);
    expect(await chat(second)).toBe(200);
    expect(readFileSync(signing)).toEqual(fresh);
    await change(second, 'rotate');
    await second.kill('SIGTERM');
    await expectTrusted(chainOf().map(({ key }) => key));
  },
);

test('a stopped sidecar’s keys change by command, and a running one’s directory is not touched', async () => {
  const first = await spawnSidecar(settings, place);
  expect(await chat(first)).toBe(200);
  const locked = spawnSync(process.execPath, [main, 'keys', 'rotate', '--config', place.configFile], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
  expect(locked.status).toBe(2);
  await first.kill('SIGTERM');
  const args = ['--config', place.configFile, '--reason', 'yearly'];
  const key = holdpoint('keys', 'rotate', ...args).trim();
  const kek = holdpoint('keys', 'rotate', '--kek', ...args).trim();
  expect(kek).toMatch(/^[0-9a-f]{8}$/);
  const second = await spawnSidecar(settings, place);
  expect(await chat(second)).toBe(200);
  const token = place.tokenOf('olga', 'admin');
  const running = holdpoint('keys', 'rotate', '--url', second.controlUrl, '--token', token).trim();
  await second.kill('SIGTERM');
  const chain = chainOf().map((chained) => chained.key);
  expect(chain.slice(1)).toEqual([key, running]);
  await expectTrusted(chain);
});

test('the escrow holder opens every body when the operator’s keys are gone, and a stolen key is revoked', async () => {
  const pair = z
    .object({ publicKey: z.string(), secretKey: z.string() })
    .parse(JSON.parse(holdpoint('keys', 'escrow-new', '--json')));
  const config = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(place.configFile, 'utf8')));
  writeFileSync(place.configFile, JSON.stringify({ ...config, keys: { escrow: pair.publicKey } }));
  const secretFile = join(place.directory, 'escrow.secret');
  writeFileSync(secretFile, pair.secretKey);
  const sidecar = await spawnSidecar(settings, place);
  expect(await chat(sidecar)).toBe(200);
  await change(sidecar, 'epoch');
  expect(await chat(sidecar)).toBe(200);
  await change(sidecar, 'rotate');
  const [old, current] = chainOf();
  const kid = old?.key.split('+')[1] ?? '';
  const ordered = ['--url', sidecar.controlUrl, '--token', place.tokenOf('olga', 'admin')];
  holdpoint('keys', 'revoke', kid, '--down-to', String(current?.from), ...ordered);
  await sidecar.kill('SIGTERM');
  // A directory without keys: what an escrow holder is handed.
  const args = ['verify', place.dataDir, '--keys', place.directory, '--escrow-key', secretFile, '--json'];
  const verdict = z
    .object({
      ok: z.boolean(),
      keys: z.array(z.object({ revokedTo: z.number().optional() })),
      bodies: z.object({ stored: z.number(), opened: z.number() }),
    })
    .parse(JSON.parse(holdpoint(...args)));
  expect(verdict.ok).toBe(true);
  expect(verdict.keys[0]?.revokedTo).toBe(current?.from);
  expect(verdict.bodies.stored).toBeGreaterThan(3);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
});
