import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { amended, asked, readAs } from './lines.ts';
import { events } from './streams.ts';

// https://docs.mistral.ai/api/endpoint/deprecated/fine-tuning, https://docs.cohere.com/reference/createfinetunedmodel
test.each([
  ['mistral', '/v1/fine_tuning/jobs', { model: 'm', training_files: [{ file_id: 'f' }] }],
  ['cohere', '/v1/finetuning/finetuned-models', { settings: { base_model: { name: 'm' }, dataset_id: 'd' } }],
] as const)('a model is tuned at %s as it is at OpenAI', (family, path, body) => {
  const protocol = protocolOf(family);
  expect(protocol.operationOf('POST', path)).toBe('fine_tuning');
  expect(asked(protocol, 'fine_tuning', body, path).facts.model).toBe('m');
});

describe('an answer of another family at a server that is set up for one', () => {
  test.each([
    // https://platform.claude.com/docs/en/api/openai-sdk: base_url="https://api.anthropic.com/v1/"
    ['anthropic', 'POST', '/v1/chat/completions', 'chat.completions'],
    ['anthropic', 'GET', '/v1/chat/completions/chatcmpl-1', 'chat.completions'],
    // https://docs.litellm.ai/docs/response_api and /docs/google_generateContent: one gateway, every client's form.
    ['anthropic', 'POST', '/v1/responses', 'responses'],
    ['anthropic', 'POST', '/v1/completions', 'completions'],
    ['openai', 'POST', '/v1beta/models/gemini-3-pro:generateContent', 'generate_content'],
    ['openai', 'POST', '/gemini/v1beta/models/gemini-3-pro:streamGenerateContent', 'stream_generate_content'],
    ['openai', 'POST', '/v1beta/models/gemini-3-pro:countTokens', 'count_tokens'],
    ['openai', 'POST', '/v1beta/interactions', 'interactions'],
    ['openai', 'POST', '/bedrock/model/anthropic.claude-opus-5/converse-stream', 'converse'],
    ['openai', 'POST', '/bedrock/model/anthropic.claude-opus-5/invoke', 'invoke'],
    // https://docs.litellm.ai/docs/pass_through/vertex_ai
    [
      'openai',
      'POST',
      '/vertex_ai/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict',
      'messages',
    ],
    [
      'anthropic',
      'POST',
      '/vertex_ai/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict',
      'messages',
    ],
    ['azure', 'POST', '/providers/mistral/azure/ocr', 'ocr'],
    ['azure', 'POST', '/v1beta/models/gemini-3-pro:generateContent', 'generate_content'],
    // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    ['mistral', 'POST', '/v1/responses', 'responses'],
    ['mistral', 'POST', '/v1/messages', 'messages'],
    ['mistral', 'POST', '/v1/completions', 'completions'],
    ['cohere', 'POST', '/v1/messages', 'messages'],
    ['mistral', 'POST', '/invocations', 'served.any'],
    ['mistral', 'POST', '/generate', 'served.generate'],
    ['cohere', 'POST', '/invocations', 'served.any'],
    ['anthropic', 'POST', '/invocations', 'served.any'],
    ['anthropic', 'POST', '/parse_function_call', 'served.calls'],
    // https://docs.ollama.com/api/anthropic-compatibility, https://lmstudio.ai/docs/developer/anthropic-compat
    ['anthropic', 'POST', '/api/chat', 'chat'],
    ['anthropic', 'POST', '/api/generate', 'generate'],
    ['anthropic', 'POST', '/api/v1/chat', 'lmstudio.chat'],
    ['anthropic', 'POST', '/completion', 'llamacpp.completion'],
    ['anthropic', 'POST', '/v4/ai/language-model', 'gateway.model'],
    // https://docs.litellm.ai/docs/google_generateContent/
    ['gemini', 'POST', '/v1/messages', 'messages'],
    ['gemini', 'POST', '/v1/responses', 'responses'],
    ['gemini', 'POST', '/v1/completions', 'completions'],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/inference-openai-batch.html and bedrock-mantle.html
    ['bedrock', 'POST', '/openai/v1/completions', 'completions'],
    ['bedrock', 'GET', '/v1/responses/resp_1/input_items', 'responses.input_items'],
    ['bedrock', 'GET', '/v1/conversations/conv_1/items', 'conversations.items'],
    ['bedrock', 'GET', '/openai/v1/batches/b', 'batches.outputs'],
    ['bedrock', 'GET', '/anthropic/v1/messages/batches/b/results', 'messages.batches.results'],
  ] as const)('%s: %s %s is %s, and read', (family, method, path, operation) => {
    const protocol = protocolOf(family);
    expect(protocol.operationOf(method, path)).toBe(operation);
    expect(protocol.readsAnswer(operation)).toBe(!['count_tokens'].includes(operation));
  });

  test.each([
    ['openai', 'POST', '/agents/a/invoke'],
    ['openai', 'POST', '/v1/chats'],
    ['openai', 'POST', '/v1/publishers/acme/models/m:rawPredict'],
    ['anthropic', 'GET', '/v1/models'],
    ['mistral', 'GET', '/v1/models'],
    ['bedrock', 'POST', '/agents'],
    ['bedrock', 'POST', '/prompts'],
    ['bedrock', 'GET', '/v1/models'],
  ] as const)('%s: %s %s stays unknown', (family, method, path) => {
    expect(protocolOf(family).operationOf(method, path)).toBe('unknown');
  });

  test.each([
    ['mistral', '/v1/fim/completions', 'fim.completions'],
    ['mistral', '/v1/agents/completions', 'agents.completions'],
    ['mistral', '/v1/conversations', 'conversations'],
    ['cohere', '/v2/chat', 'chat'],
    ['anthropic', '/v1/files', 'files'],
    ['anthropic', '/v1/messages', 'messages'],
  ] as const)('%s: its own %s stays %s', (family, path, operation) => {
    expect(protocolOf(family).operationOf('POST', path)).toBe(operation);
  });
});

