/** Batch results too large for memory: judged line by line from disk, withheld as a whole, delivered byte for byte. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { openai } from '../../src/provider/openai/family.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { makePlace, type Settings, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatText, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf } from './rig.ts';

const limits = {
  responseBytesMax: 64 * 1024,
  storedBytesMax: 8 * 1024,
  decodedBytesMax: 128 * 1024,
  batchBytesMax: 1024 * 1024,
};
const mounts = {
  openai: '/',
  azure: '/azure',
  mistral: '/mistral',
  anthropic: '/anthropic',
  gemini: '/gemini',
} satisfies Partial<Record<ProtocolName, string>>;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const line = (id: string, body: string): string =>
  JSON.stringify({ custom_id: id, response: { status_code: 200, body: JSON.parse(body) }, error: null });
/** 200 harmless lines of about a kilobyte each, and `last`. */
const fileOf = (last: string): Buffer => {
  const lines = Array.from({ length: 200 }, (_, i) => line(`a${i}`, chatText(`${'word '.repeat(200)}${i}`)));
  return Buffer.from(`${[...lines, last].join('\n')}\n`);
};
const harmless = fileOf(line('last', chatText('Fine.')));
const transferring = fileOf(line('last', chatTransfer(25_000)));

/** A harmless line that does not shrink, so that a file with it is too large compressed as well. */
const noise = `${line('noise', chatText(Array.from({ length: 4_000 }, (_, i) => sha256(Buffer.from(String(i)))).join(' ')))}\n`;
/** That line and an empty one behind it, which is as long as it takes to make so many bytes of both. */
const paddedTo = (bytes: number): string => `${noise}${' '.repeat(bytes - noise.length - 1)}\n`;

const message = (content: readonly object[]) => ({
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content,
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
});
const anthropicLine = (id: string, content: readonly object[]): string =>
  JSON.stringify({ custom_id: id, result: { type: 'succeeded', message: message(content) } });
const anthropicResults = Buffer.from(
  [
    ...Array.from({ length: 100 }, (_, i) =>
      anthropicLine(`a${i}`, [{ type: 'text', text: 'x'.repeat(900) }]),
    ),
    anthropicLine('last', [{ type: 'tool_use', id: 't', name: 'transfer_funds', input: { amount: 25_000 } }]),
  ].join('\n'),
);

let upstream: RawUpstream;
let settings: Settings;
let sidecar: TestSidecar;
let body: Buffer = harmless;
let headers: readonly string[] = [];

const answerWithBody: Parameters<RawUpstream['script']>[0] = (_request, answer) =>
  answer.send(wholeAnswer('200 OK', ['Content-Type: application/octet-stream', ...headers], body));

beforeAll(async () => {
  upstream = await startRawUpstream(answerWithBody);
  const entries = Object.entries(mounts).map(([protocol, mount]) => [
    protocol,
    { url: upstream.url, protocol, mount },
  ]);
  settings = { policy: holdTransfers, limits, upstreams: Object.fromEntries(entries) };
  sidecar = await startTestSidecar(settings);
});
afterAll(endAll);
beforeEach(() => {
  headers = [];
});

async function fetchFile(target = '/v1/files/file-1/content', from = sidecar): Promise<RawClient> {
  const client = await connectRaw(from.proxyUrl);
  client.send(rawRequest('GET', target, ['Authorization: Bearer sk-1'], ''));
  return client;
}

async function release(id?: string): Promise<void> {
  const hold = await sidecar.ada.nextHold();
  if (id !== undefined) expect(hold.id).toBe(id);
  expect(await sidecar.ada.rule(hold, { verdict: 'release', reason: 'known payee' })).toMatchObject({
    status: 201,
  });
}

