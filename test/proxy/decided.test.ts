/** Questions that a model decides without a word: a rule on what was decided holds the answer, for both SDKs that ask so. */
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { policyOf } from './policies.ts';

const holdRefunds = policyOf({
  phase: 'response',
  when: `re2(response.text, r'(?m)^refund = yes$')`,
  action: 'hold',
  match: '{ text: "fraud = 0.1\\nrefund = yes" }',
  noMatch: '{ text: "fraud = 0.1\\nrefund = yes, or no" }',
});
const usage = { input_tokens: 5, output_tokens: 2, total_tokens: 7 };
const openaiAnswer = (choice: string) => ({
  answers: [{ name: 'refund', type: 'choice', choice, confidence: 0.9, probabilities: [] }],
  model: 'gpt-6.2-sol',
  usage,
});
const googleAnswer = (choice: string) => ({
  answers: { refund: { type: 'choice', choice, confidence: 0.9, probabilities: {} } },
});

let sidecar: TestSidecar;
let openai: OpenAI;
let google: GoogleGenAI;

beforeAll(async () => {
  const upstream = await startRawUpstream(({ head, body }, answer) => {
    const choice = body.toString('utf8').includes('in shards') ? 'yes' : 'no';
    const said = head.includes('v1beta') ? googleAnswer(choice) : openaiAnswer(choice);
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], JSON.stringify(said)));
  });
  sidecar = await startTestSidecar({
    policy: holdRefunds,
    upstreams: {
      openai: { url: upstream.url, protocol: 'openai', mount: '/' },
      google: { url: upstream.url, protocol: 'gemini', mount: '/google' },
    },
  });
  openai = new OpenAI({ baseURL: `${sidecar.proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0 });
  const httpOptions = { baseUrl: `${sidecar.proxyUrl}/google` };
  google = new GoogleGenAI({ apiKey: 'AIza', apiVersion: 'v1beta', httpOptions });
});
afterAll(endAll);

const criteria = { yes: 'It came broken.', no: 'It did not.' };
const asking = {
  OpenAI: async (input: string) => {
    const choices = Object.entries(criteria).map(([value, description]) => ({ value, description }));
    const question = { type: 'choice', name: 'refund', instructions: 'Refund it?', choices } as const;
    const { answers } = await openai.decisions.create({ model: 'gpt-6.2-sol', input, questions: [question] });
    const [answer] = answers;
    return answer?.type === 'choice' ? answer.choice : null;
  },
  Google: async (input: string) => {
    const questions = { refund: { type: 'choice', instructions: 'Refund it?', criteria } } as const;
    const { answers } = await google.decisions.create({ model: 'models/gemini-3-flash', input, questions });
    const answer = answers?.['refund'];
    return answer?.type === 'choice' ? answer.choice : null;
  },
};

test.each(Object.keys(asking) as readonly (keyof typeof asking)[])(
  '%s: what a rule is about waits',
  async (who) => {
    const deciding = asking[who]('The cup came in shards.');
    const hold = await sidecar.ada.nextHold();
    expect(hold.phase).toBe('response');
    await sidecar.ada.rule(hold, { verdict: 'release' });
    expect(await deciding).toBe('yes');
  },
);

test.each(Object.keys(asking) as readonly (keyof typeof asking)[])(
  '%s: anything else does not',
  async (who) => {
    expect(await asking[who]('The cup is fine.')).toBe('no');
  },
);
