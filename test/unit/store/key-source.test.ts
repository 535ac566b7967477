import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, KeyObject, verify } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemRandom } from '../../../src/core/clock.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { type KeySettings, openKeys } from '../../../src/store/key-source.ts';
import { loadKeys, replaceKek } from '../../../src/store/keys.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-key-source-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
function freshDir(): string {
  const dir = join(root, `dir-${++made}`);
  mkdirSync(dir);
  return dir;
}
const programFile = fileURLToPath(new URL('../../support/key-program.ts', import.meta.url));
const program = (seed: string) => ({ command: [process.execPath, programFile, seed], timeoutMs: 20_000 });
const script = (code: string, timeoutMs = 20_000) => ({ command: [process.execPath, '-e', code], timeoutMs });
const open = (settings: KeySettings, create = false) => openKeys(settings, create, systemRandom);

async function refusalOf(settings: KeySettings, create = false): Promise<HoldpointError> {
  try {
    await open(settings, create);
  } catch (error) {
    if (error instanceof HoldpointError) return error;
    throw error;
  }
  throw new Error('the keys were opened');
}

/** One that was killed and that nobody has asked after still has its number. */
function isRunning(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
}

describe('a signing key behind a command', () => {
  it('says which it is, and signs', async () => {
    const dir = freshDir();
    const { signingKey, signingDir } = await open({ dir, signing: program('kms') }, true);
    if (signingKey instanceof KeyObject) throw new Error('it is in this process');
    const bytes = Buffer.from('a checkpoint\n\0');
    expect(verify(null, bytes, signingKey.publicKey, await signingKey.sign(bytes))).toBe(true);
    expect(signingDir).toBe(null);
    expect(readdirSync(dir)).toEqual(['kek.key']);
  });

  it.each([
    [
      'ends with an error',
      script('console.log("s3cret"); console.error("s3cret"); process.exit(7)'),
      'ended with 7',
    ],
    ['answers no JSON', script('console.log("s3cret")'), 'did not answer public-key as it should'],
    ['answers something else', script('console.log(JSON.stringify({publicKey:"s3cret"}))'), 'did not answer'],
    ['answers a short key', script('console.log(JSON.stringify({publicKey:"AAAA"}))'), 'did not answer'],
    ['gives no answer', script('setTimeout(() => {}, 60000)', 300), 'gave no answer within 300 ms'],
    [
      'answers without end',
      script('for (;;) require("fs").writeSync(1, "s3cret".repeat(9999))'),
      'more than',
    ],
    ['is not there', { command: ['/nowhere/kms'], timeoutMs: 1000 }, 'cannot be started: ENOENT'],
  ])('is refused, and not quoted, when the program %s', async (_what, signing, why) => {
    const refusal = await refusalOf({ dir: freshDir(), signing }, true);
    expect(refusal.code).toBe('config_invalid');
    expect(refusal.message).toContain(why);
    expect(JSON.stringify([refusal.message, refusal.next, String(refusal.cause)])).not.toContain('s3cret');
  });

  it.runIf(existsSync('/proc/self/stat'))(
    'is given up in time with all that its program started',
    async () => {
      const file = join(freshDir(), 'pid');
      const command = ['/bin/sh', '-c', `sleep 60 & echo $! > '${file}'; wait`];
      const begun = performance.now();
      const refusal = await refusalOf({ dir: freshDir(), signing: { command, timeoutMs: 2_000 } }, true);
      expect(refusal.message).toContain('gave no answer within 2000 ms');
      expect(performance.now() - begun).toBeLessThan(25_000);
      const pid = readFileSync(file, 'utf8').trim();
      await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
    },
  );

  it('is given up in time although something that its program let go still holds its output', async () => {
    const code =
      'require("child_process").spawn("sleep", ["30"], { stdio: "inherit", detached: true }).unref()';
    const begun = performance.now();
    const refusal = await refusalOf({ dir: freshDir(), signing: script(code, 2_000) }, true);
    expect(refusal.message).toContain('gave no answer within 2000 ms');
    expect(performance.now() - begun).toBeLessThan(25_000);
  });

  it('is judged by what its program answers, also where that does not read what it is asked', async () => {
    const dir = freshDir();
    const answer = JSON.stringify({ publicKey: Buffer.alloc(32, 7).toString('base64'), signature: '' });
    const code = `process.stdin.destroy(); setTimeout(() => console.log('${answer}'), 100)`;
    const { signingKey } = await open({ dir, signing: script(code) }, true);
    if (signingKey instanceof KeyObject) throw new Error('it is in this process');
    // More than the system keeps for a reader that is gone.
    await expect(signingKey.sign(Buffer.alloc(1024 * 1024))).rejects.toThrow(
      'The command of keys.signing did not answer sign as it should.',
    );
  });

  it('is asked for no longer than its program takes: who has its number later is not ended in its stead', async () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    onTestFinished(() => void vi.restoreAllMocks());
    await open({ dir: freshDir(), signing: { ...program('kms'), timeoutMs: 20_001 } }, true);
    const timer = set.mock.calls.findIndex(([, ms]) => ms === 20_001);
    expect(cleared).toHaveBeenCalledWith(set.mock.results[timer]?.value);
  });

  it('has a program whose errors are in no log', () => {
    const source = fileURLToPath(new URL('../../../src/store/key-command.ts', import.meta.url));
    const asked = JSON.stringify(script('console.error("s3cret"); process.exit(7)'));
    const code = `import(${JSON.stringify(source)}).then((it) => it.openCommandSigner(${asked}, 'keys.signing'))`;
    const { status, stderr, stdout } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('ended with 7');
    expect(stderr).not.toContain('s3cret');
  });

  it('is not handed to a shell', async () => {
    const refusal = await refusalOf({
      dir: freshDir(),
      signing: { command: ['echo $HOME; true'], timeoutMs: 1000 },
    });
    expect(refusal.message).toContain('cannot be started');
  });
});