test('a call of Ollama’s own API is one where its server is set up as one of Anthropic’s', () => {
  const call = { function: { name: 'pay', arguments: { amount: 25_000 } } };
  const line = { message: { role: 'assistant', content: '', tool_calls: [call] }, done: true };
  for (const form of [null, 'ndjson'] as const)
    expect(
      readAs(form, protocolOf('anthropic'), 'chat', `${JSON.stringify(line)}\n`).facts.toolCalls,
    ).toMatchObject([{ name: 'pay', arguments: { amount: 25_000 } }]);
});

describe('OpenAI’s chat completions at Anthropic’s API', () => {
  const anthropic = protocolOf('anthropic');
  const path = '/v1/chat/completions';
  const call = { id: 'toolu_1', type: 'function', function: { name: 'pay', arguments: '{"amount":25000}' } };
  const whole = JSON.stringify({ choices: [{ message: { role: 'assistant', tool_calls: [call] } }] });
  const delta = { tool_calls: [{ index: 0, ...call }] };
  const streamed = events(
    { choices: [{ index: 0, delta }] },
    { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    'data: [DONE]\n\n',
  );
  const toolCalls = [{ id: 'toolu_1', name: 'pay', arguments: { amount: 25000 } }];

  test('are asked with words and tools that rules see', () => {
    const body = {
      model: 'claude-opus-5-5',
      messages: [{ role: 'user', content: 'Pay the bill.' }],
      tools: [{ type: 'function', function: { name: 'pay' } }],
    };
    expect(asked(anthropic, 'chat.completions', body, path)).toMatchObject({
      facts: { model: 'claude-opus-5-5', text: 'Pay the bill.', tools: [{ name: 'pay' }] },
      defects: [],
    });
  });

  test('call tools that rules see, whole and streamed', () => {
    expect(readAs(null, anthropic, 'chat.completions', whole).facts).toMatchObject({ toolCalls });
    const read = readAs('sse', anthropic, 'chat.completions', streamed);
    expect(read.facts).toMatchObject({ toolCalls });
    expect(read.kinds[0]).toBe('tool');
  });

  test('are amended, denied and kept alive in their own form', () => {
    const amendment = { toolCalls: [{ id: 'toolu_1', arguments: { amount: 9 } }] };
    for (const [form, bytes] of [
      [null, whole],
      ['sse', streamed],
    ] as const) {
      const text = amended(form, anthropic, 'chat.completions', bytes, amendment);
      expect(readAs(form, anthropic, 'chat.completions', text).facts.toolCalls).toMatchObject([
        { id: 'toolu_1', arguments: { amount: 9 } },
      ]);
    }
    expect(JSON.parse(anthropic.errorBody('chat.completions', 'denied_by_policy', 403, 'No.'))).toEqual({
      error: { message: 'No.', type: 'permission_error', param: null, code: 'denied_by_policy' },
    });
    expect(anthropic.keepAliveEvent('chat.completions', 'sse', 'm')).toContain('chat.completion.chunk');
  });
});

describe('OpenAI’s batches at Bedrock', () => {
  const bedrock = protocolOf('bedrock');
  const path = '/openai/v1/batches';

  test('run a file in a storage, which nobody here has judged', () => {
    const body = { input_file_id: 's3://bucket/in.jsonl', endpoint: '/v1/chat/completions' };
    const operation = bedrock.operationOf('POST', path);
    expect(asked(bedrock, operation, body, path).batchFiles).toEqual(['s3://bucket/in.jsonl']);
  });

  test('know the files that were uploaded there', () => {
    expect(bedrock.operationOf('POST', '/openai/v1/files')).toBe('files');
    expect(bedrock.fileIdIn?.('files', Buffer.from('{"id":"file-1"}'))).toBe('file-1');
    expect(bedrock.readsAnswerBy?.('files.content')).not.toBeNull();
  });
});

test.each(['anthropic', 'mistral', 'cohere'] as const)(
  'a tool that a gateway set up as %s runs is seen',
  (family) => {
    expect(protocolOf(family).operationOf('POST', '/mcp-rest/tools/call')).toBe('tools.call');
  },
);
