/** Comments on a hold and who is on it, where other things happen to the hold at the same time. */
import { describe, expect, it } from 'vitest';
import type { HoldQueue } from '../../../src/hold/queue.ts';
import type { Hold } from '../../../src/hold/record.ts';
import { expiresInMs, startQueue } from './one-hold.ts';

const ada = { by: 'ada', role: 'reviewer' };
const deny = (holds: HoldQueue, hold: Hold) =>
  holds.rule(hold, { ...ada, verdict: 'deny', digest: hold.state.terms.digest, reason: 'No.' }, null);

describe.each([
  ['a comment', (holds: HoldQueue, hold: Hold) => holds.comment(hold, ada, 'Wait for Olga.')],
  ['an assignment', (holds: HoldQueue, hold: Hold) => holds.assign(hold, ada, 'ada')],
])('%s', (_what, say) => {
  it('does not keep the hold from expiring where its time is over while that is sealed', async () => {
    const { time, holds, openHold, end } = await startQueue();
    const hold = await openHold();
    const expired = new Promise<void>((resolve) => {
      holds.subscribe(({ kind }) => {
        if (kind === 'settled') resolve();
      });
    });
    const said = say(holds, hold);
    time.advance(expiresInMs);
    await said;
    expect(hold.state.status).toBe('pending');
    time.advance(0);
    await expired;
    expect(hold.state.status).toBe('expired');
    await end();
  });

  it('is refused where the ruling that is being sealed ends the hold', async () => {
    const { holds, openHold, end } = await startQueue();
    const hold = await openHold();
    const ruled = deny(holds, hold);
    await expect(say(holds, hold)).rejects.toMatchObject({ code: 'already_ruled' });
    await ruled;
    expect([hold.comments, hold.assignments]).toEqual([[], []]);
    await end();
  });

  it('is refused where the decision ended without a ruling', async () => {
    const { holds, openHold, end } = await startQueue();
    const hold = await openHold();
    holds.settle(hold.decision, 'client_abort');
    await expect(say(holds, hold)).rejects.toMatchObject({ code: 'already_ruled' });
    await end();
  });
});

it('a hold takes a hundred comments and no more', async () => {
  const { holds, openHold, end } = await startQueue();
  const hold = await openHold();
  for (let i = 0; i < 100; i += 1) await holds.comment(hold, ada, `${i}`);
  await expect(holds.comment(hold, ada, 'one more')).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(hold.comments).toHaveLength(100);
  await end();
});

it('a hold is handed over a hundred times and no more', async () => {
  const { holds, openHold, end } = await startQueue();
  const hold = await openHold();
  for (let i = 0; i < 100; i += 1) await holds.assign(hold, ada, i % 2 === 0 ? 'ada' : '');
  await expect(holds.assign(hold, ada, 'ada')).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(hold.assignments).toHaveLength(100);
  await end();
});
