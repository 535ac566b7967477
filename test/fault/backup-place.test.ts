/** Where a backup may lie: not within what it is a copy of. */
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { backupCommand } from '../../src/cli/ledger-backup.ts';
import { stoppedHouse } from './stopped-house.ts';

vi.setConfig({ testTimeout: 30_000 });

const house = await stoppedHouse();
const { scratch } = house;
afterAll(() => house.remove());

const backUp = (dir: string) => backupCommand.run([dir, '--config', house.configFile], {});

it('a backup in the data directory is refused, however it is named, and changes nothing', async () => {
  const linked = join(scratch, 'linked');
  symlinkSync(join(house.dataDir, 'index'), linked);
  const before = readdirSync(house.dataDir, { recursive: true });
  // A restore, and a repair, remove the index with all that is in it.
  const inIt = ['', '..b', join('index', 'b')].map((name) => join(house.dataDir, name));
  for (const dir of [...inIt, join(linked, 'new', 'b')])
    await expect(backUp(dir)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('would take the backup too'),
    });
  expect(readdirSync(house.dataDir, { recursive: true })).toEqual(before);
});

it('a backup beside the data directory is taken, also under a name that begins like its own', async () => {
  const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    for (const name of [`${house.dataDir}-backup`, join(house.dataDir, '..', '..backup')])
      expect(await backUp(name)).toBe(0);
  } finally {
    print.mockRestore();
  }
});
