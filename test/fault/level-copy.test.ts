import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { systemClock, systemRandom } from '../../src/core/clock.ts';
import { recoveredOutcome } from '../../src/hold/record.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { copyPlace } from '../../src/store/copy-place.ts';
import { openHighWater } from '../../src/store/high-water.ts';
import { loadKeys } from '../../src/store/keys.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { openLevelCache, openLevelCopy, openLevelStore } from '../../src/store/level.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';

vi.setConfig({ testTimeout: 60_000 });

const root = mkdtempSync(join(tmpdir(), 'holdpoint-level-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const freshDir = (): string => join(root, `${++made}`);

/** Name and hash of every file; LevelDB's log of its own events and its lock are none of the data. */
function contentOf(dir: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(dir)
      .filter((name) => name !== 'LOCK' && !name.startsWith('LOG'))
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(dir, name)))
          .digest('hex'),
      ]),
  );
}

const record = (name: string) => ({ key: Buffer.from(name), value: Buffer.from(`value of ${name}`) });

/** A database with a table and a log, as a process that died leaves it. */
async function leftBehind(): Promise<string> {
  const dir = freshDir();
  const first = await openLevelStore(dir);
  await first.commit([record('a')], true);
  await first.close();
  const second = await openLevelStore(dir);
  await second.commit([record('b')], true);
  const copy = freshDir();
  cpSync(dir, copy, { recursive: true });
  await second.close();
  return copy;
}

describe('a copy', () => {
  it('is made of a database beside whose files a file system or a person put something', async () => {
    const dir = await leftBehind();
    // What a fresh volume has, and what a tool that copies leaves: neither can be read as a file.
    mkdirSync(join(dir, 'lost+found'));
    symlinkSync('nowhere', join(dir, '.#000003.log'));
    const copy = await openLevelCopy(dir, root);
    expect(await copy.get(Buffer.from('b'))).toEqual(record('b').value);
    await copy.close();
  });

  it('reads everything and changes nothing', async () => {
    const dir = await leftBehind();
    const before = contentOf(dir);
    expect(Object.keys(before).some((name) => name.endsWith('.ldb'))).toBe(true);
    const copy = await openLevelCopy(dir, root);
    const found: string[] = [];
    for await (const { key } of copy.scan({})) found.push(key.toString());
    expect(found).toEqual(['a', 'b']);
    await copy.close();
    expect(contentOf(dir)).toEqual(before);
  });

  it('never writes through to a table whose number it takes for its own', async () => {
    const dir = await leftBehind();
    const taken = readdirSync(dir).flatMap((name) => /^\d+/.exec(name)?.map(Number) ?? []);
    const last = Math.max(...taken);
    // What a writer has finished, and its list of files does not name yet.
    for (let number = 1; number <= last + 20; number += 1) {
      const name = join(dir, `${String(number).padStart(6, '0')}.ldb`);
      if (!existsSync(name)) writeFileSync(name, `a table somebody is about to list, ${number}`);
    }
    const before = contentOf(dir);
    const copy = await openLevelCopy(dir, root);
    expect((await copy.get(Buffer.from('b')))?.toString()).toBe('value of b');
    await copy.close();
    expect(contentOf(dir)).toEqual(before);
  });

  it('leaves no directory behind, not of a database that cannot be opened either', async () => {
    const under = freshDir();
    mkdirSync(under);
    const copy = await openLevelCopy(await leftBehind(), under);
    expect(readdirSync(under)).toHaveLength(1);
    await copy.close();
    const broken = await leftBehind();
    writeFileSync(join(broken, 'CURRENT'), 'MANIFEST-999999\n');
    await expect(openLevelCopy(broken, under)).rejects.toMatchObject({ code: 'ledger_damaged' });
    expect(readdirSync(under)).toEqual([]);
  });
});

it('a copy is made in memory where there is room, and elsewhere where there is none such', async () => {
  expect(await copyPlace('/elsewhere', root)).toBe(root);
  expect(await copyPlace('/elsewhere', join(root, 'not there'))).toBe('/elsewhere');
});

