import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { amendAnswer } from '../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { OperationName, ResponseReading, StreamForm } from '../../../src/provider/protocol.ts';
import { headOf } from '../../unit/provider/streams.ts';
import { type GeneratedAnswer, generatedAnswer, plainAnswer, plainValue } from './answers.ts';

const gemini = protocolOf('gemini');
const vertex = protocolOf('vertex');
type Json = Readonly<Record<string, unknown>>;

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

function pieces(text: string, chars: number): string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; at += chars) out.push(text.slice(at, at + chars));
  return out;
}

const candidate = (parts: readonly Json[], more: Json = {}): Json => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
});
const finish = { finishReason: 'STOP' };

/** The arguments value by value, as Vertex AI streams them. */
function partialArgs(path: string, value: unknown, chars: number): Json[] {
  if (typeof value === 'string') {
    const texts = pieces(value, chars);
    const open = texts.map((stringValue) => ({ jsonPath: path, stringValue, willContinue: true }));
    return [...open, { jsonPath: path, stringValue: '' }];
  }
  if (typeof value === 'number') return [{ jsonPath: path, numberValue: value }];
  if (typeof value === 'boolean') return [{ jsonPath: path, boolValue: value }];
  if (value === null) return [{ jsonPath: path, nullValue: 'NULL_VALUE' }];
  if (Array.isArray(value)) {
    const inner = value.flatMap((one, i) => partialArgs(`${path}[${i}]`, one, chars));
    return [...inner, { jsonPath: `${path}[]` }];
  }
  const members = Object.entries(value ?? {});
  if (members.length === 0) return [{ jsonPath: path }];
  return members.flatMap(([key, member]) => partialArgs(`${path}[${quoted(key)}]`, member, chars));
}

const quoted = (key: string) => `"${key.replace(/[\\"]/g, '\\$&')}"`;

function chunksOf(answer: GeneratedAnswer, streamsArguments: boolean): Json[] {
  const out = pieces(answer.text, answer.pieceChars).map((text) => candidate([{ text }]));
  for (const { name, arguments: args } of answer.calls) {
    if (!streamsArguments) {
      out.push(candidate([{ functionCall: { name, args } }]));
      continue;
    }
    out.push(candidate([{ functionCall: { name, willContinue: true } }]));
    for (const arg of partialArgs('$', args, answer.pieceChars)) {
      out.push(candidate([{ functionCall: { partialArgs: [arg], willContinue: true } }]));
    }
    out.push(candidate([{ functionCall: {} }]));
  }
  return [...out, { ...candidate([{ text: '' }], finish), modelVersion: 'm' }];
}

function wholeOf(answer: GeneratedAnswer): Json {
  const calls = answer.calls.map(({ name, arguments: args }) => ({ functionCall: { name, args } }));
  return { ...candidate([{ text: answer.text }, ...calls], finish), modelVersion: 'm' };
}

function write(chunks: readonly Json[], form: StreamForm): Buffer {
  const texts = chunks.map((chunk) => JSON.stringify(chunk));
  if (form === 'json-array') return Buffer.from(`[${texts.join('\n,\r\n')}\n]\n`);
  return Buffer.from(texts.map((text) => `data: ${text}\r\n\r\n`).join(''));
}

/** Interactions have steps in place of candidates. */
function stepsOf(answer: GeneratedAnswer): Json[] {
  const calls = answer.calls.map((call, i) => ({ type: 'function_call', id: `c${i}`, ...call }));
  return [{ type: 'model_output', content: [{ type: 'text', text: answer.text }] }, ...calls];
}

