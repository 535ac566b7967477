/** `ledger fsck` on real directories: whole ones, ones a kill left, and each kind of damage. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FsckReport, fsck } from '../../src/store/fsck.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { readReach } from '../../src/store/reach.ts';
import { repair } from '../../src/store/repair.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from '../contract/support/process.ts';
import { flipped, makeRealLedgers, type RealLedgers } from './real-ledger.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let made: RealLedgers;
const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-fsck-'));
let copies = 0;
beforeAll(async () => {
  made = await makeRealLedgers();
});
afterAll(() => {
  made.remove();
  rmSync(scratch, { recursive: true, force: true });
});

/** A copy of the ledger as a clean stop, or a kill, left it. */
function copyOf(name: 'stopped' | 'killed') {
  const from = made.all.find((ledger) => ledger.name === name)?.dataDir ?? '';
  const dataDir = join(scratch, `${++copies}`);
  cpSync(from, dataDir, { recursive: true });
  return {
    dataDir,
    ledgerDir: join(dataDir, 'ledger'),
    indexDir: join(dataDir, 'index'),
    highWater: join(dataDir, 'high-water'),
  };
}
const journal = 'journal-0000000001.hpj';
const damagesOf = ({ findings }: FsckReport): string[] =>
  findings.filter(({ kind }) => kind !== 'note').map(({ kind, message }) => `${kind}: ${message}`);

describe('fsck', () => {
  it('finds nothing wrong with what a stop and a kill leave, and reads all of it', async () => {
    for (const name of ['stopped', 'killed'] as const) {
      const paths = copyOf(name);
      const report = await fsck(paths);
      expect(damagesOf(report)).toEqual([]);
      const { size, bodies } = await verifyDirectory(paths.dataDir, {});
      expect(report).toMatchObject({ segments: 1, entries: size, journalIsWhole: true });
      expect(report.bodies).toBeGreaterThan(0);
      expect(report.frames).toBeGreaterThan(bodies.stored / 4);
    }
  });

  it('names a write that was cut off, which is no damage', async () => {
    const paths = copyOf('killed');
    const file = join(paths.ledgerDir, journal);
    const { length } = readFileSync(file);
    appendFileSync(file, Buffer.from([0, 0, 1, 0, 1, 2, 3]));
    const report = await fsck(paths);
    expect(damagesOf(report)).toEqual([]);
    expect(report.findings).toContainEqual({
      kind: 'note',
      file,
      byte: length,
      message: 'a write was cut off: 7 bytes that the next start takes away',
    });
  });

  it('finds nothing in the room that a kill leaves behind the last frame, and lets a repair go over it', async () => {
    const paths = copyOf('killed');
    const before = await fsck(paths);
    const file = join(paths.ledgerDir, journal);
    appendFileSync(file, Buffer.alloc(100_000));
    const report = await fsck(paths);
    expect(report).toEqual(before);
    rmSync(join(paths.ledgerDir, 'CURRENT'));
    await repair(paths, await fsck(paths));
    expect(damagesOf(await fsck(paths))).toEqual([]);
    expect(readFileSync(file).length).toBe(statSync(join(copyOf('killed').ledgerDir, journal)).size);
  });

  it('finds one bit flipped in any frame that LevelDB took in, and says at which byte it begins', async () => {
    const paths = copyOf('stopped');
    const file = join(paths.ledgerDir, journal);
    const whole = readFileSync(file);
    for (let byte = 0; byte < whole.length; byte += Math.ceil(whole.length / 40)) {
      writeFileSync(file, flipped(whole, { file, byte, bit: byte % 8 }));
      const [finding] = (await fsck(paths)).findings.filter(({ kind }) => kind === 'damage');
      expect(finding?.file, `byte ${byte}`).toBe(file);
      expect(finding?.byte).toBeLessThanOrEqual(byte);
    }
  });

  it('finds one bit flipped in the log of LevelDB, whose loss LevelDB says nothing of, and repairs it', async () => {
    const paths = copyOf('killed');
    const name = readdirSync(paths.ledgerDir).find((one) => /^\d+\.log$/.test(one)) ?? '';
    const file = join(paths.ledgerDir, name);
    const whole = readFileSync(file);
    expect(whole.length).toBeGreaterThan(1_000);
    writeFileSync(file, flipped(whole, { file, byte: Math.floor(whole.length / 2), bit: 3 }));
    const report = await fsck(paths);
    expect(report.findings).toContainEqual({
      kind: 'derived',
      file,
      byte: expect.any(Number),
      message: expect.stringMatching(/^the record at byte \d+ /),
    });
    await repair(paths, report);
    expect(damagesOf(await fsck(paths))).toEqual([]);
  });

  it('takes a flipped bit for no write that was cut off where LevelDB had the frame before a kill', async () => {
    const paths = copyOf('killed');
    const aside = copyOf('killed');
    const level = await openLevelCache(aside.ledgerDir);
    const reach = await readReach(level);
    await level.close();
    const file = join(paths.ledgerDir, journal);
    const byte = (reach?.taken.offset ?? 0) - 1;
    expect(byte).toBeGreaterThan(0);
    writeFileSync(file, flipped(readFileSync(file), { file, byte, bit: 0 }));
    const damages = damagesOf(await fsck(paths));
    expect(damages).toContainEqual(expect.stringContaining('damage: no whole frame (checksum)'));
  });

  it('finds a mark that knows more than there is', async () => {
    const paths = copyOf('stopped');
    const other = copyOf('killed');
    cpSync(paths.highWater, other.highWater);
    expect(damagesOf(await fsck(other)).join()).toMatch(
      /damage: the mark knows \d+ entries, the ledger has \d+/,
    );
  });
});

