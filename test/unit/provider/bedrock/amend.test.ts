/** A reviewer's amendment, written into Bedrock's answers and read back. */

import { ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { afterEach, describe, expect, test } from 'vitest';
import { amendAnswer } from '../../../../src/provider/amending/amend-answer.ts';
import { bedrock } from '../../../../src/provider/bedrock/family.ts';
import type { Amendment, OperationName } from '../../../../src/provider/protocol.ts';
import { encodeFrame } from '../../../../src/provider/wire/aws-eventstream.ts';
import { endAll } from '../../../support/endings.ts';
import {
  blockStop,
  callDelta,
  callStart,
  chunkFrame,
  converseFrames,
  exception,
  type Json,
  messageStart,
  messageStop,
  metadata,
  readAll,
  serveBedrock,
  textDelta,
  transferAnswer,
  transferStream,
} from './written.ts';

afterEach(endAll);

const smaller: Amendment = { toolCalls: [{ id: 'tooluse_1', arguments: { amount: 9, to: 'ACME' } }] };

function amendJson(operation: OperationName, original: string, amendment: Amendment): Json {
  const bytes = amendAnswer(bedrock, operation, Buffer.from(original), null, amendment);
  const read: Json = JSON.parse(bytes.toString());
  return read;
}

function amendStream(operation: OperationName, original: Buffer, amendment: Amendment): Buffer {
  return amendAnswer(bedrock, operation, original, 'aws-eventstream', amendment);
}

describe('a whole Converse answer', () => {
  test('takes new arguments and text, and keeps everything else as it was', () => {
    const original: Json = JSON.parse(transferAnswer);
    expect(amendJson('converse', transferAnswer, { text: 'Less.', ...smaller })).toEqual({
      ...original,
      output: {
        message: {
          role: 'assistant',
          content: [
            { text: 'Less.' },
            { toolUse: { toolUseId: 'tooluse_1', name: 'transfer_funds', input: { amount: 9, to: 'ACME' } } },
          ],
        },
      },
    });
  });

  test('has the new text in the place of one with its sources, which go with it', () => {
    const cited = { content: [{ text: 'Sure.' }], citations: [{ sourceContent: [{ text: 'Sure.' }] }] };
    const original = JSON.stringify({ output: { message: { content: [{ citationsContent: cited }] } } });
    const { output } = amendJson('converse', original, { text: 'Less.' });
    expect(output).toEqual({ message: { content: [{ text: 'Less.' }] } });
  });

  test('keeps the spelling of numbers that nobody touched', () => {
    const original = transferAnswer.replace('25000', '2.50e4');
    const bytes = amendAnswer(bedrock, 'converse', Buffer.from(original), null, { text: 'Less.' });
    expect(bytes.toString()).toContain('"amount":2.50e4');
  });

  test.each([
    ['an unknown call', { toolCalls: [{ id: 'other', arguments: {} }] }],
    ['arguments that are no object', { toolCalls: [{ id: 'tooluse_1', arguments: 'x' }] }],
  ])('refuses %s', (_what, amendment) => {
    expect(() => amendJson('converse', transferAnswer, amendment)).toThrow(/cannot be amended/);
  });

  test('refuses to give a call of an unknown kind arguments', () => {
    const original = '{"output":{"message":{"content":[{"robotAction":{"go":1}}]}}}';
    const amendment = { toolCalls: [{ id: '#1', arguments: {} }] };
    expect(() => amendJson('converse', original, amendment)).toThrow(/no arguments of its own/);
  });
});

describe('a Converse stream', () => {
  test('takes new arguments; every other frame keeps its bytes', () => {
    const amended = amendStream('converse', transferStream, smaller);
    const { facts, defects, complete } = readAll('converse', amended);
    expect([defects, complete, facts.text]).toEqual([[], true, 'Sure.']);
    expect(facts.toolCalls).toMatchObject([{ id: 'tooluse_1', arguments: { amount: 9, to: 'ACME' } }]);
    const untouched = converseFrames(messageStart, textDelta(0, 'Su'), textDelta(0, 're.'), blockStop(0));
    expect(amended.subarray(0, untouched.length)).toEqual(untouched);
    const end = converseFrames(blockStop(1), messageStop('tool_use'), metadata);
    expect(amended.subarray(-end.length)).toEqual(end);
  });

  test('takes new text in one piece', () => {
    const { facts, kinds } = readAll('converse', amendStream('converse', transferStream, { text: 'Less.' }));
    expect(facts.text).toBe('Less.');
    expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 25000 } }]);
    expect(kinds.filter((kind) => kind === 'text')).toHaveLength(1);
  });

  test('without its text has its other blocks numbered from the start', () => {
    const amended = amendStream('converse', transferStream, { text: '' });
    const { facts, defects } = readAll('converse', amended);
    expect([facts.text, facts.toolCalls.length, defects]).toEqual(['', 1, []]);
    expect(amended.includes('"contentBlockIndex":1')).toBe(false);
  });

  test('whose blocks are not numbered from the start has them so, changed ones too', () => {
    const original = converseFrames(
      messageStart,
      ...[textDelta(1, 'Su'), textDelta(1, 're.'), blockStop(1)],
      ...[callStart(2, 'tooluse_1', 'pay'), callDelta(2, '{}'), blockStop(2)],
      messageStop('tool_use'),
    );
    const { facts, defects } = readAll(
      'converse',
      amendStream('converse', original, { text: 'Less.', ...smaller }),
    );
    expect([facts.text, facts.toolCalls[0]?.arguments, defects]).toEqual([
      'Less.',
      { amount: 9, to: 'ACME' },
      [],
    ]);
  });

  test('keeps the bytes of a block that nobody touched, however they are written', () => {
    const spaced = encodeFrame(
      { ':message-type': 'event', ':event-type': 'contentBlockDelta' },
      '{ "contentBlockIndex": 0, "delta": { "text": "Hm." } }',
    );
    const call = converseFrames(callStart(1, 'tooluse_1', 'pay'), callDelta(1, '{}'), blockStop(1));
    const original = Buffer.concat([spaced, call, converseFrames(messageStop('tool_use'))]);
    expect(amendStream('converse', original, smaller).includes(spaced)).toBe(true);
  });

  test('of several texts has the new one alone, and keeps its reasoning', () => {
    const reasoning = [
      'contentBlockDelta',
      { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Hm.' } } },
    ] as const;
    const original = converseFrames(
      messageStart,
      reasoning,
      textDelta(1, 'One.'),
      textDelta(2, 'Two.'),
      callStart(3, 'a', 'transfer'),
      callDelta(3, '{}'),
      messageStop('tool_use'),
    );
    const amended = amendStream('converse', original, { text: 'Other.' });
    expect(readAll('converse', amended)).toMatchObject({ defects: [], facts: { text: 'Other.' } });
    expect(amended.includes(converseFrames(reasoning))).toBe(true);
  });

  test('that was amended is read by Amazon’s SDK', async () => {
    const served = await serveBedrock();
    const amended = amendStream('converse', transferStream, { text: 'Less.', ...smaller });
    served.answerWith(200, { 'content-type': 'application/vnd.amazon.eventstream' }, amended);
    const { stream } = await served.client.send(new ConverseStreamCommand({ modelId: 'm', messages: [] }));
    let text = '';
    let input = '';
    for await (const { contentBlockDelta } of stream ?? []) {
      text += contentBlockDelta?.delta?.text ?? '';
      input += contentBlockDelta?.delta?.toolUse?.input ?? '';
    }
    expect([text, JSON.parse(input)]).toEqual(['Less.', { amount: 9, to: 'ACME' }]);
  });

  test.each([
    ['has failed', Buffer.concat([transferStream, exception('throttlingException', 'No.')])],
    ['is not whole', transferStream.subarray(0, -3)],
    [
      'cannot be read',
      Buffer.concat([converseFrames(textDelta(0, 'a'), callDelta(0, '{}')), transferStream]),
    ],
  ])('that %s is not amended', (_what, original) => {
    expect(() => amendStream('converse', original, smaller)).toThrow(/cannot be amended/);
  });

  test('whose arguments do not parse can be repaired', () => {
    const original = converseFrames(
      callStart(0, 'tooluse_1', 'pay'),
      callDelta(0, '{"a":'),
      messageStop('tool_use'),
    );
    expect(readAll('converse', amendStream('converse', original, smaller))).toMatchObject({
      defects: [],
      facts: { toolCalls: [{ arguments: { amount: 9 } }] },
    });
  });
});

