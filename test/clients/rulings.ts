/** Scenarios in which a person or a rule has a say: what is held, denied, changed, and asked for again. */
import { expect } from 'vitest';
import type { Asked, Client } from './client.ts';
import { type Failure, raisedBy } from './failure.ts';
import { argumentsOf, questions } from './questions.ts';
import {
  type Bench,
  equal,
  expectedCalls,
  forms,
  lostCalls,
  outcomeOf,
  type Scenario,
  through,
  whole,
} from './scenario.ts';
import { announcing } from './transcripts.ts';

const large = (n: number): number => 20_000 + n;
/** Of this model the policy has never heard. */
const unlistedModel = 'unlisted-model';

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
    const shown = !('status' in streamed && streamed.status === denial.status);
    if (shown && announcing.has(client.protocol))
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
      const lost = stream && client.streamedCalls === false;
      expect(calls.map((call) => call.args)).toEqual(lost ? [] : [argumentsOf(amounts[0]), args]);
    }
    return client.streamedCalls === false ? { limitation: lostCalls } : equal;
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

export const rulingScenarios: readonly Scenario[] = [held, denied, deniedInStream, amended, comeAgain];
