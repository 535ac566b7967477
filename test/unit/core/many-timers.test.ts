/** Many waits on one timer: each runs once, in order, at its time and not before, and none that was cancelled. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manyTimers } from '../../../src/core/many-timers.ts';

/** A clock that is moved by hand, and a schedule on it that counts how many timers there are at once. */
function handTime() {
  let nowMs = 0;
  let timers: { atMs: number; fn: () => void }[] = [];
  return {
    clock: { nowMs: () => nowMs },
    schedule: (ms: number, fn: () => void) => {
      const timer = { atMs: nowMs + ms, fn };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    waiting: () => timers.length,
    advance: (ms: number) => {
      const end = nowMs + ms;
      for (;;) {
        const next = timers.toSorted((a, b) => a.atMs - b.atMs).find(({ atMs }) => atMs <= end);
        if (next === undefined) break;
        timers = timers.filter((other) => other !== next);
        nowMs = next.atMs;
        next.fn();
      }
      nowMs = end;
    },
  };
}

describe('many waits on one timer', () => {
  it('run once, in the order of their times, and not when they were cancelled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ms: fc.nat(500), isCancelled: fc.boolean() }), { maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 }),
        (waits, steps) => {
          const time = handTime();
          const schedule = manyTimers(time.schedule, time.clock);
          const ran: number[] = [];
          const cancels = waits.map(({ ms }, i) => schedule(ms, () => ran.push(i)));
          for (const [i, { isCancelled }] of waits.entries()) if (isCancelled) cancels[i]?.();
          let nowMs = 0;
          for (const ms of steps) {
            time.advance(ms);
            nowMs += ms;
            const due = waits.flatMap(({ ms: at, isCancelled }, i) =>
              at <= nowMs && !isCancelled ? [i] : [],
            );
            expect(ran.toSorted((a, b) => a - b)).toEqual(due);
            expect(time.waiting()).toBeLessThanOrEqual(1);
          }
          const times = ran.map((i) => waits[i]?.ms ?? 0);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
        },
      ),
    );
  });

  it('may begin another one, and cancel themselves after they ran, without harm', () => {
    const time = handTime();
    const schedule = manyTimers(time.schedule, time.clock);
    const ran: string[] = [];
    const cancel = schedule(10, () => {
      ran.push('first');
      cancel();
      schedule(5, () => ran.push('second'));
    });
    time.advance(14);
    expect(ran).toEqual(['first']);
    time.advance(1);
    expect([ran, time.waiting()]).toEqual([['first', 'second'], 0]);
  });

  it('do not run once another one that was due with them cancelled them', () => {
    const time = handTime();
    const schedule = manyTimers(time.schedule, time.clock);
    const ran: string[] = [];
    schedule(5, () => {
      ran.push('first');
      cancelSecond();
    });
    const cancelSecond = schedule(5, () => ran.push('second'));
    time.advance(5);
    expect([ran, time.waiting()]).toEqual([['first'], 0]);
  });

  it('go on when one that was due with them throws', () => {
    const time = handTime();
    const schedule = manyTimers(time.schedule, time.clock);
    const ran: string[] = [];
    schedule(5, () => {
      throw new Error('broken');
    });
    schedule(5, () => ran.push('beside it'));
    expect(() => time.advance(5)).toThrow('broken');
    time.advance(1);
    expect(ran).toEqual(['beside it']);
  });

  it('go on when one before them throws', () => {
    const time = handTime();
    const schedule = manyTimers(time.schedule, time.clock);
    const ran: string[] = [];
    schedule(1, () => {
      throw new Error('broken');
    });
    schedule(2, () => ran.push('later'));
    expect(() => time.advance(1)).toThrow('broken');
    time.advance(1);
    expect(ran).toEqual(['later']);
  });

  it('notice within half a minute that the clock jumped ahead', () => {
    const time = handTime();
    let jumpMs = 0;
    const schedule = manyTimers(time.schedule, { nowMs: () => time.clock.nowMs() + jumpMs });
    const ran: string[] = [];
    schedule(900_000, () => ran.push('before the jump'));
    jumpMs = 600_000;
    schedule(310_000, () => ran.push('after it'));
    time.advance(300_000 + 30_000);
    expect(ran).toEqual(['before the jump', 'after it']);
  });

  it('keep time where the timer beneath comes early', () => {
    const time = handTime();
    let earlyMs = 1;
    const early = (ms: number, fn: () => void) => {
      const cancel = time.schedule(ms - earlyMs, fn);
      earlyMs = 0;
      return cancel;
    };
    const schedule = manyTimers(early, time.clock);
    let ranAt = -1;
    schedule(10, () => {
      ranAt = time.clock.nowMs();
    });
    for (let i = 0; i < 20 && ranAt < 0; i += 1) time.advance(1);
    expect(ranAt).toBe(10);
  });
});
