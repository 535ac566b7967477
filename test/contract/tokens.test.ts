/** Control tokens: their grant and their end are sealed, and none is honoured before. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { sha256Hex } from '../../src/core/bytes.ts';
import { systemRandom } from '../../src/core/clock.ts';
import { addToken, listTokens } from '../../src/store/token-file.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { failingMachine } from './support/failing-machine.ts';
import { openPage } from './support/page.ts';
import { mainFile, run } from './support/process.ts';
import { eventually, type House, startHouse, writeHouse } from './support/sidecar.ts';

const grantSchema = z.object({
  type: z.literal('access'),
  data: z.object({
    action: z.enum(['grant', 'revoke']),
    by: z.string(),
    token: z.object({ name: z.string(), role: z.string(), hash: z.string() }),
  }),
});

const tokenFileSchema = z.looseObject({ tokens: z.array(z.looseObject({ name: z.string() })) });

async function sealedOf(house: House, name: string) {
  const { json } = await house.call('/api/v1/ledger/entries?limit=1000', { as: 'auditor' });
  const { items } = z.object({ items: z.array(z.unknown()) }).parse(json);
  return items.flatMap((item) => {
    const parsed = grantSchema.safeParse(item);
    return parsed.success && parsed.data.data.token.name === name ? [parsed.data.data] : [];
  });
}

const command = (house: House, ...words: readonly string[]) => run([...words, '--config', house.configFile]);
const newToken = async (house: House, name: string, role = 'viewer'): Promise<string> => {
  const { code, out } = await command(house, 'token', 'new', '--name', name, '--role', role);
  expect(code).toBe(0);
  return out.trim();
};
const statusOf = async (house: House, token: string): Promise<number> =>
  (await house.call('/api/v1/whoami', { token })).status;

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

describe('a new token', () => {
  it('is sealed before it is honoured, with who granted what to whom', async () => {
    const token = await newToken(house, 'ada', 'reviewer');
    expect(await statusOf(house, token)).toBe(200);
    expect(await sealedOf(house, 'ada')).toEqual([
      {
        action: 'grant',
        by: userInfo().username,
        token: { name: 'ada', role: 'reviewer', hash: sha256Hex(token).slice(0, 16) },
      },
    ]);
  });

  it('is sealed without being used', async () => {
    await newToken(house, 'unused');
    const sealed = await eventually(async () => {
      const found = await sealedOf(house, 'unused');
      return found.length > 0 ? found : null;
    });
    expect(sealed).toHaveLength(1);
  });

  it('is sealed once, however many ask with it at once', async () => {
    const token = await newToken(house, 'many');
    const all = await Promise.all(Array.from({ length: 8 }, () => statusOf(house, token)));
    expect(new Set(all)).toEqual(new Set([200]));
    expect(await sealedOf(house, 'many')).toHaveLength(1);
  });

  it('that gets another role in the file is granted anew', async () => {
    const token = await newToken(house, 'changed');
    await statusOf(house, token);
    const file = join(house.dataDir, 'tokens.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/("name": "changed",\s*"role": )"viewer"/, '$1"auditor"'));
    expect((await house.call('/api/v1/whoami', { token })).json).toMatchObject({
      name: 'changed',
      role: 'auditor',
    });
    const sealed = await sealedOf(house, 'changed');
    expect(sealed.map(({ action, token: { role } }) => [action, role])).toEqual([
      ['grant', 'viewer'],
      ['grant', 'auditor'],
      ['revoke', 'viewer'],
    ]);
  });
});

describe('a token that is revoked', () => {
  it('is refused at once, and that it was is sealed, with who did it', async () => {
    const token = await newToken(house, 'leaver');
    expect(await statusOf(house, token)).toBe(200);
    expect((await command(house, 'token', 'revoke', 'leaver')).code).toBe(0);
    expect(await statusOf(house, token)).toBe(401);
    const sealed = await eventually(async () => {
      const found = await sealedOf(house, 'leaver');
      return found.length === 2 ? found : null;
    });
    expect(sealed[1]).toMatchObject({ action: 'revoke', by: userInfo().username });
  });

  it('has to be there', async () => {
    expect((await command(house, 'token', 'revoke', 'nobody')).code).toBe(2);
  });

  it('is in the list, without anything that could be used', async () => {
    const { out } = await command(house, 'token', 'list', '--json');
    const listed = z
      .array(z.looseObject({ name: z.string(), revoked: z.unknown().optional() }))
      .parse(JSON.parse(out));
    expect(listed.find(({ name }) => name === 'leaver')?.revoked).toMatchObject({ by: userInfo().username });
    expect(out).not.toMatch(/[0-9a-f]{64}|hp_/);
  });
});

describe('the name of a token', () => {
  it('goes to nobody else, neither while somebody has it nor afterwards', async () => {
    await newToken(house, 'cleo');
    const again = () => command(house, 'token', 'new', '--name', 'cleo', '--role', 'admin');
    for (const revoked of [false, true]) {
      if (revoked) await command(house, 'token', 'revoke', 'cleo');
      const { code, out, err } = await again();
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('holdpoint token replace cleo');
    }
  });

  it('goes to nobody else in other letters', async () => {
    await newToken(house, 'gus');
    const { code, err } = await command(house, 'token', 'new', '--name', 'Gus', '--role', 'reviewer');
    expect(code).toBe(2);
    expect(err).toContain('A token for gus exists already.');
  });

  it('stays with a person whose token is replaced: the old one ends and the new one begins at once', async () => {
    const old = await newToken(house, 'dora', 'reviewer');
    // It is known to the sidecar from here on: of one that came and went in between nothing would be sealed.
    expect(await statusOf(house, old)).toBe(200);
    const { code, out } = await command(house, 'token', 'replace', 'dora');
    expect(code).toBe(0);
    expect([await statusOf(house, old), await statusOf(house, out.trim())]).toEqual([401, 200]);
    const hashes = [old, out.trim()].map((token) => sha256Hex(token).slice(0, 16));
    expect(
      (await sealedOf(house, 'dora')).map(({ action, token }) => [action, token.role, token.hash]),
    ).toEqual([
      ['grant', 'reviewer', hashes[0]],
      ['grant', 'reviewer', hashes[1]],
      ['revoke', 'reviewer', hashes[0]],
    ]);
  });

  it('may come back to the person who had it, in another role', async () => {
    await newToken(house, 'emil', 'viewer');
    await command(house, 'token', 'revoke', 'emil');
    const { out } = await command(house, 'token', 'replace', 'emil', '--role', 'auditor', '--json');
    expect(JSON.parse(out)).toMatchObject({ name: 'emil', role: 'auditor' });
    expect((await command(house, 'token', 'replace', 'emil', '--role', 'emperor')).code).toBe(2);
    expect((await command(house, 'token', 'replace', 'nobody')).code).toBe(2);
  });
});

describe('a file of tokens that is full', () => {
  it('takes no further one, and everybody in it is let in as before', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'holdpoint-full-')), 'tokens.json');
    const token = { role: 'viewer', hash: 'ab'.repeat(32), created: '2026-11-22T00:00:00.000Z' };
    const tokens = Array.from({ length: 10_000 }, (_, i) => ({ name: `n${i}`, ...token }));
    writeFileSync(file, JSON.stringify({ version: 1, tokens }));
    expect(() => addToken(file, { name: 'one-more', role: 'viewer' }, 0, systemRandom)).toThrow(
      'which is the most',
    );
    expect(listTokens(file)).toHaveLength(10_000);
  });
});

describe('a disk without room for the tokens', () => {
  it('leaves those that there are as they were, and the command says what to do', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-no-room-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const { configFile, dataDir } = writeHouse(directory, 'http://127.0.0.1:9', {});
    const file = join(dataDir, 'tokens.json');
    const names = Array.from({ length: 25 }, (_, i) => `n${i}`);
    for (const name of names) addToken(file, { name, role: 'viewer' }, 0, systemRandom);
    // A file of 4 KiB at most, in blocks of 512 bytes: of what is more, the system takes the part that fits.
    const inLittleRoom = ['-c', 'ulimit -f 8 && exec "$0" "$@"', process.execPath, mainFile];
    const { status, stderr } = spawnSync(
      'sh',
      [...inLittleRoom, 'token', 'new', '--config', configFile, '--name', 'late', '--role', 'viewer'],
      { encoding: 'utf8' },
    );
    expect(status).toBe(2);
    expect(stderr).toContain('cannot be written: file too large');
    expect(listTokens(file).map(({ name }) => name)).toEqual(names);
    expect(readdirSync(dataDir)).toEqual(['tokens.json']);
  });
});

describe('what was granted', () => {
  it('is not sealed again after a restart, and the ledger verifies', async () => {
    const first = await startHouse();
    await newToken(first, 'stays');
    await eventually(async () => (await sealedOf(first, 'stays')).length === 1);
    await first.sidecar.stop('restart');
    const { startSidecar } = await import('../../src/sidecar.ts');
    const sidecar = await startSidecar(first.configFile, {});
    const second = { ...first, sidecar };
    const call: House['call'] = async (path, init = {}) => {
      const response = await fetch(`${sidecar.controlUrl}${path}`, {
        headers: { authorization: `Bearer ${first.tokens[init.as ?? 'auditor'] ?? ''}` },
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
    };
    expect(await sealedOf({ ...second, call }, 'stays')).toHaveLength(1);
    await sidecar.stop('to verify');
    expect((await verifyDirectory(first.dataDir, {})).findings).toEqual([]);
    await first.close();
  });
});

describe('while the ledger cannot be written', () => {
  it('a new token is not honoured, and one that was sealed still is', async () => {
    const { machine, fail } = failingMachine();
    const full = await startHouse({ machine });
    const known = await newToken(full, 'known');
    expect(await statusOf(full, known)).toBe(200);
    fail(true);
    const late = await newToken(full, 'late');
    expect(await statusOf(full, late)).toBe(503);
    expect(await statusOf(full, known)).toBe(200);
    fail(false);
    expect(await eventually(async () => (await statusOf(full, late)) === 200)).toBe(true);
    await full.close();
  });

  it('a session ends whose token was given another role, which could not be sealed', async () => {
    const { machine, fail } = failingMachine();
    const full = await startHouse({ machine });
    const page = openPage(full.sidecar.controlUrl);
    expect((await page.signIn(await newToken(full, 'rita'))).status).toBe(201);
    expect((await page.send('/api/v1/whoami')).json).toMatchObject({ name: 'rita', role: 'viewer' });
    fail(true);
    const file = join(full.dataDir, 'tokens.json');
    const { tokens, ...rest } = tokenFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const raised = tokens.map((token) => (token.name === 'rita' ? { ...token, role: 'admin' } : token));
    writeFileSync(file, JSON.stringify({ ...rest, tokens: raised }));
    expect((await page.send('/api/v1/whoami')).status).toBe(401);
    fail(false);
    await full.close();
  });
});
