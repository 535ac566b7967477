/** Converse as the API reference writes it: requests, whole answers and streams, and what is a defect in them. */
import {
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
} from '@aws-sdk/client-bedrock-runtime';
import { afterEach, describe, expect, test } from 'vitest';
import { bedrock } from '../../../../src/provider/bedrock/family.ts';
import { encodeFrame } from '../../../../src/provider/wire/aws-eventstream.ts';
import { endAll } from '../../../support/endings.ts';
import {
  blockStop,
  callDelta,
  callStart,
  converseFrames,
  frame,
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

const path = '/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse';

function request(body: Json, at = path) {
  const head = { path: at, contentType: 'application/json' };
  return bedrock.readRequest('converse', Buffer.from(JSON.stringify(body)), head);
}

function answer(content: unknown, more: Json = {}) {
  const body = { output: { message: { role: 'assistant', content } }, stopReason: 'end_turn', ...more };
  return bedrock.readResponse('converse', 200, Buffer.from(JSON.stringify(body)));
}

const asked: ConverseCommandInput = {
  modelId: 'model',
  messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
};

describe('a request', () => {
  test('has its model and whether it streams in its path', () => {
    expect(request({ messages: [] }).facts).toMatchObject({
      model: 'us.anthropic.claude-sonnet-4-20250514-v1:0',
      stream: false,
    });
    expect(request({}, '/model/m/converse-stream').facts).toMatchObject({ model: 'm', stream: true });
  });

  test('gives system, messages, tools and parameters', () => {
    const { facts, defects } = request({
      system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }],
      messages: [
        { role: 'user', content: [{ text: 'Pay ACME.' }] },
        {
          role: 'assistant',
          content: [{ toolUse: { toolUseId: 't1', name: 'look_up', input: { payee: 'ACME' } } }],
        },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 't1', content: [{ json: { iban: 'DE02' } }, { text: 'found' }] } },
          ],
        },
      ],
      toolConfig: {
        tools: [
          { toolSpec: { name: 'look_up', description: 'Finds a payee.', inputSchema: { json: {} } } },
          { cachePoint: { type: 'default' } },
          { systemTool: { name: 'nova_grounding' } },
        ],
      },
      inferenceConfig: { maxTokens: 100, temperature: 0.5 },
      guardrailConfig: { guardrailIdentifier: 'gr-1', guardrailVersion: '2' },
      additionalModelRequestFields: { top_k: 5, tools: [{ type: 'computer_20250124', name: 'computer' }] },
    });
    expect(defects).toEqual([]);
    expect(facts.system).toBe('Be brief.');
    expect(facts.messages.map(({ role, text }) => [role, text])).toEqual([
      ['user', 'Pay ACME.'],
      ['assistant', ''],
      ['user', '{"iban":"DE02"}\nfound'],
    ]);
    expect(facts.messages[1]?.toolCalls).toMatchObject([
      { id: 't1', name: 'look_up', arguments: { payee: 'ACME' } },
    ]);
    expect(facts.tools.map(({ name }) => name)).toEqual(['look_up', 'nova_grounding', 'computer']);
    expect(facts.params).toEqual({
      maxTokens: 100,
      temperature: 0.5,
      top_k: 5,
      guardrailIdentifier: 'gr-1',
      guardrailVersion: '2',
    });
    for (const text of ['Be brief.', 'Pay ACME.', 'DE02', 'found']) expect(facts.text).toContain(text);
  });

  test.each([
    ['a document', { document: { name: 'Contract', source: { content: [{ text: 'clause' }] } } }, 'clause'],
    ['a document of text', { document: { name: 'Contract', source: { text: 'clause' } } }, 'clause'],
    [
      'a document of text that is sent as a file',
      { document: { name: 'C', format: 'txt', source: { bytes: Buffer.from('clause').toString('base64') } } },
      'clause',
    ],
    // Of models that sign none: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningTextBlock.html
    ['what was thought', { reasoningContent: { reasoningText: { text: 'clause' } } }, 'clause'],
    ['guarded text', { guardContent: { text: { text: 'clause' } } }, 'clause'],
    [
      'a search result',
      { searchResult: { title: 'T', source: 's', content: [{ text: 'clause' }] } },
      'clause',
    ],
    ['a block of a kind not known yet', { newContent: { deep: ['clause'] } }, 'clause'],
  ])('shows the text of %s', (_what, block, text) => {
    expect(request({ messages: [{ role: 'user', content: [block] }] }).facts.text).toContain(text);
  });

  test('shows nothing of a document that is no text, and of a thought that is sealed', () => {
    const pdf = { document: { name: 'C', format: 'pdf', source: { bytes: 'aGk=' } } };
    const sealed = { reasoningContent: { redactedContent: 'aGk=' } };
    expect(request({ messages: [{ role: 'user', content: [pdf, sealed] }] }).facts.text).toBe('C');
  });

  test.each([
    ['messages that are no list', { messages: 'Hi' }],
    ['a message that is no object', { messages: ['Hi'] }],
    ['content that is no list', { messages: [{ role: 'user', content: { text: 'Hi' } }] }],
    ['tools that are no list', { toolConfig: { tools: {} } }],
  ])('with %s is a defect', (_what, body) => {
    expect(request(body).defects).toHaveLength(1);
  });

  test('that is not JSON is a defect', () => {
    const head = { path, contentType: 'application/json' };
    expect(bedrock.readRequest('converse', Buffer.from('{'), head).defects).toContain(
      'the request body is not JSON',
    );
  });
});

