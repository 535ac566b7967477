/**
 * Routes that single hosts, servers and gateways have beside OpenAI's API: what asks a model in a way of their own, and what
 * has a tool run that the workload names
 * (https://github.com/ggml-org/llama.cpp/tree/master/tools/server, https://docs.litellm.ai/docs/mcp,
 * https://docs.together.ai/reference/tci-execute, https://platform.minimax.io/docs/api-reference,
 * https://www.volcengine.com/docs/82379, https://docs.z.ai/api-reference, https://docs.letta.com/api-reference). Pure.
 */
import type { OperationName } from '../protocol.ts';
import { type Route, route } from './route-table.ts';

const sent: Readonly<Record<OperationName, readonly string[]>> = {
  // Of LiteLLM, llama.cpp, Together, Moonshot and Zhipu.
  'tools.call': [
    ...['mcp', 'mcp/tools/call', 'mcp-rest/tools/call'],
    ...['tools', 'tci/execute', 'fibers', 'web_search', 'reader'],
  ],
  // LiteLLM's, which asks with what it found, and what it tries out; agents of Letta, OpenRouter and Zhipu; Together's queue.
  'served.any': ['rag/query'],
  'hosted.model': [
    ...['prompts/test', 'agents/*/messages', 'agents/*/messages/stream', 'agents/*/messages/async'],
    ...['api/v1/agents', 'paas/v4/assistant', 'queue/submit', 'lyrics_generation'],
  ],
  // What Volcengine and Moonshot are told once and put before a model later.
  'chat.completions.render': ['context/create', 'v1/caching', 'estimate-token-count'],
  'served.words': ['music_generation', 'voice_clone', 'voice_design', 'tokenization', 'apply_guardrail'],
  'audio.speech': ['t2a_async_v2', 't2a_pro'],
  videos: ['contents/generations/tasks', 'v1/video/generations'],
  embeddings: ['embeddings/multimodal'],
  // Fireworks'.
  fine_tuning: ['rlortrainerjobs'],
};

export const routesElsewhere: readonly Route[] = [
  ...Object.entries(sent).flatMap(([operation, paths]) =>
    paths.map((path) => route('send', path, operation)),
  ),
  route('get', 'agents/*/messages', 'chat.completions.list'),
  route('get', 'queue/status', 'chat.completions.list'),
];
