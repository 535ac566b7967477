/** How much of what a cluster said of tokens is kept. It is asked without TLS, which would take most of the time. */
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { createServiceAccounts } from '../../../src/control/sign-in/kubernetes.ts';
import { serviceAccountToken } from '../../support/cluster.ts';
import { listeningOn } from '../../support/listening-on.ts';
import { createManualTime } from '../../support/time.ts';

const reviewsMax = 2_000;
const asksAtOnceMax = 16;

it('of two thousand tokens it is kept: the one that was asked about first is forgotten for another', async () => {
  let asked = 0;
  const nobodys = createServer((_, res) => {
    asked += 1;
    res.writeHead(201).end(JSON.stringify({ status: { authenticated: false } }));
  });
  const { url, close } = await listeningOn(nobodys);
  const accountOf = createServiceAccounts(
    {
      server: new URL(url),
      audience: 'holdpoint',
      roles: [],
      token: () => 'own',
      ca: () => '',
      namespace: () => 'agents',
    },
    createManualTime().clock,
    async () => undefined,
  );
  const check = (token: string) => accountOf(token, '', true, () => undefined);
  const tokens = Array.from({ length: reviewsMax + 1 }, (_, jti) => serviceAccountToken({ jti }));
  const [first = '', second = '', ...others] = tokens;
  const newest = others.pop() ?? '';
  await check(first);
  await check(second);
  while (others.length > 0) await Promise.all(others.splice(0, asksAtOnceMax).map(check));
  await check(first);
  expect(asked).toBe(reviewsMax);
  await check(newest);
  await check(second);
  expect(asked).toBe(reviewsMax + 1);
  await check(first);
  expect(asked).toBe(reviewsMax + 2);
  await close();
});
