/**
 * The storage calls of one life, written down, and what a power failure may leave of them: what was synced, and of
 * the rest any part. LevelDB's files are its own; of them any state is taken that it had, with its logs cut anywhere.
 */
// First, so that the stores load with node:fs watched.
import './disk-calls.ts';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HoldpointError } from '../../src/core/errors.ts';
import type { Durability } from '../../src/ledger/entry.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { seeded } from '../crash/rounds.ts';
import { type DiskCall, systemError, watchDisk } from './disk-calls.ts';
import {
  type Acknowledged,
  beginLife,
  faultsAfterNextLife,
  faultsIn,
  runScript,
  startMs,
  type Told,
} from './scripted-run.ts';

const shared = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A call, what LevelDB's files were just after it, and how much had been told by then. */
interface Step {
  readonly call: DiskCall;
  readonly level: string;
  readonly told: number;
}

export interface Tape {
  readonly root: string;
  readonly steps: readonly Step[];
  readonly acknowledged: readonly Acknowledged[];
  remove(): void;
}

/** Lives once and writes everything down. */
export async function recordLife(durability: Durability): Promise<Tape> {
  const root = mkdtempSync(join(shared, 'holdpoint-power-'));
  const dataDir = join(root, 'data');
  mkdirSync(dataDir);
  const steps: Step[] = [];
  const acknowledged: Acknowledged[] = [];
  let level = join(root, 'level-0');
  mkdirSync(level);
  const unwatch = watchDisk({
    dir: dataDir,
    fateOf: () => 'done',
    failureOf: (call) => systemError('EIO', call),
    done: (call) => {
      if (call.file === 'ledger' && (call.kind === 'batch' || call.kind === 'open database')) {
        level = join(root, `level-${steps.length}`);
        cpSync(join(dataDir, 'ledger'), level, { recursive: true, filter: (file) => !file.endsWith('.hpj') });
      }
      steps.push({ call, level, told: acknowledged.length });
    },
  });
  try {
    const witness = {
      acknowledged: (entry: Acknowledged) => acknowledged.push(entry),
      handedOver: () => undefined,
    };
    const life = await beginLife(dataDir, durability, witness, startMs);
    await runScript(life, witness, () => Promise.reject(new Error('the disk does not fail here')));
    await life.end();
  } finally {
    unwatch();
  }
  return { root, steps, acknowledged, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export interface Loss {
  readonly faults: readonly string[];
  /** Acknowledged entries that are gone. */
  readonly lost: number;
  /** The high-water mark outlived entries it knows: verifier and start both say so, and nothing goes on. */
  readonly isRolledBack: boolean;
  /** Writes that the failure took. */
  readonly dropped: number;
}

/** The power fails just after a step; `seed` chooses what of the unsynced is gone. */
export async function failPower(tape: Tape, after: number, seed: number): Promise<Loss> {
  const random = seeded(seed);
  const root = mkdtempSync(join(shared, 'holdpoint-power-'));
  try {
    const dataDir = join(root, 'data');
    const steps = tape.steps.slice(0, after + 1);
    const dropped = replay(steps, dataDir, random);
    const [last] = steps.slice(-1);
    if (last !== undefined) leaveLevel(last.level, join(dataDir, 'ledger'), random);
    const told: Told = { acknowledged: tape.acknowledged.slice(0, last?.told ?? 0), handedOver: [] };
    const none: Told = { acknowledged: [], handedOver: [] };
    const lost = (await faultsIn(dataDir, told)).filter((fault) =>
      fault.startsWith('the acknowledged'),
    ).length;
    try {
      const expected = lost === 0 ? told : none;
      const faults = await faultsAfterNextLife(dataDir, expected, startMs + 3_600_000);
      return {
        faults: [...(await faultsIn(dataDir, expected)), ...faults],
        lost,
        dropped,
        isRolledBack: false,
      };
    } catch (error) {
      if (!(error instanceof HoldpointError && error.code === 'ledger_rolled_back')) throw error;
      const { findings } = await verifyDirectory(dataDir, {});
      const codes = findings.map(({ code }) => code);
      const faults = codes.includes('rolled_back') ? [] : [`the verifier says ${codes.join()}`];
      return { faults, lost, dropped, isRolledBack: true };
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface FileState {
  bytes: Buffer;
  /** Writes since the last sync, oldest first. */
  unsynced: { readonly bytes: Buffer; readonly position: number }[];
}

/** The files as they are after the failure; returns how many writes are gone. */
function replay(steps: readonly Step[], dataDir: string, random: () => number): number {
  const files = new Map<string, FileState>();
  /** Files whose name is on disk. */
  const named = new Set<string>();
  let dropped = 0;
  for (const { call } of steps) {
    if (call.kind === 'open' && call.creates === true)
      files.set(call.file, { bytes: Buffer.alloc(0), unsynced: [] });
    // Syncing a directory keeps the names in it; the mark's temporary file has its final name by then.
    if (call.kind === 'sync' && (call.file === '' || call.file === 'ledger')) {
      const temporary = files.get('high-water.new');
      if (call.file === '' && temporary !== undefined) {
        files.set('high-water', temporary);
        files.delete('high-water.new');
      }
      for (const file of files.keys())
        if (dirname(file) === (call.file === '' ? '.' : call.file)) named.add(file);
      continue;
    }
    const state = files.get(call.file);
    if (state === undefined) continue;
    if (call.kind === 'write' && call.bytes !== undefined) {
      const write = { bytes: call.bytes, position: call.position ?? 0 };
      if (call.through === true) state.bytes = written(state.bytes, write);
      else state.unsynced.push(write);
    }
    if (call.kind === 'datasync' || call.kind === 'sync') {
      for (const write of state.unsynced.splice(0)) state.bytes = written(state.bytes, write);
    }
  }
  mkdirSync(join(dataDir, 'ledger'), { recursive: true });
  for (const [file, { bytes, unsynced }] of files) {
    let left = bytes;
    for (const write of unsynced) {
      if (random() < 0.5) left = written(left, write);
      else dropped += 1;
    }
    if (named.has(file) || random() < 0.5) writeFileSync(join(dataDir, file), left);
  }
  return dropped;
}

function written(file: Buffer, { bytes, position }: { bytes: Buffer; position: number }): Buffer {
  const after = Buffer.alloc(Math.max(file.length, position + bytes.length));
  file.copy(after);
  bytes.copy(after, position);
  return after;
}

/** LevelDB syncs its list of files and its tables itself; its logs may end anywhere. */
function leaveLevel(from: string, to: string, random: () => number): void {
  for (const name of readdirSync(from)) {
    const bytes = readFileSync(join(from, name));
    const length = name.endsWith('.log') ? Math.floor(random() * (bytes.length + 1)) : bytes.length;
    writeFileSync(join(to, name), bytes.subarray(0, length));
  }
}
