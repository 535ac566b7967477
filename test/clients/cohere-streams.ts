/** Answers in both versions of Cohere's chat, as its documentation shows them. */
import { pieces, type Said, sse } from './said.ts';

/** Before its tool calls the model says what it is about to do. */
const planOf = ({ content, toolCalls }: Said): string =>
  toolCalls.length === 0 ? '' : content || 'I will transfer what was asked for.';

/** A stream of Cohere's chat, version 2: tool calls come one after the other, behind a plan in words. */
export function cohereStream({ content, toolCalls, usage }: Said): string {
  const tokens = { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens };
  const textOf = (text: string, more = {}) => ({ message: { content: { ...more, text } } });
  const callOf = (tool_calls: unknown) => ({ message: { tool_calls } });
  const opening = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  const plan = planOf({ content, toolCalls, usage });
  const finish_reason = toolCalls.length === 0 ? 'COMPLETE' : 'TOOL_CALL';
  const said =
    toolCalls.length > 0
      ? []
      : [
          { type: 'content-start', index: 0, delta: textOf('', { type: 'text' }) },
          ...pieces(content).map((piece) => ({ type: 'content-delta', index: 0, delta: textOf(piece) })),
          { type: 'content-end', index: 0 },
        ];
  return [
    { type: 'message-start', id: 'msg-1', delta: { message: opening } },
    ...pieces(plan).map((tool_plan) => ({ type: 'tool-plan-delta', delta: { message: { tool_plan } } })),
    ...said,
    ...toolCalls.flatMap(({ id, name, arguments: args }, index) => [
      {
        type: 'tool-call-start',
        index,
        delta: callOf({ id, type: 'function', function: { name, arguments: '' } }),
      },
      ...pieces(args).map((piece) => ({
        type: 'tool-call-delta',
        index,
        delta: callOf({ function: { arguments: piece } }),
      })),
      { type: 'tool-call-end', index },
    ]),
    { type: 'message-end', delta: { finish_reason, usage: { billed_units: tokens, tokens } } },
  ]
    .map((event) => sse(event, event.type))
    .join('');
}

/** A whole answer of the chat, version 1. */
export function cohereV1Answer(said: Said): object {
  const tokens = { input_tokens: said.usage.prompt_tokens, output_tokens: said.usage.completion_tokens };
  return {
    response_id: 'res-1',
    generation_id: 'gen-1',
    text: planOf(said) || said.content,
    chat_history: [],
    finish_reason: 'COMPLETE',
    meta: { api_version: { version: '1' }, billed_units: tokens, tokens },
    ...(said.toolCalls.length === 0 ? {} : { tool_calls: v1Calls(said) }),
  };
}

const v1Calls = ({ toolCalls }: Said) =>
  toolCalls.map(({ name, arguments: args }) => ({ name, parameters: JSON.parse(args) as unknown }));

/** A stream of it, one event a line. */
export function cohereV1Stream(said: Said): string {
  const plan = planOf(said);
  const calls = said.toolCalls.flatMap(({ name, arguments: args }, index) =>
    [{ name, index }, ...pieces(args).map((parameters) => ({ index, parameters }))].map(
      (tool_call_delta) => ({ event_type: 'tool-calls-chunk', tool_call_delta }),
    ),
  );
  const spoken =
    plan === ''
      ? pieces(said.content).map((text) => ({ event_type: 'text-generation', text }))
      : [
          ...pieces(plan).map((text) => ({ event_type: 'tool-calls-chunk', text })),
          ...calls,
          { event_type: 'tool-calls-generation', text: plan, tool_calls: v1Calls(said) },
        ];
  const events = [{ event_type: 'stream-start', generation_id: 'gen-1' }, ...spoken].map((event) => ({
    is_finished: false,
    ...event,
  }));
  const end = { is_finished: true, event_type: 'stream-end', finish_reason: 'COMPLETE' };
  return [...events, { ...end, response: cohereV1Answer(said) }]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
}

/** The last event of a stream of it that failed. */
export function cohereV1Failure(message: string): object {
  const end = { is_finished: true, event_type: 'stream-end', finish_reason: 'ERROR', error: message };
  const response = { response_id: 'res-1', generation_id: 'gen-1', text: '', finish_reason: 'ERROR' };
  return { ...end, response };
}
