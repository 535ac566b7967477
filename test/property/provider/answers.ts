/** Answers made at random, and how each API family writes them whole and streamed. */
import fc from 'fast-check';
import type { OperationName } from '../../../src/provider/protocol.ts';

export interface GeneratedAnswer {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }[];
  readonly pieceChars: number;
}

/** Any JSON value but one with a key that clients take for an object's prototype: that is a defect by itself. */
export function plainValue(constraints: fc.JsonSharedConstraints = {}): fc.Arbitrary<unknown> {
  return fc.jsonValue(constraints).filter((value) => !JSON.stringify(value).includes('__proto__'));
}

const argumentsOf = fc.dictionary(
  fc.string({ maxLength: 6 }).filter((key) => key !== '__proto__'),
  plainValue({ maxDepth: 2 }),
  { maxKeys: 4 },
);

const nameOf = fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name.trim() !== '');

export const generatedAnswer: fc.Arbitrary<GeneratedAnswer> = fc.record({
  text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  calls: fc.array(fc.record({ name: nameOf, arguments: argumentsOf }), {
    maxLength: 3,
  }),
  pieceChars: fc.integer({ min: 1, max: 9 }),
});

/**
 * Without what ends a line for some clients where it stands as it is: a call beside such a character is a doubtful one in a
 * stream of lines, and not in a whole answer.
 */
export const plainAnswer = generatedAnswer.filter(
  (answer) => !/[\x85\u2028\u2029]/.test(JSON.stringify(answer)),
);

function pieces(text: string, chars: number): string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; at += chars) out.push(text.slice(at, at + chars));
  return out;
}

type Json = Readonly<Record<string, unknown>>;

const finishOf = (answer: GeneratedAnswer) => (answer.calls.length > 0 ? 'tool_calls' : 'stop');
const stopOf = (answer: GeneratedAnswer) => (answer.calls.length > 0 ? 'tool_use' : 'end_turn');

function chatJson(answer: GeneratedAnswer): Json {
  const calls = answer.calls.map((call, i) => ({
    id: `c${i}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  const message = { role: 'assistant', content: answer.text, tool_calls: calls };
  return { choices: [{ index: 0, message, finish_reason: finishOf(answer) }] };
}

function chatStream(answer: GeneratedAnswer): string[] {
  const chunk = (delta: Json, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const out = pieces(answer.text, answer.pieceChars).map((piece) => chunk({ content: piece }));
  const waiting = answer.calls.map((call) => pieces(JSON.stringify(call.arguments), answer.pieceChars));
  answer.calls.forEach((call, index) => {
    const opened = { index, id: `c${index}`, type: 'function', function: { name: call.name, arguments: '' } };
    out.push(chunk({ tool_calls: [opened] }));
  });
  // Parallel calls take turns.
  for (let turn = 0; waiting.some((list) => turn < list.length); turn += 1) {
    waiting.forEach((list, index) => {
      const piece = list[turn];
      if (piece !== undefined) out.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
    });
  }
  return [...out, chunk({}, finishOf(answer)), 'data: [DONE]\n\n'];
}

function responsesJson(answer: GeneratedAnswer): Json & { readonly output: readonly Json[] } {
  const calls = answer.calls.map((call, i) => ({
    type: 'function_call',
    id: `f${i}`,
    call_id: `c${i}`,
    name: call.name,
    arguments: JSON.stringify(call.arguments),
  }));
  const content = [{ type: 'output_text', text: answer.text, annotations: [] }];
  const message = { type: 'message', id: 'm', role: 'assistant', content };
  return { status: 'completed', error: null, output: [message, ...calls] };
}

function responsesStream(answer: GeneratedAnswer): string[] {
  const whole = responsesJson(answer);
  const event = (type: string, members: Json) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
  const out = [event('response.created', { response: { ...whole, status: 'in_progress', output: [] } })];
  whole.output.forEach((item, index) => {
    const at = { output_index: index };
    const isCall = item['type'] === 'function_call';
    const opened = isCall ? { ...item, arguments: '' } : { ...item, content: [] };
    out.push(event('response.output_item.added', { ...at, item: opened }));
    const text = isCall ? String(item['arguments']) : answer.text;
    const subject = isCall ? 'response.function_call_arguments' : 'response.output_text';
    for (const delta of pieces(text, answer.pieceChars)) {
      out.push(event(`${subject}.delta`, { ...at, content_index: 0, delta }));
    }
    out.push(event(`${subject}.done`, { ...at, content_index: 0, [isCall ? 'arguments' : 'text']: text }));
    out.push(event('response.output_item.done', { ...at, item }));
  });
  return [...out, event('response.completed', { response: whole })];
}

function messagesJson(answer: GeneratedAnswer): Json & { readonly content: readonly Json[] } {
  const calls = answer.calls.map((call, i) => ({
    type: 'tool_use',
    id: `c${i}`,
    name: call.name,
    input: call.arguments,
  }));
  return {
    type: 'message',
    content: [{ type: 'text', text: answer.text }, ...calls],
    stop_reason: stopOf(answer),
  };
}

function messagesStream(answer: GeneratedAnswer): string[] {
  const whole = messagesJson(answer);
  const event = (type: string, members: Json) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
  const out = [event('message_start', { message: { ...whole, content: [], stop_reason: null } })];
  whole.content.forEach((block, index) => {
    const isCall = block['type'] === 'tool_use';
    const opened = isCall ? { ...block, input: {} } : { ...block, text: '' };
    out.push(event('content_block_start', { index, content_block: opened }));
    const text = isCall ? JSON.stringify(block['input']) : answer.text;
    for (const piece of pieces(text, answer.pieceChars)) {
      const delta = isCall
        ? { type: 'input_json_delta', partial_json: piece }
        : { type: 'text_delta', text: piece };
      out.push(event('content_block_delta', { index, delta }));
    }
    out.push(event('content_block_stop', { index }));
  });
  out.push(event('message_delta', { delta: { stop_reason: stopOf(answer) }, usage: { output_tokens: 1 } }));
  return [...out, event('message_stop', {})];
}

/** The answer as one JSON body. */
export function jsonForm(operation: OperationName, answer: GeneratedAnswer): string {
  if (operation === 'responses') return JSON.stringify(responsesJson(answer));
  return JSON.stringify(operation === 'messages' ? messagesJson(answer) : chatJson(answer));
}

/** The answer as a stream. */
export function streamForm(operation: OperationName, answer: GeneratedAnswer): string {
  if (operation === 'responses') return responsesStream(answer).join('');
  return (operation === 'messages' ? messagesStream(answer) : chatStream(answer)).join('');
}
