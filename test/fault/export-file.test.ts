/** The file that an export is: its owner's alone, on disk when it is said to be written, and nothing else's. */
import { existsSync, lstatSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { exportCommand, exportTilesCommand } from '../../src/cli/ledger-export.ts';
import { watchDisk } from './disk-calls.ts';
import { stoppedHouse } from './stopped-house.ts';

vi.setConfig({ testTimeout: 30_000 });

const house = await stoppedHouse();
const { scratch } = house;
afterAll(() => house.remove());

function run(command: typeof exportCommand, to: string) {
  const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => print.mockRestore());
  return command.run([to, '--config', house.configFile], {});
}

it('is not written through a link that somebody put where it is made', async () => {
  const [file, elsewhere] = [join(scratch, 'linked.hpj'), join(scratch, 'elsewhere')];
  for (const ending of ['partial', 'new']) symlinkSync(elsewhere, `${file}.${ending}`);
  expect(await run(exportCommand, file)).toBe(0);
  expect(existsSync(elsewhere)).toBe(false);
  expect(lstatSync(file).isFile()).toBe(true);
  expect(lstatSync(file).mode & 0o777).toBe(0o600);
});

it('has its name on disk when it is said to be written', async () => {
  const dir = mkdtempSync(join(scratch, 'synced-'));
  const synced: string[] = [];
  const unwatch = watchDisk({
    dir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind }) => {
      if (kind === 'sync') synced.push(readdirSync(dir).join(' '));
    },
  });
  try {
    await run(exportCommand, join(dir, 'export.hpj'));
  } finally {
    unwatch();
  }
  expect(synced).toEqual(['export.hpj']);
});

it('is not made of tiles in the place of a file', async () => {
  const file = join(scratch, 'a-file');
  writeFileSync(file, 'kept');
  await expect(run(exportTilesCommand, file)).rejects.toMatchObject({
    code: 'usage',
    message: `${file} is a file.`,
  });
});
