import { expect, it } from 'vitest';
import { startQueue } from './one-hold.ts';

const reviewInMs = 3_600_000;
const settled = () => new Promise((resolve) => setTimeout(resolve));

async function brokenGlass() {
  const stage = await startQueue();
  const hold = await stage.openHold({
    ...{ approvals: 2, requester: 'agent' },
    breakGlass: { roles: ['admin'], collectInMs: 60_000, reviewInMs },
  });
  const told: string[] = [];
  stage.holds.subscribe(({ kind, hold: { id } }) => told.push(`${kind} ${id}`));
  await stage.holds.watchReviews();
  const { digest } = hold.state.terms;
  const alone = {
    verdict: 'release',
    by: 'olga',
    role: 'admin',
    digest,
    reason: 'Fire.',
    breakGlass: true,
  } as const;
  await stage.holds.rule(hold, alone, null);
  const review = (by: string) =>
    stage.holds.review(hold.seq, { by, role: 'auditor' }, { verdict: 'justified', text: 'It burned.' });
  const overdue = () => told.filter((one) => one === `review-overdue ${hold.id}`).length;
  return { ...stage, hold, review, overdue };
}

it('a review that nobody writes in time is told of once, and counted as overdue from then on', async () => {
  const { time, holds, hold, overdue, end } = await brokenGlass();
  time.advance(reviewInMs - 1);
  await settled();
  expect(overdue()).toBe(0);
  expect(holds.reviewCounts()).toEqual({ open: 1, overdue: 0 });
  time.advance(1);
  await settled();
  time.advance(10 * reviewInMs);
  await settled();
  expect(overdue()).toBe(1);
  expect(holds.reviewCounts()).toEqual({ open: 1, overdue: 1 });
  const [due] = await holds.reviews((_, read) => read());
  expect(due).toMatchObject({ hold: hold.seq, by: 'olga', review: null });
  await end();
});

it('a review that somebody writes in time is not', async () => {
  const { time, holds, review, overdue, errors, end } = await brokenGlass();
  await review('rita');
  expect(holds.reviewCounts()).toEqual({ open: 0, overdue: 0 });
  time.advance(2 * reviewInMs);
  await settled();
  expect(overdue()).toBe(0);
  expect(errors).toEqual([]);
  await end();
});

it('of two reviews at once one is sealed', async () => {
  const { review, end } = await brokenGlass();
  const both = await Promise.allSettled([review('rita'), review('otto')]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await end();
});

it('neither who released it nor who asked for it reviews it', async () => {
  const { review, end } = await brokenGlass();
  await expect(review('olga')).rejects.toMatchObject({ code: 'forbidden' });
  await expect(review('agent')).rejects.toMatchObject({ code: 'forbidden' });
  await end();
});

it('nor does either under another of their names', async () => {
  const { holds, hold, end } = await brokenGlass();
  for (const name of ['olga', 'agent']) {
    const other = { by: 'idp:somebody', role: 'auditor', alsoCalled: [name] };
    const found = holds.review(hold.seq, other, { verdict: 'justified', text: 'It burned.' });
    await expect(found).rejects.toMatchObject({ code: 'forbidden' });
  }
  await end();
});

it('a release that waits for its review is told again to whoever listens from now on, one that was reviewed is not', async () => {
  const { holds, hold, review, end } = await brokenGlass();
  const told: string[] = [];
  holds.subscribe(({ kind, hold: { id }, by }) => told.push(`${kind} ${id} ${by}`));
  await holds.watchReviews();
  expect(told).toEqual([`glass-broken ${hold.id} olga`]);
  expect(holds.reviewCounts()).toEqual({ open: 1, overdue: 0 });
  await review('rita');
  await holds.watchReviews();
  expect(told).toEqual([`glass-broken ${hold.id} olga`, `reviewed ${hold.id} rita`]);
  await end();
});
