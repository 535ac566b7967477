/**
 * Who rules in whose stead: a person who is going to be away lends their role to another until a time. Sealed when it
 * begins and when it ends, by a person or because its time is over. Owns the timers; what is in force is what the ledger
 * says, less what is about to end.
 */
import type { Clock, Schedule } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Delegation } from '../ledger/oversight.ts';
import type { Person } from './deliberation.ts';

export const delegationMsMax = 90 * 86_400_000;
/** Each that is in force stays in memory. */
const inForceMax = 1_000;
const endRetryMs = 60_000;

export interface Delegations {
  /**
   * Resolves once it is sealed. Throws `invalid_argument` for oneself, a time that is past or too far, and while another
   * one by this person is in force; `ledger_unavailable`.
   */
  begin(by: Person, to: string, untilMs: number): Promise<Delegation>;
  /** By whoever is away or an admin. Throws `not_found`, `forbidden`, `ledger_unavailable`. */
  end(by: Person, seq: number): Promise<Delegation>;
  /** The one under which `to` may rule in the stead of `from` at this moment; null where there is none. */
  inForce(from: string, to: string): Delegation | null;
  /** Those in force, and the newest of the others, in the order of their beginning. */
  all(): readonly Delegation[];
  isInForce(delegation: Delegation): boolean;
  stop(): void;
}

export interface DelegationOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** The role of whoever has a token of this name; null where nobody has: who has left lends nothing. */
  readonly roleOf: (name: string) => string | null;
  readonly onError: (what: string, error: unknown) => void;
}

/** Starts with those that the ledger has; one whose time is over already ends now. */
export function createDelegations(options: DelegationOptions): Delegations {
  const { ledger, clock, schedule, roleOf } = options;
  const timers = new Map<number, () => void>();
  /** Whose end was handed to the ledger, durable or not: what is sealed from then on is not covered. */
  const ending = new Set<number>();
  /** One change at a time: what is in force is asked and changed in one step. */
  const inTurn = createInTurn();

  const isInForce = ({ seq, from, role, untilMs, ended }: Delegation): boolean =>
    ended === null && !ending.has(seq) && untilMs > clock.nowMs() && roleOf(from) === role;

  function watch({ seq, untilMs }: Delegation, waitMs = Math.max(0, untilMs - clock.nowMs())): void {
    const timer = schedule(waitMs, () => {
      inTurn(() => sealEnd({ by: 'holdpoint', role: 'holdpoint' }, seq)).catch((error: unknown) => {
        options.onError('The end of a delegation was not sealed', error);
        const still = open().find((one) => one.seq === seq);
        // It is over all the same; its entry is tried again when the ledger may be back.
        if (still !== undefined) watch(still, endRetryMs);
      });
    });
    timers.set(seq, timer);
  }

  const open = (): readonly Delegation[] => ledger.delegations().filter(({ ended }) => ended === null);

  async function sealEnd({ by, role }: Person, seq: number): Promise<void> {
    if (!open().some((one) => one.seq === seq)) return;
    const data = { action: 'delegation_end', by, delegation: seq, role };
    const sealed = ledger.seal({ type: 'access', data, refs: [seq] });
    // In the same step. Kept where the commit fails: whether it reached the disk is then not known.
    ending.add(seq);
    await sealed.durable;
    timers.get(seq)?.();
    timers.delete(seq);
  }

  for (const delegation of open()) watch(delegation);
  return {
    isInForce,
    all: () => ledger.delegations(),
    inForce: (from, to) => open().find((one) => one.from === from && one.to === to && isInForce(one)) ?? null,
    begin: ({ by, role, alsoCalled = [], requireStanding }, to, untilMs) =>
      inTurn(async () => {
        requireStanding?.();
        if (alsoCalled.includes(to)) refuseOneself();
        refuseDelegation(by, to, untilMs, clock.nowMs(), open().filter(isInForce));
        const data = { action: 'delegate', by, delegate: to, role, until: untilMs };
        const sealed = ledger.seal({ type: 'access', data });
        await sealed.durable;
        const begun = { seq: sealed.seq, from: by, role, to, untilMs, ended: null };
        watch(begun);
        return begun;
      }),
    end: (person, seq) =>
      inTurn(async () => {
        // Also one whose end the disk did not take: in memory it is over, and a restart would bring it back.
        const begun = open().find((one) => one.seq === seq);
        if (begun === undefined)
          throw new HoldpointError(
            'not_found',
            'No delegation that is in force has this number.',
            'List them with: holdpoint delegations list',
          );
        if (begun.from !== person.by && person.role !== 'admin')
          throw new HoldpointError(
            'forbidden',
            `Only ${begun.from} or an admin ends it.`,
            'Ask one of them.',
          );
        person.requireStanding?.();
        await sealEnd(person, seq);
        return ledger.delegations().find((one) => one.seq === seq) ?? begun;
      }),
    stop: () => {
      for (const cancel of timers.values()) cancel();
    },
  };
}

function refuseOneself(): never {
  throw new HoldpointError('invalid_argument', 'Nobody stands in for themselves.', 'Name somebody else.');
}

function refuseDelegation(
  by: string,
  to: string,
  untilMs: number,
  nowMs: number,
  inForce: readonly Delegation[],
): void {
  const refuse = (message: string, next = ''): never => {
    throw new HoldpointError('invalid_argument', message, next);
  };
  if (to === by) refuseOneself();
  if (untilMs <= nowMs || untilMs > nowMs + delegationMsMax)
    refuse('The time is past, or more than 90 days away.', 'Name a time within 90 days.');
  const mine = inForce.find(({ from }) => from === by);
  if (mine !== undefined)
    refuse(`${mine.to} stands in for ${by} already.`, 'End that first: holdpoint delegations end.');
  if (inForce.length >= inForceMax) refuse(`${inForceMax} delegations are in force, which is the most.`);
}