describe('a key-encryption key behind a command', () => {
  it('is made once, kept wrapped, and unwrapped at each start', async () => {
    const dir = freshDir();
    const first = await open({ dir, kek: program('kms') }, true);
    const wrapped = readFileSync(join(dir, 'kek.wrapped'), 'utf8');
    expect(wrapped).not.toContain(first.kek.key.toString('hex'));
    expect(readdirSync(dir).sort()).toEqual(['kek.wrapped', 'signing.pem']);
    const again = await open({ dir, kek: program('kms') });
    expect(again.kek.key.equals(first.kek.key)).toBe(true);
    expect(again.fingerprintKey.equals(first.fingerprintKey)).toBe(true);
  });

  it('is not made for an existing ledger', async () => {
    const dir = freshDir();
    loadKeys(dir, true, systemRandom);
    expect((await refusalOf({ dir, kek: program('kms') })).message).toContain('kek.wrapped cannot be read');
  });

  it.each(['', 'x'.repeat(16_385)])('is not kept as what could not be unwrapped again', async (wrapped) => {
    const dir = freshDir();
    const kek = script(`console.log(JSON.stringify({ wrapped: '${wrapped}' }))`);
    expect((await refusalOf({ dir, kek }, true)).message).toContain('did not answer wrap as it should');
    expect(existsSync(join(dir, 'kek.wrapped'))).toBe(false);
  });

  it('of another one is refused', async () => {
    const dir = freshDir();
    await open({ dir, kek: program('kms') }, true);
    expect((await refusalOf({ dir, kek: program('other') })).code).toBe('config_invalid');
  });
});

describe('files elsewhere, such as a mounted secret', () => {
  it('are read, and nothing is made or changed beside them', async () => {
    const secret = freshDir();
    const { kek } = loadKeys(secret, true, systemRandom);
    const epoch = replaceKek(secret, systemRandom);
    chmodSync(secret, 0o555);
    const before = readdirSync(secret);
    const dir = join(root, 'never-made');
    const keys = await open(
      { dir, signing: { file: join(secret, 'signing.pem') }, kek: { file: join(secret, 'kek.key') } },
      true,
    );
    expect([keys.kek.id, keys.retiredKeks.map(({ id }) => id)]).toEqual([epoch.id, [kek.id]]);
    expect([keys.signingDir, keys.kekDir]).toEqual([null, null]);
    expect(readdirSync(secret)).toEqual(before);
    expect(existsSync(dir)).toBe(false);
  });

  it('are never made: a missing one is refused by name', async () => {
    const file = join(freshDir(), 'signing.pem');
    const refusal = await refusalOf({ dir: freshDir(), signing: { file } }, true);
    expect(refusal.message).toContain(`The key ${file} cannot be read`);
    expect(existsSync(file)).toBe(false);
  });

  it('may name the next signing key', async () => {
    const file = join(freshDir(), 'next.pem');
    writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { nextSigningKey } = await open({ dir: freshDir(), nextSigning: { file } }, true);
    expect(nextSigningKey).toBeInstanceOf(KeyObject);
  });
});

it('a key that is elsewhere and is not there is to be restored to where it is named', async () => {
  const refusal = await refusalOf({ dir: freshDir(), signing: { file: join(freshDir(), 'none.pem') } }, true);
  expect(refusal.next).toContain('or to where keys.signing, keys.nextSigning and keys.kek name them');
});

it('a directory that cannot be written is said to be so when keys are missing in it', async () => {
  // A path below a file cannot be made, whoever tries.
  const file = join(freshDir(), 'file');
  writeFileSync(file, '');
  const refusal = await refusalOf({ dir: join(file, 'keys') }, true);
  expect(refusal.message).toContain('Cannot create the key');
  expect(refusal.message).toMatch(/[^.]\.$/);
  expect(refusal.next).toContain('put signing.pem and kek.key there');
});
