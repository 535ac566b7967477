/**
 * The real queue over a real ledger in memory, with time, commits and the death of the process in a test's hands:
 * what is sealed reaches the disk when the test lets it, so that whatever else happens can come in between.
 */
import { HoldpointError } from '../../../src/core/errors.ts';
import { createDelegations, type Delegations } from '../../../src/hold/delegations.ts';
import type { WaitResult } from '../../../src/hold/live.ts';
import { createHoldQueue, type HoldQueue } from '../../../src/hold/queue.ts';
import type { Hold } from '../../../src/hold/record.ts';
import type { HumanVerdict } from '../../../src/hold/state.ts';
import { collectWithinMs } from '../../../src/hold/terms.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { Sealed } from '../../../src/ledger/sealer.ts';
import type { LedgerStore } from '../../../src/ledger/store.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { createManualTime } from '../../support/time.ts';

/** Who may come to rule; the last one asked for the call. */
export const people = ['ada', 'bob', 'cyd', 'agent'] as const;
export const expiresInMs = 60_000;
/** From then on a hold may be ruled on in the role of `chief`, too. */
export const escalatesInMs = 30_000;
export const roles = ['reviewer', 'chief'] as const;

export interface Ruled {
  readonly by: string;
  readonly verdict: HumanVerdict;
  readonly breakGlass: boolean;
  readonly hold: number;
  /** `sealed`, the code it was refused with, or `unknown` where the process died first. */
  answer: string;
}

/** Something else that somebody did about a hold. */
export interface Acted {
  readonly by: string;
  readonly action: 'comment' | 'assign' | 'review';
  readonly hold: number;
  answer: string;
}

export interface Collected {
  readonly hold: number;
  readonly result: WaitResult;
  readonly handedOver: boolean;
  /** It said that it is a retry. */
  readonly marked: boolean;
}

export interface Scene {
  readonly house: LedgerUnderTest;
  readonly rulings: readonly Ruled[];
  readonly acts: readonly Acted[];
  readonly collected: readonly Collected[];
  /** Holds that two callers had bytes of at one time. */
  readonly shared: readonly number[];
  /** Every hold that was opened, by seq. */
  readonly holds: readonly number[];
  queue(): HoldQueue;
  openHold(approvals: number): Promise<void>;
  /** From now on nothing that is sealed reaches the disk. */
  holdCommits(): void;
  letCommits(): Promise<void>;
  rule(place: number, by: string, verdict: HumanVerdict, role?: (typeof roles)[number]): void;
  /** Releases it alone. */
  breakGlass(place: number, by: string): void;
  comment(place: number, by: string): void;
  assign(place: number, by: string, to: string): void;
  review(place: number, by: string): void;
  /** Lends their role to another, for a while. */
  lend(by: string, to: string, ms: number): void;
  endLending(by: string): void;
  /** One to whom somebody lent their role rules in their stead; nothing where nobody did. */
  ruleInStead(place: number, which: number, verdict: HumanVerdict): void;
  /** What is sealed between others' entries: another policy, another token. */
  reload(): void;
  grant(name: string): void;
  /** The caller that waits hangs up. */
  leave(place: number): void;
  /** An identical call comes; `arrives`: it will read its answer to the end. */
  comeBack(place: number, marked: boolean, arrives: boolean): void;
  advance(ms: number): Promise<void>;
  /** The ledger takes no more entries for a moment. */
  refuseNextSeal(): void;
  restart(how: 'stop' | 'kill'): Promise<void>;
  /** Lets everything come to its end, closes the ledger. */
  end(): Promise<void>;
}

interface Process {
  readonly queue: HoldQueue;
  readonly delegations: Delegations;
  readonly ledger: Ledger;
  /** What is sealed and not durable yet. */
  readonly pending: Set<Promise<void>>;
  readonly leaving: Map<number, AbortController>;
  dead: boolean;
}

const digestOf = ({ parts }: Sealed): string => parts[0]?.c ?? '';

