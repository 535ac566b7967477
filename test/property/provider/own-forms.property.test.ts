import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { amendAnswer } from '../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { ResponseReading } from '../../../src/provider/protocol.ts';
import { createNdjsonSplitter } from '../../../src/provider/wire/ndjson.ts';
import { eachElement, sourcesAt } from '../../../src/provider/wire/source-at-path.ts';
import { headOf } from '../../unit/provider/streams.ts';
import { generatedAnswer, plainAnswer, plainValue } from './answers.ts';
import { type OwnForm, ownForms, streamOf } from './own-forms.ts';

const anyForm = fc.constantFrom(...ownForms);
const places = fc.array(fc.nat(), { maxLength: 40 });

/** Cuts bytes at the given places, taken modulo the length. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
}

function readChunks({ protocol, operation, form }: OwnForm, chunks: readonly Buffer[]) {
  const stream = protocolOf(protocol).openStream(operation, 200, form);
  const events = chunks.flatMap((chunk) => stream.push(chunk));
  return { events, ...stream.finish() };
}

const awkwardLines = fc
  .array(
    fc.constantFrom('{"a":1}', '"', '\\', '\n', '\r', '\r\n', '\n\n', '\uFEFF', 'é', '😀', '\u2028', '{}'),
    {
      maxLength: 40,
    },
  )
  .map((parts) => Buffer.from(parts.join('')));

describe('the splitter of lines', () => {
  test('gives every byte back and the same lines, however the input is cut', () => {
    fc.assert(
      fc.property(awkwardLines, places, fc.integer({ min: 1, max: 60 }), (bytes, at, bound) => {
        const whole = createNdjsonSplitter();
        const expected = { lines: whole.push(bytes), end: whole.finish() };
        const inPieces = createNdjsonSplitter();
        const lines = cut(bytes, at).flatMap((chunk) => inPieces.push(chunk));
        const end = inPieces.finish();
        expect({ lines, end }).toEqual(expected);
        expect(Buffer.concat([...lines.map(({ raw }) => raw), end.rest])).toEqual(bytes);
        const bounded = createNdjsonSplitter(bound);
        const parts = cut(bytes, at).flatMap((chunk) => bounded.push(chunk));
        expect(Buffer.concat([...parts.map(({ raw }) => raw), bounded.finish().rest])).toEqual(bytes);
        for (const { raw, defect } of parts) if (raw.length > bound) expect(defect).not.toBe('');
        expect(parts.filter(({ defect }) => defect === '').map(({ text }) => text)).toEqual(
          expected.lines.filter(({ raw }) => raw.length <= bound).map(({ text }) => text),
        );
      }),
      { numRuns: 150 },
    );
  });
});

describe('a reader of a stream', () => {
  test('says the same however the stream is cut', () => {
    fc.assert(
      fc.property(anyForm, generatedAnswer, places, (own, answer, at) => {
        const bytes = streamOf(own, answer);
        expect(readChunks(own, cut(bytes, at))).toEqual(readChunks(own, [bytes]));
      }),
      { numRuns: 150 },
    );
  });

  test('agrees with the whole answer on text, calls and defects', () => {
    const said = ({ facts, defects, complete }: ResponseReading) => ({
      text: facts.text,
      toolCalls: facts.toolCalls,
      defects,
      complete,
    });
    fc.assert(
      fc.property(anyForm, plainAnswer, (own, answer) => {
        const json = Buffer.from(JSON.stringify(own.whole(answer)));
        const whole = protocolOf(own.protocol).readResponse(own.operation, 200, json);
        expect(said(readChunks(own, [streamOf(own, answer)]).reading)).toEqual(said(whole));
        expect(whole.defects).toEqual([]);
        expect(whole.facts.text).toBe(answer.text);
        expect(whole.facts.toolCalls.map((call) => call.arguments)).toEqual(
          answer.calls.map((call) => JSON.parse(JSON.stringify(call.arguments))),
        );
      }),
      { numRuns: 150 },
    );
  });

  test('never throws, and never lets a call through unjudged, on mutated streams', () => {
    const mutation = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 12 }),
      insert: fc.constantFrom('', '"', '}', '\n', '\n\n', '{', '\\', 'null', '\uFEFF', '[]', ','),
    });
    fc.assert(
      fc.property(
        anyForm,
        generatedAnswer,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (own, answer, mutations) => {
          let bytes = streamOf(own, answer);
          for (const { at, remove, insert } of mutations) {
            const place = at % (bytes.length + 1);
            const tail = bytes.subarray(place + remove);
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(insert), tail]);
          }
          const { events, rest, reading } = readChunks(own, [bytes]);
          expect(Buffer.concat([...events.map((event) => event.raw), rest])).toEqual(bytes);
          const judged = events.some((event) => event.kind === 'tool') || rest.length > 0;
          if (reading.facts.toolCalls.length > 0) expect(judged).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });
});

test('an amendment, whole or streamed, reads back as what was meant', () => {
  const value = fc.dictionary(
    fc.string({ maxLength: 4 }).filter((key) => key !== '__proto__'),
    plainValue({ maxDepth: 2 }),
    { maxKeys: 3 },
  );
  fc.assert(
    fc.property(anyForm, generatedAnswer, fc.nat(), value, fc.boolean(), (own, answer, nth, meant, whole) => {
      const protocol = protocolOf(own.protocol);
      const form = whole ? null : own.form;
      const original = whole ? Buffer.from(JSON.stringify(own.whole(answer))) : streamOf(own, answer);
      const read = (bytes: Buffer): ResponseReading =>
        whole ? protocol.readResponse(own.operation, 200, bytes) : readChunks(own, [bytes]).reading;
      const before = read(original).facts;
      const place = before.toolCalls.length === 0 ? -1 : nth % before.toolCalls.length;
      const wanted: unknown = JSON.parse(JSON.stringify(meant));
      const calls = before.toolCalls.filter((_call, i) => i === place);
      const amendment = { text: 'Amended.', toolCalls: calls.map(({ id }) => ({ id, arguments: wanted })) };
      const after = read(amendAnswer(protocol, own.operation, original, form, amendment)).facts;
      expect(after.text).toBe('Amended.');
      expect(after.toolCalls.map(({ id, name, arguments: args }) => [id, name, args])).toEqual(
        before.toolCalls.map((call, i) => [call.id, call.name, i === place ? wanted : call.arguments]),
      );
    }),
    { numRuns: 120 },
  );
});

test('no parser throws on any bytes, or on known members of any type', () => {
  const member = fc.constantFrom(
    ...['message', 'content', 'tool_calls', 'function', 'arguments', 'response', 'done', 'error', 'choices'],
    ...[
      'delta',
      'type',
      'event_type',
      'messages',
      'outputs',
      'entries',
      'index',
      'usage',
      'generations',
      'text',
    ],
    ...[
      'parameters',
      'tool_call_delta',
      'chat_history',
      'documents',
      'inputs',
      'thinking',
      'options',
      'pages',
    ],
  );
  const word = fc.constantFrom(
    ...[
      'text',
      'thinking',
      'message-start',
      'content-delta',
      'tool-call-start',
      'tool-call-delta',
      'message-end',
    ],
    ...[
      'stream-end',
      'tool-calls-chunk',
      'tool-calls-generation',
      'function.call.delta',
      'message.output.delta',
    ],
    ...['tool.execution.started', 'agent.handoff.done', 'message.output', 'transcription.done', 'error'],
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, 0, 1, -1, '', '{}', true),
      word,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(member, tie('value'), { maxKeys: 6 }),
    ),
  }));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((some) => Buffer.from(some)),
    value.map((one) => Buffer.from(JSON.stringify(one))),
  );
  const operations = {
    ollama: ['chat', 'generate', 'create', 'embed', 'pull', 'unknown'],
    mistral: [
      'chat.completions',
      'fim.completions',
      'conversations',
      'ocr',
      'audio.transcriptions',
      'agents',
    ],
    cohere: ['chat', 'chat.v1', 'generate', 'embed', 'rerank', 'transcriptions'],
  } as const;
  const asked = fc
    .constantFrom('ollama' as const, 'mistral' as const, 'cohere' as const)
    .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...operations[name])));
  fc.assert(
    fc.property(
      asked,
      bytes,
      fc.constantFrom('sse' as const, 'ndjson' as const),
      ([name, operation], body, form) => {
        const protocol = protocolOf(name);
        expect(Array.isArray(protocol.readRequest(operation, body, headOf('/')).defects)).toBe(true);
        expect(protocol.readResponse(operation, 200, body).facts.status).toBe(200);
        const event =
          form === 'sse' ? [Buffer.from('data: '), body, Buffer.from('\n\n')] : [body, Buffer.from('\n')];
        const stream = protocol.openStream(operation, 200, form);
        stream.push(Buffer.concat(event));
        expect(stream.finish().reading.facts.status).toBe(200);
      },
    ),
    { numRuns: 500 },
  );
});

test('the source of a value parses to the value, wherever it stands', () => {
  const spaced = fc.constantFrom(undefined, 1, '\t');
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }))),
      spaced,
      (list, space) => {
        const values = list.map((other, i) => ({ ...other, x: { y: [other, i] } }));
        const text = JSON.stringify({ '[{"': 0, list: values }, null, space);
        const sources = sourcesAt(text, ['list', eachElement, 'x', 'y', eachElement]);
        expect(sources.size).toBe(2 * values.length);
        for (const [key, source] of sources) {
          const [i = 0, j = 0] = key.split('.').map(Number);
          expect(JSON.parse(source)).toEqual(JSON.parse(JSON.stringify(values[i]?.x.y[j])));
        }
      },
    ),
    { numRuns: 60 },
  );
});