test('every line is judged and sealed, and the file arrives byte for byte', async () => {
  body = harmless;
  const answer = await (await fetchFile()).answer();
  expect(answer.status).toBe(200);
  expect(answer.body.equals(harmless)).toBe(true);
  const id = decisionIdOf(answer.head);
  expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
  const { entries } = await sidecar.ada.decision(id);
  expect(entries[1]?.data).toMatchObject({
    bytes: harmless.length,
    stored: limits.storedBytesMax,
    verdict: 'pass',
  });
  const last = await sidecar.ada.lastDecision();
  expect(last.entries[0]?.data).toMatchObject({ batch: entries[0]?.seq, line: 201 });
  expect(await sidecar.ada.outcomeOf(last.id)).toBe('carried');
});

test('what is sealed holds the length and the hash of all of it', async () => {
  body = harmless;
  const { head } = await (await fetchFile()).answer();
  const bodies = await sidecar.as('grace', 'auditor').bodies(decisionIdOf(head));
  const fields = bodies.find(({ name }) => name === 'response')?.headers ?? [];
  expect(fields[fields.indexOf('holdpoint-whole-body') + 1]).toBe(
    `bytes=${harmless.length}; sha-256=${sha256(harmless)}`,
  );
});

describe('with a line that must be held', () => {
  test('nothing of it goes out before it is released, and then all of it as it came', async () => {
    body = transferring;
    const client = await fetchFile();
    const hold = await sidecar.ada.nextHold();
    expect(client.text()).toBe('');
    await release(hold.id);
    const answer = await client.answer();
    expect(answer.body.equals(transferring)).toBe(true);
    expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
  });

  test('a caller that left finds it when it comes back, without another call to the provider', async () => {
    body = transferring;
    const asked = upstream.requests.length;
    const client = await fetchFile('/v1/files/file-2/content');
    const hold = await sidecar.ada.nextHold();
    client.destroy();
    await waitFor(async () => expect((await sidecar.ada.hold(hold.id)).caller).toBe('gone'));
    await release(hold.id);
    const answer = await (await fetchFile('/v1/files/file-2/content')).answer();
    expect(answer.status).toBe(200);
    expect(answer.body.equals(transferring)).toBe(true);
    expect(upstream.requests.length).toBe(asked + 1);
  });

  test('nothing of it goes out when it is denied', async () => {
    body = transferring;
    const client = await fetchFile('/v1/files/file-3/content');
    const hold = await sidecar.ada.nextHold();
    await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
    const answer = await client.answer();
    expect([answer.status, answer.body.toString()]).toEqual([403, expect.not.stringContaining('custom_id')]);
  });

  test('it is not amended, as only its beginning is stored', async () => {
    body = transferring;
    await fetchFile('/v1/files/file-4/content');
    const hold = await sidecar.ada.nextHold();
    const amended = await sidecar.ada.rule(hold, { verdict: 'amend', amendment: { text: 'No.' } });
    expect(amended).toEqual({ status: 409, code: 'not_amendable' });
    await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'no' });
  });

  test.each([
    ['an Azure deployment', '/azure/openai/files/file-1/content', transferring],
    ['Mistral', '/mistral/v1/files/file-1/content', transferring],
    ['Anthropic', '/anthropic/v1/messages/batches/b/results', anthropicResults],
    ['Gemini', '/gemini/v1beta/files/f1:download', fileOf('not json')],
  ])('it is held whoever wrote it: %s', async (_who, target, sent) => {
    body = sent;
    const client = await fetchFile(target);
    await release();
    expect((await client.answer()).body.equals(sent)).toBe(true);
  });

  test('it is held when it comes compressed, and goes on as it came', async () => {
    body = gzipSync(`${noise}${line('last', chatTransfer(25_000))}\n`);
    headers = ['Content-Encoding: gzip'];
    expect(body.length).toBeGreaterThan(limits.responseBytesMax);
    const client = await fetchFile('/v1/files/file-5/content');
    await release();
    expect((await client.answer()).body.equals(body)).toBe(true);
  });
});

