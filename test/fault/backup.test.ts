/** Backups and coming back from them, with the command line, real sidecars and real directories. */
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { type DemoProvider, startDemoProvider } from '../../src/demo/provider.ts';
import { readEntry } from '../../src/ledger/reader.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar.ts';
import { destroyKek, loadKeys, replaceKek } from '../../src/store/keys.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from '../contract/support/process.ts';
import { type House, makeHouse } from '../crash/sidecar-process.ts';
import { bodyOf, call } from '../crash/workload.ts';
import { mountSmall, unmount } from './small-disk.ts';

vi.setConfig({ testTimeout: 60_000 });

let provider: DemoProvider;
const houses: House[] = [];
const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-backups-'));
beforeAll(async () => {
  provider = await startDemoProvider({ port: 0 });
});
afterAll(async () => {
  await provider.close();
  for (const house of houses) house.remove();
  rmSync(scratch, { recursive: true, force: true });
});

function newHouse(): House {
  const house = makeHouse(provider.url);
  houses.push(house);
  return house;
}
let made = 0;
const newDir = (): string => join(scratch, `${++made}`);

/** Runs a sidecar for some calls, and what a test does while it runs. */
async function live(
  house: House,
  calls: number,
  during: (checkpoint: ReturnType<Sidecar['ledger']['durable']>) => Promise<void> = async () => undefined,
) {
  const sidecar = await startSidecar(house.configFile, {});
  try {
    for (let turn = 0; turn < calls; turn += 1)
      expect((await call(sidecar.proxyUrl, bodyOf('plain', `${turn}`)))?.status).toBe(200);
    await during(sidecar.ledger.durable());
  } finally {
    await sidecar.stop('test');
  }
}

const backUp = (house: House, dir: string) =>
  run(['ledger', 'backup', dir, '--config', house.configFile, '--json']);
const restore = (house: House, dir: string, ...more: string[]) =>
  run(['ledger', 'restore', dir, '--config', house.configFile, '--json', ...more]);
const loseLedger = (house: House): void =>
  renameSync(join(house.dataDir, 'ledger'), join(house.directory, `lost-${++made}`));

async function entryAt(house: House, seq: number) {
  const store = await openLedgerCopy(join(house.dataDir, 'ledger'));
  try {
    return await readEntry(store, seq);
  } finally {
    await store.close();
  }
}

/** Erases the first request of the ledger; returns how many parts that were. */
async function eraseOne(house: House, afterSeq = -1): Promise<{ parts: number; seq: number }> {
  const sidecar = await startSidecar(house.configFile, {});
  try {
    for await (const entries of sidecar.ledger.blocks({ fromSeq: 0, reverse: false })) {
      const request = entries.find(({ type, seq }) => type === 'request' && seq > afterSeq);
      if (request === undefined) continue;
      const data = {
        ...{ action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'ab'.repeat(8) },
        ...{ role: 'privacy', scope: { decision: request.seq } },
        targets: request.parts.map((_part, index) => [request.seq, index]),
      };
      await sidecar.ledger.erase({ type: 'erasure', data }, () => true);
      return { parts: request.parts.length, seq: request.seq };
    }
    throw new Error('there is no request');
  } finally {
    await sidecar.stop('test');
  }
}

/** As a restore leaves it that was killed once the ledger had its place. */
function putTokensBack(house: House): void {
  renameSync(join(house.dataDir, 'tokens.json'), join(house.dataDir, 'ledger', 'tokens.json'));
}

it('a start takes the tokens out of a ledger that a restore was killed over, and knows them', async () => {
  const [from, to] = [newHouse(), newHouse()];
  const dir = newDir();
  await live(from, 1);
  const taken = await run(['ledger', 'backup', dir, '--config', from.configFile, '--tokens']);
  expect(taken.code).toBe(0);
  const before = readFileSync(join(from.dataDir, 'tokens.json'), 'utf8');
  cpSync(join(from.dataDir, 'keys'), join(to.dataDir, 'keys'), { recursive: true });
  rmSync(join(to.dataDir, 'tokens.json'));
  expect((await restore(to, dir)).code).toBe(0);
  putTokensBack(to);
  const { code, err } = await restore(to, dir);
  expect([code, err]).toEqual([2, expect.stringContaining('start the sidecar to go on from it')]);
  await live(to, 1, async () => {
    expect(readFileSync(join(to.dataDir, 'tokens.json'), 'utf8')).toBe(before);
    expect(readdirSync(join(to.dataDir, 'ledger'))).not.toContain('tokens.json');
  });
  expect((await verifyDirectory(to.dataDir, {})).findings).toEqual([]);
});

