/** What is taken out of an answer stands in no other member of it: token by token, in a trace, or as its server answered it. */
import { describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { amendAnswer } from '../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { Amendment, OperationName, StreamForm } from '../../../src/provider/protocol.ts';
import { encodeFrame } from '../../../src/provider/wire/aws-eventstream.ts';
import { payCall as fn } from './lines.ts';
import { events, typedEvents } from './streams.ts';

const done = 'data: [DONE]\n\n';
const text: Amendment = { text: 'fine' };
const toFive: Amendment = { toolCalls: [{ id: 'a', arguments: { n: 5 } }] };
const withoutFirst: Amendment = { withheld: ['a'] };

/** The call `a` with the held arguments, and `b`, which nobody holds. */
const heldCalls = [fn('a', 25_000), fn('b', 1)];
const tokens = { content: [{ token: '25000', logprob: -1, bytes: [50], top_logprobs: [] }] };
const spelled = { logprobs: tokens, token_ids: [25_000] };
const choiceWith = (members: object, message: object) => ({
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', ...message }, ...members }],
  __verbose: { content: '25000' },
});
const chunk = (delta: object, members: object = {}) => ({
  id: 'c',
  choices: [{ index: 0, delta, finish_reason: null, ...members }],
});
const streamedCalls = events(
  chunk({ role: 'assistant', content: 'Paying.' }, { logprobs: { content: [{ token: 'Paying.' }] } }),
  chunk({ tool_calls: [{ index: 0, ...fn('a', 25_000) }] }, spelled),
  chunk({ tool_calls: [{ index: 1, ...fn('b', 1) }] }, spelled),
  { ...chunk({}, { finish_reason: 'tool_calls', ...spelled }), __verbose: { content: '25000' } },
  done,
);

/** Tokens of a call that its server gathers before it makes it, as vLLM and Ollama send them to whoever asks for tokens. */
const tokensAhead = events(
  chunk({ role: 'assistant', content: 'Paying.' }),
  chunk({}, spelled),
  chunk({ role: 'assistant', content: '' }, spelled),
  chunk({ tool_calls: [{ index: 0, ...fn('a', 25_000) }] }),
  chunk({ tool_calls: [{ index: 1, ...fn('b', 1) }] }),
  chunk({}, { finish_reason: 'tool_calls' }),
  { id: 'c', token_ids: [25_000] },
  done,
);

const use = (type: string, id: string, n: number) => ({ type, id, name: 'pay', input: { n } });
const result = { type: 'mcp_tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '25000' }] };
const ofOther = { ...result, tool_use_id: 'b', content: [] };
const served = [use('mcp_tool_use', 'a', 25_000), result, use('mcp_tool_use', 'b', 1), ofOther];
const guardrail = { guardrail: { modelOutput: ['25000'] }, promptRouter: { invokedModelId: 'm' } };
const traced = { 'amazon-bedrock-trace': guardrail };
const servedStream = typedEvents(
  { type: 'message_start', message: { role: 'assistant', content: [] } },
  ...served.flatMap((content_block, index) => [
    { type: 'content_block_start', index, content_block },
    { type: 'content_block_stop', index },
  ]),
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, ...traced },
  { type: 'message_stop' },
);

const candidate = (part: object) => ({
  candidates: [
    {
      content: { role: 'model', parts: [part] },
      finishReason: 'STOP',
      logprobsResult: { chosenCandidates: [{ token: '25000' }] },
      citationMetadata: { citationSources: [{ startIndex: 0, endIndex: 5 }] },
      groundingMetadata: { webSearchQueries: ['q'], groundingSupports: [{ segment: { text: '25000' } }] },
    },
  ],
});
const functionCall = { functionCall: { id: 'a', name: 'pay', args: { n: 25_000 } } };

const toolUse = { toolUse: { toolUseId: 'a', name: 'pay', input: { n: 25_000 } } };
const own = { additionalModelResponseFields: { content: '25000' } };
const converse = (content: object) => ({
  output: { message: { role: 'assistant', content: [content] } },
  stopReason: 'end_turn',
  trace: guardrail,
  ...own,
});
const frame = (type: string, value: object): Buffer =>
  encodeFrame({ ':message-type': 'event', ':event-type': type }, JSON.stringify(value));
const converseEvents: readonly (readonly [string, object])[] = [
  ['messageStart', { role: 'assistant' }],
  ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: '25000' } }],
  ['contentBlockStop', { contentBlockIndex: 0 }],
  ['messageStop', { stopReason: 'end_turn', ...own }],
  ['metadata', { usage: {}, trace: guardrail }],
];
const measures = { 'amazon-bedrock-invocationMetrics': { outputTokenCount: 1 } };
const inChunk = (value: object): Buffer =>
  frame('chunk', { bytes: Buffer.from(JSON.stringify(value)).toString('base64') });