test('a file whose coding breaks off on the way is held, since nobody saw its end', async () => {
  body = gzipSync(noise).subarray(0, -20);
  headers = ['Content-Encoding: gzip'];
  const client = await fetchFile('/v1/files/file-6/content');
  await release();
  expect((await client.answer()).body.equals(body)).toBe(true);
});

test('a file that unpacks to as much as is judged passes where no line of it is held', async () => {
  body = gzipSync(paddedTo(limits.batchBytesMax));
  headers = ['Content-Encoding: gzip'];
  expect((await (await fetchFile('/v1/files/file-12/content')).answer()).body.equals(body)).toBe(true);
});

test('a file that unpacks to more than is judged is held, whatever its lines say', async () => {
  body = gzipSync(paddedTo(limits.batchBytesMax + 1));
  headers = ['Content-Encoding: gzip'];
  const client = await fetchFile('/v1/files/file-13/content');
  await release();
  expect((await client.answer()).body.equals(body)).toBe(true);
});

test('a file whose coding ends before its bytes is held, though what comes out is no batch’s results', async () => {
  const other = `${JSON.stringify({ prompt: noise })}\n`;
  body = Buffer.concat([gzipSync(other), Buffer.of(0), gzipSync(`${line('last', chatTransfer(25_000))}\n`)]);
  headers = ['Content-Encoding: gzip'];
  const client = await fetchFile('/v1/files/file-14/content');
  await release();
  expect((await client.answer()).body.equals(body)).toBe(true);
});

test('a file of two types is held, since clients may take it for different things', async () => {
  body = harmless;
  headers = ['Content-Type: text/event-stream'];
  const client = await fetchFile('/v1/files/file-8/content');
  await release();
  expect((await client.answer()).body.equals(body)).toBe(true);
});

test('a file of two codings, the first of them none, is not taken for what its bytes seem to be', async () => {
  body = gzipSync(`${line('last', chatTransfer(25_000))}\n`);
  headers = ['Content-Encoding:', 'Content-Encoding: gzip'];
  const client = await fetchFile('/v1/files/file-9/content');
  await release();
  expect((await client.answer()).body.equals(body)).toBe(true);
});

test('a large file that is no batch’s results passes as it is', async () => {
  body = Buffer.from(`${JSON.stringify({ prompt: 'a', completion: 'b'.repeat(900) })}\n`.repeat(100));
  const answer = await (await fetchFile('/v1/files/file-7/content')).answer();
  expect([answer.status, answer.body.equals(body)]).toEqual([200, true]);
});

test('an answer that leads elsewhere is no file, however large it is', async () => {
  const other = Buffer.from(`${JSON.stringify({ prompt: 'a', completion: 'b'.repeat(900) })}\n`.repeat(100));
  upstream.script((_request, answer) =>
    answer.send(wholeAnswer('302 Found', ['Location: https://other.example/file'], other)),
  );
  const answer = await (await fetchFile('/v1/files/file-15/content')).answer();
  expect([answer.status, answer.head]).toEqual([502, expect.not.stringContaining('other.example')]);
  upstream.script(answerWithBody);
});

