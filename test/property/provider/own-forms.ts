/** How Ollama, Mistral and Cohere write an answer made at random, whole and streamed. */
import type { OperationName, StreamForm } from '../../../src/provider/protocol.ts';
import type { GeneratedAnswer } from './answers.ts';

type Json = Readonly<Record<string, unknown>>;

export interface OwnForm {
  readonly protocol: 'ollama' | 'mistral' | 'cohere';
  readonly operation: OperationName;
  readonly form: StreamForm;
  whole(answer: GeneratedAnswer): Json;
  streamed(answer: GeneratedAnswer): readonly Json[];
  /** What follows the last event of the stream. */
  readonly ending: string;
}

function pieces(text: string, chars: number): string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; at += chars) out.push(text.slice(at, at + chars));
  return out;
}

const text = JSON.stringify;

const ollamaCall = (call: GeneratedAnswer['calls'][number]) => ({
  function: { name: call.name, arguments: call.arguments },
});
const ollamaEnd = { done: true, done_reason: 'stop' };

const ollamaChat: OwnForm = {
  protocol: 'ollama',
  operation: 'chat',
  form: 'ndjson',
  ending: '',
  whole: (answer) => ({
    message: { content: answer.text, tool_calls: answer.calls.map(ollamaCall) },
    ...ollamaEnd,
  }),
  streamed: (answer) => [
    ...pieces(answer.text, answer.pieceChars).map((content) => ({ message: { content }, done: false })),
    ...answer.calls.map((call) => ({
      message: { content: '', tool_calls: [ollamaCall(call)] },
      done: false,
    })),
    { message: { content: '' }, ...ollamaEnd },
  ],
};

const ollamaGenerate: OwnForm = {
  ...ollamaChat,
  operation: 'generate',
  whole: (answer) => ({ response: answer.text, tool_calls: answer.calls.map(ollamaCall), ...ollamaEnd }),
  streamed: (answer) => [
    ...pieces(answer.text, answer.pieceChars).map((response) => ({ response, done: false })),
    { response: '', tool_calls: answer.calls.map(ollamaCall), ...ollamaEnd },
  ],
};

const mistralCall = (call: GeneratedAnswer['calls'][number], index: number) => ({
  id: `c${index}`,
  index,
  function: { name: call.name, arguments: index % 2 === 0 ? text(call.arguments) : call.arguments },
});

const mistralChat: OwnForm = {
  protocol: 'mistral',
  operation: 'chat.completions',
  form: 'sse',
  ending: 'data: [DONE]\n\n',
  whole: (answer) => ({
    choices: [
      {
        index: 0,
        message: {
          content: [
            { type: 'thinking', thinking: [] },
            { type: 'text', text: answer.text },
          ],
          tool_calls: answer.calls.map(mistralCall),
        },
        finish_reason: 'stop',
      },
    ],
  }),
  streamed: (answer) => {
    const deltas: Json[] = pieces(answer.text, answer.pieceChars).map((piece, i) => ({
      content: i % 2 === 0 ? piece : [{ type: 'text', text: piece }],
    }));
    deltas.push(...answer.calls.map((call, i) => ({ content: '', tool_calls: [mistralCall(call, i)] })));
    const last = { index: 0, delta: {}, finish_reason: 'stop' };
    const chunks = deltas.map((delta) => ({ choices: [{ index: 0, delta, finish_reason: null }] }));
    return [...chunks, { choices: [last] }];
  },
};

const conversationCall = (call: GeneratedAnswer['calls'][number], i: number, args: unknown) => ({
  tool_call_id: `c${i}`,
  name: call.name,
  arguments: args,
});

