/**
 * What every SDK is put through, once directly and once through the sidecar. A scenario fails where both
 * differ; it resolves with what users should know: nothing, or a limitation as it was observed.
 */
import { expect } from 'vitest';
import type { Asked, AskOptions, Client } from './client.ts';
import type { Desk } from './desk.ts';
import { type Failure, failureOf, raisedBy } from './failure.ts';
import { argumentsOf, questions, spoken } from './questions.ts';
import { announcing, withoutInBandError } from './transcripts.ts';
import type { Upstreams } from './upstreams.ts';

/** Where one client finds the providers, with the sidecar between and without. */
export interface Bench {
  readonly upstreams: Upstreams;
  readonly proxyUrl: string;
  /** A sidecar that tells waiting callers after a moment to come again. */
  readonly impatientUrl: string;
  readonly desk: Desk;
  readonly impatientDesk: Desk;
  /** Questions whose callers left; how they are recorded is looked up once for all. */
  readonly aborted: { readonly protocol: string; readonly prompt: string }[];
  /** A number that no other question has. */
  next(): number;
}

export interface Outcome {
  /** What differs from the plain tick, in words; '' when all was equal. */
  readonly limitation: string;
  /** The error its users catch, for the scenarios that raise one. */
  readonly raised?: Failure;
}

export interface Scenario {
  readonly name: string;
  /** What it proves, for the document. */
  readonly proves: string;
  run(client: Client, bench: Bench): Promise<Outcome>;
}

const equal: Outcome = { limitation: '' };
const forms = [false, true] as const;
const large = (n: number): number => 20_000 + n;
/** Of this model the policy has never heard. */
const unlistedModel = 'unlisted-model';

const whole = (client: Client, { upstreams }: Bench) => upstreams.direct(client).whole;
const halved = (client: Client, { upstreams }: Bench) => upstreams.direct(client).halved;
const through = (client: Client, { proxyUrl }: Bench) => `${proxyUrl}/${client.protocol}`;
const throughHalved = (client: Client, { proxyUrl }: Bench) => `${proxyUrl}/half/${client.protocol}`;

/** Asks directly, then through the sidecar; both must have the same answer. */
async function same(client: Client, bench: Bench, prompt: string, options: AskOptions): Promise<Asked> {
  const expected = await client.ask(whole(client, bench), prompt, options);
  expect(await client.ask(through(client, bench), prompt, options)).toEqual(expected);
  return expected;
}

const expectedCalls = (amounts: readonly number[]) =>
  amounts.map((amount) => ({ name: 'transfer_funds', args: argumentsOf(amount) }));

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
    expect(calls).toMatchObject(expectedCalls(amounts));
  }
  return equal;
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

const outcomeOf = (answer: Promise<Asked>): Promise<Asked | Failure> => answer.catch(failureOf);

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

const held: Scenario = {
  name: 'held',
  proves:
    'a held answer, whole and streamed: nothing is shown before the ruling, all of it after the release',
  async run(client, bench) {
    for (const stream of forms) {
      const amounts = [bench.next(), large(bench.next())] as const;
      const prompt = questions.transfer(...amounts);
      const expected = await client.ask(whole(client, bench), prompt, { stream });
      let shown = false;
      const onPiece = (): void => {
        shown = true;
      };
      const answer = client.ask(through(client, bench), prompt, { stream, onPiece });
      void answer.then(onPiece, onPiece);
      const found = await bench.desk.holdOf(amounts[1]);
      expect(found.calls.map((call) => call.arguments)).toEqual(amounts.map(argumentsOf));
      expect(shown).toBe(false);
      await found.rule('release');
      expect(await answer).toEqual(expected);
    }
    return equal;
  },
};

