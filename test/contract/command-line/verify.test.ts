/** `holdpoint verify`: verdicts, reasons, exit codes. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Ran, run, runSidecar } from '../support/process.ts';
import { type CommandScene, openCommandScene } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

describe('verify', () => {
  let copy: string;
  let verdict: Ran;
  beforeAll(async () => {
    copy = join(scene.directory, 'copy');
    cpSync(scene.dataDir, copy, { recursive: true });
    verdict = await run(['verify', scene.dataDir, '--json']);
  });

  it('of a ledger in use says INTACT and exits 0', async () => {
    const { code, out } = await run(['verify', scene.dataDir]);
    expect(code).toBe(0);
    expect(out).toMatch(/^INTACT {2}\S+ {2}assurance LOCAL/);
    expect(JSON.parse(verdict.out)).toMatchObject({ ok: true, assurance: 'LOCAL' });
  });

  it('trusts the key it is given, alone or in a file', async () => {
    const file = join(scene.directory, 'trusted.txt');
    writeFileSync(file, `# kept by the auditor\n${scene.keyBefore}`);
    const ran = await Promise.all([
      run(['verify', copy, '--trust', scene.keyBefore.trim()]),
      run(['verify', copy, '--trust', file]),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0]);
  });

  it('with another key is a finding: exit 1', async () => {
    const other = join(scene.directory, 'other');
    const house = { HOLDPOINT_DATA_DIR: other };
    const running = await runSidecar(scene.configFile, house);
    const key = (await run(['keys', 'show', '--config', scene.configFile], house)).out.trim();
    running.child.kill('SIGTERM');
    await running.exited;
    const { code, out } = await run(['verify', copy, '--trust', key]);
    expect([code, out.split(' ')[0]]).toEqual([1, 'NOT']);
    expect(out).toContain('FAIL key_unknown');
  });

  it.each(['garbage', 'a+b+c', ''])('with "%s" for a key is a mistake of usage: exit 2', async (trust) => {
    const { code, out, err } = await run(['verify', copy, '--trust', trust]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('holdpoint keys show');
  });

  it('remembers a checkpoint that was kept, and finds a ledger that lost what it covered', async () => {
    const kept = join(scene.directory, 'kept.note');
    writeFileSync(kept, (await run(['ledger', 'checkpoint'], scene.env)).out);
    await (await scene.ask('one more question')).text();
    const [now, before] = await Promise.all([
      run(['verify', scene.dataDir, '--checkpoint', kept]),
      run(['verify', copy, '--checkpoint', kept, '--json']),
    ]);
    expect(now.code).toBe(0);
    // The copy was made before the checkpoint was taken, unless nothing was sealed in between.
    const { size } = z.object({ size: z.number() }).parse(JSON.parse(before.out));
    expect(before.code).toBe(size < Number(readFileSync(kept, 'utf8').split('\n')[1]) ? 1 : 0);
  });

  it.each([
    ['the configuration', 'proxy: {}\n'],
    ['a verifier key', 'holdpoint.example/a+0123abcd+AZ0l3c1zRDhaF3kRK3ym8aVTSSsuqSu2oOUkO3uDQOPT\n'],
    ['a page of a server that has none', '<html>\n<body>404</body>\n</html>\n'],
  ])('with %s for a checkpoint is a mistake of usage: exit 2', async (_, text) => {
    const file = join(scene.directory, 'no-checkpoint');
    writeFileSync(file, text);
    const { code, out, err } = await run(['verify', copy, '--checkpoint', file]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${file} is no checkpoint: nothing was verified.`);
    expect(err).toContain('holdpoint ledger checkpoint');
  });

  it('of the ledger in a data directory names the data directory: exit 2', async () => {
    const { code, err } = await run(['verify', join(copy, 'ledger')]);
    expect(code).toBe(2);
    expect(err).toContain(`Name the directory that it is in: ${copy}.`);
  });

  it('of a text is a mistake of usage: exit 2', async () => {
    const { code, out, err } = await run(['verify', scene.configFile]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${scene.configFile} is a text, and no export: nothing was verified.`);
  });

  it('names the first bad entry and a reason code: exit 1', async () => {
    const segment = readdirSync(join(copy, 'ledger')).find((name) => name.endsWith('.hpj')) ?? '';
    const file = join(copy, 'ledger', segment);
    const bytes = readFileSync(file);
    // Within the first bodies: of blocks LevelDB has another copy.
    const place = bytes.indexOf('HPV1') + 200;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const { code, out } = await run(['verify', copy]);
    expect(code).toBe(1);
    expect(out).toMatch(/^NOT INTACT/);
    expect(out).toMatch(/^FAIL [a-z_]+( at entry \d+)?: /m);
  });
});
