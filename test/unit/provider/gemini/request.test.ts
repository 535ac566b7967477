import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf } from '../streams.ts';

const gemini = protocolOf('gemini');

function read(body: unknown, operation = 'generate_content') {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return gemini.readRequest(operation, bytes, headOf('/v1beta/models/gemini-2.5-pro:generateContent'));
}

const conversation = {
  systemInstruction: { parts: [{ text: 'Be brief.' }] },
  contents: [
    { role: 'user', parts: [{ text: 'Pay Ada' }, { inlineData: { mimeType: 'image/png', data: 'aGk=' } }] },
    { role: 'model', parts: [{ functionCall: { id: 'c1', name: 'pay', args: { to: 'Ada' } } }] },
    { role: 'user', parts: [{ functionResponse: { name: 'pay', response: { result: 'paid' } } }] },
  ],
  tools: [
    { functionDeclarations: [{ name: 'pay', description: 'Pays.' }, { name: 'refund' }] },
    { googleSearch: {}, codeExecution: {} },
  ],
  generationConfig: { temperature: 0.5, maxOutputTokens: 10, stopSequences: ['x'] },
  cachedContent: 'cachedContents/1',
};

describe('a conversation', () => {
  test('has a system instruction, messages, tools and parameters', () => {
    const { facts, defects } = read(conversation);
    expect(defects).toEqual([]);
    expect(facts).toEqual({
      model: 'gemini-2.5-pro',
      stream: false,
      system: 'Be brief.',
      messages: [
        { role: 'user', text: 'Pay Ada', toolCalls: [] },
        {
          role: 'model',
          text: '',
          toolCalls: [{ id: 'c1', name: 'pay', arguments: { to: 'Ada' }, argumentsText: '{"to":"Ada"}' }],
        },
        { role: 'user', text: 'pay\npaid', toolCalls: [] },
      ],
      text: 'Be brief.\nPay Ada\npay\npaid',
      tools: [
        { name: 'pay', description: 'Pays.' },
        { name: 'refund', description: '' },
        { name: 'googleSearch', description: '' },
        { name: 'codeExecution', description: '' },
      ],
      params: { cachedContent: 'cachedContents/1', temperature: 0.5, maxOutputTokens: 10 },
    });
  });

  test('says the same in the other spelling of its names', () => {
    const respelled = JSON.stringify(conversation)
      .replace('systemInstruction', 'system_instruction')
      .replace('inlineData', 'inline_data')
      .replace('mimeType', 'mime_type')
      .replaceAll('functionCall', 'function_call')
      .replace('functionResponse', 'function_response')
      .replace('functionDeclarations', 'function_declarations')
      .replace('googleSearch', 'google_search')
      .replace('generationConfig', 'generation_config');
    expect(read(respelled)).toEqual(read(conversation));
  });

  test('says the same with single values where lists are meant', () => {
    const { facts, defects } = read({
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: { parts: { text: 'Hello' } },
      tools: { functionDeclarations: { name: 'pay' } },
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      system: 'Be brief.',
      messages: [{ role: 'user', text: 'Hello' }],
      tools: [{ name: 'pay', description: '' }],
    });
  });

  // https://ai.google.dev/api/caching#McpServer
  test('offers the servers whose tools Google calls, without their keys', () => {
    const transport = { url: 'https://bank.example/mcp', headers: { authorization: 'Bearer k' } };
    for (const servers of [
      { mcpServers: [{ name: 'bank', streamableHttpTransport: transport }] },
      { mcp_servers: { name: 'bank', streamable_http_transport: transport } },
    ])
      expect(read({ tools: [servers] }).facts.tools).toEqual([
        { name: 'mcpServers', description: '' },
        { name: 'bank', description: 'https://bank.example/mcp' },
      ]);
  });

  test('that writes a member twice, in two spellings, means two things', () => {
    const body = { contents: [], systemInstruction: { parts: [] }, system_instruction: { parts: [] } };
    expect(read(body).defects).toEqual(['`systemInstruction` is written twice, in two spellings']);
  });

  test('shows texts that come as files, thoughts, code and what it printed', () => {
    const data = Buffer.from('a secret file').toString('base64');
    const { facts } = read({
      contents: [
        {
          parts: [
            { inlineData: { mimeType: 'text/plain', data } },
            { text: 'a thought', thought: true },
            { executableCode: { language: 'PYTHON', code: 'print(1)' } },
            { codeExecutionResult: { outcome: 'OUTCOME_OK', output: 'printed' } },
            { hologram: { caption: 'a new kind of part' } },
          ],
        },
      ],
    });
    for (const said of ['a secret file', 'a thought', 'print(1)', 'printed', 'a new kind of part']) {
      expect(facts.text).toContain(said);
    }
  });

  test.each([
    ['[]', 'the request body is not a JSON object'],
    ['{', 'the request body is not JSON'],
    ['{"contents":[],"contents":[]}', 'the request body has the key "contents" more than once'],
    ['{"contents":[5]}', 'an entry of `contents` is not a content'],
    ['{"tools":["x"]}', 'an entry of `tools` is not an object'],
  ])('%s is refused', (body, defect) => {
    expect(read(body).defects).toEqual([defect]);
  });
});

describe('requests of other operations', () => {
  test('to count tokens show what is counted', () => {
    expect(read({ generateContentRequest: conversation }, 'count_tokens').facts).toMatchObject({
      system: 'Be brief.',
      text: 'Be brief.\nPay Ada\npay\npaid',
    });
  });

  test('to embed show what is embedded, one or many', () => {
    const content = { parts: [{ text: 'a' }] };
    expect(read({ content }, 'embed_content').facts.text).toBe('a');
    const requests = [{ model: 'models/m', content }, { content: { parts: [{ text: 'b' }] } }];
    expect(read({ requests }, 'embed_content').facts.text).toBe('a\nb');
  });

  test('to answer a batch show what every one of them asks', () => {
    const ask = (text: string) => ({
      request: { contents: [{ parts: [{ text }] }] },
      metadata: { key: text },
    });
    const batch = { displayName: 'b', inputConfig: { requests: { requests: [ask('one'), ask('two')] } } };
    expect(read({ batch }, 'batch_generate_content').facts).toMatchObject({ text: 'one\ntwo' });
    const respelled = { batch: { input_config: { requests: { requests: [ask('one')] } } } };
    expect(read(respelled, 'batch_generate_content').facts.text).toBe('one');
  });

  test('to keep contents show them', () => {
    expect(read({ ...conversation, ttl: '60s' }, 'cached_contents').facts.system).toBe('Be brief.');
  });

  test('to predict show every text of their instances, without pictures', () => {
    const image = { bytesBase64Encoded: 'AAAA', mimeType: 'image/png' };
    const body = { instances: [{ prompt: 'a cat', image }], parameters: { sampleCount: 2, seed: null } };
    expect(read(body, 'predict').facts).toMatchObject({
      text: 'a cat\nimage/png',
      params: { sampleCount: 2 },
    });
  });
});