describe('a repair that was killed between its two renames', () => {
  /** No ledger, what it was, and beside it what was to come. */
  function cutOff() {
    const paths = copyOf('stopped');
    rmSync(join(paths.ledgerDir, 'CURRENT'));
    cpSync(paths.ledgerDir, `${paths.ledgerDir}.rebuilding`, { recursive: true });
    renameSync(paths.ledgerDir, `${paths.ledgerDir}.before-repair-1`);
    return { ...paths, env: { HOLDPOINT_DATA_DIR: paths.dataDir } };
  }
  const fsckWith = (args: readonly string[], env: Record<string, string>) =>
    run(['ledger', 'fsck', ...args, '--config', made.house.configFile], env);

  it('is told of by fsck and by a start, with where the ledger lies', async () => {
    const { ledgerDir, highWater, env } = cutOff();
    const told = `what it was to replace is in ${ledgerDir}.before-repair-1`;
    expect((await fsckWith([], env)).err).toContain(told);
    const start = () => run(['run', '--config', made.house.configFile], env);
    expect((await start()).err).toContain(told);
    // Nor is another begun where nothing remembers the one before.
    rmSync(highWater);
    expect((await start()).err).toContain(told);
    expect(existsSync(ledgerDir)).toBe(false);
  });

  it('goes on with the next one', async () => {
    const { dataDir, ledgerDir, env } = cutOff();
    const { code, out } = await fsckWith(['--repair'], env);
    expect([code, out]).toEqual([0, expect.stringContaining('repaired: put ledger.before-repair-1 back')]);
    expect((await verifyDirectory(dataDir, {})).ok).toBe(true);
    expect(existsSync(`${ledgerDir}.rebuilding`)).toBe(false);
  });

  it('is not taken for one that ended long ago, whose ledger was moved away since', async () => {
    const { ledgerDir, env } = cutOff();
    rmSync(`${ledgerDir}.rebuilding`, { recursive: true });
    const { code, err } = await fsckWith(['--repair'], env);
    expect([code === 0, err]).toEqual([false, expect.stringContaining('If that is what is missing')]);
    expect(existsSync(ledgerDir)).toBe(false);
  });
});

it('as a command it ends 0 on a whole ledger, and 1 on a damaged one that it cannot repair', async () => {
  const args = ['ledger', 'fsck', '--config', made.house.configFile];
  const whole = await run(args);
  expect([whole.code, whole.out]).toEqual([0, expect.stringMatching(/^WHOLE {2}1 segment/m)]);
  const file = join(made.house.dataDir, 'ledger', journal);
  const bytes = readFileSync(file);
  writeFileSync(file, flipped(bytes, { file, byte: 500, bit: 0 }));
  const damaged = await run([...args, '--repair']);
  writeFileSync(file, bytes);
  expect([damaged.code, damaged.out]).toEqual([
    1,
    expect.stringMatching(/^damage: .*hpj at byte \d+: no whole frame/m),
  ]);
  expect(damaged.out).toContain(`next: \`holdpoint verify ${made.house.dataDir}\` says whether`);
});

