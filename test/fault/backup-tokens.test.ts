/** The tokens that a backup takes with it: whole, on disk when it is said so, and their owner's alone. */

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { backupCommand } from '../../src/cli/ledger-backup.ts';
import { type DiskCall, watchDisk } from './disk-calls.ts';
import { stoppedHouse } from './stopped-house.ts';

vi.setConfig({ testTimeout: 30_000 });

const house = await stoppedHouse();
const { scratch } = house;
const backup = join(scratch, 'backup');
afterAll(() => house.remove());

/** Takes the backup with its tokens; tells of each call of the disk for them. */
async function backUp(
  tokens: string,
  fails: (call: DiskCall) => boolean,
  flags: readonly string[] = ['--tokens'],
): Promise<readonly string[]> {
  writeFileSync(join(house.dataDir, 'tokens.json'), tokens);
  const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => print.mockRestore());
  const seen: string[] = [];
  let isOfTokens = flags.length === 0;
  const unwatch = watchDisk({
    dir: backup,
    fateOf: (call) => (fails(call) ? 'before' : 'done'),
    failureOf: () => Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' }),
    done: ({ kind, file }) => {
      isOfTokens ||= file.startsWith('tokens');
      if (isOfTokens && kind === 'sync') seen.push(`${file || 'directory'}: ${tokenFiles().join(' ')}`);
    },
  });
  try {
    await backupCommand.run([backup, '--config', house.configFile, ...flags], {});
  } finally {
    unwatch();
  }
  return seen;
}

const tokenFiles = (): string[] => readdirSync(backup).filter((name) => name.startsWith('tokens'));

it('are on disk before they have their name, and with it when the backup is said to be taken', async () => {
  expect(await backUp('{"first":1}', () => false)).toEqual([
    'tokens.json.new: tokens.json.new',
    'directory: tokens.json',
  ]);
  expect(statSync(join(backup, 'tokens.json')).mode & 0o777).toBe(0o600);
});

it('stay those of before where the disk does not take the new ones', async () => {
  await backUp('{"first":1}', () => false);
  const isOfTokens = ({ kind, file }: DiskCall): boolean => kind === 'sync' && file.startsWith('tokens');
  await expect(backUp('{"second":2}', isOfTokens)).rejects.toMatchObject({ code: 'usage' });
  expect(readFileSync(join(backup, 'tokens.json'), 'utf8')).toBe('{"first":1}');
});

it('go, on disk, where the backup goes on without them: what was revoked since must not count again', async () => {
  await backUp('{"first":1}', () => false);
  expect((await backUp('{"second":2}', () => false, [])).at(-1)).toBe('directory: ');
  expect(tokenFiles()).toEqual([]);
});
