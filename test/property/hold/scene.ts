/**
 * The real sidecar over a real ledger in memory, with callers, a provider and reviewers around it, and time, commits and
 * the death of the process in a test's hands: what is sealed reaches the disk when the test lets it, so that whatever
 * else happens can come in between.
 */
import { vi } from 'vitest';
import { collectWithinMs } from '../../../src/hold/terms.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import type { CommitFate } from '../../fault/memory-disk.ts';
import { createManualTime } from '../../support/time.ts';
import { whoHangs } from './answered.ts';
import { type Caller, type Manner, openCaller } from './caller.ts';
import { createLives } from './lives.ts';
import { expiresInMsMax, type PolicyName } from './policies.ts';
import { nameOf } from './policy-text.ts';
import type { Process } from './process.ts';
import { createProvider, type Provider } from './provider.ts';
import { createReviewers, type Reviewers } from './reviewers.ts';
import { callOf, type Kind } from './rules.ts';
import { createRulesFile, type RulesFile } from './rules-file.ts';
import { createStage } from './stage.ts';
import type { Surroundings } from './surroundings.ts';
import { createWatch, type Watch } from './watch.ts';

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
  readonly rules: RulesFile;
  /** The policy that was in force when the entry of a seq was sealed. */
  readonly inForce: ReadonlyMap<number, PolicyName>;
  process(): Process;
  kindOfDecision(decision: number): Kind;
  /** A new call comes. */
  ask(kind: Kind): Promise<void>;
  /** The same call comes again. */
  comeBack(call: number, marked: boolean, manner: Manner): Promise<void>;
  /** Its newest caller that is still there hangs up. */
  leave(call: number): void;
  /** From now on nothing that is sealed reaches the disk. */
  holdCommits(): void;
  letCommits(): Promise<void>;
  /** From now on nobody gets to read what is sealed of a decision. */
  holdReads(): void;
  letReads(): Promise<void>;
  /** From now on the disk refuses each commit, be it that it wrote nothing of it or all. */
  failDisk(fate: Exclude<CommitFate, 'written'>): void;
  mendDisk(): Promise<void>;
  /** From now on no answer of the provider comes whole. */
  holdAnswers(): void;
  letAnswers(): Promise<void>;
  /** Another file of rules, of which the sidecar is told, or which it finds. */
  changeRules(name: PolicyName, how: 'told' | 'found'): void;
  /** Something else is sealed between others' entries. */
  grant(name: string): void;
  advance(ms: number): Promise<void>;
  /** The ledger does not take the next ruling, or the next use of one; or, after so many that it takes, the one behind them. */
  refuseNextSeal(after?: number): void;
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
  const callByDecision = new Map<number, number>();
  const failures: unknown[] = [];
  const onError = (error: unknown): void => {
    failures.push(error);
  };
  const rules = createRulesFile();
  const inForce = new Map<number, PolicyName>();
  const watch = createWatch({
    house,
    kinds,
    callers,
    inForce: () => nameOf(lives.now().policyFile.current().digest),
  });
  const provider = createProvider(watch.onAsked);
  const stage = createStage({ house, time, provider, callers, now: () => lives.now() });
  const { quiet, commits, reads, letCommits, letReads, letAnswers, mendDisk, advance } = stage;
  /** Null for a ledger that takes all. */
  let takenUntilFull: number | null = null;
  const around: Surroundings = {
    ...{ house, time, onError },
    forwarder: provider.forwarder,
    mayCommit: stage.commits.pass,
    mayRead: stage.reads.pass,
    isFull: () => {
      const isNow = takenUntilFull === 0;
      if (takenUntilFull !== null) takenUntilFull = isNow ? null : takenUntilFull - 1;
      return isNow;
    },
    mayRule: (name) => reviewers.mayRule(name),
    onRestored: () => lives.noteHolds(),
    rules,
    onSeal: (seq, digest) => {
      inForce.set(seq, nameOf(digest));
    },
  };
  const reviewers = createReviewers({
    ...{ holds, onError },
    process: () => lives.now(),
    clock: time.clock,
    callOf: callOfDecision,
  });
  const lives = await createLives({
    ...{ around, callers, provider, holds },
    reviewers: () => reviewers,
    stage,
  });

  function kindOf(call: number): Kind {
    const kind = kinds[call];
    if (kind === undefined) throw new Error(`nobody made the call ${call}`);
    return kind;
  }

  /** Of one that is on the disk: it stays what it is. */
  function callOfDecision(decision: number): { call: number; kind: Kind } {
    const call = callByDecision.get(decision) ?? callOf(house.entries()[decision]?.data['model']);
    callByDecision.set(decision, call);
    return { call, kind: kindOf(call) };
  }

  async function enter(call: number, marked: boolean, manner: Manner): Promise<void> {
    const caller = openCaller({ call, kind: kindOf(call), marked, manner }, watch.onBytes);
    callers.push(caller);
    lives.now().enter(caller.socket);
    await quiet();
  }

  return {
    ...{ house, rules, inForce, reviewers, provider, watch, kinds, callers },
    ...{ letCommits, letReads, letAnswers, mendDisk, advance },
    process: () => lives.now(),
    kindOfDecision: (decision) => callOfDecision(decision).kind,
    ask: (kind) => enter(kinds.push(kind) - 1, false, 'reads'),
    comeBack: enter,
    leave: (call) => callers.findLast((caller) => caller.call === call && !caller.left)?.leave('hangs up'),
    holdCommits: commits.hold,
    holdReads: reads.hold,
    failDisk: (fate) => {
      house.disk.fateOf = () => fate;
    },
    holdAnswers: provider.holdAnswers,
    changeRules: (name, how) => {
      rules.write(name);
      if (how === 'told') lives.now().reloadRules();
    },
    grant: (name) => {
      const { ledger } = lives.now();
      if (!ledger.isWritable()) return;
      const token = { hash: 'cd'.repeat(8), name, role: 'reviewer' };
      ledger.seal({ type: 'access', data: { action: 'grant', by: 'root', role: '', token } });
    },
    refuseNextSeal: (after = 0) => {
      takenUntilFull = after;
    },
    restart: async (how) => {
      if (how === 'stop') await lives.stop();
      else lives.kill();
      house.disk.fateOf = () => 'written';
      await lives.begin();
    },
    end: async () => {
      takenUntilFull = null;
      reads.open();
      await letCommits();
      await mendDisk();
      await advance(reopensWithinMs);
      await letAnswers();
      await stage.endStalling();
      // Past every expiry, of the question and of its answer: everybody hears of it then, and not when they lose patience.
      for (const ms of [expiresInMsMax + 2_000, expiresInMsMax + 2_000]) await advance(ms);
      const hanging = whoHangs(callers, reviewers);
      if (hanging !== '') failures.push(new Error(`nothing is held any more, and ${hanging}`));
      // Past every time to collect, and whoever looks again after that.
      for (const ms of [collectWithinMs, 120_000]) await advance(ms);
      await lives.stop();
      vi.useRealTimers();
      rules.remove();
      if (failures.length > 0) throw failures[0];
    },
  };
}