function interactionStream(answer: GeneratedAnswer): Buffer {
  const out: Json[] = [{ event_type: 'interaction.created', interaction: { id: 'i', model: 'm' } }];
  stepsOf(answer).forEach((step, index) => {
    const isCall = step['type'] === 'function_call';
    const began = isCall ? { ...step, arguments: {} } : { type: step['type'] };
    out.push({ event_type: 'step.start', index, step: began });
    const text = isCall ? JSON.stringify(step['arguments']) : answer.text;
    for (const piece of pieces(text, answer.pieceChars)) {
      const delta = isCall ? { type: 'arguments_delta', arguments: piece } : { type: 'text', text: piece };
      out.push({ event_type: 'step.delta', index, delta });
    }
    out.push({ event_type: 'step.stop', index });
  });
  out.push({ event_type: 'interaction.completed', interaction: { status: 'completed', model: 'm' } });
  return write(out, 'sse');
}

function read(operation: OperationName, form: StreamForm, chunks: readonly Buffer[]) {
  const stream = gemini.openStream(operation, 200, form);
  const events = chunks.flatMap((chunk) => stream.push(chunk));
  return { events, ...stream.finish() };
}

/** Every way to stream an answer. */
const streamed: fc.Arbitrary<{
  operation: OperationName;
  form: StreamForm;
  write: (answer: GeneratedAnswer) => Buffer;
}> = fc.constantFrom(
  ...(['sse', 'json-array'] as const).flatMap((form) =>
    [false, true].map((inPieces) => ({
      operation: 'stream_generate_content',
      form,
      write: (answer: GeneratedAnswer) => write(chunksOf(answer, inPieces), form),
    })),
  ),
  { operation: 'interactions', form: 'sse' as const, write: interactionStream },
);
const places = fc.array(fc.nat(), { maxLength: 40 });
const meaning = ({ facts, defects }: ResponseReading) => ({
  text: facts.text,
  model: facts.model,
  calls: facts.toolCalls.map(({ name, arguments: value }) => ({ name, value })),
  defects,
});

test('a stream says the same however it is cut, keeps its bytes, and is complete', () => {
  fc.assert(
    fc.property(streamed, generatedAnswer, places, ({ operation, form, ...way }, answer, at) => {
      const bytes = way.write(answer);
      const expected = read(operation, form, [bytes]);
      expect(read(operation, form, cut(bytes, at))).toEqual(expected);
      expect(Buffer.concat([...expected.events.map(({ raw }) => raw), expected.rest])).toEqual(bytes);
      expect(expected.reading).toMatchObject({ complete: true, failed: false, defects: [] });
    }),
    { numRuns: 120 },
  );
});

test('a stream has the facts of the whole answer', () => {
  fc.assert(
    fc.property(streamed, plainAnswer, ({ operation, form, ...way }, answer) => {
      const isInteraction = operation === 'interactions';
      const body = isInteraction
        ? { steps: stepsOf(answer), model: 'm', status: 'completed' }
        : wholeOf(answer);
      const whole = gemini.readResponse(
        isInteraction ? operation : 'generate_content',
        200,
        Buffer.from(JSON.stringify(body)),
      );
      expect(meaning(read(operation, form, [way.write(answer)]).reading)).toEqual(meaning(whole));
      expect(whole.facts.toolCalls.map((call) => call.arguments)).toEqual(
        answer.calls.map((call) => JSON.parse(JSON.stringify(call.arguments))),
      );
    }),
    { numRuns: 150 },
  );
});

describe('a stream with bytes changed', () => {
  const mutation = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 12 }),
    insert: fc.constantFrom('', '"', '}', '\n\n', '{', '\\', 'null', ']', '[]', ',', 'functionCall'),
  });

  test('throws nowhere, keeps its bytes, and lets no call through unjudged', () => {
    fc.assert(
      fc.property(
        streamed,
        generatedAnswer,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (way, answer, all) => {
          let bytes = way.write(answer);
          for (const { at, remove, insert } of all) {
            const place = at % (bytes.length + 1);
            bytes = Buffer.concat([
              bytes.subarray(0, place),
              Buffer.from(insert),
              bytes.subarray(place + remove),
            ]);
          }
          const { events, rest, reading } = read(way.operation, way.form, [bytes]);
          expect(Buffer.concat([...events.map(({ raw }) => raw), rest])).toEqual(bytes);
          const judged = events.some(({ kind }) => kind === 'tool') || rest.length > 0;
          if (reading.facts.toolCalls.length > 0) expect(judged).toBe(true);
        },
      ),
      { numRuns: 250 },
    );
  });
});

