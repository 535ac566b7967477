/** Answers of Vercel's gateway in the AI SDK's own form, and what the SDK makes of a stream of them. */
import { createGateway, jsonSchema, streamText, type ToolSet } from 'ai';
import { protocolOf } from '../../../../src/provider/index.ts';
import { answering, events } from '../streams.ts';

export const openai = protocolOf('openai');
export const model = 'gateway.model';
export const tools: ToolSet = { pay: { inputSchema: jsonSchema({ type: 'object' }) } };
const none = { unified: 'tool-calls', raw: 'tool_calls' };
const usage = { inputTokens: { total: 7 }, outputTokens: { total: 5 } };

export const call = (input: string, more: object = {}) => ({
  type: 'tool-call',
  toolCallId: 'c',
  toolName: 'pay',
  input,
  ...more,
});
export const answer = (...content: readonly object[]) =>
  JSON.stringify({ content, finishReason: none, usage });
export const finish = { type: 'finish', finishReason: none, usage };
export const stream = (...parts: readonly object[]) =>
  events({ type: 'stream-start', warnings: [] }, ...parts);
export const begun = { type: 'tool-input-start', id: 'c', toolName: 'pay' };
export const piece = (delta: string) => ({ type: 'tool-input-delta', id: 'c', delta });
export const ended = { type: 'tool-input-end', id: 'c' };
export const said = (delta: string, id = 't') => ({ type: 'text-delta', id, delta });
const text = (value: string) => [{ type: 'text-start', id: 't' }, said(value), { type: 'text-end', id: 't' }];

export const paying = stream(
  ...text('One moment.'),
  ...[begun, piece('{"amount":'), piece('25000}'), ended, call('{"amount":25000}'), finish],
);

export async function streamedBy(bytes: string) {
  const gateway = createGateway({ apiKey: 'none', fetch: answering(bytes) });
  const failures: unknown[] = [];
  const result = streamText({
    ...{ model: gateway('m'), prompt: 'Hi', tools, maxRetries: 0 },
    onError: ({ error }) => {
      failures.push(error);
    },
  });
  const calls = (await result.toolCalls).map(({ toolName, input }) => [toolName, input]);
  return { text: await result.text, calls, failures };
}