describe('of several calls in a Converse answer, each alone is amended', () => {
  const ids = ['a', 'b', 'c'] as const;
  const whole = JSON.stringify({
    output: {
      message: {
        role: 'assistant',
        content: ids.map((toolUseId) => ({ toolUse: { toolUseId, name: 'pay', input: { n: 1 } } })),
      },
    },
    stopReason: 'tool_use',
  });
  const streamed = converseFrames(
    messageStart,
    ...ids.flatMap((id, at) => [callStart(at, id, 'pay'), callDelta(at, '{"n":1}'), blockStop(at)]),
    messageStop('tool_use'),
  );

  test.each(ids)('%s', (id) => {
    const amendment = { toolCalls: [{ id, arguments: { n: 2 } }] };
    const meant = ids.map((one) => ({ id: one, arguments: { n: one === id ? 2 : 1 } }));
    const json = amendAnswer(bedrock, 'converse', Buffer.from(whole), null, amendment);
    expect(bedrock.readResponse('converse', 200, json).facts.toolCalls).toMatchObject(meant);
    const frames = amendStream('converse', streamed, amendment);
    expect(readAll('converse', frames).facts.toolCalls).toMatchObject(meant);
  });
});

const anthropicAnswer = JSON.stringify({
  type: 'message',
  content: [
    { type: 'text', text: 'Sure.' },
    { type: 'tool_use', id: 'tooluse_1', name: 'transfer', input: { amount: 25000 } },
  ],
  stop_reason: 'tool_use',
});
const anthropicEvents: readonly Json[] = [
  { type: 'message_start', message: { content: [] } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Sure.' } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'content_block_start',
    index: 1,
    content_block: { type: 'tool_use', id: 'tooluse_1', name: 'pay', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: '{"amount":25000}' },
  },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_stop' },
];
const novaEvents: readonly Json[] = [
  { messageStart: { role: 'assistant' } },
  { contentBlockDelta: { delta: { text: 'Sure.' }, contentBlockIndex: 0 } },
  {
    contentBlockStart: { start: { toolUse: { toolUseId: 'tooluse_1', name: 'pay' } }, contentBlockIndex: 1 },
  },
  { contentBlockDelta: { delta: { toolUse: { input: '{"amount":25000}' } }, contentBlockIndex: 1 } },
  { messageStop: { stopReason: 'tool_use' } },
];

