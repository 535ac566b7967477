/** A ruling call by call: the answer arrives with the released calls alone, in its provider's own form. */
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from '../contract/support/process.ts';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

afterEach(endAll);

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
const frame = { id: 'c', created: 1, model: 'gpt-4.1' };
const calls = [25_000, 20, 90_000].map((amount, index) => ({
  index,
  id: `call_${index}`,
  type: 'function',
  function: { name: 'transfer_funds', arguments: JSON.stringify({ amount }) },
}));
const chatJson = JSON.stringify({
  object: 'chat.completion',
  ...frame,
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        tool_calls: calls.map(({ index: _index, ...call }) => call),
      },
      finish_reason: 'tool_calls',
    },
  ],
  usage,
});
const chunk = (delta: unknown, finish: string | null = null): string =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', ...frame, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const chatStream = [
  chunk({ role: 'assistant', content: 'Paying.' }),
  ...calls.map((call) => chunk({ tool_calls: [call] })),
  chunk({}, 'tool_calls'),
  'data: [DONE]\n\n',
].join('');
const blocks = calls.map(({ id, function: { name, arguments: text } }) => ({
  type: 'tool_use',
  id,
  name,
  input: JSON.parse(text) as unknown,
}));
const message = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: blocks,
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
};

interface Family {
  readonly target: string;
  readonly request: string;
  readonly answer: string;
  readonly type: string;
}
const chat = { target: '/v1/chat/completions', request: chatRequest() };
const messages = {
  target: '/anthropic/v1/messages',
  request: JSON.stringify({ model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: 'Pay.' }] }),
};
const event = (data: { readonly type: string }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const messagesStream = [
  { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
  ...blocks.flatMap((block, index) => [
    { type: 'content_block_start', index, content_block: { ...block, input: {} } },
    {
      type: 'content_block_delta',
      index,
      delta: { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
    },
    { type: 'content_block_stop', index },
  ]),
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 1 },
  },
  { type: 'message_stop' },
]
  .map(event)
  .join('');
const families: Readonly<Record<string, Family>> = {
  'a chat completion': { ...chat, answer: chatJson, type: 'application/json' },
  'a streamed chat completion': { ...chat, answer: chatStream, type: 'text/event-stream' },
  'an Anthropic message': { ...messages, answer: JSON.stringify(message), type: 'application/json' },
  'a streamed Anthropic message': { ...messages, answer: messagesStream, type: 'text/event-stream' },
};

async function start({ answer, type }: Family): Promise<Rig> {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', [`Content-Type: ${type}`], answer)));
  return rig;
}

describe.each(Object.entries(families))('of %s', (_name, family) => {
  test('only the released calls reach the caller, numbered anew, and the rest stays as it was', async () => {
    const rig = await start(family);
    const client = await rig.post(family.target, family.request);
    const hold = await rig.sidecar.ada.nextHold();
    expect(
      await rig.sidecar.ada.rule(hold, { verdict: 'release', calls: ['call_1', 'call_2'] }),
    ).toMatchObject({
      status: 201,
    });
    const answer = await client.answer();
    const text = answer.body.toString();
    expect(text).not.toContain('call_0');
    expect(text).not.toContain('25000');
    for (const kept of ['call_1', 'call_2', '90000']) expect(text).toContain(kept);
    if (family.answer === chatStream) {
      expect(text).toContain('Paying.');
      const named = [...text.matchAll(/"index":(\d),"id":"(call_\d)"/g)].map(
        ([, index, id]) => `${index} ${id}`,
      );
      expect(named).toEqual(['0 call_1', '1 call_2']);
    }
    if (family.answer === messagesStream)
      expect(text.match(/"index":\d/g)).toEqual([0, 0, 0, 1, 1, 1].map((index) => `"index":${index}`));
    const { entries } = await rig.sidecar.ada.decision(decisionIdOf(answer.head));
    expect(entries.find(({ type }) => type === 'ruling')?.data).toMatchObject({
      verdict: 'amend',
      withheld: [0],
    });
  });
});

describe('of a stream whose beginning its caller has', () => {
  const between = 'And the second:';
  const streams: Readonly<Record<string, Family & { readonly begun: string }>> = {
    'a chat completion': {
      ...chat,
      request: chatRequest({ stream: true }),
      type: 'text/event-stream',
      begun: 'Paying.',
      answer: [
        chunk({ role: 'assistant', content: 'Paying.' }),
        chunk({ tool_calls: [calls[0]] }),
        chunk({ content: between }),
        chunk({ tool_calls: [calls[1]] }),
        chunk({}, 'tool_calls'),
        'data: [DONE]\n\n',
      ].join(''),
    },
    'an Anthropic message': {
      ...messages,
      request: messages.request.replace('{', '{"stream":true,'),
      type: 'text/event-stream',
      begun: 'Paying.',
      answer: [
        { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
        ...[{ type: 'text', text: 'Paying.' }, blocks[0], { type: 'text', text: between }, blocks[1]].flatMap(
          (block, index) => {
            const { delta, empty } =
              block !== undefined && 'text' in block
                ? { delta: { type: 'text_delta', text: block.text }, empty: { text: '' } }
                : {
                    delta: { type: 'input_json_delta', partial_json: JSON.stringify(block?.input) },
                    empty: { input: {} },
                  };
            return [
              { type: 'content_block_start', index, content_block: { ...block, ...empty } },
              { type: 'content_block_delta', index, delta },
              { type: 'content_block_stop', index },
            ];
          },
        ),
        {
          type: 'message_delta',
          delta: { stop_reason: 'tool_use', stop_sequence: null },
          usage: { output_tokens: 1 },
        },
        { type: 'message_stop' },
      ]
        .map(event)
        .join(''),
    },
  };

  test.each(Object.entries(streams))(
    'the text behind a withheld call arrives, once: %s',
    async (_name, family) => {
      const rig = await start(family);
      const client = await rig.post(family.target, family.request);
      await client.until(family.begun);
      await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release', calls: ['call_1'] });
      const text = (await client.answer()).body.toString();
      expect(text).not.toContain('call_0');
      const places = [family.begun, between, 'call_1'].map((part) => text.split(part).length - 1);
      expect(places).toEqual([1, 1, 1]);
    },
  );
});

describe('a ruling call by call', () => {
  const [plain] = Object.values(families);
  if (plain === undefined) throw new Error('there are families');

  test('of all calls is a release of the answer as it came', async () => {
    const rig = await start(plain);
    const client = await rig.post(plain.target, plain.request);
    const hold = await rig.sidecar.ada.nextHold();
    const ids = await rig.sidecar.ada.callIdsOf(hold);
    await rig.sidecar.ada.rule(hold, { verdict: 'release', calls: ids });
    expect((await client.answer()).body.toString()).toBe(plain.answer);
    expect(await rig.sidecar.ada.hold(hold.id)).toMatchObject({ state: 'released' });
  });

  test('is signed as a release, and the ledger verifies with its bodies opened', async () => {
    const rig = await start(plain);
    const client = await rig.post(plain.target, plain.request);
    const { id } = await rig.sidecar.ada.nextHold();
    const { place, controlUrl, stop } = rig.sidecar;
    const file = join(place.directory, 'grace.pem');
    const env = {
      HOLDPOINT_URL: controlUrl,
      HOLDPOINT_TOKEN: place.tokenOf('grace', 'reviewer'),
    };
    for (const command of [
      ['reviewer', 'key', 'new', '--name', 'grace', '--out', file],
      ['reviewer', 'key', 'enrol', '--key', file, '--reason', 'first'],
      ['holds', 'release', id, '--calls', 'call_1,call_2', '--reason', 'Not the first.', '--key', file],
    ])
      expect((await run(command, env)).code, command.join(' ')).toBe(0);
    expect((await client.answer()).body.toString()).not.toContain('call_0');
    await stop();
    const verdict = await verifyDirectory(place.dataDir, {});
    expect(verdict.findings).toEqual([]);
    expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
    expect(verdict.notes.join('\n')).toContain('1 of 1 rulings by people are signed');
  });

  test.each([
    ['no call', { verdict: 'release', calls: [] }],
    ['a call that is not there', { verdict: 'release', calls: ['call_9'] }],
    ['a denial', { verdict: 'deny', calls: ['call_1'] }],
    ['no reason', { verdict: 'release', calls: ['call_1'], reason: '' }],
  ] as const)('is refused with %s, and nothing leaves', async (_name, ruling) => {
    const rig = await start(plain);
    const client = await rig.post(plain.target, plain.request);
    const hold = await rig.sidecar.ada.nextHold();
    expect(await rig.sidecar.ada.rule(hold, ruling)).toEqual({ status: 400, code: 'invalid_argument' });
    expect(client.received()).toHaveLength(0);
  });

  test('is refused with 422 where the API’s answers cannot be divided', async () => {
    const output = calls.map(({ id, function: fn }) => ({
      type: 'function_call',
      id: `fc_${id}`,
      call_id: id,
      name: fn.name,
      arguments: fn.arguments,
      status: 'completed',
    }));
    const body = { id: 'r', object: 'response', status: 'completed', model: 'gpt-4.1', output };
    const rig = await start({ ...plain, answer: JSON.stringify(body) });
    await rig.post('/v1/responses', JSON.stringify({ model: 'gpt-4.1', input: 'Pay.' }));
    const hold = await rig.sidecar.ada.nextHold();
    const [first = ''] = z.array(z.string()).parse(await rig.sidecar.ada.callIdsOf(hold));
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'release', calls: [first] })).toEqual({
      status: 422,
      code: 'not_divisible',
    });
  });
});
