/**
 * The real sidecar over a real ledger in memory, with callers, a provider and reviewers around it, and time, commits and
 * the death of the process in a test's hands: what is sealed reaches the disk when the test lets it, so that whatever
 * else happens can come in between.
 */
import { vi } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { collectWithinMs } from '../../../src/hold/terms.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import type { CommitFate } from '../../fault/memory-disk.ts';
import { createManualTime } from '../../support/time.ts';
import { type Caller, type Manner, openCaller } from './caller.ts';
import { type Process, type Surroundings, startProcess } from './process.ts';
import { createProvider, type Provider } from './provider.ts';
import { createReviewers, type Reviewers } from './reviewers.ts';
import { callOf, expiresInMs, type Kind } from './rules.ts';
import { createWatch, type Watch } from './watch.ts';

/** Whatever goes on by itself rests long before this. */
const roundsMax = 10_000;
/** A ledger whose disk is well again is open again by then. */
const reopensWithinMs = 5_000;

export interface Scene {
  readonly house: LedgerUnderTest;
  readonly reviewers: Reviewers;
  readonly provider: Provider;
  readonly watch: Watch;
  /** What was asked, by its place. */
  readonly kinds: readonly Kind[];
  readonly callers: readonly Caller[];
  process(): Process;
  /** A new call comes. */
  ask(kind: Kind): Promise<void>;
  /** The same call comes again. */
  comeBack(call: number, marked: boolean, manner: Manner): Promise<void>;
  /** Its newest caller that is still there hangs up. */
  leave(call: number): void;
  /** From now on nothing that is sealed reaches the disk. */
  holdCommits(): void;
  letCommits(): Promise<void>;
  /** From now on the disk refuses each commit, be it that it wrote nothing of it or all. */
  failDisk(fate: Exclude<CommitFate, 'written'>): void;
  mendDisk(): Promise<void>;
  /** From now on no answer of the provider comes whole. */
  holdAnswers(): void;
  letAnswers(): Promise<void>;
  /** What is sealed between others' entries: another policy, another token. */
  reload(): void;
  grant(name: string): void;
  advance(ms: number): Promise<void>;
  /** The ledger does not take the next ruling, or the next use of one. */
  refuseNextSeal(): void;
  restart(how: 'stop' | 'kill'): Promise<void>;
  /** Lets everything come to its end, closes the ledger; rejects with what failed on the way. */
  end(): Promise<void>;
}

