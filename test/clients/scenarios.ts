/**
 * What every SDK is put through, once directly and once through the sidecar. A scenario fails where both
 * differ; it resolves with what users should know: nothing, or a limitation as it was observed.
 */
import { expect } from 'vitest';
import type { Asked, AskOptions, Client } from './client.ts';
import { type Failure, raisedBy } from './failure.ts';
import { questions, spoken } from './questions.ts';
import { rulingScenarios } from './rulings.ts';
import {
  type Bench,
  equal,
  expectedCalls,
  forms,
  halved,
  lostCalls,
  type Outcome,
  outcomeOf,
  type Scenario,
  through,
  throughHalved,
  whole,
} from './scenario.ts';
import { withoutInBandError } from './transcripts.ts';

/** Asks directly, then through the sidecar; both must have the same answer. */
async function same(client: Client, bench: Bench, prompt: string, options: AskOptions): Promise<Asked> {
  const expected = await client.ask(whole(client, bench), prompt, options);
  expect(await client.ask(through(client, bench), prompt, options)).toEqual(expected);
  return expected;
}

const plain: Scenario = {
  name: 'plain',
  proves: 'a whole answer: text, finish reason and usage are the same',
  async run(client, bench) {
    const { text } = await same(client, bench, questions.text(bench.next()), { stream: false });
    expect(text).toBe(spoken);
    return equal;
  },
};

const stream: Scenario = {
  name: 'stream',
  proves: 'a streamed answer: text piece by piece, finish reason and usage are the same',
  async run(client, bench) {
    const prompt = questions.text(bench.next());
    const pieces: string[] = [];
    const onPiece = (text: string): number => pieces.push(text);
    const { text } = await same(client, bench, prompt, { stream: true, onPiece });
    expect(text).toBe(spoken);
    expect(pieces.join('')).toBe(spoken.repeat(2));
    expect(pieces.length).toBeGreaterThan(10);
    return equal;
  },
};

async function sameCalls(client: Client, bench: Bench, amountsOf: () => number[]): Promise<Outcome> {
  for (const stream of forms) {
    const amounts = amountsOf();
    const { calls } = await same(client, bench, questions.transfer(...amounts), { stream });
    expect(calls).toMatchObject(stream && client.streamedCalls === false ? [] : expectedCalls(amounts));
  }
  return client.streamedCalls === false ? { limitation: lostCalls } : equal;
}

const toolCall: Scenario = {
  name: 'tool call',
  proves: 'a tool call, whole and streamed: name and arguments are the same',
  run: (client, bench) => sameCalls(client, bench, () => [bench.next()]),
};

const parallelCalls: Scenario = {
  name: 'parallel calls',
  proves: 'two tool calls in one answer, whole and streamed',
  run: (client, bench) => sameCalls(client, bench, () => [bench.next(), bench.next()]),
};

const error: Scenario = {
  name: 'error',
  proves: 'the provider’s 400, 429 and 500: the same error class, status and message',
  async run(client, bench) {
    let raised: Failure | undefined;
    for (const status of [400, 429, 500])
      for (const stream of forms) {
        const prompt = questions.refusal(status, bench.next());
        const options = { stream, retries: 0 };
        const expected = await raisedBy(client.ask(halved(client, bench), prompt, options));
        expect(await raisedBy(client.ask(throughHalved(client, bench), prompt, options))).toEqual(expected);
        if (status === 429) raised = expected;
      }
    return raised === undefined ? equal : { limitation: '', raised };
  },
};

const failing: Scenario = {
  name: 'error in stream',
  proves: 'the provider’s own error after a stream has begun: the same error class and message',
  async run(client, bench) {
    if (withoutInBandError.has(client.protocol))
      return { limitation: 'the provider documents no error within a stream' };
    const prompt = questions.failure(bench.next());
    const options = { stream: true, retries: 0 };
    const [expected, got] = await Promise.all([
      outcomeOf(client.ask(halved(client, bench), prompt, options)),
      outcomeOf(client.ask(throughHalved(client, bench), prompt, options)),
    ]);
    expect(got).toEqual(expected);
    return 'class' in expected
      ? { limitation: '', raised: expected }
      : { limitation: 'the SDK itself takes the error for the end of the answer, with Holdpoint or without' };
  },
};

const brokenOff: Scenario = {
  name: 'broken off',
  proves: 'an upstream that dies mid-stream: an error, never a shorter answer',
  async run(client, bench) {
    const prompt = questions.breakOff(bench.next());
    const options = { stream: true, retries: 0 };
    const expected = await outcomeOf(client.ask(halved(client, bench), prompt, options));
    const got = await outcomeOf(client.ask(throughHalved(client, bench), prompt, options));
    if ('class' in expected) expect(got).toMatchObject({ class: expected.class });
    else expect(got).toEqual(expected);
    return 'class' in expected
      ? { limitation: '', raised: expected }
      : { limitation: 'the SDK itself takes the part for the whole, with Holdpoint or without' };
  },
};

const abort: Scenario = {
  name: 'abort',
  proves:
    'a caller that aborts mid-stream: the upstream’s connection is closed, the part that came is sealed as client_abort',
  async run(client, bench) {
    const prompt = questions.silence(bench.next());
    const expected = await abortAtFirstPiece(client, halved(client, bench), prompt);
    await bench.upstreams.hungUp(prompt);
    const got = await abortAtFirstPiece(client, throughHalved(client, bench), prompt);
    await bench.upstreams.hungUp(prompt);
    expect(got).toEqual(expected);
    bench.aborted.push({ protocol: client.protocol, prompt });
    return equal;
  },
};

async function abortAtFirstPiece(client: Client, base: string, prompt: string): Promise<string> {
  const controller = new AbortController();
  const onPiece = (): void => controller.abort();
  const answer = client.ask(base, prompt, { stream: true, signal: controller.signal, onPiece });
  const outcome = await outcomeOf(answer);
  return 'class' in outcome ? outcome.class : 'ended';
}

export const scenarios: readonly Scenario[] = [
  plain,
  stream,
  toolCall,
  parallelCalls,
  error,
  failing,
  brokenOff,
  abort,
  ...rulingScenarios,
];