describe('a backup', () => {
  it('is taken while the sidecar runs, verifies, and is continued by what was sealed since', async () => {
    const house = newHouse();
    const dir = newDir();
    const sizes: number[] = [];
    const taken = async (): Promise<void> => {
      const { code, out, err } = await backUp(house, dir);
      expect([code, err]).toEqual([0, '']);
      sizes.push(JSON.parse(out).size);
    };
    await live(house, 2, taken);
    await live(house, 2, taken);
    const [first = 0, second = 0] = sizes;
    expect(second).toBeGreaterThan(first);
    const streams = readdirSync(dir).filter((name) => name.endsWith('.hpj'));
    expect(streams).toEqual([0, first].map((seq) => `records-${String(seq).padStart(20, '0')}.hpj`));
    expect(readdirSync(dir, { recursive: true }).join()).not.toMatch(/pem|key|tokens/);
  });

  it('of another ledger is not continued, and nothing but a backup is written into', async () => {
    const [one, other] = [newHouse(), newHouse()];
    const dir = newDir();
    await live(one, 1);
    await live(other, 1);
    expect((await backUp(one, dir)).code).toBe(0);
    const before = readFileSync(join(dir, 'manifest.json'), 'utf8');
    const refused = await backUp(other, dir);
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringContaining('does not go on from the backup'),
    ]);
    expect(readFileSync(join(dir, 'manifest.json'), 'utf8')).toBe(before);
    expect((await backUp(one, one.directory)).code).toBe(2);
  });
});

it('a backup of a ledger whose signing key was rotated verifies, goes on over another rotation, and is restored', async () => {
  const house = newHouse();
  const dir = newDir();
  await live(house, 1);
  for (let rotation = 0; rotation < 2; rotation += 1) {
    expect((await run(['keys', 'rotate', '--config', house.configFile, '--reason', 'yearly'])).code).toBe(0);
    const { code, err } = await backUp(house, dir);
    expect([code, err]).toEqual([0, '']);
  }
  loseLedger(house);
  const { code, err } = await restore(house, dir);
  expect([code, err]).toEqual([0, '']);
  await live(house, 1);
  expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
});

it('a backup is begun anew once a key that it may need was retired', async () => {
  const house = newHouse();
  const dir = newDir();
  await live(house, 1);
  expect((await backUp(house, dir)).code).toBe(0);
  const keysDir = join(house.dataDir, 'keys');
  const { kek } = loadKeys(keysDir, false, systemRandom);
  replaceKek(keysDir, systemRandom);
  const sidecar = await startSidecar(house.configFile, {});
  try {
    expect((await backUp(house, dir)).code).toBe(0);
    await sidecar.ledger.retireKek(kek.id, { by: 'olga', reason: 'yearly' });
  } finally {
    await sidecar.stop('test');
  }
  destroyKek(keysDir, kek.id);
  const refused = await backUp(house, dir);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(`${kek.id} was retired`)]);
  const anew = newDir();
  expect((await backUp(house, anew)).code).toBe(0);
  loseLedger(house);
  expect((await restore(house, anew)).code).toBe(0);
});

describe('`verify` of a backup', () => {
  it('gives the verdict on its records, with the keys that are given, and names what its manifest does not list', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 2, async () => {
      expect((await backUp(house, dir)).code).toBe(0);
    });
    expect((await backUp(house, dir)).code).toBe(0);
    const { size, root, key } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    const whole = await run(['verify', dir, '--trust', key, '--keys', join(house.dataDir, 'keys'), '--json']);
    const verdict = JSON.parse(whole.out);
    expect([whole.code, verdict]).toMatchObject([
      0,
      { ok: true, size, root, keyTrust: 'given', findings: [] },
    ]);
    expect(verdict.bodies.opened).toBeGreaterThan(0);
    expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
    const first = join(dir, `records-${'0'.repeat(20)}.hpj`);
    const bytes = readFileSync(first);
    writeFileSync(first, Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)]));
    const damaged = await run(['verify', dir]);
    expect([damaged.code, damaged.out]).toEqual([
      1,
      expect.stringMatching(/FAIL store_unreadable.*\n.*FAIL backup_mismatch/s),
    ]);
    writeFileSync(first, bytes);
    const manifest = readFileSync(join(dir, 'manifest.json'), 'utf8');
    writeFileSync(join(dir, 'manifest.json'), manifest.replace(root, Buffer.alloc(32).toString('base64')));
    const renamed = JSON.parse((await run(['verify', dir, '--json'])).out);
    expect(renamed).toMatchObject({ ok: false, findings: [{ code: 'backup_mismatch', seq: -1 }] });
  });
});