const converseFrames = Buffer.concat(converseEvents.map(([type, value]) => frame(type, value)));
const converseChunks = Buffer.concat(
  converseEvents.map(([type, value]) => inChunk({ [type]: value, ...(type === 'metadata' ? measures : {}) })),
);

const interaction = events(
  { event_type: 'interaction.created', interaction: { status: 'in_progress' } },
  { event_type: 'step.start', index: 0, step: { type: 'model_output' } },
  { event_type: 'step.delta', index: 0, delta: { type: 'text', text: '25000' } },
  { event_type: 'step.stop', index: 0 },
  { event_type: 'interaction.completed', interaction: { status: 'completed', output_text: '25000' } },
);

const likely = [{ text: '25000', token_ids: [25_000], logprobs: [-1] }];
const cohere = (message: object) => ({ message: { role: 'assistant', ...message }, logprobs: likely });
const said = { message: { content: { type: 'text', text: '25000' } } };
const cohereText = events(
  { type: 'message-start', delta: { message: { role: 'assistant', content: [] } } },
  { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
  { type: 'content-delta', index: 0, delta: said, logprobs: likely[0] },
  { type: 'content-end', index: 0, logprobs: likely[0] },
  { type: 'message-end', delta: { finish_reason: 'COMPLETE' } },
);
const tool_calls = [fn('a', 25_000)];
const part = (id: string, n: number) => ({
  type: 'tool-call',
  toolCallId: id,
  toolName: 'pay',
  input: `{"n":${n}}`,
});
const toolResult = { type: 'tool-result', toolCallId: 'a', toolName: 'pay', result: '25000' };
const account = { providerMetadata: { openai: { responseId: 'r', logprobs: [{ token: '25000' }] } } };
const gateway = {
  content: [part('a', 25_000), toolResult, part('b', 1)],
  finishReason: 'tool-calls',
  response: { modelId: 'm', body: { calls: '25000' } },
  ...account,
};
const gatewayStream = events(...gateway.content, { type: 'finish', finishReason: 'stop', ...account });

type Case = readonly [
  name: string,
  family: ProtocolName,
  operation: OperationName,
  form: StreamForm | null,
  answer: object | string,
  amendment: Amendment,
];
const legacyText = { choices: [{ index: 0, text: '25000', finish_reason: 'stop', ...spelled }] };
const cases: readonly Case[] = [
  ...[toFive, withoutFirst].flatMap((amendment): readonly Case[] => [
    [
      'a completion’s call',
      'openai',
      'chat.completions',
      null,
      choiceWith(spelled, { tool_calls: heldCalls }),
      amendment,
    ],
    ['a streamed completion’s call', 'openai', 'chat.completions', 'sse', streamedCalls, amendment],
    ['tokens ahead of a call', 'openai', 'chat.completions', 'sse', tokensAhead, amendment],
  ]),
  [
    'a completion’s text',
    'openai',
    'chat.completions',
    null,
    choiceWith(spelled, { content: '25000' }),
    text,
  ],
  [
    'a streamed completion’s text',
    'openai',
    'chat.completions',
    'sse',
    events(
      { ...chunk({ content: '25000' }, spelled), __verbose: { content: '25000' } },
      chunk({}, { finish_reason: 'stop' }),
      done,
    ),
    text,
  ],
  ['a gateway’s call', 'openai', 'gateway.model', null, gateway, withoutFirst],
  ['a gateway’s streamed call', 'openai', 'gateway.model', 'sse', gatewayStream, withoutFirst],
  ['an old completion', 'openai', 'completions', null, legacyText, text],
  ['an old streamed completion', 'openai', 'completions', 'sse', events(legacyText, done), text],
  ['a message’s MCP call', 'anthropic', 'messages', null, { content: served, ...traced }, withoutFirst],
  ['a message’s streamed MCP call', 'anthropic', 'messages', 'sse', servedStream, withoutFirst],
  ['a Gemini text', 'gemini', 'generate_content', null, candidate({ text: '25000' }), text],
  ['a streamed interaction', 'gemini', 'interactions', 'sse', interaction, text],
  ['a Converse text', 'bedrock', 'converse', null, converse({ text: '25000' }), text],
  ['a Converse call', 'bedrock', 'converse', null, converse(toolUse), toFive],
  ['a Cohere text', 'cohere', 'chat', null, cohere({ content: [{ type: 'text', text: '25000' }] }), text],
  ['a streamed Cohere text', 'cohere', 'chat', 'sse', cohereText, text],
  ['a Cohere call', 'cohere', 'chat', null, cohere({ tool_plan: 'x', tool_calls }), toFive],
  [
    'a Cohere generation',
    'cohere',
    'generate',
    null,
    { generations: [{ text: '25000', token_likelihoods: [{ token: '25000' }] }] },
    text,
  ],
];

function amended(
  family: ProtocolName,
  operation: OperationName,
  form: StreamForm | null,
  answer: object | string | Buffer,
  amendment: Amendment,
): string {
  const isText = typeof answer === 'string' || Buffer.isBuffer(answer);
  const original = isText ? Buffer.from(answer) : Buffer.from(JSON.stringify(answer));
  return amendAnswer(protocolOf(family), operation, original, form, amendment).toString();
}

describe('what is amended or withheld is not said again', () => {
  test.each(cases)('of %s', (_name, family, operation, form, answer, amendment) => {
    expect(amended(family, operation, form, answer, amendment)).not.toContain('25000');
  });

  test('of a Gemini call, whose sources stay', () => {
    const out = amended('gemini', 'generate_content', null, candidate(functionCall), toFive);
    expect(out).not.toContain('logprobsResult');
    for (const kept of ['citationSources', 'groundingSupports']) expect(out).toContain(kept);
  });

  test('of a streamed Converse text, whose model is still named', () => {
    const out = amended('bedrock', 'converse', 'aws-eventstream', converseFrames, text);
    expect(out).not.toContain('25000');
    expect(out).toContain('invokedModelId');
  });

  test('of a text in InvokeModel’s chunks', () => {
    const out = amended('bedrock', 'invoke', 'aws-eventstream', converseChunks, text);
    const chunks = [...out.matchAll(/"bytes":"([^"]+)"/g)].map(([, bytes = '']) =>
      Buffer.from(bytes, 'base64').toString(),
    );
    expect(chunks.join('\n')).not.toContain('25000');
    expect(chunks).toHaveLength(converseEvents.length);
  });
});

