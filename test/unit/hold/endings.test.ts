/** How holds go on and end without a person: what waits is never let go, each decision ends once, and memory is freed. */
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { HoldEvent } from '../../../src/hold/desk.ts';
import type { Hold } from '../../../src/hold/record.ts';
import type { HumanVerdict } from '../../../src/hold/state.ts';
import { expiresInMs, startQueue } from './one-hold.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function start(onRuling?: () => void, onStep?: () => void) {
  const stage = await startQueue(onRuling, onStep);
  const told: string[] = [];
  stage.holds.subscribe(({ kind }) => told.push(kind));
  return {
    ...stage,
    told,
    /** Resolves when this is told of next. */
    next: (kind: HoldEvent['kind']) =>
      new Promise<void>((resolve) => {
        const stop = stage.holds.subscribe((event) => {
          if (event.kind !== kind) return;
          stop();
          resolve();
        });
      }),
    rule: (hold: Hold, verdict: HumanVerdict) =>
      stage.holds.rule(
        hold,
        { verdict, by: 'ada', role: 'reviewer', digest: hold.state.terms.digest, reason: 'Seen.' },
        null,
      ),
  };
}

describe('a hold that nobody rules on', () => {
  it('expires at its time and no sooner, gives its decision that outcome, and is kept for repeats of the call', async () => {
    const { time, holds, openHold, outcomes, told, next, end } = await start();
    const hold = await openHold();
    time.advance(expiresInMs - 1);
    await settled();
    expect(hold.state.status).toBe('pending');
    const over = next('settled');
    time.advance(1);
    await over;
    expect([hold.state.status, hold.outcome, outcomes]).toEqual(['expired', 'expired', ['expired']]);
    expect(told).toEqual(['opened', 'ruled', 'settled']);
    time.advance(119_999);
    expect(holds.list()).toEqual([hold]);
    time.advance(1);
    expect(holds.list()).toEqual([]);
    await end();
  });

  it('goes up its ladder step by step, each sealed before its roles may rule', async () => {
    const { time, openHold, told, next, end } = await start();
    const atMs = time.clock.nowMs();
    const escalation = [
      { atMs: atMs + 100, roles: ['admin'] },
      { atMs: atMs + 200, roles: ['privacy'] },
    ];
    const hold = await openHold({ escalation });
    time.advance(99);
    await settled();
    for (const escalated of [1, 2]) {
      const step = next('escalated');
      time.advance(escalated === 1 ? 1 : 100);
      expect(hold.state.escalated).toBe(escalated - 1);
      await step;
      expect(hold.state.escalated).toBe(escalated);
    }
    const over = next('settled');
    time.advance(expiresInMs - 200);
    await over;
    expect(told).toEqual(['opened', 'escalated', 'escalated', 'ruled', 'settled']);
    await end();
  });

  it('takes no step that would come when it is over', async () => {
    const { time, openHold, told, next, end } = await start();
    await openHold({ escalation: [{ atMs: time.clock.nowMs() + expiresInMs, roles: ['admin'] }] });
    const over = next('settled');
    time.advance(expiresInMs);
    await over;
    expect(told).toEqual(['opened', 'ruled', 'settled']);
    await end();
  });

  it('tries a step that the ledger refuses again once a second, and expires all the same', async () => {
    let refused = 0;
    const away = (): void => {
      refused += 1;
      throw new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
    };
    const { time, openHold, errors, next, end } = await start(undefined, away);
    const atMs = time.clock.nowMs() + 100;
    const hold = await openHold({ escalation: [{ atMs, roles: ['admin'] }], expiresAtMs: atMs + 2_000 });
    time.advance(100);
    await settled();
    time.advance(999);
    await settled();
    expect(refused).toBe(1);
    time.advance(1);
    await settled();
    expect([refused, errors.length, hold.state.escalated]).toEqual([2, 2, 0]);
    const over = next('settled');
    time.advance(1_000);
    await over;
    expect([hold.state.status, refused]).toEqual(['expired', 2]);
    await end();
  });

  it('goes up its ladder though something is said of it after a step that the ledger refused', async () => {
    let refuses = true;
    const { time, holds, openHold, errors, next, end } = await start(undefined, () => {
      if (refuses) throw new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
    });
    const atMs = time.clock.nowMs() + 100;
    const hold = await openHold({ escalation: [{ atMs, roles: ['admin'] }], expiresAtMs: atMs + 60_000 });
    time.advance(100);
    await settled();
    expect(errors).toHaveLength(1);
    refuses = false;
    const step = next('escalated');
    await holds.comment(hold, { by: 'ada', role: 'reviewer' }, 'I ask.');
    time.advance(1_000);
    await step;
    expect(hold.state.escalated).toBe(1);
    await end();
  });

  it('goes up its ladder though the queue is read anew after a step that the ledger refused', async () => {
    let refuses = true;
    const { time, holds, openHold, next, end } = await start(undefined, () => {
      if (refuses) throw new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
    });
    const atMs = time.clock.nowMs() + 100;
    const hold = await openHold({ escalation: [{ atMs, roles: ['admin'] }], expiresAtMs: atMs + 60_000 });
    time.advance(100);
    await settled();
    refuses = false;
    const step = next('escalated');
    await holds.restore();
    time.advance(1_000);
    await step;
    expect(hold.state.escalated).toBe(1);
    await end();
  });

  it('expires while a step of its ladder is still being sealed', async () => {
    const { time, openHold, told, next, end } = await start();
    const atMs = time.clock.nowMs() + expiresInMs - 1;
    await openHold({ escalation: [{ atMs, roles: ['admin'] }] });
    const over = next('settled');
    time.advance(expiresInMs);
    await over;
    await settled();
    expect(told.filter((kind) => kind !== 'escalated')).toEqual(['opened', 'ruled', 'settled']);
    await end();
  });
});

