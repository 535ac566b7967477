/** What the data plane's socket keeps of the connections that are no calls. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { noProxy } from '../../../src/core/egress.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { createForwarder } from '../../../src/proxy/forward.ts';
import { createKeptAnswers } from '../../../src/proxy/kept-answers.ts';
import { createLetThrough } from '../../../src/proxy/let-through.ts';
import { listenProxy, type ProxyListener } from '../../../src/proxy/listener.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { plainHouse } from '../../support/plain-house.ts';
import { passAll } from '../../support/sidecar.ts';
import { startQueue } from '../hold/one-hold.ts';

const mebibyte = 1024 * 1024;
const msMax = 60_000;
afterEach(endAll);

async function startListener(): Promise<ProxyListener> {
  const { holds, time } = await startQueue();
  const { clock, schedule } = time;
  const ledger = await createLedgerUnderTest().open({ clock });
  const onError = (): void => undefined;
  const bytesMax = { codedBytesMax: mebibyte, decodedBytesMax: mebibyte };
  const forwarder = createForwarder(
    { idleMsMax: msMax, connectMsMax: msMax, connectionsMax: 1, ...bytesMax },
    noProxy,
    time,
  );
  atEnd(() => forwarder.close());
  const policy = loadPolicy('policy.yaml', passAll);
  return listenProxy(
    { host: '127.0.0.1', port: 0 },
    {
      ...plainHouse(msMax),
      ...{ ledger, holds, forwarder, clock, schedule, onError, upstreams: [] },
      policy: () => policy,
      keptAnswers: createKeptAnswers(holds, onError),
      letThrough: createLetThrough(),
    },
  );
}

test('the end cuts the connections that are followed, and has forgotten those that were over before', async () => {
  const listener = await startListener();
  const [over, open] = [new PassThrough(), new PassThrough()];
  for (const socket of [over, open]) listener.follow(socket, Promise.resolve());
  over.destroy();
  await once(over, 'close');
  const cut = [over, open].map((socket) => vi.spyOn(socket, 'destroy'));
  await listener.drain(0);
  expect(cut.map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
});