export async function createScene(): Promise<Scene> {
  const house = createLedgerUnderTest();
  const time = createManualTime();
  const rulings: Ruled[] = [];
  const acts: Acted[] = [];
  const collected: Collected[] = [];
  const shared: number[] = [];
  const reading = new Map<number, number>();
  const holds: number[] = [];
  const failures: unknown[] = [];
  let gate: PromiseWithResolvers<void> | null = null;
  let refuse = false;
  let now = await boot();

  async function boot(): Promise<Process> {
    const process: { dead: boolean } = { dead: false };
    const pending = new Set<Promise<void>>();
    const silence = new Promise<void>(() => undefined);
    const openStore = async (): Promise<LedgerStore> => {
      const store = await house.disk.open();
      return {
        ...store,
        commit: async (records, sync) => {
          await gate?.promise;
          // A dead process writes nothing and hears of nothing, also where it died while it wrote.
          if (process.dead) return silence;
          await store.commit(records, sync).catch((error: unknown) => {
            if (!process.dead) throw error;
          });
          return process.dead ? silence : undefined;
        },
      };
    };
    const opened = await house.open({ openStore, clock: time.clock });
    const ledger: Ledger = {
      ...opened,
      seal: (draft) => {
        if (refuse && draft.type === 'ruling') {
          refuse = false;
          throw new HoldpointError('overloaded', 'Too much is being sealed.');
        }
        const sealed = opened.seal(draft);
        pending.add(sealed.durable);
        const done = (): boolean => pending.delete(sealed.durable);
        sealed.durable.then(done, done);
        return sealed;
      },
    };
    const common = {
      ledger,
      clock: time.clock,
      schedule: (ms: number, fn: () => void) =>
        time.schedule(ms, () => {
          if (!process.dead) fn();
        }),
      onError: (_what: string, error: unknown): void => {
        if (!(error instanceof HoldpointError && error.code === 'overloaded')) failures.push(error);
      },
    };
    const queue = createHoldQueue(common);
    await queue.restore();
    const delegations = createDelegations({ ...common, roleOf: () => 'reviewer' });
    return Object.assign(process, { queue, delegations, ledger, pending, leaving: new Map() });
  }

  /** Everything that can go on by itself has. */
  async function quiet(): Promise<void> {
    for (let calm = 0; calm < 4; calm += 1) {
      await new Promise(setImmediate);
      if (gate === null && now.pending.size > 0) calm = 0;
    }
  }

  /** A caller as the pipeline has it: it waits, collects what was released, and lets its place go. */
  async function call(at: Process, hold: Hold, marked: boolean, arrives: boolean): Promise<void> {
    const left = new AbortController();
    at.leaving.set(hold.seq, left);
    let handedOver = false;
    let result: WaitResult = 'pending';
    try {
      result = await at.queue.wait(hold, 10 * expiresInMs, left.signal);
      if (result !== 'released' && result !== 'amended') return;
      if (left.signal.aborted) return;
      await at.queue.beginDelivery(hold);
      const readers = (reading.get(hold.seq) ?? 0) + 1;
      reading.set(hold.seq, readers);
      if (readers > 1) shared.push(hold.seq);
      await new Promise(setImmediate);
      reading.set(hold.seq, readers - 1);
      handedOver = arrives && !left.signal.aborted;
      if (handedOver) at.queue.settle(hold.decision, 'delivered');
    } finally {
      if (!at.dead) {
        at.queue.detach(hold);
        collected.push({ hold: hold.seq, result, handedOver, marked });
      }
    }
  }

  function start(task: Promise<void>): void {
    task.catch((error: unknown) => failures.push(error));
  }

  /** Starts what somebody does and keeps what they were told. */
  function answered(record: { answer: string }, task: Promise<unknown>): void {
    start(
      task.then(
        () => {
          record.answer = 'sealed';
        },
        (error: unknown) => {
          if (!(error instanceof HoldpointError)) throw error;
          record.answer = error.code;
        },
      ),
    );
  }

  function act(
    place: number,
    by: string,
    action: Acted['action'],
    task: (hold: Hold) => Promise<unknown>,
  ): void {
    const hold = now.queue.list().find(({ seq }) => seq === holds[place]);
    if (hold === undefined) return;
    const acted: Acted = { by, action, hold: hold.seq, answer: 'unknown' };
    acts.push(acted);
    answered(acted, task(hold));
  }

  function ruleAs(
    place: number,
    ruling: {
      readonly by: string;
      readonly verdict: HumanVerdict;
      readonly role: string;
      readonly breakGlass: boolean;
      readonly inStead?: string;
    },
    confirm?: () => void,
  ): void {
    const hold = now.queue.list().find(({ seq }) => seq === holds[place]);
    if (hold === undefined) return;
    const { by, verdict, breakGlass } = ruling;
    const ruled: Ruled = { by, verdict, breakGlass, hold: hold.seq, answer: 'unknown' };
    rulings.push(ruled);
    const { digest } = hold.state.terms;
    const amendment = verdict === 'amend' ? Buffer.from('transfer 20') : null;
    answered(ruled, now.queue.rule(hold, { ...ruling, digest, reason: 'Seen.' }, amendment, confirm));
  }

  async function letCommits(): Promise<void> {
    gate?.resolve();
    gate = null;
    await quiet();
  }

  return {
    house,
    rulings,
    acts,
    collected,
    shared,
    holds,
    queue: () => now.queue,
    openHold: async (approvals) => {
      await letCommits();
      const { ledger, queue } = now;
      const request = ledger.seal({
        type: 'request',
        data: { verdict: 'pass' },
        parts: [{ name: 'request', bytes: Buffer.from('pay') }],
      });
      const response = ledger.seal({
        type: 'response',
        data: { decision: request.seq, verdict: 'hold' },
        refs: [request.seq],
        parts: [{ name: 'response', bytes: Buffer.from('transfer 25000') }],
      });
      await response.durable;
      const openedAtMs = time.clock.nowMs();
      const hold = await queue.open(
        {
          decision: request.seq,
          phase: 'response',
          rules: [],
          policyDigest: '',
          policyVersion: '',
          openedAtMs,
          retryKey: `call ${holds.length}`,
          response: response.seq,
          passedBytes: 0,
        },
        {
          approvals,
          roles: ['reviewer'],
          notRequester: true,
          requester: 'agent',
          digest: digestOf(response),
          expiresAtMs: openedAtMs + expiresInMs,
          escalation: [{ atMs: openedAtMs + escalatesInMs, roles: ['chief'] }],
          breakGlass: { roles: ['admin'], collectInMs: 5 * 60_000 },
        },
      );
      holds.push(hold.seq);
      start(call(now, hold, false, true));
      await quiet();
    },
    holdCommits: () => {
      gate ??= Promise.withResolvers<void>();
    },
    letCommits,
    rule: (place, by, verdict, role = 'reviewer') => ruleAs(place, { by, verdict, role, breakGlass: false }),
    breakGlass: (place, by) => ruleAs(place, { by, verdict: 'release', role: 'admin', breakGlass: true }),
    comment: (place, by) =>
      act(place, by, 'comment', (hold) => now.queue.comment(hold, { by, role: 'reviewer' }, 'Seen?')),
    assign: (place, by, to) =>
      act(place, by, 'assign', (hold) => now.queue.assign(hold, { by, role: 'reviewer' }, to)),
    review: (place, by) =>
      act(place, by, 'review', (hold) =>
        now.queue.review(hold.seq, { by, role: 'reviewer' }, { verdict: 'justified', text: 'It burned.' }),
      ),
    lend: (by, to, ms) => {
      const untilMs = time.clock.nowMs() + ms;
      answered({ answer: '' }, now.delegations.begin({ by, role: 'reviewer' }, to, untilMs));
    },
    endLending: (by) => {
      const lent = now.delegations.all().find((one) => one.from === by && one.ended === null);
      if (lent !== undefined)
        answered({ answer: '' }, now.delegations.end({ by, role: 'reviewer' }, lent.seq));
    },
    ruleInStead: (place, which, verdict) => {
      const { delegations } = now;
      const lent = delegations.all().filter(delegations.isInForce);
      const delegation = lent[which % lent.length];
      if (delegation === undefined) return;
      const { from, to: by } = delegation;
      ruleAs(place, { by, verdict, role: delegation.role, breakGlass: false, inStead: from }, () => {
        if (delegations.inForce(from, by)?.seq !== delegation.seq)
          throw new HoldpointError('forbidden', `${from} lends nothing to ${by} any more.`);
      });
    },
    reload: () => {
      const data = { digest: 'ab'.repeat(32), result: 'loaded', version: 'v2' };
      now.ledger.seal({ type: 'policy', data, parts: [{ name: 'source', bytes: Buffer.from('rules: []') }] });
    },
    grant: (name) => {
      const token = { hash: 'cd'.repeat(8), name, role: 'reviewer' };
      now.ledger.seal({ type: 'access', data: { action: 'grant', by: 'root', role: '', token } });
    },
    leave: (place) => now.leaving.get(holds[place] ?? -1)?.abort(),
    comeBack: (place, marked, arrives) => {
      const hold = now.queue.findForRetry(`call ${place}`, marked);
      if (hold !== null && now.queue.attach(hold)) start(call(now, hold, marked, arrives));
    },
    advance: async (ms) => {
      time.advance(ms);
      await quiet();
    },
    refuseNextSeal: () => {
      refuse = true;
    },
    restart: async (how) => {
      if (how === 'stop') {
        await letCommits();
        now.queue.stop();
        now.delegations.stop();
        await quiet();
        await now.ledger.close('restart');
        now.dead = true;
      } else {
        now.dead = true;
        house.disk.abandon();
        house.indexDisk.abandon();
        gate?.resolve();
        gate = null;
      }
      reading.clear();
      now = await boot();
    },
    end: async () => {
      refuse = false;
      await letCommits();
      // Past every expiry, then past every time to collect, and whoever looks again after that.
      for (const ms of [expiresInMs + 2_000, collectWithinMs, 120_000]) {
        time.advance(ms);
        await quiet();
      }
      now.queue.stop();
      now.delegations.stop();
      await quiet();
      await now.ledger.close('test over');
      now.dead = true;
      if (failures.length > 0) throw failures[0];
    },
  };
}
