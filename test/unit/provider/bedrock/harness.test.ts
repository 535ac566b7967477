/** InvokeHarness, in the shapes of Amazon's service model (@aws-sdk/client-bedrock-agentcore). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked, codeOf, readAs } from '../lines.ts';
import {
  blockStop,
  callDelta,
  callStart,
  converseFrames,
  messageStart,
  messageStop,
  textDelta,
} from './written.ts';

const bedrock = protocolOf('bedrock');
const operation = 'harnesses.invoke';
const read = (bytes: Buffer) => readAs('aws-eventstream', bedrock, operation, bytes);
const usage = (inputTokens: number, outputTokens: number) =>
  ['metadata', { usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens } }] as const;
const call = (id: string, name: string, input: string) =>
  [messageStart, callStart(0, id, name), callDelta(0, input), blockStop(0), messageStop('tool_use')] as const;

test('POST /harnesses/invoke asks a harness', () => {
  expect(bedrock.operationOf('POST', '/harnesses/invoke')).toBe(operation);
});

test('a request has its model, instructions, words and tools', () => {
  const { facts, defects } = asked(bedrock, operation, {
    model: { bedrockModelConfig: { modelId: 'anthropic.claude-opus-5', maxTokens: 100 } },
    systemPrompt: [{ text: 'Be careful.' }],
    messages: [
      { role: 'user', content: [{ text: 'Pay.' }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 'a', content: [{ json: { state: 'paid' } }] } }] },
    ],
    tools: [
      { type: 'inline_function', name: 'pay', config: { inlineFunction: { description: 'Pays.' } } },
      { type: 'agentcore_browser' },
    ],
    maxIterations: 3,
  });
  expect(defects).toEqual([]);
  expect(facts).toMatchObject({
    model: 'anthropic.claude-opus-5',
    system: 'Be careful.',
    text: 'Be careful.\nPay.\n{"state":"paid"}',
    params: { maxIterations: 3 },
    tools: [{ name: 'pay', description: 'Pays.' }, { name: 'agentcore_browser' }],
  });
});

describe('a stream', () => {
  test('has the text and the calls of all its messages', () => {
    const stream = converseFrames(
      ...call('a', 'look', '{"id":1}'),
      usage(3, 5),
      ['messageStart', { role: 'user' }],
      [
        'contentBlockStart',
        { contentBlockIndex: 0, start: { toolResult: { toolUseId: 'a', status: 'success' } } },
      ],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { toolResult: [{ text: 'There.' }] } }],
      blockStop(0),
      messageStop('tool_result'),
      ['hookEvent', { hookEventId: 'h', name: 'n', type: 'before_tool_call', decision: 'allow' }],
      messageStart,
      textDelta(0, 'I pay.'),
      blockStop(0),
      callStart(1, 'b', 'pay'),
      callDelta(1, '{"amount":25000}'),
      blockStop(1),
      messageStop('tool_use'),
      usage(7, 11),
    );
    const reading = read(stream);
    expect(reading).toMatchObject({
      defects: [],
      complete: true,
      facts: { text: 'I pay.', finishReason: 'tool_use' },
    });
    expect(reading.facts.toolCalls).toMatchObject([
      { id: 'a', name: 'look', arguments: { id: 1 } },
      { id: 'b', name: 'pay', arguments: { amount: 25000 } },
    ]);
    expect(reading.facts.usage).toMatchObject({ inputTokens: 10, outputTokens: 16 });
    expect(reading.kinds.slice(0, 3)).toEqual(['other', 'tool', 'tool']);
  });

  test('ends with the last message alone', () => {
    const { kinds } = read(converseFrames(...call('a', 'look', '{}'), messageStart, messageStop('end_turn')));
    expect(kinds.filter((kind) => kind === 'end')).toHaveLength(1);
    expect(kinds.at(-1)).toBe('end');
  });

  test('that breaks off within a message is not complete', () => {
    const stream = converseFrames(...call('a', 'look', '{}'), messageStart, textDelta(0, 'I'));
    expect(read(stream).complete).toBe(false);
  });

  test('withholds an event that nobody knows', () => {
    expect(read(converseFrames(messageStart, ['futureEvent', { name: 'pay' }])).kinds).toEqual([
      'other',
      'tool',
    ]);
  });

  test('is not amended, since it was partly done already', () => {
    const stream = converseFrames(...call('a', 'look', '{}'));
    expect(codeOf(() => bedrock.amendResponse(operation, stream, 'aws-eventstream', {}))).toBe(
      'invalid_argument',
    );
  });

  test('has every call, however many messages there are', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 8 }), (names) => {
        const frames = names.flatMap((name, i) => [...call(`c${i}`, name, `{"n":${i}}`)]);
        const { facts, defects } = read(converseFrames(...frames));
        expect(defects).toEqual([]);
        expect(facts.toolCalls.map(({ name, arguments: args }) => [name, args])).toEqual(
          names.map((name, n) => [name, { n }]),
        );
      }),
      { numRuns: 50 },
    );
  });
});
