/** What rules say of an amendment or a late release, by what the ledger has of the call: too little lets nothing through. */
import { afterEach, expect, test } from 'vitest';
import { denialOf } from '../../src/control/amended-judgement.ts';
import { encodeHttpMessage } from '../../src/core/http-message.ts';
import type { JsonObject } from '../../src/ledger/canonical.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { loadPolicy } from '../../src/policy/compile.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { requireReleasable } from '../../src/replay/held-judgement.ts';
import { chatRequest, chatText } from '../proxy/answers.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const policy = loadPolicy(
  'policy.yaml',
  `version: "1"
rules:
  - id: merger
    title: Nobody hears of the merger
    phase: response
    when: response.text.contains("merger")
    action: deny
    tests:
      - { name: yes, expect: match, response: { text: the merger } }
      - { name: no, expect: no-match, response: { text: the weather } }
`,
);
const type = ['Content-Type', 'application/json'];
const answerOf = (text: string): Buffer =>
  encodeHttpMessage({ startLine: 'HTTP/1.1 200 OK', headers: type, body: Buffer.from(chatText(text)) });

let ledger: Ledger | undefined;
afterEach(() => ledger?.close('test over'));

/** A held answer about the weather to a request of which the entry says `stored`. */
async function sealHeldAnswer(stored: JsonObject) {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const startLine = 'POST /v1/chat/completions HTTP/1.1';
  const message = encodeHttpMessage({ startLine, headers: type, body: Buffer.from(chatRequest()) });
  const call = { method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions' };
  const asked = opened.seal({
    type: 'request',
    data: { ...call, provider: 'openai', rules: [], verdict: 'pass', workload: 'w', ...stored },
    parts: [{ name: 'request', bytes: message }],
  });
  return { opened, hold: await sealAnswer(opened, asked.seq) };
}

/** The held answer about the weather to what was asked. */
async function sealAnswer(opened: Ledger, decision: number) {
  const { seq, durable } = opened.seal({
    type: 'response',
    data: { decision, result: 'ok', rules: ['x'], status: 200, streamed: false, verdict: 'hold' },
    refs: [decision],
    parts: [{ name: 'response', bytes: answerOf('The weather.') }],
  });
  await durable;
  return { phase: 'response', decision, response: seq } as const;
}

async function heldAnswer(stored: JsonObject) {
  const { opened, hold } = await sealHeldAnswer(stored);
  return (text: string) => denialOf(opened, hold, answerOf(text), policy);
}

test('an amended answer is judged as it would go on, not as it was held', async () => {
  const denial = await heldAnswer({});
  expect(await denial('The merger.')).toMatchObject({ rule: 'merger' });
  expect(await denial('The rain.')).toBe(null);
});

test('an answer to a request of which only the beginning is stored is not amended', async () => {
  const denial = await heldAnswer({ stored: 10 });
  await expect(denial('The rain.')).rejects.toMatchObject({ code: 'not_amendable' });
});

const files = loadPolicy(
  'policy.yaml',
  `version: "1"
rules:
  - id: unjudged
    title: No batch of a file that nobody saw
    phase: request
    when: size(request.unjudgedFiles) > 0
    action: deny
    tests:
      - { name: yes, expect: match, request: { operation: batches, unjudgedFiles: [file-b] } }
      - { name: no, expect: no-match, request: { operation: batches } }
`,
);

test('an answer that cannot be judged again is released only by the policy that held it, or by one that denies nothing', async () => {
  const { opened, hold } = await sealHeldAnswer({ stored: 10 });
  const released = (policyDigest: string, inForce: Policy) =>
    requireReleasable(opened, { ...hold, policyDigest }, inForce);
  await expect(released('another', policy)).rejects.toMatchObject({ code: 'policy_changed' });
  await released(policy.digest, policy);
  await released('another', files);
});

test('a request to run files is not amended where a rule denies by which of them were judged', async () => {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const body = (file: string): Buffer =>
    Buffer.from(JSON.stringify({ input_file_id: file, endpoint: '/v1/chat/completions' }));
  const messageOf = (file: string): Buffer =>
    encodeHttpMessage({ startLine: 'POST /v1/batches HTTP/1.1', headers: type, body: body(file) });
  const call = { method: 'POST', operation: 'batches', path: '/v1/batches', provider: 'openai' };
  const asked = opened.seal({
    type: 'request',
    data: { ...call, rules: ['x'], verdict: 'hold', workload: 'w' },
    parts: [{ name: 'request', bytes: messageOf('file-a') }],
  });
  await asked.durable;
  const hold = { phase: 'request', decision: asked.seq, response: null } as const;
  const denial = (inForce: Policy) => denialOf(opened, hold, messageOf('file-b'), inForce);
  await expect(denial(files)).rejects.toMatchObject({ code: 'not_amendable' });
  // Of rules that look at something else everything is known.
  expect(await denial(policy)).toBe(null);
});

const ofOneModel = loadPolicy(
  'policy.yaml',
  `version: "1"
rules:
  - id: merger
    title: That model says nothing of the merger
    phase: response
    when: request.model == "other" && response.text.contains("merger")
    action: deny
    tests:
      - { name: yes, expect: match, request: { model: other }, response: { text: the merger } }
      - { name: no, expect: no-match, response: { text: the merger } }
`,
);

test.each([
  ['amended', { final: true, verdict: 'amend' }, 'merger'],
  [
    'said to be amended by one of two people, and not yet by the other',
    { final: false, verdict: 'amend' },
    undefined,
  ],
])('an answer is judged with what was asked where the request was %s', async (_what, ruling, rule) => {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const startLine = 'POST /v1/chat/completions HTTP/1.1';
  const asking = (model: string): Buffer =>
    encodeHttpMessage({ startLine, headers: type, body: Buffer.from(chatRequest({ model })) });
  const call = { method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions' };
  const asked = opened.seal({
    type: 'request',
    data: { ...call, provider: 'openai', rules: ['x'], verdict: 'hold', workload: 'w' },
    parts: [{ name: 'request', bytes: asking('gpt-4.1') }],
  });
  opened.seal({
    type: 'ruling',
    data: { decision: asked.seq, ...ruling },
    refs: [asked.seq],
    parts: [{ name: 'amendment', bytes: asking('other') }],
  });
  const hold = await sealAnswer(opened, asked.seq);
  expect((await denialOf(opened, hold, answerOf('The merger.'), ofOneModel))?.rule).toBe(rule);
});

test('a batch is denied for any of its lines, also where the policy came behind the hold', async () => {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const batchOf = (...models: readonly string[]): Buffer => {
    const requests = models.map((model, place) => ({
      custom_id: `line-${place}`,
      params: { model, max_tokens: 9, messages: [{ role: 'user', content: 'Hello?' }] },
    }));
    const startLine = 'POST /v1/messages/batches HTTP/1.1';
    return encodeHttpMessage({ startLine, headers: type, body: Buffer.from(JSON.stringify({ requests })) });
  };
  const inForce = loadPolicy(
    'policy.yaml',
    `version: "1"
rules:
  - id: no-other
    title: Nobody asks the other
    phase: request
    when: request.model == "other"
    action: deny
    tests:
      - { name: yes, expect: match, request: { model: other } }
      - { name: no, expect: no-match, request: { model: claude } }
`,
  );
  const call = { method: 'POST', operation: 'messages.batches', path: '/v1/messages/batches' };
  const { seq, durable } = opened.seal({
    type: 'request',
    data: { ...call, provider: 'anthropic', rules: ['x'], verdict: 'hold', workload: 'w' },
    parts: [{ name: 'request', bytes: batchOf('claude', 'claude', 'other') }],
  });
  await durable;
  const hold = { phase: 'request', decision: seq, response: null } as const;
  const released = requireReleasable(opened, { ...hold, policyDigest: 'another' }, inForce);
  await expect(released).rejects.toMatchObject({ code: 'policy_changed' });
  expect(await denialOf(opened, hold, batchOf('claude', 'other'), inForce)).toMatchObject({
    rule: 'no-other',
  });
  expect(await denialOf(opened, hold, batchOf('claude', 'claude'), inForce)).toBe(null);
});

test.each([
  ['is only known to have been', type, 'not_amendable'],
  ['stands in the record', [...type, 'holdpoint-subject', 'customer-1'], null],
] as const)(
  'an answer for somebody who %s is judged by rules that deny by whom it is for',
  async (_what, headers, code) => {
    const opened = await createLedgerUnderTest().open();
    ledger = opened;
    const bySubject = loadPolicy(
      'policy.yaml',
      `version: "1"
rules:
  - id: not-for-them
    title: Nothing for that customer
    phase: response
    when: request.subject == "customer-1"
    action: deny
    tests:
      - { name: yes, expect: match, request: { subject: customer-1 } }
      - { name: no, expect: no-match, request: { subject: other } }
`,
    );
    const startLine = 'POST /v1/chat/completions HTTP/1.1';
    const call = { method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions' };
    const message = encodeHttpMessage({ startLine, headers: [...headers], body: Buffer.from(chatRequest()) });
    const asked = opened.seal({
      type: 'request',
      data: { ...call, provider: 'openai', rules: [], verdict: 'pass', workload: 'w', subject: 'f1' },
      parts: [{ name: 'request', bytes: message }],
    });
    const hold = await sealAnswer(opened, asked.seq);
    const denial = denialOf(opened, hold, answerOf('The rain.'), bySubject);
    if (code !== null) await expect(denial).rejects.toMatchObject({ code });
    else expect(await denial).toMatchObject({ rule: 'not-for-them' });
  },
);
