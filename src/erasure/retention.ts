/**
 * What is erased by its age: each rule of the configuration on schedule, how far that is, and a look at what the next time
 * would erase. Owns the schedule.
 */
import type { Clock, Schedule } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import type { ErasureJob } from './job.ts';
import type { Exemption, RetentionRule, RetentionTerms } from './judge.ts';
import type { ErasureOrder } from './run.ts';

export interface RuleState {
  readonly rule: RetentionRule;
  /** Requests sealed before this are due by now, ISO 8601; null for a rule that erases nothing. */
  readonly dueBefore: string | null;
  /** Its erasure that was asked for last since the start, which may be under way; null for none. */
  readonly last: ErasureJob | null;
}

export interface Retention {
  state(): {
    readonly everyHours: number;
    /** When the schedule comes next; null where no rule erases anything. */
    readonly nextAtMs: number | null;
    readonly rules: readonly RuleState[];
    readonly exemptions: readonly Exemption[];
  };
  /**
   * Begins to judge what the rule would erase next, or puts that in line; seals and erases nothing. Throws `not_found`,
   * `invalid_argument` for a rule that erases nothing, and as `ErasureDesk.start` does.
   */
  look(ruleId: string, by: string): ErasureJob;
  stop(): void;
}

export interface RetentionOptions {
  readonly terms: RetentionTerms;
  readonly everyHours: number;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly start: (order: ErasureOrder) => ErasureJob;
  /** Resolves once the erasure has ended. */
  readonly ended: (id: string) => Promise<unknown>;
  readonly onError: (what: string, error: unknown) => void;
}

const firstRetentionMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** A clock that is ahead of the time that passed by more was set: what is erased by it would be gone before anybody looks. */
const jumpMsMax = dayMs;

export function createRetention(options: RetentionOptions): Retention {
  const { everyHours, clock } = options;
  const { rules, exemptions } = options.terms;
  const last = new Map<string, ErasureJob>();
  let nextAtMs: number | null = null;
  let sweeping = false;
  let stopped = false;
  let looked = { nowMs: clock.nowMs(), monoUs: clock.monoUs() };
  let cancel = scheduleIn(firstRetentionMs);

  function scheduleIn(ms: number): () => void {
    if (!rules.some(({ keepDays }) => keepDays !== undefined)) return () => undefined;
    nextAtMs = clock.nowMs() + ms;
    return options.schedule(ms, () => {
      cancel = scheduleIn(everyHours * hourMs);
      sweep().catch((error: unknown) => options.onError('Retention did not come to its end', error));
    });
  }

  /** One rule after the other: what people ask for finds room in between. A time that comes meanwhile is left out. */
  async function sweep(): Promise<void> {
    const jumpMs = aheadMs();
    if (jumpMs > jumpMsMax) throw clockJumped(jumpMs);
    if (sweeping) return;
    sweeping = true;
    try {
      for (const rule of rules) await retain(rule);
    } finally {
      sweeping = false;
    }
  }

  /** How far the clock went since the last time beyond what passed. */
  function aheadMs(): number {
    const before = looked;
    looked = { nowMs: clock.nowMs(), monoUs: clock.monoUs() };
    return looked.nowMs - before.nowMs - (looked.monoUs - before.monoUs) / 1000;
  }

  function dueBefore({ keepDays }: RetentionRule): string | null {
    return keepDays === undefined ? null : new Date(clock.nowMs() - keepDays * dayMs).toISOString();
  }

  async function retain(rule: RetentionRule): Promise<void> {
    const before = dueBefore(rule);
    if (before === null || stopped) return;
    try {
      const job = options.start(orderOf(rule, before, 'holdpoint', false));
      last.set(rule.id, job);
      await options.ended(job.id);
    } catch (error) {
      options.onError(`What the retention rule ${rule.id} erases waits for the next time`, error);
    }
  }

  return {
    state: () => ({
      everyHours,
      nextAtMs,
      rules: rules.map((rule) => ({ rule, dueBefore: dueBefore(rule), last: last.get(rule.id) ?? null })),
      exemptions,
    }),
    look: (ruleId, by) => {
      const rule = rules.find(({ id }) => id === ruleId);
      if (rule === undefined)
        throw new HoldpointError(
          'not_found',
          'There is no such retention rule.',
          'List them with: holdpoint retention list',
        );
      const before = dueBefore(rule);
      if (before !== null) return options.start(orderOf(rule, before, by, true));
      throw new HoldpointError(
        'invalid_argument',
        `The rule ${rule.id} has no keepDays: it erases nothing.`,
        'Ask about a rule that does.',
      );
    },
    stop: () => {
      stopped = true;
      cancel();
    },
  };
}

function clockJumped(ms: number): HoldpointError {
  return new HoldpointError(
    'internal',
    `The clock went ahead by ${Math.floor(ms / dayMs)} days at once: nothing is erased by its age this time.`,
    'Set it right. If it is, such as after the machine slept, nothing is to be done: the next time erases what is due.',
  );
}

function orderOf({ id, match }: RetentionRule, before: string, by: string, dryRun: boolean): ErasureOrder {
  return {
    scope: { rule: id, before },
    match,
    basis: 'retention',
    by,
    role: 'retention',
    reason: '',
    dryRun,
  };
}