describe('a whole answer', () => {
  test('gives text, calls as written, reason and usage', () => {
    const written = transferAnswer.replace('25000', '2.50e4');
    const { facts, defects } = bedrock.readResponse('converse', 200, Buffer.from(written));
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      text: 'Sure.',
      finishReason: 'tool_use',
      usage: { source: 'provider', inputTokens: 12, outputTokens: 5, totalTokens: 17 },
      toolCalls: [
        {
          id: 'tooluse_1',
          name: 'transfer_funds',
          arguments: { amount: 25000, to: 'ACME' },
          argumentsText: '{"amount":2.50e4,"to":"ACME"}',
        },
      ],
    });
  });

  test('is read as Amazon’s SDK reads it', async () => {
    const served = await serveBedrock();
    served.answerWith(200, { 'content-type': 'application/json' }, transferAnswer);
    const { output } = await served.client.send(new ConverseCommand(asked));
    const [text, call] = output?.message?.content ?? [];
    const { facts } = bedrock.readResponse('converse', 200, Buffer.from(transferAnswer));
    expect([facts.text, facts.toolCalls[0]?.name, facts.toolCalls[0]?.arguments]).toEqual([
      text?.text,
      call?.toolUse?.name,
      call?.toolUse?.input,
    ]);
  });

  test('of a block of an unknown kind makes a call named after the kind', () => {
    const { facts } = answer([{ robotAction: { move: 'left' } }]);
    expect(facts.toolCalls).toMatchObject([{ id: '#1', name: 'robotAction', arguments: { move: 'left' } }]);
  });

  test.each([
    'image',
    'document',
    'video',
    'audio',
    'toolResult',
    'guardContent',
    'cachePoint',
    'reasoningContent',
    'searchResult',
  ])('of a block of kind %s makes no call', (kind) => {
    expect(answer([{ [kind]: { any: 'thing' } }])).toMatchObject({ defects: [], facts: { toolCalls: [] } });
  });

  test('shows the text that citations stand beside', () => {
    const { facts } = answer([
      { citationsContent: { content: [{ text: 'As the law says.' }], citations: [] } },
    ]);
    expect(facts.text).toBe('As the law says.');
  });

  test('names the model that a prompt router chose', () => {
    const trace = { promptRouter: { invokedModelId: 'arn:aws:bedrock:eu-central-1::foundation-model/m' } };
    expect(answer([], { trace }).facts.model).toBe('arn:aws:bedrock:eu-central-1::foundation-model/m');
  });

  test.each([
    ['a call that is no object', [{ toolUse: 'transfer' }]],
    ['a call whose input is no object', [{ toolUse: { toolUseId: 't', name: 'n', input: 'x' } }]],
    ['a block that is no object', ['text']],
    ['a block of two kinds', [{ text: 'a', toolUse: { toolUseId: 't', name: 'n', input: {} } }]],
    ['content that is no list', { text: 'a' }],
  ])('with %s is a defect', (_what, content) => {
    expect(answer(content).defects.length).toBeGreaterThan(0);
  });

  test.each([
    ['without a message', '{}'],
    ['with a key twice', '{"output":{"message":{"content":[],"content":[]}}}'],
    ['that is not JSON', '<html>'],
  ])('%s is a defect', (_what, body) => {
    expect(bedrock.readResponse('converse', 200, Buffer.from(body)).defects).toHaveLength(1);
  });

  test('with an error status holds nothing to judge', () => {
    const { facts, defects } = bedrock.readResponse('converse', 400, Buffer.from('{"message":"no"}'));
    expect([facts.status, facts.text, defects]).toEqual([400, '', []]);
  });
});