test('an amendment of one call changes that call and nothing else, in every form', () => {
  fc.assert(
    fc.property(
      streamed,
      generatedAnswer.filter(({ calls }) => calls.length > 0),
      fc.dictionary(fc.string({ maxLength: 5 }), plainValue({ maxDepth: 2 }), { maxKeys: 3 }),
      fc.nat(),
      ({ operation, form, ...way }, answer, value, which) => {
        const bytes = way.write(answer);
        const before = meaning(read(operation, form, [bytes]).reading);
        const { toolCalls } = read(operation, form, [bytes]).reading.facts;
        const place = which % toolCalls.length;
        const wanted: unknown = JSON.parse(JSON.stringify(value));
        const id = toolCalls[place]?.id ?? '';
        const amended = amendAnswer(gemini, operation, bytes, form, {
          toolCalls: [{ id, arguments: wanted }],
        });
        const after = meaning(read(operation, form, [amended]).reading);
        const calls = before.calls.map((call, i) => (i === place ? { ...call, value: wanted } : call));
        expect(after).toEqual({ ...before, calls });
      },
    ),
    { numRuns: 120 },
  );
});

const operations = [
  'generate_content',
  'stream_generate_content',
  'count_tokens',
  'batch_generate_content',
  'predict',
  'interactions',
  'batches.status',
  'chat.completions',
  'messages',
  'raw_predict',
  'unknown',
] as const;

function readEverything(operation: OperationName, bytes: Buffer): void {
  for (const protocol of [gemini, vertex]) {
    expect(Array.isArray(protocol.readRequest(operation, bytes, headOf('/v1/models/m:x')).defects)).toBe(
      true,
    );
    expect(protocol.readResponse(operation, 200, bytes).facts.status).toBe(200);
    for (const form of ['sse', 'json-array'] as const) {
      const stream = protocol.openStream(operation, 200, form);
      stream.push(
        form === 'sse' ? Buffer.concat([Buffer.from('data: '), bytes, Buffer.from('\n\n')]) : bytes,
      );
      expect(Array.isArray(stream.finish().reading.defects)).toBe(true);
    }
    try {
      amendAnswer(protocol, operation, bytes, null, { text: 'x' });
    } catch (error) {
      expect(error).toBeInstanceOf(HoldpointError);
    }
  }
}

test('no parser throws on any bytes', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...operations),
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc.jsonValue({ maxDepth: 6 }).map((value) => Buffer.from(JSON.stringify(value))),
      ),
      readEverything,
    ),
    { numRuns: 300 },
  );
});

test('no parser throws on known members of any type', () => {
  const member = fc.constantFrom(
    'candidates',
    'content',
    'parts',
    'functionCall',
    'function_call',
    'partialArgs',
    'jsonPath',
    'stringValue',
    'willContinue',
    'args',
    'name',
    'text',
    'index',
    'contents',
    'systemInstruction',
    'tools',
    'functionDeclarations',
    'promptFeedback',
    'usageMetadata',
    'batch',
    'requests',
    'steps',
    'step',
    'delta',
    'type',
    'event_type',
    'interaction',
    'input',
    'arguments',
    'predictions',
    'instances',
  );
  const word = fc.constantFrom(
    '$.a',
    '$.a[0]',
    '$',
    'step.start',
    'step.delta',
    'interaction.completed',
    'function_call',
    'model_output',
    'arguments_delta',
    'text',
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, 0, 1, -1, '', '{}', true),
      word,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(member, tie('value'), { maxKeys: 6 }),
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom(...operations), value, (operation, one) =>
      readEverything(operation, Buffer.from(JSON.stringify(one) ?? 'null')),
    ),
    { numRuns: 500 },
  );
});
