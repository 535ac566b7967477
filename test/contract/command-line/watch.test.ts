/** `holdpoint holds watch` where more is held than one page has. */
import { expect, it } from 'vitest';
import { playSidecar } from '../../support/played-sidecar.ts';
import { start } from '../support/process.ts';
import { eventually } from '../support/sidecar.ts';

const approvals = { needed: 1, given: [], byRole: [] };
function held(id: string) {
  return {
    ...{ id, decisionId: 'd-1', state: 'pending', severity: 'high', headline: 'pay', workload: 'billing' },
    ...{ model: '', digest: '', contentDigest: '', assignee: '', commentCount: 0, caller: 'waiting' },
    ...{ openedAt: '2026-11-26T10:00:00.000Z', expiresAt: '2026-11-26T10:15:00.000Z', approvals },
    roles: ['reviewer'],
  };
}

it('a hold that others moved to the next page is not over, and one that came there is told', async () => {
  let pages = [['h-1'], ['h-2']];
  let rounds = 0;
  const sidecar = await playSidecar((req, res) => {
    const after = new URL(req.url ?? '', 'http://localhost').searchParams.get('after');
    const page = after === null ? 0 : Number(after);
    if (page === 0) rounds += 1;
    const next = page + 1 < pages.length ? String(page + 1) : null;
    const items = (pages[page] ?? []).map(held);
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ items, total: pages.flat().length, next, unreadable: [] }));
  });
  const watching = start(['holds', 'watch'], sidecar.env);
  const told = () => watching.out().match(/^(held|over) {2}h-\d/gm);
  await eventually(async () => told()?.length === 2);
  pages = [['h-3'], ['h-1']];
  await eventually(async () => told()?.length === 4);
  const before = rounds;
  await eventually(async () => rounds > before);
  watching.child.kill('SIGINT');
  expect(await watching.exited).toBe(0);
  sidecar.close();
  expect(told()).toEqual(['held  h-1', 'held  h-2', 'held  h-3', 'over  h-2']);
});
