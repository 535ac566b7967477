import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { type DemoProvider, startDemoProvider } from '../../src/demo/provider.ts';
import { startSidecar } from '../../src/sidecar.ts';
import { loadKeys } from '../../src/store/keys.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { checkAnswers } from '../crash/rounds.ts';
import { type House, makeHouse, startProcess, startRefused } from '../crash/sidecar-process.ts';
import { bodyOf, call, type Received } from '../crash/workload.ts';
import { endAll } from '../support/endings.ts';
import { mountSmall, unmount } from './small-disk.ts';

// Real processes, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

let provider: DemoProvider;
beforeAll(async () => {
  provider = await startDemoProvider({ port: 0 });
});
afterAll(() => provider.close());
afterEach(endAll);

const houses: House[] = [];
afterAll(() => {
  for (const house of houses) house.remove();
});
function newHouse(dataDir?: string): House {
  const house = makeHouse(provider.url, dataDir === undefined ? {} : { dataDir });
  houses.push(house);
  return house;
}

/** Everything below a directory, by name and hash. */
function contentOf(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return `${file} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
    })
    .sort();
}

/** Starts, takes one call and ends cleanly. */
async function useOnce(house: House): Promise<void> {
  const sidecar = await startSidecar(house.configFile, {});
  expect((await call(sidecar.proxyUrl, bodyOf('plain', 'once')))?.status).toBe(200);
  await sidecar.stop('test');
}

const mounted = mountSmall(24);
afterAll(() => {
  if (mounted !== null) unmount(mounted);
});

describe.skipIf(mounted === null)('a disk of its own (skipped where this user may not mount)', () => {
  it('that is full refuses with 503, sends nothing on, loses nothing and recovers by itself', async () => {
    const mount = mounted ?? '';
    const house = newHouse(join(mount, 'data'));
    const ballast = join(mount, 'ballast');
    writeFileSync(ballast, Buffer.alloc(8 * 1024 * 1024));
    const sidecar = await startProcess(house);
    const callsBefore = provider.calls();
    const received: Received[] = [];
    const body = (nonce: string): string => bodyOf('plain', `${nonce} ${'word '.repeat(40_000)}`);

    let refusal: Received | null = null;
    for (let turn = 0; turn < 500 && refusal === null; turn += 1) {
      const answers = await Promise.all(
        [0, 1, 2, 3].map((at) => call(sidecar.proxyUrl, body(`${turn}.${at}`))),
      );
      for (const answer of answers) {
        if (answer?.status === 200) received.push(answer);
        else refusal = answer;
      }
    }
    expect(refusal?.status).toBe(503);
    expect(refusal?.body.toString()).toContain('"ledger_unavailable"');

    // However long it lasts.
    for (let turn = 0; turn < 10; turn += 1) {
      const answer = await call(sidecar.proxyUrl, body(`full ${turn}`));
      if (answer?.status === 200) received.push(answer);
      else expect(answer?.status).toBe(503);
    }

    rmSync(ballast);
    const untilMs = Date.now() + 15_000;
    let back: Received | null = null;
    while (back?.status !== 200 && Date.now() < untilMs) {
      back = await call(sidecar.proxyUrl, bodyOf('plain', 'after'));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(back?.status).toBe(200);
    if (back !== null) received.push(back);
    expect((await sidecar.stop()).code).toBe(0);
    const verdict = await verifyDirectory(house.dataDir, {});
    expect(verdict.findings).toEqual([]);
    expect(verdict.decisions.open).toBe(0);
    // Each call that went upstream was sealed before; those that could not be were not sent.
    expect(provider.calls() - callsBefore).toBeLessThanOrEqual(verdict.decisions.total);
    expect(provider.calls() - callsBefore).toBeGreaterThanOrEqual(received.length);
    await checkAnswers(house, received);
  });

  it('that is read-only refuses the start with what to do, and ends 2', async () => {
    const mount = mounted ?? '';
    const house = newHouse(join(mount, 'read-only'));
    await useOnce(house);
    execFileSync('mount', ['-o', 'remount,ro', mount], { stdio: 'pipe' });
    try {
      const { code, stderr } = await startRefused(house);
      expect(code).toBe(2);
      expect(stderr).toMatch(/cannot be written|Read-only|read-only/);
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', mount], { stdio: 'pipe' });
    }
  });
});

describe('the keys of an existing ledger', () => {
  const keyNames = ['signing.pem', 'kek.key'];

  async function expectRefused(house: House, name: string): Promise<void> {
    const before = contentOf(house.dataDir);
    const refusal = { code: 'config_invalid', message: expect.stringContaining(name) };
    await expect(startSidecar(house.configFile, {})).rejects.toMatchObject(refusal);
    // The index is no evidence; opening it may tidy it.
    const isEvidence = (line: string): boolean => !line.startsWith(join(house.dataDir, 'index'));
    expect(contentOf(house.dataDir).filter(isEvidence)).toEqual(before.filter(isEvidence));
  }

  it.each(keyNames)('must be there: without %s nothing starts and nothing is written', async (name) => {
    const house = newHouse();
    await useOnce(house);
    rmSync(join(house.dataDir, 'keys', name));
    await expectRefused(house, name);
  });

  it.each(keyNames)('must be its own: with the %s of another nothing starts or is written', async (name) => {
    const house = newHouse();
    await useOnce(house);
    const strangers = join(house.directory, 'strangers');
    loadKeys(strangers, true, systemRandom);
    cpSync(join(strangers, name), join(house.dataDir, 'keys', name));
    await expectRefused(house, name);
  });

  it.each(keyNames)('must be readable: with a directory in the place of %s nothing starts', async (name) => {
    const house = newHouse();
    await useOnce(house);
    rmSync(join(house.dataDir, 'keys', name));
    mkdirSync(join(house.dataDir, 'keys', name));
    await expectRefused(house, name);
  });
});

it('a second process on the same data directory ends 2 and says so, and the first goes on', async () => {
  const house = newHouse();
  const first = await startProcess(house);
  expect((await call(first.proxyUrl, bodyOf('plain', 'before')))?.status).toBe(200);
  const { code, stderr } = await startRefused(house);
  expect(code).toBe(2);
  expect(stderr).toContain('Another Holdpoint process uses');
  expect((await call(first.proxyUrl, bodyOf('plain', 'after')))?.status).toBe(200);
  expect((await first.stop()).code).toBe(0);
  expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
});
