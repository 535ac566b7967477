/** Streams of events, each over a connection of its own: how many there may be, and what becomes of who does not read. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ControlRequest } from '../../../src/control/http.ts';
import { eventRoutes } from '../../../src/control/routes/events.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { HoldEvent } from '../../../src/hold/desk.ts';
import { type Hold, holdFromEntries } from '../../../src/hold/record.ts';
import { listeningOn } from '../../support/listening-on.ts';

const clientsMax = 256;
const clientsOfOneMax = 32;
const backlogBytesMax = 1024 * 1024;
const commentEveryMs = 15_000;
/** So long that few events fill what the machine keeps of a connection by itself. */
const eventBytes = 128 * 1024;

function holdWithId(id: string): Hold {
  const data = {
    approvals: 1,
    decision: 1,
    digest: 'd',
    expires: 0,
    notRequester: true,
    retry: '',
    roles: [],
    rules: [],
  };
  const leaf = {
    boot: '',
    durability: 'strict',
    kid: '',
    ledger: '',
    mono: 0,
    prev: '',
    refs: [],
    v: 1,
  } as const;
  const entry = { ...leaf, at: '2026-11-22T00:00:00.000Z', data, parts: [], seq: 2, type: 'hold' } as const;
  const hold = holdFromEntries([entry], () => id);
  if (hold === null) throw new Error('an entry of type hold makes a hold');
  return hold;
}

async function openStage() {
  const listeners: ((event: HoldEvent) => void)[] = [];
  const left: string[] = [];
  const [route] = eventRoutes({
    holds: {
      subscribe: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
      looking: { leave: (who) => left.push(who) },
    },
  });
  if (route === undefined) throw new Error('events have a route');
  /** Of those that are being answered, by the name of who asked. */
  const answers = new Map<string, ServerResponse>();
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const name = req.headers.from ?? '';
    const asks: ControlRequest = {
      req,
      res,
      params: {},
      query: new URLSearchParams(),
      identity: { name, role: 'viewer' },
      refused: () => undefined,
      stillMay: () => Promise.resolve(),
      requireStanding: () => undefined,
      note: () => undefined,
    };
    answers.set(name, res);
    try {
      await route.handle(asks);
    } catch (error) {
      res.writeHead(error instanceof HoldpointError ? 503 : 500).end();
    }
  };
  const server = createServer((req, res) => void handle(req, res));
  const { url, close } = await listeningOn(server);
  return {
    close,
    left,
    answerTo: (name: string): ServerResponse => {
      const found = answers.get(name);
      if (found === undefined) throw new Error(`nobody answers ${name}`);
      return found;
    },
    tell: (id: string): void => {
      for (const listener of listeners) listener({ kind: 'opened', hold: holdWithId(id), by: '' });
    },
    listen: async (from: string, method = 'GET'): Promise<Listener> => {
      const asking = request(url, { agent: false, headers: { from }, method });
      asking.end();
      const [answer]: IncomingMessage[] = await once(asking, 'response');
      if (answer === undefined) throw new Error('there is no answer');
      return listenerTo(answer);
    },
  };
}

type Listener = ReturnType<typeof listenerTo>;

function listenerTo(answer: IncomingMessage) {
  let text = '';
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // It is cut off, which is what some of these are about.
  answer.on('error', () => undefined);
  return {
    answer,
    text: () => text,
    /** Resolves once that came. */
    until: async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) await once(answer, 'data');
    },
    leave: () => answer.destroy(),
  };
}

let stage: Awaited<ReturnType<typeof openStage>>;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  stage = await openStage();
});
afterEach(async () => {
  await stage.close();
  vi.useRealTimers();
});

it('there are so many streams and no more, whoever asks, until one of them is over', async () => {
  const names = Array.from({ length: clientsMax }, (_, i) => `reader-${i}`);
  const streams = await Promise.all(names.map((name) => stage.listen(name)));
  expect(new Set(streams.map(({ answer }) => answer.statusCode))).toEqual(new Set([200]));
  expect((await stage.listen('one-more')).answer.statusCode).toBe(503);
  const over = once(stage.answerTo('reader-7'), 'close');
  streams[7]?.leave();
  await over;
  expect(stage.left).toEqual(['reader-7']);
  expect((await stage.listen('one-more')).answer.statusCode).toBe(200);
});

it('who does not read is cut off once more waits for them than may, and the others hear on', async () => {
  const stalled = await stage.listen('stalled');
  const reading = await stage.listen('reading');
  await stalled.until(': connected');
  stalled.answer.pause();
  const res = stage.answerTo('stalled');
  const waiting: number[] = [];
  for (let told = 0; !res.destroyed && told < 150; told++) {
    waiting.push(res.writableLength);
    stage.tell(`h-${told}-${'x'.repeat(eventBytes)}`);
    await reading.until(`h-${told}-`);
  }
  expect(res.destroyed).toBe(true);
  expect(waiting.pop()).toBeGreaterThan(backlogBytesMax);
  expect(waiting.every((bytes) => bytes <= backlogBytesMax)).toBe(true);
  stage.tell('h-after');
  await reading.until('h-after');
});

it('a stream on which nothing happens says every quarter of a minute that it is still here', async () => {
  const quiet = await stage.listen('quiet');
  await quiet.until(': connected\n\n');
  vi.advanceTimersByTime(commentEveryMs - 1);
  stage.tell('h-1');
  await quiet.until('h-1');
  expect(quiet.text()).not.toContain(': still here');
  vi.advanceTimersByTime(1);
  await quiet.until(': still here\n\n');
  vi.advanceTimersByTime(commentEveryMs);
  stage.tell('h-2');
  await quiet.until('h-2');
  expect(quiet.text().split(': still here\n\n')).toHaveLength(3);
});

it('who asks for the head alone gets it, to its end, and takes no place', async () => {
  for (let i = 0; i <= clientsOfOneMax; i++) {
    const { answer } = await stage.listen('prober', 'HEAD');
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect(stage.answerTo('prober').writableEnded).toBe(true);
  }
  expect(stage.left).toEqual([]);
});
