/** Answers that nobody here reads: a rule that stops them for what is known of the call stops all of them, and none is what a client reads. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chunk, streamHead } from '../support/raw-upstream.ts';
import { holdSecretText, policyOf } from './policies.ts';
import { decisionIdOf, startRig } from './rig.ts';

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

test('one that was asked for as a stream is read though it begins as a picture does', async () => {
  const rig = await startRig({ policy: holdSecretText });
  const said = `GIF89a\n\ndata: ${JSON.stringify({ token: { text: 'a secret' }, generated_text: 'a secret' })}\n\n`;
  rig.upstream.script((_request, answer) => answer.send(`${streamHead}${chunk(said)}0\r\n\r\n`));
  const client = await rig.post('/generate', JSON.stringify({ inputs: 'Once', stream: true }));
  const hold = await rig.sidecar.ada.nextHold();
  expect(client.text()).toBe('');
  await rig.sidecar.ada.rule(hold, { verdict: 'deny' });
  await client.until('denied_by_reviewer');
  expect(client.text()).not.toContain('a secret');
});

test.each([
  ['closes', 'delivered', (answer: { end(): void }) => answer.end()],
  ['is reset', 'upstream_truncated', (answer: { reset(): void }) => answer.reset()],
] as const)(
  'an answer without a length ends with its connection, where that %s: %s',
  async (_how, outcome, end) => {
    const rig = await startRig();
    const seen = Promise.withResolvers<void>();
    rig.upstream.script(async (_request, answer) => {
      answer.send('HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\nIt begins');
      await seen.promise;
      end({ reset: answer.reset, end: answer.end });
    });
    const client = await rig.post('/v1/of-no-known-kind', '{}');
    await client.until('It begins');
    seen.resolve();
    expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(client.text()))).toBe(outcome);
    if (outcome === 'delivered') await client.until('\r\n0\r\n\r\n');
    else await client.ended;
    expect(client.text().includes('\r\n0\r\n\r\n')).toBe(outcome === 'delivered');
  },
);
