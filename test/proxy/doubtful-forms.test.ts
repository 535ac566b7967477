/**
 * Forms too large for memory, of which rules see all but the files: what one reader takes for a file's bytes and another
 * for a field, or for the file of a batch, must be seen by rules or go nowhere.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { policyOf } from './policies.ts';

const denySecrets = policyOf({
  phase: 'request',
  when: 'request.text.contains("secret")',
  action: 'deny',
  match: '{ text: a secret }',
  noMatch: '{ text: nothing }',
});
/** More than is stored, and than is kept of a file. */
const much = 'm'.repeat(300_000);

let upstream: RawUpstream;
let sidecar: TestSidecar;

beforeAll(async () => {
  upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], '{"id":"file-1","text":"x"}')),
  );
  sidecar = await startTestSidecar({
    policy: denySecrets,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { storedBytesMax: 128 * 1024 },
  });
});
afterAll(endAll);

interface Part {
  readonly head: readonly string[];
  readonly content: string;
}

const field = (name: string, content: string, ...further: readonly string[]): Part => ({
  head: [`Content-Disposition: form-data; name="${name}"`, ...further],
  content,
});
const file = (content: string): Part => ({
  head: ['Content-Disposition: form-data; name="file"; filename="f"', 'Content-Type: audio/wav'],
  content,
});

function formOf(parts: readonly Part[], boundary = 'B'): string {
  const written = parts.map(
    ({ head, content }) => `--${boundary}\r\n${head.join('\r\n')}\r\n\r\n${content}\r\n`,
  );
  return `${written.join('')}--${boundary}--\r\n`;
}

async function send(target: string, body: string, parameters = 'boundary=B') {
  const before = upstream.requests.length;
  const headers = { 'content-type': `multipart/form-data; ${parameters}` };
  const answer = await fetch(`${sidecar.proxyUrl}${target}`, { method: 'POST', headers, body });
  await answer.arrayBuffer();
  return { status: answer.status, forwarded: upstream.requests.length - before };
}

const transcriptions = '/v1/audio/transcriptions';

test('one that all read alike goes out, and its words are judged', async () => {
  expect(await send(transcriptions, formOf([file(much), field('prompt', 'Hello')]))).toEqual({
    status: 200,
    forwarded: 1,
  });
  expect(await send(transcriptions, formOf([file(much), field('prompt', 'a secret')]))).toEqual({
    status: 403,
    forwarded: 0,
  });
});

test('words behind a second boundary, which stands in another parameter, go nowhere', async () => {
  const other = '\r\n--A"\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\n';
  const body = formOf([
    file(`sound${other}${much}`),
    field('prompt', 'a secret'),
    { ...file('\r\n--A"--'), head: ['Content-Disposition: form-data; name="extra"; filename="e"'] },
  ]);
  expect(await send(transcriptions, body, 'x="; boundary=A"; boundary=B')).toMatchObject({ forwarded: 0 });
});

test.each([
  ['another header', field('prompt', `${much} a secret`, 'X-Note: a; filename=b')],
  [
    'another parameter',
    {
      head: ['Content-Disposition: form-data; name="prompt"; x="; filename=b"'],
      content: `${much} a secret`,
    },
  ],
])('the words of a field that has a file’s name in %s are judged to their end', async (_where, prompt) => {
  const form = formOf([file('sound'), prompt]);
  expect(await send(transcriptions, form)).toEqual({ status: 403, forwarded: 0 });
});

test('words behind a boundary that only some readers see within a file go nowhere', async () => {
  const hidden = '\n--B\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na secret';
  expect(await send(transcriptions, formOf([file(`${much}${hidden}`)]))).toMatchObject({ forwarded: 0 });
});

test('a batch is judged by its file, not by a field before it that looks like one', async () => {
  const line = (content: string): string =>
    JSON.stringify({
      custom_id: 'a',
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'gpt-4.1', messages: [{ role: 'user', content }] },
    });
  const harmless = field('note', `${line('Hi')}\n`, 'X-Note: a; filename=b');
  const form = formOf([field('purpose', 'batch'), harmless, file(`${line(`a secret ${much}`)}\n`)]);
  expect(await send('/v1/files', form)).toEqual({ status: 403, forwarded: 0 });
});
