/** llama.cpp's and LM Studio's own forms: a stream says what its pieces say, however it is cut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { events, type TypedEvent, typedEvents } from '../../unit/provider/streams.ts';
import { type GeneratedAnswer, generatedAnswer, plainAnswer } from './answers.ts';

const openai = protocolOf('openai');
const places = fc.array(fc.nat(), { maxLength: 40 });

function piecesOf({ text, pieceChars }: GeneratedAnswer): readonly string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; at += pieceChars) out.push(text.slice(at, at + pieceChars));
  return out;
}

function lmStudioResult({ text, calls }: GeneratedAnswer) {
  const made = calls.map((call) => ({
    type: 'tool_call',
    tool: call.name,
    arguments: call.arguments,
    output: '',
  }));
  return { model_instance_id: 'm', output: [...made, { type: 'message', content: text }], stats: {} };
}

interface Form {
  readonly operation: string;
  readonly stream: (answer: GeneratedAnswer) => string;
  readonly whole: (answer: GeneratedAnswer) => object;
  readonly hasCalls: boolean;
}

const forms: readonly Form[] = [
  ...['llamacpp.completion', 'completions'].map((operation) => ({
    operation,
    stream: (answer: GeneratedAnswer) =>
      events(...piecesOf(answer).map((content) => ({ index: 0, content, tokens: [1], stop: false })), {
        index: 0,
        content: '',
        stop: true,
        stop_type: 'eos',
      }),
    whole: ({ text }: GeneratedAnswer) => ({ index: 0, content: text, stop: true, stop_type: 'eos' }),
    hasCalls: false,
  })),
  {
    operation: 'lmstudio.chat',
    stream: (answer) =>
      typedEvents(
        ...answer.calls.map(
          (call): TypedEvent => ({ type: 'tool_call.arguments', tool: call.name, arguments: call.arguments }),
        ),
        ...piecesOf(answer).map((content): TypedEvent => ({ type: 'message.delta', content })),
        { type: 'chat.end', result: lmStudioResult(answer) },
      ),
    whole: lmStudioResult,
    hasCalls: true,
  },
];
const anyForm = fc.constantFrom(...forms);

function read(operation: string, chunks: readonly Buffer[]) {
  const stream = openai.openStream(operation, 200, 'sse');
  const told = chunks.flatMap((chunk) => stream.push(chunk));
  return { told, ...stream.finish() };
}

describe('a stream of a local server', () => {
  test('says the same however it is cut, and gives every byte back', () => {
    fc.assert(
      fc.property(anyForm, generatedAnswer, places, (form, answer, at) => {
        const bytes = Buffer.from(form.stream(answer));
        const ends = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length].sort(
          (a, b) => a - b,
        );
        const cut = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
        const whole = read(form.operation, [bytes]);
        expect(read(form.operation, cut)).toEqual(whole);
        expect(Buffer.concat([...whole.told.map(({ raw }) => raw), whole.rest])).toEqual(bytes);
      }),
      { numRuns: 150 },
    );
  });

  test('says what the whole answer says', () => {
    fc.assert(
      fc.property(anyForm, plainAnswer, ({ operation, stream, whole, hasCalls }, answer) => {
        const { reading } = read(operation, [Buffer.from(stream(answer))]);
        const alone = openai.readResponse(operation, 200, Buffer.from(JSON.stringify(whole(answer))));
        expect({ facts: reading.facts, defects: reading.defects }).toEqual({
          facts: alone.facts,
          defects: [],
        });
        expect(reading.complete).toBe(true);
        expect(reading.facts.text).toBe(answer.text);
        expect(reading.facts.toolCalls.map((call) => call.name)).toEqual(
          hasCalls ? answer.calls.map((call) => call.name) : [],
        );
      }),
      { numRuns: 150 },
    );
  });
});
