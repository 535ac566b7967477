import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import { startSidecar } from '../../src/sidecar.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { seeded } from '../crash/rounds.ts';
import { endAll } from '../support/endings.ts';
import {
  flipped,
  makeRealLedgers,
  type Place,
  placesIn,
  type RealLedger,
  type RealLedgers,
  sealedOf,
  verifyFlips,
} from './real-ledger.ts';

vi.mock('tweetnacl', async (original) => {
  const { fastVerify } = await import('../property/verify/fast-ed25519.ts');
  // The rest as it is: test files share their modules.
  const { default: nacl } = await original<{ default: typeof import('tweetnacl') }>();
  return {
    default: { ...nacl, sign: { ...nacl.sign, detached: { ...nacl.sign.detached, verify: fastVerify } } },
  };
});

let ledgers: RealLedgers;
beforeAll(async () => {
  ledgers = await makeRealLedgers();
}, 60_000);
afterAll(async () => {
  await endAll();
  ledgers.remove();
});

// Processes and flips in the hundreds, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

const seed = Date.now() % 1_000_000;

/** A seeded sample; the small files, whose every byte steers LevelDB, have a larger share. */
function sample(ledger: RealLedger, count: number, of: (file: string) => boolean): readonly Place[] {
  const random = seeded(seed);
  const places = placesIn(ledger).filter(({ file }) => of(file));
  return Array.from({ length: count }, () => places[Math.floor(random() * places.length)]).filter(
    (place) => place !== undefined,
  );
}

const isLog = (file: string): boolean => file.endsWith('.log');
const isJournal = (file: string): boolean => file.endsWith('.hpj');
const isLarge = (file: string): boolean => isLog(file) || isJournal(file) || file.endsWith('.ldb');

describe.each([0, 1])('of the ledgers as they lie on disk, number %i', (index) => {
  it('each flipped bit is found, or held nothing that was sealed', async () => {
    const ledger = ledgers.all[index];
    if (ledger === undefined) throw new Error('there are two ledgers');
    const places = [
      ...sample(ledger, 70, isLarge),
      ...sample(ledger, 40, (file) => file.startsWith('MANIFEST') || file === 'CURRENT'),
      ...sample(ledger, 4, (file) => file.startsWith('LOG')),
    ];
    const report = await verifyFlips(ledger, places);
    expect(report.wrong, `seed ${seed}`).toEqual([]);
    expect(report.flips).toBe(places.length);
    expect(Object.keys(report.findings).length).toBeGreaterThan(1);
  });

  it('has tables, a log and a journal', () => {
    const names = readdirSync(join(ledgers.all[index]?.dataDir ?? '', 'ledger'));
    expect(names.some((name) => name.endsWith('.ldb'))).toBe(true);
    expect(names.some(isLog)).toBe(true);
    expect(names.some(isJournal)).toBe(true);
  });
});

describe('a start over a file with a flipped bit', () => {
  it.each([
    ["LevelDB's log, which it opens without a word", isLog],
    ['the journal', isJournal],
  ])('in %s: is refused and changes nothing, or nothing that was sealed is lost', async (_, of) => {
    const ledger = ledgers.all.find(({ name }) => name === 'killed');
    if (ledger === undefined) throw new Error('there is a killed ledger');
    const codes: string[] = [];
    for (const place of sample(ledger, 10, of)) codes.push(await startOver(ledger, place));
    const expected = ['ledger_damaged', 'ledger_rolled_back', 'whole'];
    expect(
      codes.filter((code) => !expected.includes(code)),
      `seed ${seed}`,
    ).toEqual([]);
  });
});

it('a start over a body with a flipped bit is refused: of bodies there is no second copy', async () => {
  const ledger = ledgers.all.find(({ name }) => name === 'killed');
  if (ledger === undefined) throw new Error('there is a killed ledger');
  const file = 'journal-0000000001.hpj';
  const byte = readFileSync(join(ledger.dataDir, 'ledger', file)).indexOf('HPV1') + 200;
  expect(await startOver(ledger, { file, byte, bit: 3 })).toBe('ledger_damaged');
});

/** The code the start is refused with; `whole` when it begins and everything that was sealed is there. */
async function startOver(ledger: RealLedger, place: Place): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdpoint-flip-'));
  try {
    cpSync(ledger.dataDir, dataDir, { recursive: true });
    const file = join(dataDir, 'ledger', place.file);
    writeFileSync(file, flipped(readFileSync(file), place));
    const before = contentOf(join(dataDir, 'ledger'));
    try {
      const sidecar = await startSidecar(ledgers.house.configFile, { HOLDPOINT_DATA_DIR: dataDir });
      await sidecar.stop('test');
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
      if (JSON.stringify(contentOf(join(dataDir, 'ledger'))) !== JSON.stringify(before))
        return `${error.code}, but the directory was changed`;
      return readdirSync(dataDir).some((name) => name.startsWith('holdpoint-'))
        ? 'left a copy behind'
        : error.code;
    }
    const verdict = await verifyDirectory(dataDir, {});
    return verdict.ok && sealedOf(verdict).size > ledger.sealed.size ? 'whole' : 'started over damage';
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const contentOf = (dir: string): readonly [string, string][] =>
  readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString('base64')]);
