/** An answer that broke off, failed or cannot be read counts in a replay by the same rules as it counted when it came. */
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatDelta, chatRole, chatText, chatTransfer } from './answers.ts';
import { policyOf } from './policies.ts';
import { replay } from './replayed.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const transfers = policyOf({
  phase: 'response',
  when: 'response.toolCalls.exists(c, c.name == "transfer_funds")',
  action: 'hold',
  match: '{ toolCalls: [{ name: transfer_funds }] }',
  noMatch: '{ text: none }',
});

const json = 'Content-Type: application/json';
const events = 'Content-Type: text/event-stream';
const line = (body: string, status = 200): string =>
  JSON.stringify({
    id: 'r',
    custom_id: 'a',
    response: { status_code: status, body: JSON.parse(body) },
    error: null,
  });
const lineOfError = JSON.stringify({
  id: 'r',
  custom_id: 'a',
  response: null,
  error: { code: 'batch_expired', message: 'Late.' },
});

const lineWithoutStatus = JSON.stringify({
  custom_id: 'a',
  response: { body: JSON.parse(chatTransfer(20)) },
});

interface Answer {
  readonly status?: string;
  readonly fields?: readonly string[];
  readonly body: string | Buffer;
  /** Bytes that were announced and do not come. */
  readonly missing?: number;
  /** A file is asked for. */
  readonly file?: boolean;
}

test.each<[string, 'pass' | 'hold', Answer]>([
  [
    'is an error in plain words',
    'pass',
    { status: '500 Internal Server Error', fields: ['Content-Type: text/plain'], body: 'Down.' },
  ],
  ['breaks off', 'pass', { fields: [json], body: chatText('Hello.').slice(0, -9), missing: 9 }],
  [
    'breaks off within a call of a tool',
    'pass',
    { fields: [json], body: chatTransfer(20).slice(0, -9), missing: 9 },
  ],
  ['is no JSON', 'hold', { fields: [json], body: '{"choices":[' }],
  ['is a stream without an end', 'pass', { fields: [events], body: `${chatRole}${chatDelta('Hello.')}` }],
  [
    'is a stream that breaks off',
    'pass',
    { fields: [events], body: `${chatRole}${chatDelta('Hello.')}`, missing: 9 },
  ],
  [
    'is a stream that says it failed',
    'pass',
    { fields: [events], body: `${chatRole}data: {"error":{"message":"Down."}}\n\n` },
  ],
  [
    'is a stream of what is no event',
    'hold',
    { fields: [events], body: 'data: {"choices":[\n\ndata: [DONE]\n\n' },
  ],
  [
    'is not of the coding that it says',
    'hold',
    { fields: [json, 'Content-Encoding: gzip'], body: chatText('Hello.') },
  ],
  [
    'is an error that is not of the coding that it says',
    'hold',
    { status: '500 Oops', fields: [json, 'Content-Encoding: gzip'], body: '{}' },
  ],
  ['has no body', 'pass', { status: '204 No Content', body: '' }],
  ['is a file of other things', 'pass', { file: true, body: 'a,b\n1,2\n' }],
  [
    'is a file of other things, packed',
    'hold',
    { file: true, fields: ['Content-Encoding: gzip'], body: gzipSync('a,b\n1,2\n') },
  ],
  ['is a file of answers', 'hold', { file: true, body: line(chatTransfer(20)) }],
  [
    'is a file of answers, packed',
    'hold',
    { file: true, fields: ['Content-Encoding: gzip'], body: gzipSync(line(chatTransfer(20))) },
  ],
  [
    'is a part of a file',
    'hold',
    { file: true, status: '206 Partial Content', body: line(chatTransfer(20)).slice(1) },
  ],
  ['is a file with an answer that has no status', 'hold', { file: true, body: lineWithoutStatus }],
  ['is a file of what came too late', 'pass', { file: true, body: lineOfError }],
  ['is a file of errors', 'pass', { file: true, body: line('{"error":{"message":"No."}}', 400) }],
  [
    'is a file with a line that is no answer',
    'hold',
    { file: true, body: `${line(chatText('Hello.'))}\n{"custom_id":"b"}` },
  ],
])(
  'one that %s',
  async (_what, verdict, { status = '200 OK', fields = [], body, missing = 0, file = false }) => {
    const { sidecar, upstream } = await startRig({ policy: transfers });
    upstream.script((_request, answer) => {
      const length = status.startsWith('204') ? [] : [`Content-Length: ${Buffer.byteLength(body) + missing}`];
      answer.send(`HTTP/1.1 ${[status, ...length, ...fields].join('\r\n')}\r\n\r\n`);
      answer.send(body);
      if (missing > 0) answer.end();
    });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(
      file
        ? rawRequest('GET', '/v1/files/file-1/content', [], '')
        : rawRequest('POST', '/v1/chat/completions', [json], '{"model":"gpt-4.1","messages":[]}'),
    );
    const judged = await waitFor(async () => {
      const found = (await sidecar.ada.lastDecision()).entries.find(({ type }) => type === 'response');
      expect(found).toBeDefined();
      return found;
    });
    const { tally } = await replay(sidecar, transfers);
    expect(judged?.data['verdict']).toBe(verdict);
    expect(tally.obstacles()).toEqual([]);
    for (const { before, now } of tally.verdicts()) expect(now).toBe(before);
    for (const { now, before } of tally.rules()) expect(now).toBe(before);
  },
);

test('what was asked of an operation that nobody knows was not read, and is not now', async () => {
  const { sidecar, post } = await startRig({ policy: transfers });
  await (await post('/v1/nothing', 'no gzip', ['Content-Encoding: gzip'])).answer();
  const { tally } = await replay(sidecar, transfers);
  expect(tally.obstacles()).toEqual([]);
  expect(tally.verdicts()).toEqual([{ before: 'pass', now: 'pass', decisions: 1 }]);
});

test('a stream without end that was refused was asked for all the same', async () => {
  const { sidecar, upstream } = await startRig({ policy: transfers });
  upstream.script((_request, answer) => answer.send(wholeAnswer('404 Not Found', [json], '{}')));
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('GET', '/anthropic/v1/sessions/s1/events/stream', [], ''));
  await client.answer();
  expect((await sidecar.ada.lastDecision()).entries[0]?.data['operation']).toBe('sessions.stream');
  const { tally } = await replay(sidecar, transfers);
  expect(tally.replayed()).toEqual({ request: 1, response: 1 });
});