it('a copy that a killed process left behind is taken away after a day, and no sooner', async () => {
  const under = freshDir();
  mkdirSync(under);
  const days = (count: number): Date => new Date(Date.now() - count * 86_400_000);
  for (const [name, age] of [
    ['holdpoint-verify-old', 2],
    ['holdpoint-verify-new', 0],
    ['other', 2],
  ] as const) {
    mkdirSync(join(under, name));
    utimesSync(join(under, name), days(age), days(age));
  }
  await (await openLevelCopy(await leftBehind(), under)).close();
  expect(readdirSync(under).sort()).toEqual(['holdpoint-verify-new', 'other']);
});

describe('a database that lost its list of files', () => {
  it('is refused, and what is left of it stays', async () => {
    const dir = await leftBehind();
    rmSync(join(dir, 'CURRENT'));
    const before = contentOf(dir);
    await expect(openLevelStore(dir)).rejects.toMatchObject({ code: 'ledger_damaged' });
    expect(contentOf(dir)).toEqual(before);
  });

  it('is begun anew where it can be made again from others', async () => {
    const dir = await leftBehind();
    rmSync(join(dir, 'CURRENT'));
    const cache = await openLevelCache(dir);
    expect(await cache.get(Buffer.from('a'))).toBeUndefined();
    await cache.close();
  });
});

async function sealing(dataDir: string): Promise<Ledger> {
  mkdirSync(dataDir);
  const { signingKey, kek } = loadKeys(join(dataDir, 'keys'), true, systemRandom);
  return openLedger({
    openStore: () => openLedgerStore(join(dataDir, 'ledger')),
    openIndexStore: () => openLevelStore(join(dataDir, 'index')),
    highWater: openHighWater(join(dataDir, 'high-water')),
    signingKey,
    kek,
    durability: 'strict',
    clock: systemClock,
    random: systemRandom,
    tailBytesMin: 0,
    product: 'test',
    startData: { config: 'a'.repeat(64), node: 'v24', policy: 'b'.repeat(64), product: 'test' },
    recoveredOutcome,
    onEvent: () => undefined,
  });
}

const longer = (action: string): string => (action === 'long' ? action.repeat(15_000) : action);

it('verifying again and again while the ledger is sealed and its tables move finds it whole each time', async () => {
  const dataDir = freshDir();
  const ledger = await sealing(dataDir);
  const parts = [{ name: 'request', bytes: Buffer.alloc(100_000, 7) }];
  let over = false;
  const load = (async () => {
    while (!over) {
      const sealed = ledger.seal({ type: 'request', data: { verdict: 'pass' }, parts });
      await sealed.durable;
      ledger.settle(sealed.seq, 'client_abort');
      // Long leaves, which LevelDB keeps, and small ones between, so that its log is cut anywhere.
      for (const action of ['long', 'test', 'long', 'long', 'test', 'long'].map(longer))
        await ledger.seal({ type: 'access', data: { action, by: 'ada', role: 'auditor' } }).durable;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  })();
  const tables = new Set<string>();
  const logs = (): number => [...tables].filter((name) => name.endsWith('.log')).length;
  const findings: unknown[] = [];
  let verified = 0;
  let size = 0;
  // Until the log has turned over, and over again, and no single reading was slow enough to see it all.
  while (logs() < 4 || verified < 4) {
    const verdict = await verifyDirectory(dataDir, {});
    findings.push(...verdict.findings);
    expect(verdict.size).toBeGreaterThanOrEqual(size);
    size = verdict.size;
    verified += 1;
    for (const name of readdirSync(join(dataDir, 'ledger'))) if (/\d/.test(name)) tables.add(name);
  }
  over = true;
  await load;
  await ledger.close('test');
  expect(findings).toEqual([]);
  const verdict = await verifyDirectory(dataDir, {});
  expect(verdict).toMatchObject({ ok: true, findings: [] });
});
