/** Real processes: keys change under load and on a stopped sidecar; every call is answered and the ledger verifies. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { endAll } from '../support/endings.ts';
import { chat, type KeyHouse, openKeyHouse, runHoldpoint } from './key-house.ts';

let house: KeyHouse;
beforeEach(async () => {
  house = await openKeyHouse();
});
afterEach(endAll);

test('keys change while calls are made: each is answered, and every key of the chain vouches for the ledger', async () => {
  const sidecar = await house.spawn();
  const [genesis] = house.chainOf();
  let over = false;
  const callers = Array.from({ length: 6 }, async () => {
    const statuses: number[] = [];
    while (!over) statuses.push(await chat(sidecar));
    return statuses;
  });
  const changed: Awaited<ReturnType<typeof house.change>>[] = [];
  for (const action of ['rotate', 'epoch', 'rotate', 'epoch', 'rotate']) {
    changed.push(await house.change(sidecar, action));
    await chat(sidecar);
  }
  over = true;
  const statuses = (await Promise.all(callers)).flat();
  expect(statuses.length).toBeGreaterThan(5);
  expect(new Set(statuses)).toEqual(new Set([200]));
  await sidecar.kill('SIGTERM');
  const chain = house.chainOf().map(({ key }) => key);
  expect(chain).toEqual([genesis?.key, ...[0, 2, 4].map((at) => changed[at]?.key)]);
  expect(new Set(chain).size).toBe(4);
  await house.expectTrusted(chain);
  const keysDir = join(house.place.dataDir, 'keys');
  for (const name of readdirSync(keysDir)) expect(statSync(join(keysDir, name)).mode & 0o777).toBe(0o600);
  expect(existsSync(join(keysDir, 'signing.next.pem'))).toBe(false);
});

test('a killed sidecar goes on under the new key', async () => {
  const first = await house.spawn();
  const { key } = await house.change(first, 'rotate');
  await first.kill('SIGKILL');
  const second = await house.spawn();
  expect(await chat(second)).toBe(200);
  await second.kill('SIGTERM');
  expect(house.chainOf().at(-1)?.key).toBe(key);
});

test('a stopped sidecar’s keys change by command, and a running one’s directory is not touched', async () => {
  const first = await house.spawn();
  expect(await chat(first)).toBe(200);
  const locked = runHoldpoint(['keys', 'rotate', '--config', house.place.configFile]);
  expect(locked.status).toBe(2);
  await first.kill('SIGTERM');
  const args = ['--config', house.place.configFile, '--reason', 'yearly'];
  const key = house.holdpoint('keys', 'rotate', ...args).trim();
  const kek = house.holdpoint('keys', 'rotate', '--kek', ...args).trim();
  expect(kek).toMatch(/^[0-9a-f]{8}$/);
  const second = await house.spawn();
  expect(await chat(second)).toBe(200);
  const token = house.place.tokenOf('olga', 'admin');
  const running = house.holdpoint('keys', 'rotate', '--url', second.controlUrl, '--token', token).trim();
  await second.kill('SIGTERM');
  const chain = house.chainOf().map((chained) => chained.key);
  expect(chain.slice(1)).toEqual([key, running]);
  await house.expectTrusted(chain);
  // A dozen processes, each of which takes a second where the machine is slow.
}, 60_000);

test('the escrow holder opens every body when the operator’s keys are gone, and a stolen key is revoked', async () => {
  const pair = z
    .object({ publicKey: z.string(), secretKey: z.string() })
    .parse(JSON.parse(house.holdpoint('keys', 'escrow-new', '--json')));
  const config = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(house.place.configFile, 'utf8')));
  writeFileSync(house.place.configFile, JSON.stringify({ ...config, keys: { escrow: pair.publicKey } }));
  const secretFile = join(house.place.directory, 'escrow.secret');
  writeFileSync(secretFile, pair.secretKey);
  const sidecar = await house.spawn();
  expect(await chat(sidecar)).toBe(200);
  await house.change(sidecar, 'epoch');
  expect(await chat(sidecar)).toBe(200);
  await house.change(sidecar, 'rotate');
  const [old, current] = house.chainOf();
  const kid = old?.key.split('+')[1] ?? '';
  const ordered = ['--url', sidecar.controlUrl, '--token', house.place.tokenOf('olga', 'admin')];
  house.holdpoint('keys', 'revoke', kid, '--down-to', String(current?.from), ...ordered);
  await sidecar.kill('SIGTERM');
  // A directory without keys: what an escrow holder is handed.
  const args = [
    'verify',
    house.place.dataDir,
    '--keys',
    house.place.directory,
    '--escrow-key',
    secretFile,
    '--json',
  ];
  const verdict = z
    .object({
      ok: z.boolean(),
      keys: z.array(z.object({ revokedTo: z.number().optional() })),
      bodies: z.object({ stored: z.number(), opened: z.number() }),
    })
    .parse(JSON.parse(house.holdpoint(...args)));
  expect(verdict.ok).toBe(true);
  expect(verdict.keys[0]?.revokedTo).toBe(current?.from);
  expect(verdict.bodies.stored).toBeGreaterThan(3);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
});