describe('an InvokeModel answer', () => {
  test.each([
    ['Anthropic’s', anthropicAnswer],
    ['Nova’s', transferAnswer],
    [
      'chat completions’',
      JSON.stringify({
        choices: [
          {
            message: {
              content: 'Sure.',
              tool_calls: [{ id: 'tooluse_1', type: 'function', function: { name: 'pay', arguments: '{}' } }],
            },
          },
        ],
      }),
    ],
  ])('in %s form takes new arguments and text', (_form, original) => {
    const bytes = amendAnswer(bedrock, 'invoke', Buffer.from(original), null, { text: 'Less.', ...smaller });
    expect(bedrock.readResponse('invoke', 200, bytes)).toMatchObject({
      defects: [],
      facts: { text: 'Less.', toolCalls: [{ id: 'tooluse_1', arguments: { amount: 9, to: 'ACME' } }] },
    });
  });

  test.each([
    ['Anthropic’s', anthropicEvents],
    ['Nova’s', novaEvents],
  ])('in %s form, streamed, takes new arguments and text; other chunks keep their bytes', (_form, events) => {
    const frames = events.map(chunkFrame);
    const amended = amendStream('invoke', Buffer.concat(frames), { text: 'Less.', ...smaller });
    expect(readAll('invoke', amended)).toMatchObject({
      defects: [],
      complete: true,
      facts: { text: 'Less.', toolCalls: [{ id: 'tooluse_1', arguments: { amount: 9, to: 'ACME' } }] },
    });
    expect(amended.subarray(0, frames[0]?.length)).toEqual(frames[0]);
    expect(amended.subarray(-(frames.at(-1)?.length ?? 0))).toEqual(frames.at(-1));
  });

  test('of a model that only completes text is not amended', () => {
    expect(() => amendJson('invoke', '{"generation":"Sure."}', { text: 'No.' })).toThrow(/cannot be amended/);
    const stream = chunkFrame({ generation: 'Sure.', stop_reason: 'stop' });
    expect(() => amendStream('invoke', stream, { text: 'No.' })).toThrow(/cannot be amended/);
  });
});