/** The ledger's own timers are in the test's hands until `end` is over, or whoever could not go on takes them back. */
export async function createScene(): Promise<Scene> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const house = createLedgerUnderTest();
  const time = createManualTime();
  const kinds: Kind[] = [];
  const callers: Caller[] = [];
  const holds: number[] = [];
  const failures: unknown[] = [];
  const onError = (error: unknown): void => {
    failures.push(error);
  };
  const watch = createWatch(house, kinds, callers);
  const provider = createProvider(watch.onAsked);
  let gate: PromiseWithResolvers<void> | null = null;
  let isFull = false;
  const around: Surroundings = {
    ...{ house, time, onError },
    forwarder: provider.forwarder,
    mayCommit: () => gate?.promise,
    isFull: () => {
      const wasFull = isFull;
      isFull = false;
      return wasFull;
    },
    mayRule: (name) => reviewers.mayRule(name),
    onRestored: () => noteMissed(now),
  };
  const reviewers = createReviewers({
    ...{ holds, onError },
    process: () => now,
    nowMs: time.clock.nowMs,
    callOf: (decision) => {
      const call = callOf(house.entries()[decision]?.data['model']);
      return { call, kind: kindOf(call) };
    },
  });
  let now = await boot();

  async function boot(): Promise<Process> {
    const process = await startProcess(around);
    noteMissed(process);
    process.queue.subscribe(({ kind, hold }) => {
      if (kind === 'opened') holds.push(hold.seq);
    });
    return process;
  }

  /** A process that died, or whose disk failed, may have sealed one and told nobody. */
  function noteMissed({ queue }: Process): void {
    const listed = queue.list().map(({ seq }) => seq);
    holds.push(...listed.filter((seq) => !holds.includes(seq)));
  }

  function kindOf(call: number): Kind {
    const kind = kinds[call];
    if (kind === undefined) throw new Error(`nobody made the call ${call}`);
    return kind;
  }

  /** Everything that can go on by itself has. */
  async function quiet(): Promise<void> {
    let rounds = 0;
    for (let calm = 0; calm < 4; calm += 1) {
      await new Promise(setImmediate);
      rounds += 1;
      if (rounds > roundsMax) throw new Error(`it never rests: ${now.pending.size} entries wait`);
      if (gate === null && (now.pending.size > 0 || now.isOpening())) calm = 0;
    }
  }

  async function enter(call: number, marked: boolean, manner: Manner): Promise<void> {
    const caller = openCaller({ call, kind: kindOf(call), marked, manner }, watch.onBytes);
    callers.push(caller);
    now.enter(caller.socket);
    await quiet();
  }

  async function letCommits(): Promise<void> {
    gate?.resolve();
    gate = null;
    await quiet();
  }

  async function mendDisk(): Promise<void> {
    house.disk.fateOf = () => 'written';
    await quiet();
  }

  async function letAnswers(): Promise<void> {
    provider.letAnswers();
    await quiet();
  }

  async function advance(ms: number): Promise<void> {
    time.advance(ms);
    vi.advanceTimersByTime(ms);
    await quiet();
  }

  async function endStalling(): Promise<void> {
    for (const caller of callers) if (caller.manner === 'stalls') caller.leave('hangs up');
    await quiet();
  }

  /** As the sidecar does it: whoever waits is told to come again, and what runs has its time. */
  async function stop(): Promise<void> {
    now.queue.stop();
    now.delegations.stop();
    await letCommits();
    await letAnswers();
    await endStalling();
    await now.proxy.drain(0);
    await closeLedger();
    now.dead = true;
  }

  /** A disk that fails takes no `stop` either; then the next start finds what a kill leaves. */
  async function closeLedger(): Promise<void> {
    try {
      await now.ledger.close('stop');
    } catch (error) {
      if (!(error instanceof HoldpointError && error.code === 'ledger_unavailable')) throw error;
    }
  }

  function kill(): void {
    now.dead = true;
    for (const caller of callers) caller.leave('is cut');
    house.disk.abandon();
    house.indexDisk.abandon();
    gate?.resolve();
    gate = null;
    provider.letAnswers();
    // Its port alone: nothing in it moves any more.
    now.proxy.drain(0).catch(onError);
  }

  return {
    ...{ house, reviewers, provider, watch, kinds, callers, letCommits, letAnswers, advance },
    process: () => now,
    ask: (kind) => enter(kinds.push(kind) - 1, false, 'reads'),
    comeBack: enter,
    leave: (call) => callers.findLast((caller) => caller.call === call && !caller.left)?.leave('hangs up'),
    holdCommits: () => {
      gate ??= Promise.withResolvers<void>();
    },
    failDisk: (fate) => {
      house.disk.fateOf = () => fate;
    },
    mendDisk,
    holdAnswers: provider.holdAnswers,
    reload: () => {
      if (!now.ledger.isWritable()) return;
      const data = { digest: 'ab'.repeat(32), result: 'loaded', version: 'v2' };
      now.ledger.seal({ type: 'policy', data, parts: [{ name: 'source', bytes: Buffer.from('rules: []') }] });
    },
    grant: (name) => {
      if (!now.ledger.isWritable()) return;
      const token = { hash: 'cd'.repeat(8), name, role: 'reviewer' };
      now.ledger.seal({ type: 'access', data: { action: 'grant', by: 'root', role: '', token } });
    },
    refuseNextSeal: () => {
      isFull = true;
    },
    restart: async (how) => {
      if (how === 'stop') await stop();
      else kill();
      house.disk.fateOf = () => 'written';
      now = await boot();
    },
    end: async () => {
      isFull = false;
      await letCommits();
      await mendDisk();
      await advance(reopensWithinMs);
      await letAnswers();
      await endStalling();
      // Past every expiry, then past every time to collect, and whoever looks again after that.
      for (const ms of [expiresInMs + 2_000, expiresInMs + 2_000, collectWithinMs, 120_000])
        await advance(ms);
      await stop();
      vi.useRealTimers();
      if (failures.length > 0) throw failures[0];
    },
  };
}
