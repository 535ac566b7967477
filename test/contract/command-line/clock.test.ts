/** Times on a terminal whose clock is not the sidecar's: who rules must know what time is left, and the sidecar counts it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
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

let server: Server;
let env: Record<string, string>;
beforeAll(async () => {
  server = createServer((_, res) => {
    res.setHeader('date', 'Mon, 26 Nov 2001 11:00:30 GMT');
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ items: [hold], total: 1, next: null, unreadable: [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  env = { HOLDPOINT_URL: `http://127.0.0.1:${port}`, HOLDPOINT_TOKEN: 'a-token' };
});
afterAll(() => server.close());

it.each([[['holds']], [['holds', 'list']]])(
  '%j tells the age and what is left by the sidecar’s clock',
  async (args) => {
    expect((await run(args, env)).out).toMatch(/ m +1h0m +59m\d+s +0\/1 /);
  },
);

it('holds watch tells what is left by it', async () => {
  const watching = start(['holds', 'watch'], env);
  const told = await eventually(async () => /^held .* {2}(.*) left$/m.exec(watching.out())?.[1]);
  watching.child.kill('SIGINT');
  await watching.exited;
  expect(told).toMatch(/^59m\d+s$/);
});