describe('a stream', () => {
  test('says the same as the whole answer, and which events carry a call', () => {
    const { kinds, ...reading } = readAll('converse', transferStream);
    const whole = bedrock.readResponse('converse', 200, Buffer.from(transferAnswer));
    expect(reading.facts.toolCalls[0]?.argumentsText).toBe('{"amount": 25000, "to": "ACME"}');
    const [call] = whole.facts.toolCalls;
    const toolCalls = [{ ...call, argumentsText: '{"amount": 25000, "to": "ACME"}' }];
    expect(reading).toEqual({ ...whole, facts: { ...whole.facts, toolCalls } });
    expect(kinds.join(' ')).toBe('other text text other tool tool tool other end other');
  });

  test('is read as Amazon’s SDK reads it, keep-alives and all', async () => {
    const alive = bedrock.keepAliveEvent('converse', 'aws-eventstream', 'm');
    const first = transferStream.readUInt32BE(0);
    const parts = [
      transferStream.subarray(0, first),
      Buffer.from(alive ?? ''),
      transferStream.subarray(first),
    ];
    const served = await serveBedrock();
    served.answerWith(200, { 'content-type': 'application/vnd.amazon.eventstream' }, Buffer.concat(parts));
    const { stream } = await served.client.send(new ConverseStreamCommand(asked));
    const events: ConverseStreamOutput[] = [];
    for await (const event of stream ?? []) events.push(event);
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      'messageStart',
      ...['contentBlockDelta', 'contentBlockDelta', 'contentBlockStop'],
      ...['contentBlockStart', 'contentBlockDelta', 'contentBlockDelta', 'contentBlockStop'],
      'messageStop',
      'metadata',
    ]);
    const inputs = events
      .map(({ contentBlockDelta }) => contentBlockDelta?.delta?.toolUse?.input ?? '')
      .join('');
    expect(inputs).toBe(readAll('converse', transferStream).facts.toolCalls[0]?.argumentsText);
  });

  test('without its last event is not complete', () => {
    expect(readAll('converse', converseFrames(messageStart, textDelta(0, 'Hi')))).toMatchObject({
      complete: false,
      failed: false,
    });
  });

  test('with a piece of a call behind its end, where some stop reading, has a defect', () => {
    const begun = [messageStart, callStart(0, 'a', 'pay'), callDelta(0, '{"amount":50000')];
    const bytes = converseFrames(...begun, messageStop('tool_use'), callDelta(0, 'e-4}'));
    expect(readAll('converse', bytes).defects).toEqual(['some clients pass over a piece of a tool call']);
  });

  test('of two calls in turns keeps them apart', () => {
    const { facts } = readAll(
      'converse',
      converseFrames(
        messageStart,
        callStart(0, 'a', 'first'),
        callStart(1, 'b', 'second'),
        callDelta(0, '{"n":'),
        callDelta(1, '{"m":2}'),
        callDelta(0, '1}'),
        messageStop('tool_use'),
      ),
    );
    expect(facts.toolCalls.map(({ name, arguments: given }) => [name, given])).toEqual([
      ['first', { n: 1 }],
      ['second', { m: 2 }],
    ]);
  });

  test.each(['exception', 'error'])('with a frame of type %s has failed', (messageType) => {
    const last = encodeFrame(
      { ':message-type': messageType, ':exception-type': 'throttlingException' },
      '{}',
    );
    const { failed, kinds } = readAll('converse', Buffer.concat([converseFrames(messageStart), last]));
    expect([failed, kinds]).toEqual([true, ['other', 'error']]);
  });

  test('with a frame that does not say what it is, is a defect', () => {
    const bytes = encodeFrame({ ':message-type': 'event' }, '{}');
    expect(readAll('converse', bytes)).toMatchObject({ kinds: ['tool'], defects: [expect.any(String)] });
  });

  test('with an event of an unknown name makes a call of it, which does not pass unjudged', () => {
    const bytes = converseFrames(messageStart, ['robotAction', { move: 'left' }], messageStop('end_turn'));
    const { facts, kinds } = readAll('converse', bytes);
    expect(facts.toolCalls).toMatchObject([{ name: 'robotAction', arguments: { move: 'left' } }]);
    expect(kinds).toEqual(['other', 'tool', 'end']);
  });

  test.each([
    [
      'a delta of an unknown kind',
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { newAction: { go: 1 } } }],
    ],
    [
      'a start of an unknown kind',
      ['contentBlockStart', { contentBlockIndex: 0, start: { newAction: { go: 1 } } }],
    ],
  ] as const)('with %s makes a call of it', (_what, event) => {
    const { facts, kinds } = readAll('converse', converseFrames(event, messageStop('end_turn')));
    expect(facts.toolCalls).toMatchObject([{ name: 'newAction', arguments: { go: 1 } }]);
    expect(kinds[0]).toBe('tool');
  });

  test.each([
    ['input for a block of text', [textDelta(0, 'a'), callDelta(0, '{}')]],
    ['text in a call', [callStart(0, 'a', 'n'), textDelta(0, 'a')]],
    ['a block that becomes a call', [textDelta(0, 'a'), callStart(0, 'a', 'n')]],
    ['a delta without a block', [['contentBlockDelta', { delta: { text: 'a' } }]]],
    ['a delta without a delta', [['contentBlockDelta', { contentBlockIndex: 0 }]]],
    ['text that is no text', [['contentBlockDelta', { contentBlockIndex: 0, delta: { text: { a: 1 } } }]]],
    ['a call that starts twice', [callStart(0, 'a', 'n'), callStart(0, 'b', 'm')]],
    ['a call that is no object', [['contentBlockStart', { contentBlockIndex: 0, start: { toolUse: 'x' } }]]],
    ['arguments that do not parse', [callStart(0, 'a', 'n'), callDelta(0, '{"n":')]],
    ['two messages', [messageStart, messageStart]],
  ] as const)('with %s is a defect', (_what, events) => {
    const { defects } = readAll(
      'converse',
      converseFrames(...events, blockStop(0), messageStop('end_turn'), metadata),
    );
    expect(defects.length).toBeGreaterThan(0);
  });

  test.each([
    ['an event that is no JSON', frame('contentBlockDelta', '{')],
    ['an event that is no object', frame('contentBlockDelta', '[]')],
    ['an event with a key twice', frame('messageStart', '{"role":"a","role":"b"}')],
    ['an event that is not UTF-8', frame('messageStart', Buffer.from('{"role":"\xe9"}', 'latin1'))],
  ])('with %s does not pass unjudged', (_what, bytes) => {
    expect(readAll('converse', bytes)).toMatchObject({ kinds: ['tool'], defects: [expect.any(String)] });
  });

  test('that comes in a form Converse does not have waits whole', () => {
    const stream = bedrock.openStream('converse', 200, 'sse');
    expect(stream.push(Buffer.from('data: {}\n\n')).map(({ kind }) => kind)).toEqual(['tool']);
    expect(stream.finish().reading.defects).toHaveLength(1);
  });
});
