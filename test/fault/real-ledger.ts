/** A small real ledger, made by the real sidecar: as a clean stop leaves it, and as a SIGKILL leaves it. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemoProvider } from '../../src/demo/provider.ts';
import type { Verdict } from '../../src/ledger/verify/verify.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { type House, makeHouse, type SidecarProcess, startProcess } from '../crash/sidecar-process.ts';
import { bodyOf, type CallKind, call, releaseHolds } from '../crash/workload.ts';

export interface RealLedger {
  readonly name: 'stopped' | 'killed';
  readonly dataDir: string;
  readonly sealed: Sealed;
}

/** What must be the same wherever a verdict is still `ok`. */
export interface Sealed {
  readonly size: number;
  readonly root: string;
  readonly bodies: Verdict['bodies'];
}

export const sealedOf = ({ size, root, bodies }: Verdict): Sealed => ({ size, root, bodies });

export interface RealLedgers {
  readonly house: House;
  readonly all: readonly RealLedger[];
  remove(): void;
}

/** Runs the sidecar three times over one directory, so that it has both tables and a log. */
export async function makeRealLedgers(): Promise<RealLedgers> {
  const provider = await startDemoProvider({ port: 0 });
  const house = makeHouse(provider.url);
  try {
    const first = await startProcess(house);
    await callAll(house, first, ['plain', 'held']);
    await first.kill();
    const second = await startProcess(house);
    await callAll(house, second, ['stream', 'held stream']);
    await restOf(house);
    await second.kill();
    const killed = join(house.directory, 'killed');
    cpSync(house.dataDir, killed, { recursive: true });
    const third = await startProcess(house);
    await callAll(house, third, ['plain']);
    const { code } = await third.stop();
    if (code !== 0) throw new Error(`a clean stop ended with ${code}`);
    const all = [
      { name: 'killed' as const, dataDir: killed },
      { name: 'stopped' as const, dataDir: house.dataDir },
    ].map(async (made) => {
      const verdict = await verifyDirectory(made.dataDir, {});
      if (!verdict.ok) throw new Error(`${made.name}: ${JSON.stringify(verdict.findings)}`);
      return { ...made, sealed: sealedOf(verdict) };
    });
    return { house, all: await Promise.all(all), remove: house.remove };
  } catch (error) {
    house.remove();
    throw error;
  } finally {
    await provider.close();
  }
}

/** Resolves when the mark remembers all that is sealed: of a last commit that nobody was told of, the end may be lost. */
async function restOf(house: House): Promise<void> {
  for (let before = -1; ; ) {
    const { size } = await verifyDirectory(house.dataDir, {});
    const mark = Number(readFileSync(join(house.dataDir, 'high-water'), 'utf8').split(' ')[1]);
    if (mark === size && size === before) return;
    before = size;
  }
}

async function callAll(house: House, sidecar: SidecarProcess, kinds: readonly CallKind[]): Promise<void> {
  let over = false;
  const releasing = releaseHolds(house, sidecar, () => over);
  for (const kind of kinds) {
    const answer = await call(sidecar.proxyUrl, bodyOf(kind, kind));
    if (answer?.status !== 200) throw new Error(`a ${kind} call was answered with ${answer?.status}`);
  }
  over = true;
  await releasing;
}

export interface Place {
  readonly file: string;
  readonly byte: number;
  readonly bit: number;
}

/** One place in each byte of each file of the ledger's database. */
export function placesIn(ledger: RealLedger): readonly Place[] {
  const dir = join(ledger.dataDir, 'ledger');
  return readdirSync(dir)
    .sort()
    .flatMap((file) =>
      Array.from(readFileSync(join(dir, file)), (_, byte) => ({ file, byte, bit: (byte * 5) % 8 })),
    );
}

export interface FlipReport {
  flips: number;
  /** Verdicts that were still `ok`, with everything sealed as it was. */
  nothingSealed: number;
  readonly findings: Record<string, number>;
  /** What should not be: verdicts that were `ok` over something else, or findings without a place. */
  readonly wrong: string[];
}

/** Flips each place in turn, verifies with the keys, and puts the byte back. */
export async function verifyFlips(ledger: RealLedger, places: readonly Place[]): Promise<FlipReport> {
  const report: FlipReport = { flips: 0, nothingSealed: 0, findings: {}, wrong: [] };
  const temporary = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdpoint-flips-'));
  const dataDir = join(temporary, 'data');
  cpSync(ledger.dataDir, dataDir, { recursive: true });
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = temporary;
  try {
    for (const place of places) {
      const file = join(dataDir, 'ledger', place.file);
      const whole = readFileSync(file);
      writeFileSync(file, flipped(whole, place));
      judge(await verifyDirectory(dataDir, {}), ledger, place, report);
      writeFileSync(file, whole);
    }
    const left = readdirSync(temporary).filter((name) => name !== 'data');
    if (left.length > 0) report.wrong.push(`left behind: ${left.join()}`);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(temporary, { recursive: true, force: true });
  }
  return report;
}

export function flipped(bytes: Buffer, { byte, bit }: Place): Buffer {
  const changed = Buffer.from(bytes);
  changed[byte] = (changed[byte] ?? 0) ^ (1 << bit);
  return changed;
}

function judge(verdict: Verdict, ledger: RealLedger, place: Place, report: FlipReport): void {
  const where = `${ledger.name} ${place.file} byte ${place.byte} bit ${place.bit}`;
  report.flips += 1;
  const [first] = verdict.findings;
  if (verdict.ok) {
    if (JSON.stringify(sealedOf(verdict)) === JSON.stringify(ledger.sealed)) report.nothingSealed += 1;
    else report.wrong.push(`${where}: ok, but not over what was sealed`);
  } else if (first === undefined || !Number.isInteger(first.seq) || first.message === '') {
    report.wrong.push(`${where}: not ok without saying where`);
  } else {
    report.findings[first.code] = (report.findings[first.code] ?? 0) + 1;
  }
}