describe('a hold whose time is over while somebody rules on it', () => {
  it('is what they ruled, and does not expire on top of it', async () => {
    let sealed = 0;
    const { time, openHold, rule, outcomes, told, end } = await start(() => {
      sealed += 1;
    });
    const hold = await openHold();
    const ruled = rule(hold, 'deny');
    time.advance(expiresInMs);
    await ruled;
    await settled();
    expect([sealed, hold.state.status, outcomes]).toEqual([1, 'denied', ['denied']]);
    expect(told).toEqual(['opened', 'ruled', 'settled']);
    await end();
  });

  it('takes no ruling once its expiry is handed to the ledger, though the clock is set back', async () => {
    const { time, openHold, rule, outcomes, end } = await start();
    const hold = await openHold();
    time.advance(expiresInMs);
    time.advance(-expiresInMs);
    await expect(rule(hold, 'release')).rejects.toMatchObject({ code: 'ruling_expired' });
    await settled();
    expect(hold.state.rulings.map(({ verdict }) => verdict)).toEqual(['expired']);
    expect(outcomes).toEqual(['expired']);
    await end();
  });
});

describe('a hold that was released', () => {
  it('is given up where nobody collects it in time, and is forgotten', async () => {
    const { time, holds, openHold, outcomes, rule, end } = await start();
    const hold = await openHold({ collectInMs: 5_000 });
    holds.detach(hold);
    await rule(hold, 'release');
    time.advance(4_999);
    expect(outcomes).toEqual([]);
    time.advance(1);
    expect([hold.outcome, outcomes]).toEqual(['released_undelivered', ['released_undelivered']]);
    time.advance(120_000);
    expect(holds.list()).toEqual([]);
    await end();
  });

  it('ends as interrupted where its answer had begun to go out', async () => {
    const { time, holds, openHold, rule, outcomes, end } = await start();
    const hold = await openHold({ collectInMs: 5_000 }, { phase: 'response' });
    await rule(hold, 'release');
    await holds.beginDelivery(hold);
    holds.detach(hold);
    time.advance(5_000);
    expect(outcomes).toEqual(['interrupted']);
    await end();
  });

  it('is not given up while its caller is there, and a minute later where it left', async () => {
    const { time, holds, openHold, rule, outcomes, end } = await start();
    const hold = await openHold({ collectInMs: 5_000 });
    await rule(hold, 'release');
    time.advance(5_000);
    expect(outcomes).toEqual([]);
    holds.detach(hold);
    time.advance(59_999);
    expect(outcomes).toEqual([]);
    time.advance(1);
    expect(outcomes).toEqual(['released_undelivered']);
    await end();
  });

  it('has nothing left to give up once its request went on', async () => {
    const { time, holds, openHold, rule, outcomes, end } = await start();
    const hold = await openHold({ collectInMs: 5_000 });
    await holds.beginDelivery(hold);
    await rule(hold, 'release');
    holds.detach(hold);
    time.advance(500_000);
    expect(outcomes).toEqual([]);
    await end();
  });

  it('does not expire any more', async () => {
    const { time, openHold, rule, told, end } = await start();
    const hold = await openHold({ collectInMs: 500_000 });
    await rule(hold, 'release');
    time.advance(2 * expiresInMs);
    await settled();
    expect([hold.state.status, told]).toEqual(['released', ['opened', 'ruled']]);
    await end();
  });

  it('is kept for a minute after its delivery, not as long as a refusal', async () => {
    const { time, holds, openHold, rule, end } = await start();
    const hold = await openHold();
    await rule(hold, 'release');
    holds.settle(hold.decision, 'delivered');
    time.advance(59_999);
    expect(holds.list()).toEqual([hold]);
    time.advance(1);
    expect(holds.list()).toEqual([]);
    await end();
  });
});

it('a decision ends once, whatever comes after', async () => {
  const { holds, openHold, rule, outcomes, told, end } = await start();
  const hold = await openHold();
  await rule(hold, 'deny');
  holds.settle(hold.decision, 'client_abort');
  expect([hold.outcome, outcomes]).toEqual(['denied', ['denied']]);
  expect(told).toEqual(['opened', 'ruled', 'settled']);
  await end();
});

it('a decision ends with all of its holds', async () => {
  const { holds, openHold, told, end } = await start();
  const first = await openHold();
  const second = await openHold({}, { decision: first.decision });
  holds.settle(first.decision, 'upstream_error');
  expect([first.outcome, second.outcome]).toEqual(['upstream_error', 'upstream_error']);
  expect(told.filter((kind) => kind === 'settled')).toHaveLength(2);
  await end();
});

it('each hold of a decision is found by its own number once memory has forgotten it', async () => {
  const { holds, time, openHold, end } = await start();
  const first = await openHold();
  await openHold({}, { decision: first.decision });
  holds.settle(first.decision, 'upstream_error');
  time.advance(120_000);
  expect(holds.list()).toEqual([]);
  expect(await holds.get(first.seq)).toMatchObject({ seq: first.seq });
  await end();
});
