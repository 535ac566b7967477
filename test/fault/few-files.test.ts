/** A process that may open no further file: what it cannot look at is not told as damaged, nor made anew. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { isBegun, openLevelCache } from '../../src/store/level.ts';

const level = new URL('../../src/store/level.ts', import.meta.url).href;
const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-few-files-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const dir = join(scratch, 'index');

beforeAll(async () => {
  const store = await openLevelCache(dir);
  await store.write([{ key: Buffer.from('a'), value: Buffer.from('b') }], true);
  await store.close();
});

/** Opens it in a process that has `left` descriptors left, and gives what was read or how that was refused. */
function openedWith(left: number, how: 'openLevelCache' | 'openLevelCopy'): unknown {
  const script = `
    import { closeSync, openSync } from 'node:fs';
    import { ${how}, openLevelScratch } from '${level}';
    await (await openLevelScratch()).close();
    const taken = [];
    try {
      for (;;) taken.push(openSync('/dev/null'));
    } catch (error) {
      if (error.code !== 'EMFILE') throw error;
    }
    for (const fd of taken.splice(0, ${left})) closeSync(fd);
    let said;
    try {
      const store = await ${how}(${JSON.stringify(dir)});
      said = { read: String(await store.get(Buffer.from('a'))) };
    } catch (error) {
      said = { code: error.code, message: error.message };
    }
    for (const fd of taken) closeSync(fd);
    console.log(JSON.stringify(said));
  `;
  const command = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"';
  return JSON.parse(execFileSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' }));
}

const answered = z.looseObject({ read: z.string().optional(), code: z.string().optional() });

it.each(['openLevelCache', 'openLevelCopy'] as const)(
  '%s takes nothing for damaged and makes nothing anew',
  (how) => {
    const answers = [0, 1, 2, 3, 4, 5, 30].map((left) => answered.parse(openedWith(left, how)));
    expect(answers.at(-1)).toEqual({ read: 'b' });
    const codes = answers.map(({ code }) => code);
    expect(codes.filter((code) => code === 'config_invalid').length).toBeGreaterThan(1);
    expect(codes).not.toContain('ledger_damaged');
    // Made anew it would be empty.
    expect(answers.filter(({ read }) => read !== undefined && read !== 'b')).toEqual([]);
    expect(readdirSync(dir)).toContain('CURRENT');
  },
);

it('whether a database was begun is not said where its directory cannot be read', async () => {
  const script = `
    import { openSync } from 'node:fs';
    import { isBegun } from '${level}';
    try {
      for (;;) openSync('/dev/null');
    } catch (error) {
      if (error.code !== 'EMFILE') throw error;
    }
    const said = await isBegun(${JSON.stringify(dir)}).catch(({ code }) => code);
    process.stdout.write(JSON.stringify(said));
  `;
  const command = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"';
  const said = execFileSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' });
  expect(JSON.parse(said)).toBe('config_invalid');
  expect(await isBegun(dir)).toBe(true);
  expect(await isBegun(join(dir, 'none'))).toBe(false);
  expect(await isBegun(join(dir, 'CURRENT'))).toBe(false);
});
