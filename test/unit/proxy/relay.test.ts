import { createServer, type ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { openai } from '../../../src/provider/openai/family.ts';
import { createAnswerBody } from '../../../src/proxy/answer-body.ts';
import type { Answer } from '../../../src/proxy/forward.ts';
import { relayText } from '../../../src/proxy/relay.ts';
import { listeningOn } from '../../support/listening-on.ts';

const pieces = ['Hold', ' the', ' line'].map(
  (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
);

/** All of an answer in pieces that arrived together. */
function arrivedTogether(): Answer {
  const body = createAnswerBody();
  for (const piece of pieces) body.push(Buffer.from(piece));
  body.end(null);
  const { chunks, peek, readAll } = body;
  const head = { status: 200, statusText: 'OK', headers: ['content-type', 'text/event-stream'] };
  return { ...head, resent: false, chunks, peek, readAll, trailers: () => [], abort: () => undefined };
}

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
    const caller = { gone: false, whenGone: () => undefined };
    const house = { clock: systemClock, bounds: { responseBytesMax: 1_000 } };
    const { rest } = await relayText({ caller, res }, 'decision', arrivedTogether(), watched, house);
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

it('stops the upstream when a piece cannot be read', async () => {
  const reasons: string[] = [];
  const answer = { ...arrivedTogether(), abort: (reason: string) => reasons.push(reason) };
  const stream = {
    finish: openai.openStream('chat.completions', 200, 'sse').finish,
    push: () => {
      throw new RangeError('a defect');
    },
  };
  const house = { clock: systemClock, bounds: { responseBytesMax: 1_000 } };
  const server = createServer((_req, res) => {
    const caller = { gone: false, whenGone: () => undefined };
    relayText({ caller, res }, 'decision', answer, stream, house).catch((error: unknown) =>
      res.end(String(error)),
    );
  });
  const { url, close } = await listeningOn(server);
  try {
    expect(await (await fetch(url)).text()).toBe('RangeError: a defect');
    expect(reasons).toHaveLength(1);
  } finally {
    await close();
  }
});
