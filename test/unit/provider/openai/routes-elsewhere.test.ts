/** What single hosts and gateways have beside OpenAI's API: what is asked of models and tools there is seen by rules. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const openai = protocolOf('openai');
const secret = 'a SECRET';

describe.each([
  // https://docs.litellm.ai/docs/mcp
  ['/mcp-rest/tools/call', 'tools.call', { name: 'pay', arguments: { to: secret } }],
  ['/mcp', 'tools.call', { jsonrpc: '2.0', method: 'tools/call', params: { arguments: { to: secret } } }],
  // https://github.com/ggml-org/llama.cpp/tree/master/tools/server
  ['/tools', 'tools.call', { tool: 'exec_shell_command', params: { command: secret } }],
  // https://docs.together.ai/reference/tci-execute
  ['/tci/execute', 'tools.call', { code: secret, language: 'python' }],
  // https://platform.moonshot.ai/docs/guide/use-official-tools
  ['/v1/formulas/moonshot/web-search:latest/fibers', 'tools.call', { name: 'web_search', arguments: secret }],
  // https://docs.z.ai/api-reference
  ['/api/paas/v4/web_search', 'tools.call', { search_query: secret }],
  ['/api/paas/v4/reader', 'tools.call', { url: secret }],
  ['/api/v1/agents', 'hosted.model', { agent_id: 'a', messages: [{ role: 'user', content: secret }] }],
  ['/api/paas/v4/assistant', 'hosted.model', { messages: [{ role: 'user', content: secret }] }],
  // https://docs.litellm.ai/docs/rag_query
  ['/v1/rag/query', 'served.any', { model: 'm', messages: [{ role: 'user', content: secret }] }],
  ['/prompts/test', 'hosted.model', { dotprompt_content: secret }],
  ['/guardrails/apply_guardrail', 'served.words', { guardrail_name: 'g', text: secret }],
  // https://docs.letta.com/api-reference/agents/messages, https://openrouter.ai/docs/api-reference
  ['/v1/agents/a/messages', 'hosted.model', { messages: [{ role: 'user', content: secret }] }],
  ['/v1/agents/a/messages/stream', 'hosted.model', { messages: [{ role: 'user', content: secret }] }],
  ['/v1/agents/a/messages/async', 'hosted.model', { messages: [{ role: 'user', content: secret }] }],
  ['/api/v1/agents/agents/a/messages', 'hosted.model', { content: secret }],
  // https://docs.together.ai/reference/queue-submit
  ['/queue/submit', 'hosted.model', { model: 'm', payload: { prompt: secret } }],
  // https://platform.minimax.io/docs/api-reference
  ['/v1/lyrics_generation', 'hosted.model', { mode: 'write_full_song', prompt: secret }],
  ['/v1/music_generation', 'served.words', { model: 'music-2', prompt: 'Pop', lyrics: secret }],
  ['/v1/voice_clone', 'served.words', { file_id: 1, text: secret }],
  ['/v1/voice_design', 'served.words', { prompt: 'Low', preview_text: secret }],
  ['/v1/t2a_async_v2', 'audio.speech', { model: 'm', text: secret }],
  ['/v1/t2a_pro', 'audio.speech', { model: 'm', text: secret }],
  // https://www.volcengine.com/docs/82379
  ['/api/v3/context/create', 'chat.completions.render', { messages: [{ role: 'system', content: secret }] }],
  ['/api/v3/contents/generations/tasks', 'videos', { content: [{ type: 'text', text: secret }] }],
  ['/api/v3/embeddings/multimodal', 'embeddings', { input: [{ type: 'text', text: secret }] }],
  ['/api/v3/tokenization', 'served.words', { text: [secret] }],
  ['/v1/video/generations', 'videos', { prompt: secret }],
  // https://platform.moonshot.ai/docs/api
  ['/v1/caching', 'chat.completions.render', { messages: [{ role: 'system', content: secret }] }],
  ['/v1/tokenizers/estimate-token-count', 'chat.completions.render', { messages: [{ content: secret }] }],
  // https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
  ['/v1/models/m:predict', 'served.generate', { instances: [{ prompt: secret }] }],
  ['/v1/models/m:explain', 'served.generate', { instances: [secret] }],
])('%s', (path, operation, body) => {
  test(`is ${operation}, and says what is asked`, () => {
    expect(openai.operationOf('POST', path)).toBe(operation);
    const { facts, defects } = asked(openai, operation, body, path);
    expect([facts.text.includes(secret), defects]).toEqual([true, []]);
  });
});

test.each([
  ['GET', '/mcp', 'unknown'],
  ['GET', '/v1/agents/a/messages', 'chat.completions.list'],
  ['GET', '/queue/status', 'chat.completions.list'],
  ['GET', '/v1/models/m:predict', 'unknown'],
  ['POST', '/v1/models/m', 'unknown'],
  ['POST', '/v1/things/m:predict', 'unknown'],
  ['POST', '/v1/agents', 'agents'],
  ['POST', '/v1/accounts/a/rlorTrainerJobs', 'fine_tuning'],
])('%s %s is %s', (method, path, operation) => {
  expect(openai.operationOf(method, path)).toBe(operation);
});

test('what a model predicts is text that rules read', () => {
  const { facts, defects } = readAs(
    null,
    openai,
    'served.generate',
    JSON.stringify({ predictions: [secret] }),
  );
  expect([facts.text, defects]).toEqual([secret, []]);
});

test.each([
  [null, 'c'],
  ['sse', '#1'],
] as const)('an agent’s calls are found wherever they stand, %j', (form, id) => {
  const call = { tool_call: { name: 'pay', arguments: '{"to":"Ada"}', tool_call_id: 'c' } };
  const message = { message_type: 'tool_call_message', ...call };
  const text = form === null ? JSON.stringify({ messages: [message] }) : events(message);
  const { facts } = readAs(form, openai, 'hosted.model', text);
  expect(facts.toolCalls).toMatchObject([{ id, name: 'pay', arguments: { to: 'Ada' } }]);
});

test('a call in a wrapper is found by the name within it', () => {
  const call = { type: 'function', function: { name: 'pay', arguments: '{}' } };
  const { facts } = readAs(null, openai, 'hosted.model', JSON.stringify({ tool_call: call }));
  expect(facts.toolCalls.map(({ name }) => name)).toEqual(['pay']);
});