describe('a restore', () => {
  it('says so in the ledger first of all, ends what was open, and goes on from there', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 1, async () => {
      expect((await backUp(house, dir)).code).toBe(0);
    });
    const { size, taken } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    rmSync(join(house.dataDir, 'high-water'));
    loseLedger(house);
    const { code, out } = await restore(house, dir);
    expect(code).toBe(0);
    const restored = JSON.parse(out);
    expect(restored).toMatchObject({ size, lost: 0 });
    expect((await verifyDirectory(house.dataDir, {})).size).toBe(size);
    await live(house, 1);
    const { backup } = restored;
    const data = { backup, found: size, lost: 0, outcomes: [], reason: 'restore', taken };
    expect(await entryAt(house, size)).toMatchObject({ type: 'recovery', data });
    const verdict = await verifyDirectory(house.dataDir, {});
    expect(verdict.findings).toEqual([]);
    expect(verdict.notes.join()).toContain('restored from a backup 1 time');
    expect(verdict.decisions.open).toBe(0);
  });

  it('says it once, however often the start after it dies before the note of it is gone', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 1);
    await backUp(house, dir);
    loseLedger(house);
    expect((await restore(house, dir)).code).toBe(0);
    const note = join(house.dataDir, 'restored.json');
    copyFileSync(note, join(scratch, 'kept'));
    await live(house, 0);
    expect(existsSync(note)).toBe(false);
    copyFileSync(join(scratch, 'kept'), note);
    await live(house, 0);
    const { notes, findings } = await verifyDirectory(house.dataDir, {});
    expect(findings).toEqual([]);
    expect(notes.join()).toContain('restored from a backup 1 time');
  });

  it('says so wherever its ledger is taken, also without the note that lay beside it', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 1);
    await backUp(house, dir);
    loseLedger(house);
    expect((await restore(house, dir)).code).toBe(0);
    rmSync(join(house.dataDir, 'restored.json'));
    for (const _start of [1, 2]) await live(house, 1);
    const { notes, findings } = await verifyDirectory(house.dataDir, {});
    expect(findings).toEqual([]);
    expect(notes.join()).toContain('restored from a backup 1 time');
  });

  it('that loses entries is refused until the loss is accepted; then ledger and kept checkpoint both say it', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 1);
    expect((await backUp(house, dir)).code).toBe(0);
    const { size } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    const kept = join(scratch, 'checkpoint');
    let markSize = 0;
    await live(house, 3, async (checkpoint) => {
      markSize = checkpoint.size;
      writeFileSync(kept, checkpoint.note);
    });
    const lostInAll = Number(readFileSync(join(house.dataDir, 'high-water'), 'utf8').split(' ')[1]) - size;
    loseLedger(house);
    const refused = await restore(house, dir);
    expect(refused.err).toContain(`${lostInAll} more, which would be lost`);
    expect([refused.code, existsSync(join(house.dataDir, 'ledger'))]).toEqual([1, false]);
    // Nothing is begun anew where a ledger was.
    await expect(startSidecar(house.configFile, {})).rejects.toMatchObject({ code: 'ledger_rolled_back' });
    expect(existsSync(join(house.dataDir, 'ledger'))).toBe(false);

    expect((await restore(house, dir, '--accept-loss')).code).toBe(0);
    const codesWith = async () =>
      (await verifyDirectory(house.dataDir, { checkpoint: kept })).findings.map(({ code }) => code);
    expect(await codesWith()).toEqual(['truncated_by_checkpoint']);
    await live(house, 6);
    expect(await entryAt(house, size)).toMatchObject({ data: { reason: 'restore', lost: lostInAll } });
    const verdict = await verifyDirectory(house.dataDir, {});
    expect(verdict.findings).toEqual([]);
    expect(verdict.size).toBeGreaterThan(markSize);
    expect(verdict.notes.join()).toContain(`${lostInAll} entries that were sealed after it are lost`);
    expect(await codesWith()).toEqual(['checkpoint_not_in_ledger']);
  });

  it('takes bodies of every epoch whose key is at hand', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 1);
    replaceKek(join(house.dataDir, 'keys'), systemRandom);
    await live(house, 1);
    await backUp(house, dir);
    loseLedger(house);
    const { code, err } = await restore(house, dir);
    expect([code, err]).toEqual([0, '']);
    const { findings, bodies } = await verifyDirectory(house.dataDir, {});
    expect([findings, bodies.opened]).toEqual([[], bodies.stored]);
  });

  it('brings back nothing that was erased after the backup was begun', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 2);
    await backUp(house, dir);
    const first = await eraseOne(house);
    const second = await eraseOne(house, first.seq);
    await backUp(house, dir);
    loseLedger(house);
    expect((await restore(house, dir)).code).toBe(0);
    await live(house, 0);
    const { findings, notes, bodies } = await verifyDirectory(house.dataDir, {});
    expect([findings, bodies.erased]).toEqual([[], first.parts + second.parts]);
    expect(notes.join()).not.toContain('under way');
  });

  it.each(['restoring', 'rebuilding'])(
    'that a kill broke off while it was %s leaves no copy beyond the next start',
    async (work) => {
      const house = newHouse();
      await live(house, 1);
      const ledgerDir = join(house.dataDir, 'ledger');
      cpSync(ledgerDir, `${ledgerDir}.${work}`, { recursive: true });
      await eraseOne(house);
      expect(readdirSync(house.dataDir).filter((name) => name.startsWith('ledger'))).toEqual(['ledger']);
      expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
    },
  );

  it('writes over nothing, and needs the keys of the ledger', async () => {
    const house = newHouse();
    const dir = newDir();
    await live(house, 1);
    await backUp(house, dir);
    expect((await restore(house, dir)).err).toContain('does not write over one');
    const stranger = newHouse();
    await live(stranger, 0);
    loseLedger(stranger);
    rmSync(join(stranger.dataDir, 'high-water'));
    const refused = await restore(stranger, dir);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('is not the one')]);
    expect(existsSync(join(stranger.dataDir, 'ledger'))).toBe(false);
  });

  it('of a backup with any byte changed, cut or missing writes nothing', async () => {
    const house = newHouse();
    const whole = newDir();
    await live(house, 1);
    await backUp(house, whole);
    loseLedger(house);
    const name = readdirSync(whole).find((file) => file.endsWith('.hpj')) ?? '';
    const bytes = readFileSync(join(whole, name));
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 1;
    for (const altered of [flipped, bytes.subarray(0, -9), null]) {
      const dir = newDir();
      cpSync(whole, dir, { recursive: true });
      if (altered === null) rmSync(join(dir, name));
      else writeFileSync(join(dir, name), altered);
      const { code, err } = await restore(house, dir);
      expect([code, err]).toEqual([1, expect.stringContaining(name)]);
      expect(existsSync(join(house.dataDir, 'ledger'))).toBe(false);
    }
  });
});

