/** A restore where the high-water mark remembers a ledger that the backup did not come from, and into places of other kinds. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock, systemRandom } from '../../src/core/clock.ts';
import { readEntry } from '../../src/ledger/reader.ts';
import { startSidecar } from '../../src/sidecar.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { addToken, revokeToken } from '../../src/store/token-file.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from '../contract/support/process.ts';
import { mountSmall, unmount } from './small-disk.ts';
import { type StoppedHouse, stoppedHouse } from './stopped-house.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let house: StoppedHouse;
beforeAll(async () => {
  house = await stoppedHouse();
});
afterAll(() => house.remove());

const ledgerCommand = (args: readonly string[], env: Record<string, string> = {}) =>
  run(['ledger', ...args, '--config', house.configFile], env);

async function startOnce(env: Record<string, string> = {}): Promise<void> {
  await (await startSidecar(house.configFile, env)).stop('test');
}

const markSize = (dataDir: string): number =>
  Number(readFileSync(join(dataDir, 'high-water'), 'utf8').split(' ')[1]);

it('refuses a longer backup of a ledger that was restored elsewhere and went on, until the loss is accepted', async () => {
  const [common, forked] = [join(house.scratch, 'common'), join(house.scratch, 'forked')];
  expect((await ledgerCommand(['backup', common])).code).toBe(0);
  const elsewhere = { HOLDPOINT_DATA_DIR: join(house.scratch, 'elsewhere') };
  cpSync(join(house.dataDir, 'keys'), join(elsewhere.HOLDPOINT_DATA_DIR, 'keys'), { recursive: true });
  expect((await ledgerCommand(['restore', common], elsewhere)).code).toBe(0);
  for (const _start of [1, 2]) await startOnce(elsewhere);
  expect((await ledgerCommand(['backup', forked], elsewhere)).code).toBe(0);
  await startOnce();
  const sealed = markSize(house.dataDir);
  const { size } = JSON.parse(readFileSync(join(forked, 'manifest.json'), 'utf8'));
  expect(size).toBeGreaterThan(sealed);

  const mark = readFileSync(join(house.dataDir, 'high-water'));
  renameSync(join(house.dataDir, 'ledger'), join(house.scratch, 'lost'));
  const refused = await ledgerCommand(['restore', forked]);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringContaining('another root than the high-water'),
  ]);
  expect(refused.err).toContain(`all of the ${sealed} entries that were sealed here`);
  expect(existsSync(join(house.dataDir, 'ledger'))).toBe(false);
  expect(readFileSync(join(house.dataDir, 'high-water'))).toEqual(mark);

  expect((await ledgerCommand(['restore', forked, '--accept-loss'])).code).toBe(0);
  await startOnce();
  const copy = await openLedgerCopy(join(house.dataDir, 'ledger'));
  expect(await readEntry(copy, size)).toMatchObject({ data: { reason: 'restore', lost: sealed } });
  await copy.close();
  expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
});

it('says whose tokens came with the backup, as no signature covers them', async () => {
  const backup = join(house.scratch, 'with-tokens');
  const env = { HOLDPOINT_DATA_DIR: join(house.scratch, 'of-tokens') };
  const tokens = join(house.dataDir, 'tokens.json');
  addToken(tokens, { name: 'Olga', role: 'reviewer' }, systemClock.nowMs(), systemRandom);
  expect((await ledgerCommand(['backup', backup, '--tokens'])).code).toBe(0);
  addToken(
    join(backup, 'tokens.json'),
    { name: 'mallory', role: 'admin' },
    systemClock.nowMs(),
    systemRandom,
  );
  revokeToken(join(backup, 'tokens.json'), 'Olga', 'mallory', systemClock.nowMs());
  cpSync(join(house.dataDir, 'keys'), join(env.HOLDPOINT_DATA_DIR, 'keys'), { recursive: true });
  const restored = await ledgerCommand(['restore', backup], env);
  expect([restored.code, restored.out]).toEqual([
    0,
    expect.stringMatching(/^Tokens that came with it, and let in: (.*, )?mallory \(admin\)\.$/m),
  ]);
  expect(restored.out).not.toContain('Olga');
});

const mounted = mountSmall(16);
afterAll(() => {
  if (mounted !== null) unmount(mounted);
});

describe.skipIf(mounted === null)(
  'where a disk is mounted in place of the ledger (skipped where this user may not mount)',
  () => {
    const bind = (command: string, args: readonly string[]): void => {
      expect(spawnSync(command, args).status).toBe(0);
    };

    it('neither a restore nor a repair changes anything, and each says what to do', async () => {
      const dataDir = join(house.scratch, 'mounted');
      const ledgerDir = join(dataDir, 'ledger');
      const backup = join(house.scratch, 'of-mounted');
      const env = { HOLDPOINT_DATA_DIR: dataDir };
      await startOnce();
      expect((await ledgerCommand(['backup', backup])).code).toBe(0);
      for (const name of ['keys', 'index', 'high-water'])
        cpSync(join(house.dataDir, name), join(dataDir, name), { recursive: true });
      mkdirSync(ledgerDir);
      bind('mount', ['--bind', mounted ?? '', ledgerDir]);
      try {
        const mark = readFileSync(join(dataDir, 'high-water'));
        const refused = await ledgerCommand(['restore', backup], env);
        expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('take that away until')]);
        expect(readdirSync(dataDir).sort()).toEqual(['high-water', 'index', 'keys', 'ledger']);
        expect(readFileSync(join(dataDir, 'high-water'))).toEqual(mark);

        cpSync(join(house.dataDir, 'ledger'), ledgerDir, { recursive: true });
        rmSync(join(ledgerDir, 'CURRENT'));
        const names = readdirSync(ledgerDir).sort();
        const repair = await ledgerCommand(['fsck', '--repair'], env);
        expect([repair.code, repair.err]).toEqual([
          2,
          expect.stringContaining('cannot be set aside as ledger.before-repair-1'),
        ]);
        expect(readdirSync(dataDir).sort()).toEqual(['high-water', 'index', 'keys', 'ledger']);
        expect(readdirSync(ledgerDir).sort()).toEqual(names);
      } finally {
        bind('umount', [ledgerDir]);
      }
    });
  },
);