const denied: Scenario = {
  name: 'denied',
  proves:
    'denied by a reviewer and by a rule, whole and streamed: the SDK’s own permission error, and no second try',
  async run(client, bench) {
    const denial = { class: client.denial, status: 403 };
    for (const stream of forms) {
      const unsent = questions.text(bench.next());
      const refused = client.ask(through(client, bench), unsent, { stream, model: unlistedModel });
      expect(await raisedBy(refused)).toMatchObject(denial);
      expect(bench.upstreams.asked(unsent)).toBe(0);
    }
    const raised = await deny(client, bench, questions.transfer, false);
    expect(raised).toMatchObject(denial);
    const streamed = await deny(client, bench, questions.transfer, true);
    if (announcing.has(client.protocol))
      return {
        limitation:
          'streamed, the model’s plan is shown before its tool call, so the denial comes within the stream',
        raised: failed(raised),
      };
    expect(streamed).toMatchObject(denial);
    return { limitation: '', raised: failed(raised) };
  },
};

const failed = (outcome: Asked | Failure): Failure => {
  if ('class' in outcome) return outcome;
  throw new Error('An error was due.');
};

/** Has a reviewer deny a transfer, after which the upstream must have been asked once. */
async function deny(client: Client, bench: Bench, question: (amount: number) => string, stream: boolean) {
  const amount = large(bench.next());
  const prompt = question(amount);
  const answer = outcomeOf(client.ask(through(client, bench), prompt, { stream }));
  await (await bench.desk.holdOf(amount)).rule('deny');
  const outcome = await answer;
  expect(bench.upstreams.asked(prompt)).toBe(1);
  return outcome;
}

const deniedInStream: Scenario = {
  name: 'denied in stream',
  proves:
    'denied after text has been shown: an error in the stream, nothing of the tool call, and no second try',
  async run(client, bench) {
    const outcome = await deny(client, bench, questions.textThenTransfer, true);
    if (!('class' in outcome)) {
      expect(outcome.calls).toEqual([]);
      return {
        limitation: `the SDK raises nothing for an error in the stream: the answer ends after its text, without the tool call, for the reason ${outcome.finish}`,
      };
    }
    const named = outcome.message.includes('denied');
    return {
      limitation: named ? '' : 'the SDK raises an error of its own, without the words of the denial',
      raised: outcome,
    };
  },
};

const amended: Scenario = {
  name: 'amended',
  proves: 'a reviewer’s other arguments, whole and streamed, in the place of the model’s',
  async run(client, bench) {
    for (const stream of forms) {
      const amounts = [bench.next(), large(bench.next())] as const;
      const answer = client.ask(through(client, bench), questions.transfer(...amounts), { stream });
      const found = await bench.desk.holdOf(amounts[1]);
      const args = { amount: 1_000, currency: 'CHF', note: 'less “now”\n☀️' };
      const amendment = { toolCalls: [{ id: found.calls[1]?.id, arguments: args }] };
      await found.rule('amend', amendment);
      const { calls } = await answer;
      expect(calls.map((call) => call.args)).toEqual([argumentsOf(amounts[0]), args]);
    }
    return equal;
  },
};

const comeAgain: Scenario = {
  name: 'comes again',
  proves:
    'told to come again while held, the SDK’s own retry collects the answer without a second upstream call',
  async run(client, bench) {
    const amount = large(bench.next());
    const prompt = questions.transfer(amount);
    const ask = () => client.ask(`${bench.impatientUrl}/${client.protocol}`, prompt, { stream: false });
    const first = outcomeOf(ask());
    const { stream } = await bench.impatientDesk.holdOf(amount);
    const waiting = stream ? bench.impatientDesk.holdOf(amount) : bench.impatientDesk.callerGone(amount);
    await (await waiting).rule('release');
    const outcome = await first;
    const told = 'class' in outcome;
    expect(told).toBe(!client.retries);
    const answer = told ? await ask() : outcome;
    expect(answer.calls).toMatchObject(expectedCalls([amount]));
    expect(bench.upstreams.asked(prompt)).toBe(1);
    if (stream)
      return {
        limitation: 'the SDK always streams, so it waits for the ruling and is never told to come again',
      };
    return {
      limitation: told
        ? `the SDK does not try again by itself: it raises ${outcome.class} (${outcome.status}), and the same call made again collects the answer`
        : '',
    };
  },
};

export const scenarios: readonly Scenario[] = [
  plain,
  stream,
  toolCall,
  parallelCalls,
  error,
  failing,
  brokenOff,
  abort,
  held,
  denied,
  deniedInStream,
  amended,
  comeAgain,
];