it('what is damaged and yet loses nothing is whole again by way of a backup, as the command says', async () => {
  const paths = copyOf('stopped');
  const file = join(paths.ledgerDir, journal);
  truncateSync(file, statSync(file).size - 10);
  const env = { HOLDPOINT_DATA_DIR: paths.dataDir };
  const config = ['--config', made.house.configFile];
  const { out } = await run(['ledger', 'fsck', ...config], env);
  expect(out).toContain('`holdpoint ledger backup`');
  const before = await verifyDirectory(paths.dataDir, {});
  expect(before.ok).toBe(true);
  const backup = join(scratch, 'of-damaged');
  expect(await run(['ledger', 'backup', backup, ...config], env)).toMatchObject({ code: 0 });
  renameSync(paths.ledgerDir, `${paths.ledgerDir}.damaged`);
  expect(await run(['ledger', 'restore', backup, ...config], env)).toMatchObject({ code: 0 });
  expect(damagesOf(await fsck(paths))).toEqual([]);
  const after = await verifyDirectory(paths.dataDir, {});
  expect([after.ok, after.size, after.root]).toEqual([true, before.size, before.root]);
});

describe('repair', () => {
  it('makes LevelDB again from a whole journal, keeps what was there, and the ledger verifies as before', async () => {
    const paths = copyOf('stopped');
    const before = await verifyDirectory(paths.dataDir, {});
    const tables = readdirSync(paths.ledgerDir).filter((name) => name.endsWith('.ldb'));
    expect(tables.length).toBeGreaterThan(0);
    const table = join(paths.ledgerDir, tables[0] ?? '');
    const damaged = flipped(readFileSync(table), { file: table, byte: 100, bit: 3 });
    writeFileSync(table, damaged);
    const report = await fsck(paths);
    expect(damagesOf(report).join()).toContain('does not have its checksum');
    const done = await repair(paths, report);
    expect(done).toHaveLength(2);
    expect(done[0]).toContain('again from 1 segment;');
    expect(damagesOf(await fsck(paths))).toEqual([]);
    const after = await verifyDirectory(paths.dataDir, {});
    expect([after.ok, after.size, after.root, after.bodies]).toEqual([
      true,
      before.size,
      before.root,
      before.bodies,
    ]);
    expect(readFileSync(join(`${paths.ledgerDir}.before-repair-1`, tables[0] ?? ''))).toEqual(damaged);
  });

  it('has verify say what it set aside, without another verdict', async () => {
    const paths = copyOf('stopped');
    for (const kept of ['ledger.before-repair-1', 'ledger.before-repair-2']) {
      rmSync(join(paths.ledgerDir, 'CURRENT'));
      await repair(paths, await fsck(paths));
      expect(readdirSync(paths.dataDir)).toContain(kept);
    }
    const { code, out } = await run(['verify', paths.dataDir]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^INTACT/)]);
    expect(out).toContain('note: Beside the ledger are ledger.before-repair-1, ledger.before-repair-2:');
    const { notes } = await verifyDirectory(paths.dataDir, {});
    expect(notes.filter((note) => note.includes('before-repair'))).toHaveLength(1);
    rmSync(`${paths.ledgerDir}.before-repair-1`, { recursive: true });
    const one = await run(['verify', paths.dataDir, '--json']);
    expect(JSON.parse(one.out).notes.join()).toContain('Beside the ledger is ledger.before-repair-2:');
    // Nor is it kept from whoever is told that there is no ledger.
    rmSync(paths.ledgerDir, { recursive: true });
    const lost = await run(['verify', paths.dataDir]);
    expect([lost.code, lost.out]).toEqual([1, expect.stringContaining('ledger.before-repair-2')]);
    rmSync(paths.highWater);
    const begun = await run(['verify', paths.dataDir]);
    expect([begun.code, begun.err]).toEqual([2, expect.stringContaining('ledger.before-repair-2')]);
  });

  it('makes LevelDB again where its list of files is gone', async () => {
    const paths = copyOf('stopped');
    rmSync(join(paths.ledgerDir, 'CURRENT'));
    await repair(paths, await fsck(paths));
    expect((await verifyDirectory(paths.dataDir, {})).ok).toBe(true);
  });

  it('changes nothing where the journal is not whole either', async () => {
    const paths = copyOf('stopped');
    const file = join(paths.ledgerDir, journal);
    writeFileSync(file, flipped(readFileSync(file), { file, byte: 500, bit: 0 }));
    rmSync(join(paths.ledgerDir, 'CURRENT'));
    const names = readdirSync(paths.ledgerDir);
    await expect(repair(paths, await fsck(paths))).rejects.toMatchObject({ code: 'ledger_damaged' });
    expect(readdirSync(paths.ledgerDir)).toEqual(names);
  });

  it('is refused while a sidecar runs', async () => {
    const paths = copyOf('stopped');
    rmSync(join(paths.ledgerDir, 'CURRENT'));
    const report = await fsck(paths);
    const index = await openLevelCache(paths.indexDir);
    await expect(repair(paths, report)).rejects.toMatchObject({ code: 'data_dir_locked' });
    await index.close();
  });
});
