/** Times on a terminal whose clock is not the sidecar's: who rules must know what time is left, and the sidecar counts it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PlayedSidecar, playSidecar } from '../../support/played-sidecar.ts';
import { run, start } from '../support/process.ts';
import { eventually } from '../support/sidecar.ts';

const hold = {
  ...{
    id: 'h-1',
    decisionId: 'd-1',
    state: 'pending',
    severity: 'high',
    headline: 'pay',
    workload: 'billing',
  },
  ...{ model: 'm', digest: '', contentDigest: '', assignee: '', commentCount: 0, caller: 'waiting' },
  ...{ openedAt: '2001-11-26T10:00:00.000Z', expiresAt: '2001-11-26T12:00:00.000Z', roles: ['reviewer'] },
  approvals: { needed: 1, given: [], byRole: [] },
};

let sidecar: PlayedSidecar;
beforeAll(async () => {
  sidecar = await playSidecar((_, res) => {
    res.setHeader('date', 'Mon, 26 Nov 2001 11:00:30 GMT');
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ items: [hold], total: 1, next: null, unreadable: [] }));
  });
});
afterAll(() => sidecar.close());

it.each([[['holds']], [['holds', 'list']]])(
  '%j tells the age and what is left by the sidecar’s clock',
  async (args) => {
    expect((await run(args, sidecar.env)).out).toMatch(/ m +1h0m +59m\d+s +0\/1 /);
  },
);

it('holds watch tells what is left by it', async () => {
  const watching = start(['holds', 'watch'], sidecar.env);
  const told = await eventually(async () => /^held .* {2}(.*) left$/m.exec(watching.out())?.[1]);
  watching.child.kill('SIGINT');
  await watching.exited;
  expect(told).toMatch(/^59m\d+s$/);
});