test('a text that is also spoken is not amended: what is spoken would stay', () => {
  const parts = [{ text: 'One.' }, { audioTranscription: { text: '25000' } }];
  const answer = { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] };
  expect(() => amended('gemini', 'generate_content', null, answer, text)).toThrow(
    /its text does not stand in one place/,
  );
});

describe('what stands beside it stays', () => {
  test('the very bytes of an event that says nothing again', () => {
    const spaced = servedStream.replace('{"type":"message_stop"}', '{ "type": "message_stop" }');
    expect(amended('anthropic', 'messages', 'sse', spaced, withoutFirst)).toContain(
      '{ "type": "message_stop" }',
    );
  });

  test('the tokens of a text that was shown before the first call', () => {
    const out = amended('openai', 'chat.completions', 'sse', streamedCalls, withoutFirst);
    expect(out.startsWith(streamedCalls.slice(0, streamedCalls.indexOf('\n\n')))).toBe(true);
  });

  test('the tokens of a choice of which nothing is changed', () => {
    const [choice] = choiceWith(spelled, { tool_calls: [fn('a', 25_000)] }).choices;
    const other = { index: 1, message: { content: 'x' }, logprobs: { content: [{ token: 'kept' }] } };
    const out = amended(
      'openai',
      'chat.completions',
      null,
      { choices: [choice, { ...other, finish_reason: 'stop' }] },
      toFive,
    );
    expect(out).toContain('kept');
  });

  test('what the server of another call answered', () => {
    expect(amended('anthropic', 'messages', null, { content: served }, withoutFirst)).toContain(
      '"tool_use_id":"b"',
    );
  });

  test('what else a gateway says of its provider', () => {
    const out = amended('openai', 'gateway.model', null, gateway, withoutFirst);
    expect(out).toContain('"responseId":"r"');
    expect(out).toContain('"modelId":"m"');
  });
});
