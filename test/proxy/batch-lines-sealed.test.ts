/** Every line of a batch is on disk before any of them goes on, whichever of them the disk did not take. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { chatText } from './answers.ts';

let upstream: RawUpstream;
let sidecar: TestSidecar;

const resultLine = (id: string): string =>
  JSON.stringify({
    id: `r-${id}`,
    custom_id: id,
    response: { status_code: 200, body: JSON.parse(chatText(`Answer ${id}.`)) },
    error: null,
  });
const results = ['a', 'b', 'c'].map(resultLine).join('\n');

const requests = ['a', 'b', 'c'].map((id) =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'gpt-4.1', messages: [] },
  }),
);
const boundary = 'boundary-of-the-form';
const form = [
  `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n`,
  `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="batch.jsonl"\r\n\r\n${requests.join('\n')}\r\n`,
  `--${boundary}--\r\n`,
].join('');

beforeEach(async () => {
  upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/octet-stream'], results)),
  );
  sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
});
afterEach(endAll);

/** The ledger says of this entry about the first line that it is not known to be on disk, and takes all others. */
function lose(lost: 'request' | 'response'): void {
  const { ledger } = sidecar.sidecar;
  const seal = ledger.seal;
  let first: number | null = null;
  vi.spyOn(ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    const isRequest = draft.type === 'request' && draft.data['line'] === 1;
    if (isRequest) first = sealed.seq;
    const isResponse = draft.type === 'response' && draft.data['decision'] === first;
    if (!(lost === 'request' ? isRequest : isResponse)) return sealed;
    const durable = Promise.reject(new HoldpointError('ledger_unavailable', 'The disk is full.'));
    durable.catch(() => undefined);
    return { ...sealed, durable };
  });
}

async function send(request: string): Promise<number> {
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(request);
  return (await client.answer()).status;
}

const fetchResults = (): Promise<number> => send(rawRequest('GET', '/v1/files/file-1/content', []));
const uploadRequests = (): Promise<number> =>
  send(rawRequest('POST', '/v1/files', [`Content-Type: multipart/form-data; boundary=${boundary}`], form));

test('answers go to nobody where the answer of one line is not on disk', async () => {
  lose('response');
  expect(await fetchResults()).toBe(503);
});

test('answers go to nobody where an early line is not on disk, though later ones are', async () => {
  lose('request');
  expect(await fetchResults()).toBe(503);
});

test('requests go nowhere where an early line is not on disk, though later ones are', async () => {
  lose('request');
  expect(await uploadRequests()).toBe(503);
  expect(upstream.requests).toHaveLength(0);
});

test('answers and requests go on where all of it is on disk', async () => {
  expect(await fetchResults()).toBe(200);
  expect(await uploadRequests()).toBe(200);
});