const conversation: OwnForm = {
  protocol: 'mistral',
  operation: 'conversations',
  form: 'sse',
  ending: '',
  whole: (answer) => ({
    outputs: [
      { type: 'message.output', content: answer.text },
      ...answer.calls.map((call, i) => ({
        type: 'function.call',
        ...conversationCall(call, i, i % 2 === 0 ? text(call.arguments) : call.arguments),
      })),
    ],
  }),
  streamed: (answer) => [
    { type: 'conversation.response.started' },
    ...pieces(answer.text, answer.pieceChars).map((content) => ({
      type: 'message.output.delta',
      output_index: 0,
      content,
    })),
    ...answer.calls.flatMap((call, i) =>
      pieces(text(call.arguments), answer.pieceChars).map((args) => ({
        type: 'function.call.delta',
        output_index: i + 1,
        ...conversationCall(call, i, args),
      })),
    ),
    { type: 'conversation.response.done', usage: {} },
  ],
};

const cohereCall = (call: GeneratedAnswer['calls'][number], i: number, args: string) => ({
  id: `c${i}`,
  type: 'function',
  function: { name: call.name, arguments: args },
});
const message = (said: Json) => ({ delta: { message: said } });

const cohereChat: OwnForm = {
  protocol: 'cohere',
  operation: 'chat',
  form: 'sse',
  ending: '',
  whole: (answer) => ({
    finish_reason: 'COMPLETE',
    message: {
      content: [{ type: 'text', text: answer.text }],
      tool_calls: answer.calls.map((call, i) => cohereCall(call, i, text(call.arguments))),
    },
  }),
  streamed: (answer) => [
    { type: 'message-start', ...message({ role: 'assistant' }) },
    { type: 'content-start', index: 0, ...message({ content: { type: 'text', text: '' } }) },
    ...pieces(answer.text, answer.pieceChars).map((piece) => ({
      type: 'content-delta',
      index: 0,
      ...message({ content: { text: piece } }),
    })),
    ...answer.calls.flatMap((call, index) => [
      { type: 'tool-call-start', index, ...message({ tool_calls: cohereCall(call, index, '') }) },
      ...pieces(text(call.arguments), answer.pieceChars).map((piece) => ({
        type: 'tool-call-delta',
        index,
        ...message({ tool_calls: { function: { arguments: piece } } }),
      })),
      { type: 'tool-call-end', index },
    ]),
    { type: 'message-end', delta: { finish_reason: 'COMPLETE' } },
  ],
};

const parameterCall = (call: GeneratedAnswer['calls'][number]) => ({
  name: call.name,
  parameters: call.arguments,
});

function v1Whole(answer: GeneratedAnswer): Json {
  return { text: answer.text, tool_calls: answer.calls.map(parameterCall), finish_reason: 'COMPLETE' };
}

const cohereV1: OwnForm = {
  protocol: 'cohere',
  operation: 'chat.v1',
  form: 'ndjson',
  ending: '',
  whole: v1Whole,
  streamed: (answer) => [
    { event_type: 'stream-start' },
    ...pieces(answer.text, answer.pieceChars).map((piece) => ({
      event_type: 'text-generation',
      text: piece,
    })),
    ...answer.calls.flatMap((call, index) => [
      { event_type: 'tool-calls-chunk', tool_call_delta: { index, name: call.name } },
      ...pieces(text(call.arguments), answer.pieceChars).map((parameters) => ({
        event_type: 'tool-calls-chunk',
        tool_call_delta: { index, parameters },
      })),
    ]),
    { event_type: 'tool-calls-generation', tool_calls: answer.calls.map(parameterCall) },
    { event_type: 'stream-end', finish_reason: 'COMPLETE', response: v1Whole(answer) },
  ],
};

export const ownForms: readonly OwnForm[] = [
  ollamaChat,
  ollamaGenerate,
  mistralChat,
  conversation,
  cohereChat,
  cohereV1,
  { ...cohereV1, form: 'sse' },
];

/** The answer as a stream. */
export function streamOf(own: OwnForm, answer: GeneratedAnswer): Buffer {
  const events = own.streamed(answer).map((value) => JSON.stringify(value));
  const framed = events.map((event) => (own.form === 'sse' ? `data: ${event}\n\n` : `${event}\n`));
  return Buffer.from(framed.join('') + own.ending);
}
