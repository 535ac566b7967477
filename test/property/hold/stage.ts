/** What goes on by itself and what stands still: time, the disk and the provider, as a test lets them. */
import { vi } from 'vitest';
import type { LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import type { ManualTime } from '../../support/time.ts';
import type { Caller } from './caller.ts';
import { createGate, type Gate } from './gate.ts';
import type { Process } from './process.ts';
import type { Provider } from './provider.ts';

export interface Stage {
  /** Of what is sealed, to the disk; and of what is read of a decision. */
  readonly commits: Gate;
  readonly reads: Gate;
  /** Resolves once everything that can go on by itself has. */
  quiet(): Promise<void>;
  letCommits(): Promise<void>;
  letReads(): Promise<void>;
  letAnswers(): Promise<void>;
  mendDisk(): Promise<void>;
  advance(ms: number): Promise<void>;
  /** Whoever takes nothing hangs up. */
  endStalling(): Promise<void>;
}

export interface StageOptions {
  readonly house: LedgerUnderTest;
  readonly time: ManualTime;
  readonly provider: Provider;
  readonly callers: readonly Caller[];
  now(): Process;
}

/** Whatever goes on by itself rests long before this. */
const roundsMax = 10_000;

export function createStage({ house, time, provider, callers, now }: StageOptions): Stage {
  const commits = createGate();
  const reads = createGate();

  async function quiet(): Promise<void> {
    let rounds = 0;
    for (let calm = 0; calm < 4; calm += 1) {
      await new Promise(setImmediate);
      rounds += 1;
      const { pending, isOpening } = now();
      if (rounds > roundsMax) throw new Error(`it never rests: ${pending.size} entries wait`);
      const isHeld = commits.isHeld() || reads.isHeld();
      if (!isHeld && (pending.size > 0 || isOpening())) calm = 0;
    }
  }

  return {
    commits,
    reads,
    quiet,
    letCommits: () => {
      commits.open();
      return quiet();
    },
    letReads: () => {
      reads.open();
      return quiet();
    },
    letAnswers: () => {
      provider.letAnswers();
      return quiet();
    },
    mendDisk: () => {
      house.disk.fateOf = () => 'written';
      return quiet();
    },
    advance: (ms) => {
      time.advance(ms);
      vi.advanceTimersByTime(ms);
      return quiet();
    },
    endStalling: () => {
      for (const caller of callers) if (caller.manner === 'stalls') caller.leave('hangs up');
      return quiet();
    },
  };
}
