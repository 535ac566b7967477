/** Lets one storage call of the scripted life fail, looks at the directory as a death there leaves it, and goes on. */
// First, so that the stores load with node:fs watched.
import './disk-calls.ts';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import type { Durability } from '../../src/ledger/entry.ts';
import { type DiskCall, type Fate, systemError, watchDisk } from './disk-calls.ts';
import {
  type Acknowledged,
  beginLife,
  faultsAfterNextLife,
  faultsIn,
  type Life,
  runScript,
  startMs,
  type Told,
  type Witness,
} from './scripted-run.ts';

const shared = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface FaultReport {
  /** Null when the life had fewer calls. */
  readonly call: DiskCall | null;
  readonly faults: readonly string[];
  /** Steps of the script that the ledger refused. */
  readonly refused: number;
}

export interface FaultPlan {
  /** Which call, from 0. */
  readonly at: number;
  readonly fate: Fate;
  readonly code: 'EIO' | 'ENOSPC';
  readonly durability: Durability;
  /** How many calls in a row fail. */
  readonly lasts: number;
}

/** Runs one life with one fault. Timers are the test's: it calls `vi.useFakeTimers` before. */
export async function liveWithFault(plan: FaultPlan): Promise<FaultReport> {
  const root = mkdtempSync(join(shared, 'holdpoint-fault-'));
  const dataDir = join(root, 'data');
  const deathDir = join(root, 'death');
  mkdirSync(dataDir);
  let calls = 0;
  let failed: DiskCall | null = null;
  let toldAtDeath: Told = { acknowledged: [], handedOver: [] };
  const acknowledged: Acknowledged[] = [];
  const handedOver: [number, number][] = [];
  const witness: Witness = {
    acknowledged: (entry) => acknowledged.push(entry),
    handedOver: (decision, seq) => handedOver.push([decision, seq]),
  };
  const unwatch = watchDisk({
    dir: dataDir,
    fateOf: () => {
      const call = calls;
      calls += 1;
      return call >= plan.at && call < plan.at + plan.lasts ? plan.fate : 'done';
    },
    failureOf: (call) => {
      if (failed === null) {
        failed = call;
        toldAtDeath = { acknowledged: [...acknowledged], handedOver: [...handedOver] };
        cpSync(dataDir, deathDir, { recursive: true });
      }
      return systemError(plan.code, call);
    },
  });
  try {
    const refused = await live(dataDir, plan.durability, witness);
    unwatch();
    const told = { acknowledged, handedOver };
    const faults = [
      ...(await faultsIn(dataDir, told)).map((fault) => `going on: ${fault}`),
      ...(await faultsAfterNextLife(dataDir, told, startMs + 3_600_000)).map((fault) => `later: ${fault}`),
    ];
    if (failed !== null) {
      faults.push(...(await faultsIn(deathDir, toldAtDeath)).map((fault) => `dead: ${fault}`));
      const next = await faultsAfterNextLife(deathDir, toldAtDeath, startMs + 3_600_000);
      faults.push(...next.map((fault) => `after death: ${fault}`));
    }
    return { call: failed, faults, refused };
  } finally {
    unwatch();
    rmSync(root, { recursive: true, force: true });
  }
}

/** The storage calls of a life in which none fails. */
export async function callsOfALife(durability: Durability): Promise<readonly DiskCall[]> {
  const root = mkdtempSync(join(shared, 'holdpoint-fault-'));
  const calls: DiskCall[] = [];
  const unwatch = watchDisk({
    dir: root,
    fateOf: (call) => {
      calls.push(call);
      return 'done';
    },
    failureOf: (call) => systemError('EIO', call),
  });
  try {
    await live(root, durability, { acknowledged: () => undefined, handedOver: () => undefined });
    return calls;
  } finally {
    unwatch();
    rmSync(root, { recursive: true, force: true });
  }
}

/** One life; where the start itself fails, what has to happen is that nothing was sealed. */
async function live(dataDir: string, durability: Durability, witness: Witness): Promise<number> {
  let life: Life;
  try {
    life = await beginLife(dataDir, durability, witness, startMs);
  } catch (error) {
    if (error instanceof HoldpointError || (error instanceof Error && 'code' in error)) return 1;
    throw error;
  }
  const refused = await runScript(life, witness, () => untilWritable(life));
  await passTime();
  try {
    await life.end();
  } catch (error) {
    // What could not be closed is found by the next life.
    if (!(error instanceof Error)) throw error;
  }
  return refused;
}

/** Of the machine's own time: LevelDB opens in it. */
const comesBackMsMax = 10_000;

async function untilWritable({ ledger }: Life): Promise<void> {
  const untilMs = performance.now() + comesBackMsMax;
  while (!ledger.isWritable() && performance.now() < untilMs) await passTime();
  if (!ledger.isWritable()) throw new Error('the ledger did not come back');
}

/** Time for settling, absorbing and reopening, and rounds of the event loop for what they do. */
async function passTime(): Promise<void> {
  await vi.advanceTimersByTimeAsync(100);
  for (let round = 0; round < 20; round += 1) await new Promise(setImmediate);
}
