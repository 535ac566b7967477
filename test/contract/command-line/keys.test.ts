/** Tokens and keys. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAuthority } from '../../../src/store/ca.ts';
import { run } from '../support/process.ts';
import { type CommandScene, openCommandScene } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

describe.concurrent('token new', () => {
  it('prints the token alone on stdout', async () => {
    const { code, out, err } = await run([
      'token',
      'new',
      '--config',
      scene.configFile,
      '--name',
      'bo',
      '--role',
      'auditor',
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/^hp_[A-Za-z0-9_-]{43}\n$/);
    expect(err).toContain('Token for bo (auditor)');
    expect(err).not.toContain(out.trim());
  });

  it('refuses a name that is taken, and one that is none', async () => {
    const [taken, none] = await Promise.all([
      run(['token', 'new', '--config', scene.configFile, '--name', 'ada', '--role', 'admin']),
      run(['token', 'new', '--config', scene.configFile, '--name', '\u001b[1m', '--role', 'admin']),
    ]);
    expect([taken.code, taken.out, none.code, none.out]).toEqual([2, '', 2, '']);
    expect(taken.err).toContain('A token for ada exists already.');
    expect(none.err).toContain('is not a name for a token');
  });

  it.each(['holdpoint', 'Retention', 'workload', 'anonymous'])(
    'refuses the name %s, under which no person acts in the ledger',
    async (name) => {
      const told = await run([
        'token',
        'new',
        '--config',
        scene.configFile,
        '--name',
        name,
        '--role',
        'admin',
      ]);
      expect([told.code, told.out]).toEqual([2, '']);
      expect(told.err).toContain('somebody who is no person');
    },
  );
});

describe.concurrent('keys show', () => {
  it('prints one line, before any call as afterwards', async () => {
    expect(scene.keyBefore).toMatch(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*\n$/);
    const { code, out } = await run(['keys', 'show', '--config', scene.configFile, '--json']);
    expect(code).toBe(0);
    const key = scene.keyBefore.trim();
    expect(JSON.parse(out)).toEqual({ origin: key.split('+')[0], key, keys: [{ key, from: 0 }] });
  });

  it('says beside the key which retirement of another is not finished', async () => {
    const keysDir = mkdtempSync(join(scene.directory, 'keys-'));
    writeFileSync(join(keysDir, 'retiring'), '0123abcd\n');
    const env = { HOLDPOINT_KEYS_DIR: keysDir };
    const { code, out, err } = await run(['keys', 'show', '--config', scene.configFile], env);
    expect([code, out]).toEqual([0, scene.keyBefore]);
    expect(err).toContain('The retirement of the key-encryption key 0123abcd is not finished');
    expect(err).toContain('holdpoint keys retire-kek 0123abcd');
    const json = await run(['keys', 'show', '--config', scene.configFile, '--json'], env);
    expect(JSON.parse(json.out)).toMatchObject({ retiringKek: '0123abcd' });
  });

  it('before the first start exits 2 and says what to do', async () => {
    const { code, out, err } = await run(['keys', 'show', '--config', scene.configFile], {
      HOLDPOINT_DATA_DIR: join(scene.directory, 'none'),
    });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('There is no ledger in');
    expect(err).toContain('holdpoint run');
  });
});

describe.concurrent('keys ca', () => {
  it('prints the certificate that workloads trust, and the public ones where asked', async () => {
    const file = join(scene.directory, 'ca.pem');
    const { certificate } = openAuthority({
      keyFile: join(scene.directory, 'ca.key'),
      certificateFile: file,
      hosts: ['api.openai.com'],
      nowMs: () => Date.now(),
      random: randomBytes,
    });
    const env = { HOLDPOINT_PROXY_CA_FILE: file };
    const alone = await run(['keys', 'ca', '--config', scene.configFile], env);
    expect([alone.code, alone.out]).toEqual([0, certificate]);
    const all = await run(['keys', 'ca', '--config', scene.configFile, '--with-public-roots'], env);
    expect(all.out.startsWith(certificate)).toBe(true);
    expect(all.out.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(100);
  });

  it('before the first start exits 2 and says what makes it', async () => {
    const { code, out, err } = await run(['keys', 'ca', '--config', scene.configFile]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('proxy.forward');
  });
});