test('a file that breaks off on the way reaches nobody, and is sealed as far as it came', async () => {
  upstream.script((_request, answer) => {
    answer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${harmless.length}\r\n\r\n`);
    answer.send(harmless.subarray(0, -9));
    answer.end();
  });
  const answer = await (await fetchFile('/v1/files/file-9/content')).answer();
  expect([answer.status, answer.body.toString()]).toEqual([502, expect.not.stringContaining('custom_id')]);
  const id = decisionIdOf(answer.head);
  expect(await sidecar.ada.outcomeOf(id)).toBe('upstream_truncated');
  const { entries } = await sidecar.ada.decision(id);
  expect(entries[1]?.data).toMatchObject({ bytes: harmless.length - 9, result: 'upstream_truncated' });
  upstream.script(answerWithBody);
});

test('a file beyond what is judged is refused, sealed, and names the limit', async () => {
  body = Buffer.from(`${line('a', chatText('x'.repeat(900)))}\n`.repeat(1_200));
  const answer = await (await fetchFile('/v1/files/file-8/content')).answer();
  expect([answer.status, answer.body.toString()]).toEqual([
    502,
    expect.stringContaining('limits.batchBytesMax'),
  ]);
  expect(await sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_error');
});

test('a file beyond what passes at all is refused too, whatever may be judged', async () => {
  body = harmless;
  const passedBytesMax = harmless.length - 1;
  const narrow = await startTestSidecar({ ...settings, limits: { ...limits, passedBytesMax } });
  const answer = await (await fetchFile('/v1/files/file-10/content', narrow)).answer();
  expect([answer.status, answer.body.toString()]).toEqual([
    502,
    expect.stringContaining(`exceeds ${passedBytesMax} bytes`),
  ]);
});

test('the provider is left once its file is beyond what is judged, with whatever it still has to send', async () => {
  const left = Promise.withResolvers<void>();
  upstream.script(async (_request, answer) => {
    answer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * limits.batchBytesMax}\r\n\r\n`);
    answer.send(Buffer.alloc(limits.batchBytesMax + 1, ' '));
    await answer.closed;
    left.resolve();
  });
  expect((await (await fetchFile('/v1/files/file-11/content')).answer()).status).toBe(502);
  await left.promise;
  upstream.script(answerWithBody);
});

test('after a restart a released file is fetched anew and judged anew, because its bytes are not in the ledger', async () => {
  const place = makePlace(settings);
  const first = await startTestSidecar(settings, place);
  body = transferring;
  const client = await fetchFile(undefined, first);
  const hold = await first.ada.nextHold();
  client.destroy();
  await waitFor(async () => expect((await first.ada.hold(hold.id)).caller).toBe('gone'));
  await first.ada.rule(hold, { verdict: 'release', reason: 'known payee' });
  await first.stop();

  const second = await startTestSidecar(settings, place);
  const refused = await (await fetchFile(undefined, second)).answer();
  expect([refused.status, refused.body.toString()]).toEqual([
    403,
    expect.stringContaining('too large to be stored'),
  ]);
  const again = await fetchFile(undefined, second);
  const anew = await second.ada.nextHold();
  expect(anew.id).not.toBe(hold.id);
  await second.ada.rule(anew, { verdict: 'release', reason: 'known payee' });
  expect((await again.answer()).body.equals(transferring)).toBe(true);
});

