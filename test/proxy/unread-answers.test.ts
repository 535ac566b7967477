/** Answers that nobody here reads: a rule that stops them for what is known of the call stops all of them. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chunk } from '../support/raw-upstream.ts';
import { policyOf } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const stopping = (action: 'hold' | 'deny'): string =>
  policyOf({
    phase: 'response',
    when: 'request.operation == "unknown" && response.status == 200',
    action,
    match: '{ status: 200 }',
    noMatch: '{ status: 500 }',
  }).replaceAll('response: { status', 'request: { operation: unknown }, response: { status');

test('of one that a rule denies nothing passes', async () => {
  const rig = await startRig({ policy: stopping('deny') });
  rig.upstream.script((_request, answer) => {
    answer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('a secret')}`);
    answer.send(`${chunk(' and more')}0\r\n\r\n`);
  });
  const answer = await (await rig.post('/v1/blobs', 'x')).answer();
  expect([answer.status, answer.body.toString()]).toEqual([403, expect.not.stringContaining('secret')]);
});

test('of one that a rule holds nothing passes before it is released', async () => {
  const rig = await startRig({ policy: stopping('hold') });
  rig.upstream.script((_request, answer) => {
    answer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('a secret')}`);
    answer.send(`${chunk(' and more')}0\r\n\r\n`);
  });
  const client = await rig.post('/v1/blobs', 'x');
  const hold = await rig.sidecar.ada.nextHold();
  expect(client.text()).toBe('');
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).body.toString()).toBe('a secret and more');
});
