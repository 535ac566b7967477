/** The schedule of retention, over a desk that the test ends erasures on. */
import { describe, expect, it } from 'vitest';
import type { ErasureJob } from '../../../src/erasure/job.ts';
import type { RetentionRule } from '../../../src/erasure/judge.ts';
import { emptyProgress } from '../../../src/erasure/progress.ts';
import { createRetention } from '../../../src/erasure/retention.ts';

const nowMs = Date.UTC(2026, 10, 28);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setScene(rules: readonly RetentionRule[]) {
  const jobs: { readonly job: ErasureJob; readonly end: () => void; readonly ended: Promise<void> }[] = [];
  const timers: { readonly ms: number; readonly fire: () => void }[] = [];
  const told: string[] = [];
  const clock = { ms: nowMs, passedMs: 0 };
  let refusal: Error | null = null;
  const retention = createRetention({
    terms: { rules, exemptions: [] },
    everyHours: 6,
    clock: { nowMs: () => clock.ms, monoUs: () => clock.passedMs * 1000 },
    schedule: (ms, fire) => {
      timers.push({ ms, fire });
      return () => undefined;
    },
    start: (order) => {
      if (refusal !== null) throw refusal;
      const job: ErasureJob = {
        ...{
          id: String(jobs.length),
          order,
          progress: emptyProgress(),
          state: 'running',
          stop: null,
          error: null,
        },
        ...{ startedAtMs: nowMs, endedAtMs: null },
      };
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const end = (): void => {
        job.endedAtMs = nowMs;
        job.state = 'done';
        resolve();
      };
      jobs.push({ job, end, ended });
      return job;
    },
    ended: (id) => jobs[Number(id)]?.ended ?? Promise.reject(new Error('no such job')),
    onError: (what) => told.push(what),
  });
  return {
    retention,
    timers,
    told,
    clock,
    refuse: (error: Error | null) => {
      refusal = error;
    },
    /** The rules that were asked for so far. */
    asked: () => jobs.map(({ job }) => ('rule' in job.order.scope ? job.order.scope.rule : '')),
    endNewest: async () => {
      jobs.at(-1)?.end();
      await turn();
    },
  };
}

const ruleOf = (id: string): RetentionRule => ({ id, match: {}, keepDays: 30 });

describe('the schedule', () => {
  it('comes a minute after the start, then each time that is configured, and says when', () => {
    const { retention, timers } = setScene([ruleOf('chat')]);
    expect(retention.state().nextAtMs).toBe(nowMs + 60_000);
    timers[0]?.fire();
    expect(timers.map(({ ms }) => ms)).toEqual([60_000, 6 * hourMs]);
    expect(retention.state().nextAtMs).toBe(nowMs + 6 * hourMs);
  });

  it('comes to the last of a hundred rules, one after the other', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `rule-${i}`);
    const { timers, asked, endNewest } = setScene(ids.map(ruleOf));
    timers[0]?.fire();
    for (let i = 0; i < ids.length; i += 1) {
      expect(asked()).toEqual(ids.slice(0, i + 1));
      await endNewest();
    }
  });

  it('leaves out a time that comes while what the one before asked for is under way', async () => {
    const { timers, asked, endNewest } = setScene([ruleOf('chat')]);
    timers[0]?.fire();
    timers[1]?.fire();
    expect(asked()).toEqual(['chat']);
    await endNewest();
    timers[2]?.fire();
    expect(asked()).toEqual(['chat', 'chat']);
  });

  it('says that a rule found no room, and comes to the next one', async () => {
    const { timers, asked, told, refuse } = setScene([ruleOf('chat'), ruleOf('mail')]);
    refuse(new Error('too many wait'));
    timers[0]?.fire();
    refuse(null);
    await turn();
    expect(told).toEqual(['What the retention rule chat erases waits for the next time']);
    expect(asked()).toEqual(['mail']);
  });

  it('leaves out a time before which the clock went ahead of what passed, and says so', async () => {
    const { timers, asked, told, clock } = setScene([ruleOf('chat')]);
    clock.ms += 60_000 + dayMs + 1;
    clock.passedMs += 60_000;
    timers[0]?.fire();
    await turn();
    expect(asked()).toEqual([]);
    expect(told).toEqual(['Retention did not come to its end']);
    clock.ms += 6 * hourMs;
    clock.passedMs += 6 * hourMs;
    timers[1]?.fire();
    expect(asked()).toEqual(['chat']);
  });

  it.each([
    ['was set back', -365 * dayMs],
    ['was set by a day', dayMs],
  ])('comes where the clock %s', (_what, byMs) => {
    const { timers, asked, clock } = setScene([ruleOf('chat')]);
    clock.ms += 60_000 + byMs;
    clock.passedMs += 60_000;
    timers[0]?.fire();
    expect(asked()).toEqual(['chat']);
  });

  it('asks for nothing more once it was stopped', async () => {
    const { retention, timers, asked, endNewest } = setScene([ruleOf('chat'), ruleOf('mail')]);
    timers[0]?.fire();
    retention.stop();
    await endNewest();
    expect(asked()).toEqual(['chat']);
  });

  it('is none where no rule erases anything', () => {
    const { retention, timers } = setScene([{ id: 'books', match: {}, minimumDays: 10 }]);
    expect([timers, retention.state().nextAtMs]).toEqual([[], null]);
  });
});

describe('a look', () => {
  it('asks for a dry run of what is due by now, in the name of whoever looks', () => {
    const { retention } = setScene([ruleOf('chat')]);
    expect(retention.look('chat', 'petra').order).toMatchObject({
      scope: { rule: 'chat', before: '2026-10-29T00:00:00.000Z' },
      ...{ basis: 'retention', by: 'petra', dryRun: true },
    });
    expect(retention.state().rules[0]?.last).toBeNull();
  });

  it('is refused of a rule that is not there, or erases nothing', () => {
    const { retention } = setScene([{ id: 'books', match: {}, minimumDays: 10 }]);
    expect(() => retention.look('nope', 'petra')).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(() => retention.look('books', 'petra')).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});
