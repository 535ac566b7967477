/** Proofs, exports, tiles and the verifier as a page. */
import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Env, run } from '../support/process.ts';
import { type CommandScene, openCommandScene } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

describe('proofs and exports', () => {
  let auditor: Env;
  let trust: string;
  beforeAll(async () => {
    await (await scene.ask('to be proven')).text();
    auditor = { ...scene.env, HOLDPOINT_TOKEN: await scene.newToken('pia', 'auditor') };
    trust = scene.keyBefore.trim();
  });

  it('prove one entry in a file that verifies offline, alone or with the entry beside it', async () => {
    const [proof, bare, entry] = await Promise.all([
      run(['ledger', 'prove', '3'], auditor),
      run(['ledger', 'prove', '3', '--bare'], auditor),
      run(['ledger', 'entry', '3'], auditor),
    ]);
    expect(proof.out).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra [A-Za-z0-9+/]+=*\nindex 3\n/);
    expect(bare.out).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 3\n/);
    const files = ['proof', 'bare', 'entry'].map((name) => join(scene.directory, `${name}.tlog-proof`));
    const [proofFile = '', bareFile = '', entryFile = ''] = files;
    [proof, bare, entry].forEach(({ out }, i) => {
      writeFileSync(files[i] ?? '', out);
    });
    const verify = (...args: string[]) => run(['ledger', 'verify-proof', ...args, '--trust', trust]);
    const [whole, beside, without] = await Promise.all([
      verify(proofFile),
      verify(bareFile, '--entry', entryFile, '--json'),
      verify(bareFile),
    ]);
    expect([whole.code, whole.out.split(' ')[0]]).toEqual([0, 'PROVEN']);
    expect(whole.out).toContain('"seq":3');
    expect(JSON.parse(beside.out)).toMatchObject({ ok: true, seq: 3 });
    expect([without.code, without.out]).toEqual([1, expect.stringContaining('FAIL entry_missing')]);
  });

  it('prove an entry without it for who may not read it, and say who may where they cannot', async () => {
    const bare = await run(['ledger', 'prove', '3', '--bare'], scene.env);
    expect([bare.code, bare.err]).toEqual([0, '']);
    expect(bare.out).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 3\n/);
    expect((await run(['ledger', 'prove', '3'], scene.env)).err).toContain('auditor, admin');
  });

  it('name the entry that is asked for as it was typed', async () => {
    const [none, word] = await Promise.all([
      run(['ledger', 'entry', '99999999'], auditor),
      run(['ledger', 'entry', 'abc'], auditor),
    ]);
    expect(none.err).toMatch(/There is no entry 99999999\.\n.*holdpoint ledger checkpoint/);
    expect(word.err).toMatch(/abc is no number of an entry\.\n/);
  });

  it('refuse a proof that was altered: exit 1 and a reason code', async () => {
    const { out } = await run(['ledger', 'prove', '2', '--bare'], auditor);
    const entry = (await run(['ledger', 'entry', '3'], auditor)).out;
    const [file, other] = [join(scene.directory, 'altered.tlog-proof'), join(scene.directory, 'other.json')];
    writeFileSync(file, out);
    writeFileSync(other, entry);
    const ran = await run(['ledger', 'verify-proof', file, '--trust', trust, '--entry', other]);
    expect([ran.code, ran.out]).toEqual([1, expect.stringContaining('FAIL inclusion_invalid')]);
  });

  it('of what is not there, or without a key, are mistakes of usage: exit 2', async () => {
    const ran = await Promise.all([
      run(['ledger', 'prove', '99999999'], auditor),
      run(['ledger', 'prove', 'x'], auditor),
      run(['ledger', 'prove', '1'], scene.env),
      run(['ledger', 'verify-proof', scene.configFile]),
      run(['ledger', 'export', scene.configFile, '--config', scene.configFile]),
      run(['ledger', 'export', join(scene.directory, 'no', 'such'), '--config', scene.configFile]),
      run(['ledger', 'export-tiles', scene.directory, '--config', scene.configFile]),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2, 2]);
    for (const { err } of ran) expect(err).not.toContain('at file:');
  });

  it('export all records while the sidecar runs, to a file that verifies, keys included', async () => {
    const file = join(scene.directory, 'ledger.hpj');
    const exported = await run(['ledger', 'export', file, '--config', scene.configFile]);
    expect([exported.code, exported.err]).toEqual([0, '']);
    const [plain, opened] = await Promise.all([
      run(['verify', file, '--trust', trust, '--json']),
      run(['verify', file, '--trust', trust, '--keys', join(scene.dataDir, 'keys'), '--json']),
    ]);
    expect(JSON.parse(plain.out)).toMatchObject({ ok: true, keyTrust: 'given', bodies: { opened: 0 } });
    const { bodies } = z
      .object({ bodies: z.object({ stored: z.number(), opened: z.number() }) })
      .parse(JSON.parse(opened.out));
    expect(bodies.opened).toBe(bodies.stored);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 30) ^ 1, bytes.length - 30);
    writeFileSync(file, bytes);
    const altered = await run(['verify', file]);
    expect([altered.code, altered.out]).toEqual([1, expect.stringContaining('FAIL store_unreadable')]);
    expect(altered.out).toMatch(/^next: Make sure the file arrived whole/m);
    const keyless = await run(['verify', file, '--keys', join(scene.directory, 'misspelled')]);
    expect([keyless.code, keyless.err]).toEqual([
      2,
      expect.stringContaining('There is no key-encryption key in'),
    ]);
  });

  it('says of one wrong key once what it is the cause of, and how often', async () => {
    const copy = join(scene.directory, 'other-kek');
    cpSync(scene.dataDir, copy, { recursive: true });
    writeFileSync(join(copy, 'keys', 'kek.key'), randomBytes(32).toString('base64'));
    const { code, out } = await run(['verify', copy]);
    expect(code).toBe(1);
    const listed = await run(['verify', copy, '--json']);
    const { findings } = z.object({ findings: z.array(z.unknown()) }).parse(JSON.parse(listed.out));
    const all = findings.length;
    expect(all).toBeGreaterThan(0);
    expect(out.match(/^FAIL key_wrap_invalid at entry /gm)).toHaveLength(Math.min(all, 3));
    if (all > 3) expect(out).toContain(`FAIL key_wrap_invalid: ${all - 3} more, to entry `);
    expect(out).toMatch(/^next: The key-encryption key given is not the one/m);
  });

  it('export the tree to a directory of tiles that has the checkpoint it is under', async () => {
    const dir = join(scene.directory, 'tiles');
    const { code, err } = await run(['ledger', 'export-tiles', dir, '--config', scene.configFile]);
    expect([code, err]).toEqual([0, '']);
    const size = Number(readFileSync(join(dir, 'checkpoint'), 'utf8').split('\n')[1]);
    expect(readFileSync(join(dir, 'tile', '0', '000.p', String(size)))).toHaveLength(32 * size);
    expect(readdirSync(join(dir, 'tile')).sort()).toEqual(['0', 'entries']);
  });
});

describe('the verifier as a page', () => {
  it('is written whole to a file, over no other one', async () => {
    const file = join(scene.directory, 'verify.html');
    const written = await run(['ledger', 'verifier', file]);
    expect([written.code, written.err]).toEqual([0, '']);
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain("content=\"default-src 'none'; script-src 'sha256-");
    const again = await run(['ledger', 'verifier', file]);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('cannot be written')]);
  });
});
