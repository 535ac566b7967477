/** What made a rule hold, by what the ledger has of the call: where that is too little, nothing is said. */
import { afterEach, expect, test } from 'vitest';
import { becauseOf } from '../../src/control/held-because.ts';
import { encodeHttpMessage } from '../../src/core/http-message.ts';
import type { JsonObject } from '../../src/ledger/canonical.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { chatRequest, chatText } from '../proxy/answers.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const type = ['Content-Type', 'application/json'];
const answerOf = (text: string): Buffer =>
  encodeHttpMessage({ startLine: 'HTTP/1.1 200 OK', headers: type, body: Buffer.from(chatText(text)) });

let ledger: Ledger | undefined;
afterEach(() => ledger?.close('test over'));

interface Told {
  readonly when?: string;
  readonly error?: string;
  readonly request?: JsonObject;
  readonly response?: JsonObject;
  /** What a later answer of the same decision says. */
  readonly later?: string;
}

/** What is said of a held answer about the weather, by the rule that `told` describes. */
async function because({ when = 'response.text.contains("weather")', error = '', ...told }: Told) {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const startLine = 'POST /v1/chat/completions HTTP/1.1';
  const message = encodeHttpMessage({ startLine, headers: type, body: Buffer.from(chatRequest()) });
  const call = { method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions' };
  const asked = opened.seal({
    type: 'request',
    data: { ...call, provider: 'openai', rules: [], verdict: 'pass', workload: 'w', ...told.request },
    parts: [{ name: 'request', bytes: message }],
  });
  const answer = (text: string, data: JsonObject = {}) =>
    opened.seal({
      type: 'response',
      data: {
        decision: asked.seq,
        result: 'ok',
        rules: ['r'],
        status: 200,
        streamed: false,
        verdict: 'hold',
        ...data,
      },
      refs: [asked.seq],
      parts: [{ name: 'response', bytes: answerOf(text) }],
    });
  const answered = answer('The weather.', told.response);
  await answered.durable;
  if (told.later !== undefined) await answer(told.later).durable;
  const rule = { id: 'r', title: 'R', when, severity: 'high', error } as const;
  const held = { phase: 'response', decision: asked.seq, response: answered.seq, rules: [rule] } as const;
  return (await becauseOf(opened, held)).get('r');
}

const values = [{ path: '/response/text', value: 'The weather.' }];

test('a held answer is told by what is sealed of it', async () => {
  expect(await because({})).toMatchObject([{ expression: 'response.text.contains("weather")', values }]);
});

test('of an answer that another one followed no place is told, because the other one is shown', async () => {
  expect(await because({ later: 'The rain.' })).toMatchObject([
    { values: [{ path: '', value: 'The weather.' }] },
  ]);
});

test.each<[string, Told]>([
  ['only the beginning of the answer is stored', { response: { stored: 10 } }],
  ['only the beginning of the request is stored', { request: { stored: 10 } }],
  [
    'the rule read a fact that is not recorded',
    { when: 'request.subject == ""', request: { subject: 'f1' } },
  ],
  ['the rule could not be decided', { error: 'num() takes a number' }],
  ['the rule was too long to be sealed whole', { when: 'response.text.contains("wea…' }],
  ['no rule of a policy held it', { when: '' }],
  ['the rule does not match what is sealed', { when: 'response.text == "The rain."' }],
])('nothing is told where %s', async (_, told) => {
  expect(await because(told)).toBeUndefined();
});
