import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/bytes.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { openai } from '../../../src/provider/openai/family.ts';
import { createAnswerBody } from '../../../src/proxy/answer-body.ts';
import type { Answer } from '../../../src/proxy/forward.ts';
import { type Relayed, relayText, relayUnread } from '../../../src/proxy/relay.ts';
import { listeningOn } from '../../support/listening-on.ts';

const pieces = ['Hold', ' the', ' line'].map(
  (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
);

/** All of an answer in pieces that arrived together. */
function arrivedTogether(said: readonly string[] = pieces): Answer {
  const body = createAnswerBody();
  for (const piece of said) body.push(Buffer.from(piece));
  body.end(null);
  const { chunks, peek, readAll } = body;
  const head = { status: 200, statusText: 'OK', headers: ['content-type', 'text/event-stream'] };
  return { ...head, resent: false, chunks, peek, readAll, trailers: () => [], abort: () => undefined };
}

const ledger = { isWritable: () => true, isOpen: () => true };
const decision = { seq: 1, id: 'decision' };

it('has given the first text to the connection when it begins to read the next piece', async () => {
  const waitingBytes: number[] = [];
  async function relay(res: ServerResponse): Promise<void> {
    const stream = openai.openStream('chat.completions', 200, 'sse');
    const watched = {
      finish: stream.finish,
      push: (chunk: Buffer) => {
        waitingBytes.push(res.socket?.writableLength ?? Number.NaN);
        return stream.push(chunk);
      },
    };
    const caller = { gone: false, cut: false, whenGone: () => undefined };
    const house = { clock: systemClock, ledger, bounds: { responseBytesMax: 1_000 } };
    const { rest } = await relayText({ caller, res }, decision, arrivedTogether(), watched, house);
    res.end(rest);
  }
  const failures: unknown[] = [];
  const server = createServer((_req, res) => {
    relay(res).catch((error: unknown) => failures.push(error) && res.destroy());
  });
  const { url, close } = await listeningOn(server);
  try {
    const answer = await fetch(url);
    expect(await answer.text()).toBe(pieces.join(''));
    expect(answer.headers.get('holdpoint-decision')).toBe('decision');
    expect(failures).toEqual([]);
    // Later pieces may be gathered; the first waits for none of them.
    expect(waitingBytes.slice(0, 2)).toEqual([0, 0]);
    expect(waitingBytes[2]).toBeGreaterThan(0);
  } finally {
    await close();
  }
});

it('says how long a text was that is too large, and what all of it hashes to, where its beginning is stored', async () => {
  const reasons: string[] = [];
  const answer = { ...arrivedTogether(), abort: (reason: string) => reasons.push(reason) };
  const [first = '', second = ''] = pieces;
  const bounds = { responseBytesMax: first.length + 9 };
  const relayed = Promise.withResolvers<Relayed>();
  const server = createServer((_req, res) => {
    const caller = { gone: false, cut: false, whenGone: () => undefined };
    const stream = openai.openStream('chat.completions', 200, 'sse');
    relayText({ caller, res }, decision, answer, stream, { clock: systemClock, ledger, bounds })
      .then(relayed.resolve, relayed.reject)
      .finally(() => res.end());
  });
  const { url, close } = await listeningOn(server);
  try {
    expect(await (await fetch(url)).text()).toBe(first);
    const { body, bytes, sha256, failure } = await relayed.promise;
    expect(body.toString()).toBe((first + second).slice(0, bounds.responseBytesMax));
    expect(bytes).toBe(first.length + second.length);
    expect(sha256).toBe(sha256Hex(Buffer.from(first + second)));
    expect([failure?.code, reasons]).toEqual(['response_too_large', ['The answer is too large.']]);
  } finally {
    await close();
  }
});

it('stops the upstream when a piece cannot be read', async () => {
  const reasons: string[] = [];
  const answer = { ...arrivedTogether(), abort: (reason: string) => reasons.push(reason) };
  const stream = {
    finish: openai.openStream('chat.completions', 200, 'sse').finish,
    push: () => {
      throw new RangeError('a defect');
    },
  };
  const house = { clock: systemClock, ledger, bounds: { responseBytesMax: 1_000 } };
  const server = createServer((_req, res) => {
    const caller = { gone: false, cut: false, whenGone: () => undefined };
    relayText({ caller, res }, decision, answer, stream, house).then(
      ({ failure }) => res.end(`${failure?.code} ${failure?.cause}`),
      () => res.destroy(),
    );
  });
  const { url, close } = await listeningOn(server);
  try {
    expect(await (await fetch(url)).text()).toBe('internal RangeError: a defect');
    expect(reasons).toHaveLength(1);
  } finally {
    await close();
  }
});

/** What a caller has before the seal, and what waits for it. */
async function relayedBy(relay: (res: ServerResponse) => Promise<Relayed>) {
  const relayed = Promise.withResolvers<Relayed>();
  const server = createServer((_req, res) => {
    relay(res)
      .then(relayed.resolve, relayed.reject)
      .finally(() => res.destroy());
  });
  const { url, close } = await listeningOn(server);
  try {
    await fetch(url)
      .then((answer) => answer.text())
      .catch(() => '');
    const { passedBytes, rest, body } = await relayed.promise;
    return { passed: body.toString('utf8', 0, passedBytes), rest: rest.toString() };
  } finally {
    await close();
  }
}

const caller = { gone: false, cut: false, whenGone: () => undefined };
const text = pieces.join('');

it.each([
  ['the end', 'data: [DONE]\n\n'],
  ['an error', 'data: {"error":{"message":"no","code":"x"}}\n\n'],
  [
    'a tool call',
    'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}}]}\n\n',
  ],
])('lets text pass, and keeps %s and all behind it for the seal', async (_what, event) => {
  const stream = openai.openStream('chat.completions', 200, 'sse');
  const house = { clock: systemClock, ledger, bounds: { responseBytesMax: 10_000 } };
  const answer = arrivedTogether([...pieces, event, pieces[0] ?? '']);
  const said = await relayedBy((res) => relayText({ caller, res }, decision, answer, stream, house));
  expect(said).toEqual({ passed: text, rest: event + pieces[0] });
});

it('keeps the piece that completes an answer of known length for the seal', async () => {
  const answer = { ...arrivedTogether(), headers: ['content-length', String(text.length)] };
  const house = { ledger, bounds: { storedBytesMax: 10_000, passedBytesMax: 10_000 } };
  const [first = '', second = '', last = ''] = pieces;
  expect(await relayedBy((res) => relayUnread({ caller, res }, decision, answer, house))).toEqual({
    passed: first + second,
    rest: last,
  });
});

it.each([
  [9, ''],
  [11, 'all of it'],
])('of frames without text, %i seconds after the first of them, shows %j', async (seconds, shown) => {
  let nowUs = 0;
  const clock = { ...systemClock, monoUs: () => nowUs };
  const role = 'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n';
  const stream = openai.openStream('chat.completions', 200, 'sse');
  const later = {
    finish: stream.finish,
    push: (chunk: Buffer) => {
      nowUs = seconds * 1_000_000;
      return stream.push(chunk);
    },
  };
  const house = { clock, ledger, bounds: { responseBytesMax: 10_000 } };
  const said = await relayedBy((res) =>
    relayText({ caller, res }, decision, arrivedTogether([role]), later, house),
  );
  expect(said.passed).toBe(shown === '' ? '' : role);
});

/** True for the first piece, and from then on not. */
function once(): () => boolean {
  let asked = 0;
  return () => {
    asked += 1;
    return asked <= 1;
  };
}

describe.each([
  ['takes nothing', { isWritable: once, isOpen: () => () => true }],
  ['was opened again, which ended the decision', { isWritable: () => () => true, isOpen: once }],
])('where the ledger %s', (_how, { isWritable, isOpen }) => {
  const bounds = { responseBytesMax: 10_000, storedBytesMax: 10_000, passedBytesMax: 10_000 };

  it.each(['relayText', 'relayUnread'])('%s passes nothing more, and stops the upstream', async (way) => {
    const house = { clock: systemClock, ledger: { isWritable: isWritable(), isOpen: isOpen() }, bounds };
    const stream = openai.openStream('chat.completions', 200, 'sse');
    const reasons: string[] = [];
    const answer = { ...arrivedTogether(), abort: (reason: string) => reasons.push(reason) };
    let failure: unknown = null;
    const said = await relayedBy(async (res) => {
      const relayed = await (way === 'relayText'
        ? relayText({ caller, res }, decision, answer, stream, house)
        : relayUnread({ caller, res }, decision, answer, house));
      failure = relayed.failure?.code;
      return relayed;
    });
    expect(said.passed).toBe(pieces[0]);
    expect([failure, reasons]).toEqual(['ledger_unavailable', ['The answer cannot be relayed.']]);
  });
});
