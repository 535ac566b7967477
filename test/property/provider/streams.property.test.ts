import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import type { OperationName, ResponseReading } from '../../../src/provider/protocol.ts';
import { createSseSplitter } from '../../../src/provider/wire/sse.ts';
import { headOf } from '../../unit/provider/streams.ts';
import { type GeneratedAnswer, generatedAnswer, jsonForm, plainAnswer, streamForm } from './answers.ts';

const operations: readonly OperationName[] = ['chat.completions', 'responses', 'messages', 'unknown'];
const protocolFor = (operation: OperationName) =>
  protocolOf(operation === 'messages' ? 'anthropic' : 'openai');

/** Cuts bytes at the given places, taken modulo the length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

function readChunks(operation: OperationName, chunks: readonly Buffer[]) {
  const stream = protocolFor(operation).openStream(operation, 200, 'sse');
  const events = chunks.flatMap((chunk) => stream.push(chunk));
  const { rest, reading } = stream.finish();
  return { events, rest, reading };
}

const places = fc.array(fc.nat(), { maxLength: 40 });
/** Streams made of the bytes that splitters stumble over. */
const awkwardStream = fc
  .array(
    fc.constantFrom(
      'data: ',
      'data:',
      'data',
      'event: x',
      ':',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      '\uFEFF',
      'é',
      '😀',
      '{}',
      '[DONE]',
      ' data: ',
      'x',
      '\u2028',
      '\v',
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.from(parts.join('')));

describe('the splitter', () => {
  test('gives every byte back and the same events, however the input is cut', () => {
    fc.assert(
      fc.property(awkwardStream, places, fc.integer({ min: 1, max: 200 }), (bytes, at, bound) => {
        const whole = createSseSplitter();
        const expected = whole.push(bytes);
        const expectedEnd = whole.finish();
        const cutSplitter = createSseSplitter();
        const events = cut(bytes, at).flatMap((chunk) => cutSplitter.push(chunk));
        const end = cutSplitter.finish();
        expect(events).toEqual(expected);
        expect(end).toEqual(expectedEnd);
        expect(Buffer.concat([...events.map((event) => event.raw), end.rest])).toEqual(bytes);
        const bounded = createSseSplitter(bound);
        const pieces = cut(bytes, at).flatMap((chunk) => bounded.push(chunk));
        const all = Buffer.concat([...pieces.map((piece) => piece.raw), bounded.finish().rest]);
        expect(all).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('gives the same events for every single place to cut', () => {
    const bytes = Buffer.from(
      '\uFEFFdata: é😀\r\n\r\n: c\r\rdata:a\ndata: b\n\nevent: x\r\ndata\r\n\r\ndata: t',
    );
    const whole = createSseSplitter();
    const expected = { events: whole.push(bytes), end: whole.finish() };
    for (let at = 0; at <= bytes.length; at += 1) {
      const splitter = createSseSplitter();
      const events = [...splitter.push(bytes.subarray(0, at)), ...splitter.push(bytes.subarray(at))];
      expect({ events, end: splitter.finish() }).toEqual(expected);
    }
  });
});

/** Reads as the most lenient client does: what looks like data counts wherever in a line, but for the word that ends a stream. */
function mayBeData(raw: Buffer): boolean {
  return raw
    .toString('utf8')
    .split(/[\r\n\v\f\u2028\u2029]/)
    .some((line) => /data:\s*(?!\[DONE\]\s*$)\S/i.test(line) || line.trim().startsWith('{'));
}

describe('a stream reader', () => {
  test('passes no event as saying nothing in which a lenient client may find data', () => {
    fc.assert(
      fc.property(fc.constantFrom(...operations.slice(0, 3)), awkwardStream, (operation, bytes) => {
        const { events } = readChunks(operation, [bytes]);
        for (const { kind, raw } of events) if (kind === 'other') expect(mayBeData(raw)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test('says the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...operations), generatedAnswer, places, (operation, answer, at) => {
        const bytes = Buffer.from(streamForm(operation, answer));
        const expected = readChunks(operation, [bytes]);
        expect(readChunks(operation, cut(bytes, at))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('never throws, and never lets a call through unjudged, on mutated streams', () => {
    const mutation = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 12 }),
      insert: fc.constantFrom(
        '',
        '"',
        '}',
        '\n\n',
        '{',
        '\\',
        'null',
        '\uFEFF',
        '[]',
        ',',
        '\ndata: ',
        '\n: ',
      ),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...operations),
        generatedAnswer,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (operation, answer, mutations) => {
          let bytes = Buffer.from(streamForm(operation, answer));
          for (const { at, remove, insert } of mutations) {
            const place = at % (bytes.length + 1);
            bytes = Buffer.concat([
              bytes.subarray(0, place),
              Buffer.from(insert),
              bytes.subarray(place + remove),
            ]);
          }
          const { events, rest, reading } = readChunks(operation, [bytes]);
          expect(Buffer.concat([...events.map((event) => event.raw), rest])).toEqual(bytes);
          const judged = events.some((event) => event.kind === 'tool') || rest.length > 0;
          if (reading.facts.toolCalls.length > 0) expect(judged).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});

test('no parser throws on any bytes', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...operations),
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc.jsonValue({ maxDepth: 6 }).map((value) => Buffer.from(JSON.stringify(value))),
      ),
      (operation, bytes) => {
        const protocol = protocolFor(operation);
        expect(Array.isArray(protocol.readRequest(operation, bytes, headOf('/')).defects)).toBe(true);
        expect(protocol.readResponse(operation, 200, bytes).facts.status).toBe(200);
        const event = Buffer.concat([Buffer.from('data: '), bytes, Buffer.from('\n\n')]);
        expect(readChunks(operation, [event]).reading.facts.status).toBe(200);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('no parser throws on known members of any type', () => {
  const member = fc.constantFrom(
    'choices',
    'message',
    'delta',
    'tool_calls',
    'function',
    'content',
    'output',
    'item',
    'type',
    'index',
    'input',
    'messages',
    'tools',
    'content_block',
    'response',
    'output_index',
    'usage',
  );
  const type = fc.constantFrom(
    'text',
    'tool_use',
    'function_call',
    'message',
    'response.completed',
    'response.output_item.done',
    'content_block_start',
    'content_block_delta',
    'input_json_delta',
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, 0, 1, -1, '', '{}', true),
      type,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(member, tie('value'), { maxKeys: 6 }),
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom(...operations), fc.array(value, { maxLength: 4 }), (operation, values) => {
      const protocol = protocolFor(operation);
      for (const one of values) {
        const bytes = Buffer.from(JSON.stringify(one));
        expect(Array.isArray(protocol.readRequest(operation, bytes, headOf('/')).defects)).toBe(true);
        expect(Array.isArray(protocol.readResponse(operation, 200, bytes).defects)).toBe(true);
      }
      const stream = values.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('');
      expect(Array.isArray(readChunks(operation, [Buffer.from(stream)]).reading.defects)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test('the stream form of an answer has the facts of its JSON form', () => {
  const said = ({ facts, defects }: ResponseReading) => ({
    text: facts.text,
    // A number with an exponent some clients read otherwise where it is streamed.
    toolCalls: facts.toolCalls.map(({ alsoAs: _also, ...call }) => call),
    finishReason: facts.finishReason,
    defects,
  });
  fc.assert(
    fc.property(
      fc.constantFrom('chat.completions' as const, 'responses' as const, 'messages' as const),
      plainAnswer,
      (operation, answer: GeneratedAnswer) => {
        const json = Buffer.from(jsonForm(operation, answer));
        const whole = protocolFor(operation).readResponse(operation, 200, json);
        const streamed = readChunks(operation, [Buffer.from(streamForm(operation, answer))]).reading;
        expect(said(streamed)).toEqual(said(whole));
        expect(whole.defects).toEqual([]);
        expect(whole.facts.toolCalls.map((call) => call.arguments)).toEqual(
          answer.calls.map((call) => JSON.parse(JSON.stringify(call.arguments))),
        );
      },
    ),
    { numRuns: 300 },
  );
});