const mounted = mountSmall(4);
afterAll(() => {
  if (mounted !== null) unmount(mounted);
});

describe.skipIf(mounted === null)('on a disk that is full (skipped where this user may not mount)', () => {
  const disk = mounted ?? '';
  const ballast = join(disk, 'ballast');
  const fill = (): void => {
    const fd = openSync(ballast, 'w');
    try {
      for (;;) writeSync(fd, Buffer.alloc(4096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(fd);
    }
  };

  it('a backup that there is no room to continue stays as it was, and is continued when there is', async () => {
    const house = newHouse();
    const dir = join(disk, 'backup');
    await live(house, 1);
    expect((await backUp(house, dir)).code).toBe(0);
    const before = readFileSync(join(dir, 'manifest.json'), 'utf8');
    await live(house, 1);
    fill();
    const refused = await backUp(house, dir);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('ENOSPC')]);
    expect(readFileSync(join(dir, 'manifest.json'), 'utf8')).toBe(before);
    rmSync(ballast);
    const { code, out } = await backUp(house, dir);
    expect([code, JSON.parse(out).size > JSON.parse(before).size]).toEqual([0, true]);
  });

  it('a restore leaves nothing, and can be done when there is room', async () => {
    const from = newHouse();
    const dir = newDir();
    await live(from, 1);
    await backUp(from, dir);
    const house = makeHouse(provider.url, { dataDir: join(disk, 'data') });
    houses.push(house);
    cpSync(join(from.dataDir, 'keys'), join(house.dataDir, 'keys'), { recursive: true });
    fill();
    const refused = await restore(house, dir);
    expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/ENOSPC|No space left/)]);
    expect(readdirSync(house.dataDir).sort()).toEqual(['keys', 'tokens.json']);
    rmSync(ballast);
    expect((await restore(house, dir)).code).toBe(0);
    expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
  });
});
