/** Answers of read operations that by HTTP have no body: nothing is in them, so nobody is asked about them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readExchange } from '../../src/control/exchange.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { holdTransfers } from './policies.ts';
import { replay } from './replayed.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ policy: holdTransfers });
});
afterEach(endAll);

const stored = '/v1/responses/resp_1';

/** Asks for a stored response that the workload has already, and hears what the upstream sends. */
async function answerTo(bytes: string, target = stored, method = 'GET') {
  rig.upstream.script((_request, answer) => answer.send(bytes));
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(rawRequest(method, target, ['If-None-Match: "a"']));
  await client.until('\r\n\r\n');
  const head = client.text();
  const id = decisionIdOf(head);
  return { head, outcome: await rig.sidecar.ada.outcomeOf(id), id };
}

test.each([
  ['304 Not Modified', 'ETag: "a"'],
  ['304 Not Modified', 'ETag: "a"\r\nContent-Type: application/json\r\nContent-Length: 400'],
  ['304 Not Modified', 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked'],
  ['204 No Content', 'X-A: b'],
  ['204 No Content', 'Content-Length: 0'],
])('a stored response that is answered %s, with %s, reaches its caller', async (status, fields) => {
  const { head, outcome, id } = await answerTo(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n`);
  expect(head).toContain(`HTTP/1.1 ${status}\r\n`);
  expect(outcome).toBe('delivered');
  const { entries } = await rig.sidecar.ada.decision(id);
  expect(entries.map(({ type }) => type)).toContain('response');
  // Nor is it in doubt to who looks at it later.
  const { ledger } = rig.sidecar.sidecar;
  expect(await readExchange(ledger, await ledger.decision(entries[0]?.seq ?? 0))).toMatchObject({
    defects: [],
  });
  const { tally } = await replay(rig.sidecar, holdTransfers);
  expect([tally.obstacles(), tally.rules().map(({ rule }) => rule)]).toEqual([[], ['the-rule']]);
});

test.each([
  ['tells of a body that does not come', 'Content-Length: 5\r\n\r\n'],
  ['tells of a body that comes', 'Content-Length: 5\r\n\r\nhello'],
  ['tells of a body in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
])('a 204 that %s waits for a person', async (_what, rest) => {
  rig.upstream.script((_request, answer) => answer.send(`HTTP/1.1 204 No Content\r\n${rest}`));
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(rawRequest('GET', stored, []));
  expect(await rig.sidecar.ada.nextHold()).toMatchObject({ phase: 'response' });
  expect(client.text()).toBe('');
});

test('an empty answer that by HTTP might have had a body waits for a person', async () => {
  rig.upstream.script((_request, answer) => answer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(rawRequest('GET', stored, []));
  await rig.sidecar.ada.nextHold();
  expect(client.text()).toBe('');
});

test('bytes behind a 304 reach nobody', async () => {
  const { head } = await answerTo('HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nSECRET');
  expect(head).toContain('304');
  expect(head).not.toContain('SECRET');
});