describe('where the disk has room for one file, there is room for another', () => {
  const startNarrow = (more: Readonly<Record<string, number>> = {}): Promise<TestSidecar> =>
    startTestSidecar({
      ...settings,
      limits: { ...limits, spoolBytesMax: transferring.length + 100, ...more },
    });
  const statusFrom = async (narrow: TestSidecar): Promise<number> =>
    (await (await fetchFile('/v1/files/file-31/content', narrow)).answer()).status;
  const expectRoom = async (narrow: TestSidecar): Promise<void> => {
    upstream.script(answerWithBody);
    body = harmless;
    await expect.poll(() => statusFrom(narrow), { timeout: 5_000 }).toBe(200);
  };

  test('not while one is held', async () => {
    body = transferring;
    const narrow = await startNarrow();
    await fetchFile('/v1/files/file-30/content', narrow);
    await narrow.ada.nextHold();
    body = harmless;
    expect(await statusFrom(narrow)).toBe(503);
  });

  test.each(['release', 'deny'] as const)('after a held one has ended by the ruling %s', async (verdict) => {
    body = transferring;
    const narrow = await startNarrow();
    const client = await fetchFile('/v1/files/file-30/content', narrow);
    await narrow.ada.rule(await narrow.ada.nextHold(), { verdict, reason: 'known payee' });
    expect((await client.answer()).status).toBe(verdict === 'release' ? 200 : 403);
    await expectRoom(narrow);
  });

  test('after one that has passed', async () => {
    body = harmless;
    const narrow = await startNarrow();
    expect(await statusFrom(narrow)).toBe(200);
    await expectRoom(narrow);
  });

  test('after one that could not be read', async () => {
    body = harmless;
    const narrow = await startNarrow();
    const { readResponseFrom } = openai;
    const reading = vi.spyOn(openai, 'readResponseFrom');
    // Before it is on disk it is asked whether it would be.
    reading.mockImplementationOnce((...asked) => readResponseFrom?.(...asked) ?? null);
    reading.mockImplementationOnce(() => Promise.reject(new Error('It has no reader.')));
    expect(await statusFrom(narrow)).toBe(500);
    reading.mockRestore();
    await expectRoom(narrow);
  });

  test('after one that broke off on the way', async () => {
    upstream.script((_request, answer) => {
      answer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${harmless.length}\r\n\r\n`);
      answer.send(harmless.subarray(0, -9));
      answer.end();
    });
    const narrow = await startNarrow();
    expect(await statusFrom(narrow)).toBe(502);
    await expectRoom(narrow);
  });

  test('after one beyond what is judged', async () => {
    const narrow = await startNarrow({ batchBytesMax: harmless.length });
    body = Buffer.concat([harmless, Buffer.from(' ')]);
    expect(await statusFrom(narrow)).toBe(502);
    await expectRoom(narrow);
  });

  test('after a held one whose caller has left was denied', async () => {
    body = transferring;
    const narrow = await startNarrow();
    const client = await fetchFile('/v1/files/file-30/content', narrow);
    const hold = await narrow.ada.nextHold();
    client.destroy();
    await waitFor(async () => expect((await narrow.ada.hold(hold.id)).caller).toBe('gone'));
    await narrow.ada.rule(hold, { verdict: 'deny', reason: 'unknown payee' });
    await expectRoom(narrow);
  });
});

describe('a file of more than begins in memory, and less than what memory has', () => {
  const words = 'word '.repeat(2_000);
  const many = Array.from({ length: 150 }, (_, i) => line(`b${i}`, chatText(`${words}${i}`)));
  const send = async (last: string, file: string, more: Readonly<Record<string, number>> = {}) => {
    body = Buffer.from(`${[...many, last].join('\n')}\n`);
    expect(body.length).toBeGreaterThan(1024 * 1024);
    const { limits: _, ...roomy } = settings;
    const usual = await startTestSidecar({ ...roomy, limits: more });
    return { usual, client: await fetchFile(file, usual) };
  };

  test('arrives byte for byte, every line judged', async () => {
    const { usual, client } = await send(line('last', chatText('Fine.')), '/v1/files/file-20/content');
    const answer = await client.answer();
    expect([answer.status, answer.body.equals(body)]).toEqual([200, true]);
    const last = await usual.ada.lastDecision();
    expect(last.entries[0]?.data).toMatchObject({ line: many.length + 1 });
    const { entries } = await usual.ada.decision(decisionIdOf(answer.head));
    // All of it is stored, as of any answer that memory holds.
    expect(entries[1]?.data).not.toHaveProperty('stored');
  });

  test('leaves the disk once memory has it', async () => {
    const last = line('last', chatText('Fine.'));
    const { usual, client } = await send(last, '/v1/files/file-22/content', {
      spoolBytesMax: 2 * 1024 * 1024,
    });
    expect((await client.answer()).status).toBe(200);
    expect((await (await fetchFile('/v1/files/file-23/content', usual)).answer()).status).toBe(200);
  });

  test('is held for its last line', async () => {
    const { usual, client } = await send(line('last', chatTransfer(25_000)), '/v1/files/file-21/content');
    const hold = await usual.ada.nextHold();
    expect(client.text()).toBe('');
    await usual.ada.rule(hold, { verdict: 'release', reason: 'known payee' });
    expect((await client.answer()).body.equals(body)).toBe(true);
  });
});
