/** The file of control tokens: whose name is taken, what the end of one leaves of others, and two commands at once. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemRandom } from '../../../src/core/clock.ts';
import {
  addToken,
  listTokens,
  openTokenFile,
  replaceToken,
  revokeToken,
  tokenHash,
} from '../../../src/store/token-file.ts';
import { atEnd, endAll } from '../../support/endings.ts';

let file: string;
beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-tokens-'));
  atEnd(() => rmSync(dir, { recursive: true }));
  file = join(dir, 'tokens.json');
});
afterEach(() => {
  vi.restoreAllMocks();
  return endAll();
});

const add = (name: string, role = 'viewer', random = systemRandom): string =>
  addToken(file, { name, role }, 0, random, 'root');
const namesOf = (): readonly string[] => listTokens(file).map(({ name }) => name);

test.each(['', 'a b', '-a', 'a\n', 'x'.repeat(65), 'Ä'])('%j is no name', (name) => {
  expect(() => add(name)).toThrow(`${JSON.stringify(name)} is not a name for a token.`);
  expect(existsSync(file)).toBe(false);
});

test.each(['holdpoint', 'Retention', 'ANONYMOUS'])('%s is nobody who could have one', (name) => {
  expect(() => add(name)).toThrow('is what the ledger calls somebody who is no person');
});

test('one that is made for the same person has the role they had last, and the one before ends', () => {
  add('ada', 'reviewer');
  replaceToken(file, { name: 'ada', role: 'auditor' }, 1_000, systemRandom, 'root');
  expect(replaceToken(file, { name: 'ada', role: undefined }, 2_000, systemRandom, 'root').role).toBe(
    'auditor',
  );
  expect(listTokens(file).map(({ role, revoked }) => [role, revoked?.at])).toEqual([
    ['reviewer', '1970-01-01T00:00:01.000Z'],
    ['auditor', '1970-01-01T00:00:02.000Z'],
    ['auditor', undefined],
  ]);
});

test('the end of one leaves when and by whom others of that person ended', () => {
  add('ada');
  replaceToken(file, { name: 'ada', role: undefined }, 1_000, systemRandom, 'root');
  revokeToken(file, 'ada', 'eve', 2_000);
  expect(listTokens(file).map(({ revoked }) => revoked)).toEqual([
    { at: '1970-01-01T00:00:01.000Z', by: 'root' },
    { at: '1970-01-01T00:00:02.000Z', by: 'eve' },
  ]);
});

test('nobody has one before the first start, which leaves no directory yet', () => {
  const none = join(file, '..', 'data', 'tokens.json');
  const refusal = 'There is no token for ada.';
  expect(() => revokeToken(none, 'ada', 'root', 0)).toThrow(refusal);
  expect(() => replaceToken(none, { name: 'ada', role: 'viewer' }, 0, systemRandom, 'root')).toThrow(refusal);
});

test('one that ended is not ended again', () => {
  const refusal = 'There is no token for ada.';
  add('ada');
  revokeToken(file, 'ada', 'root', 0);
  const before = readFileSync(file, 'utf8');
  expect(() => revokeToken(file, 'ada', 'eve', 1_000)).toThrow(refusal);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('whoever finds another command at it changes nothing, and is told which file says so', () => {
  add('ada');
  writeFileSync(`${file}.lock`, '');
  vi.spyOn(Date, 'now').mockReturnValueOnce(0).mockReturnValueOnce(4_999).mockReturnValue(5_001);
  expect(() => add('bea')).toThrow(`Another command is changing the tokens: ${file}.lock exists.`);
  expect(existsSync(`${file}.lock`)).toBe(true);
  expect(namesOf()).toEqual(['ada']);
});

test('one at a time: a command that comes while another is at it waits', () => {
  let met: unknown;
  vi.spyOn(Date, 'now').mockReturnValueOnce(0).mockReturnValueOnce(0).mockReturnValue(5_001);
  add('ada', 'viewer', (bytes) => {
    try {
      add('bea');
    } catch (error) {
      met = error;
    }
    return systemRandom(bytes);
  });
  expect(String(met)).toContain('Another command is changing the tokens');
  expect(namesOf()).toEqual(['ada']);
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('one whose lock somebody took away is given out all the same, and the lock of who came next stays', () => {
  const token = add('ada', 'viewer', (bytes) => {
    rmSync(`${file}.lock`);
    return systemRandom(bytes);
  });
  expect(token).toMatch(/^hp_/);
  add('bea', 'viewer', (bytes) => {
    rmSync(`${file}.lock`);
    writeFileSync(`${file}.lock`, 'of another command');
    return systemRandom(bytes);
  });
  expect(readFileSync(`${file}.lock`, 'utf8')).toBe('of another command');
});

test('one is found among ten thousand as fast as among ten, by whoever has none too', () => {
  const tokens = Array.from({ length: 10_000 }, (_, i) => ({
    ...{ name: `n${i}`, role: 'viewer', created: '2026-11-22T00:00:00.000Z' },
    hash: tokenHash(`token ${i}`),
  }));
  writeFileSync(file, JSON.stringify({ version: 1, tokens }));
  const { read } = openTokenFile(file);
  expect(read().standing.get(tokenHash('token 9999'))?.name).toBe('n9999');
  const beganMs = performance.now();
  for (let i = 0; i < 1_000; i += 1) expect(read().standing.has(tokenHash(`guess ${i}`))).toBe(false);
  // Compared with each of them in turn, it would be four milliseconds for every guess.
  expect(performance.now() - beganMs).toBeLessThan(1_000);
});
