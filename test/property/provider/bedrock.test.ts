/** Whatever a model says, Bedrock's streams give the same as its whole answers, however they are cut or damaged. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { amendAnswer } from '../../../src/provider/amending/amend-answer.ts';
import { bedrock } from '../../../src/provider/bedrock/family.ts';
import type { OperationName, ResponseReading, StreamEvent } from '../../../src/provider/protocol.ts';
import { encodeFrame } from '../../../src/provider/wire/aws-eventstream.ts';
import { chunkFrame, converseFrames } from '../../unit/provider/bedrock/written.ts';
import { type GeneratedAnswer, generatedAnswer, plainValue } from './answers.ts';

function pieces(text: string, chars: number): string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; at += chars) out.push(text.slice(at, at + chars));
  return out;
}

/** The events of a Converse stream, calls in turns. */
function converseEvents({ text, calls, pieceChars }: GeneratedAnswer): (readonly [string, unknown])[] {
  const events: (readonly [string, unknown])[] = [['messageStart', { role: 'assistant' }]];
  const delta = (contentBlockIndex: number, said: unknown) =>
    events.push(['contentBlockDelta', { contentBlockIndex, delta: said }]);
  for (const piece of pieces(text, pieceChars)) delta(0, { text: piece });
  calls.forEach(({ name }, i) => {
    const start = { toolUse: { toolUseId: `c${i}`, name } };
    events.push(['contentBlockStart', { contentBlockIndex: i + 1, start }]);
  });
  const waiting = calls.map((call) => pieces(JSON.stringify(call.arguments), pieceChars));
  for (let turn = 0; waiting.some((list) => turn < list.length); turn += 1) {
    waiting.forEach((list, i) => {
      const input = list[turn];
      if (input !== undefined) delta(i + 1, { toolUse: { input } });
    });
  }
  events.push(['messageStop', { stopReason: 'end_turn' }]);
  return events;
}

function converseJson({ text, calls }: GeneratedAnswer): Buffer {
  const uses = calls.map(({ name, arguments: input }, i) => ({
    toolUse: { toolUseId: `c${i}`, name, input },
  }));
  const message = { role: 'assistant', content: [{ text }, ...uses] };
  return Buffer.from(JSON.stringify({ output: { message }, stopReason: 'end_turn' }));
}

const forms = {
  converse: (answer: GeneratedAnswer) => converseFrames(...converseEvents(answer)),
  invoke: (answer: GeneratedAnswer) =>
    Buffer.concat(converseEvents(answer).map(([type, value]) => chunkFrame({ [type]: value }))),
} satisfies Record<OperationName, (answer: GeneratedAnswer) => Buffer>;
const form = fc.constantFrom('converse' as const, 'invoke' as const);
const cuts = fc.array(fc.nat(4000), { maxLength: 10 });

interface Read {
  readonly events: readonly StreamEvent[];
  readonly rest: Buffer;
  readonly reading: ResponseReading;
}

function readCut(operation: OperationName, bytes: Buffer, at: readonly number[]): Read {
  const stream = bedrock.openStream(operation, 200, 'aws-eventstream');
  const points = [...at.filter((point) => point < bytes.length), bytes.length].sort((a, b) => a - b);
  const events: StreamEvent[] = [];
  let from = 0;
  for (const point of points) {
    events.push(...stream.push(bytes.subarray(from, point)));
    from = point;
  }
  return { events, ...stream.finish() };
}

const bytesOf = ({ events, rest }: Read) => Buffer.concat([...events.map(({ raw }) => raw), rest]);

const written = ({ events, rest }: Read) => [
  ...events.map(({ kind, raw }) => `${kind} ${raw.toString('latin1')}`),
  rest.toString('latin1'),
];

test('any cut gives the same events, the same reading and the same bytes', () => {
  fc.assert(
    fc.property(generatedAnswer, form, cuts, (answer, operation, at) => {
      const bytes = forms[operation](answer);
      const read = readCut(operation, bytes, at);
      const whole = readCut(operation, bytes, []);
      expect(read.reading).toEqual(whole.reading);
      expect(written(read)).toEqual(written(whole));
      expect(bytesOf(read)).toEqual(bytes);
    }),
  );
});

test('a stream says what the whole answer says', () => {
  fc.assert(
    fc.property(generatedAnswer, form, (answer, operation) => {
      const { reading } = readCut(operation, forms[operation](answer), []);
      expect(reading).toEqual(bedrock.readResponse(operation, 200, converseJson(answer)));
      expect(reading.defects).toEqual([]);
    }),
  );
});

test('what passes before the first withheld event holds no part of a call', () => {
  fc.assert(
    fc.property(generatedAnswer, form, (answer, operation) => {
      const { events } = readCut(operation, forms[operation](answer), []);
      const first = events.findIndex(({ kind }) => kind !== 'text' && kind !== 'other');
      const passed = Buffer.concat(events.slice(0, first).map(({ raw }) => raw));
      const { facts } = readCut(operation, passed, []).reading;
      expect([facts.toolCalls, facts.text]).toEqual([[], answer.text]);
    }),
  );
});

test('one flipped bit is a defect', () => {
  fc.assert(
    fc.property(generatedAnswer, form, fc.nat(), fc.nat(7), (answer, operation, place, bit) => {
      const bytes = forms[operation](answer);
      const flipped = place % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(flipped) ^ (1 << bit), flipped);
      expect(readCut(operation, bytes, []).reading.defects.length).toBeGreaterThan(0);
    }),
  );
});

test('new arguments and a new text read back as they were given', () => {
  const given = fc.dictionary(fc.constantFrom('a', 'b', 'ä'), plainValue({ maxDepth: 2 }), { maxKeys: 3 });
  fc.assert(
    fc.property(
      generatedAnswer,
      form,
      fc.string({ unit: 'grapheme' }),
      given,
      (answer, operation, text, value) => {
        const toolCalls = answer.calls.length === 0 ? [] : [{ id: 'c0', arguments: value }];
        const amendment = { text, toolCalls };
        const bytes = forms[operation](answer);
        const amended = amendAnswer(bedrock, operation, bytes, 'aws-eventstream', amendment);
        const { facts, defects } = readCut(operation, amended, []).reading;
        expect([facts.text, defects]).toEqual([text, []]);
        const whole = amendAnswer(bedrock, operation, converseJson(answer), null, amendment);
        expect(facts).toEqual(bedrock.readResponse(operation, 200, whole).facts);
      },
    ),
    { numRuns: 50 },
  );
});

const hostileValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.record(
    {
      contentBlockIndex: fc.oneof(fc.integer(), fc.string()),
      start: fc.jsonValue({ maxDepth: 3 }),
      delta: fc.jsonValue({ maxDepth: 3 }),
      bytes: fc.oneof(
        fc.string(),
        fc.jsonValue({ maxDepth: 3 }).map((value) => Buffer.from(JSON.stringify(value)).toString('base64')),
      ),
    },
    { requiredKeys: [] },
  ),
);
const hostileFrame = fc
  .tuple(
    fc.constantFrom('event', 'exception', 'error', 'other'),
    fc.constantFrom(
      'contentBlockStart',
      'contentBlockDelta',
      'messageStart',
      'messageStop',
      'metadata',
      'chunk',
    ),
    hostileValue,
  )
  .map(([messageType, eventType, value]) =>
    encodeFrame({ ':message-type': messageType, ':event-type': eventType }, JSON.stringify(value)),
  );

test('hostile frames never make the reader throw, and none of their bytes are lost', () => {
  fc.assert(
    fc.property(fc.array(hostileFrame, { maxLength: 8 }), form, cuts, (frames, operation, at) => {
      const bytes = Buffer.concat(frames);
      expect(bytesOf(readCut(operation, bytes, at))).toEqual(bytes);
    }),
    { numRuns: 300 },
  );
});

test('hostile bodies never make a reader throw', () => {
  const body = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text));
  const head = { path: '/model/m/invoke', contentType: '' };
  fc.assert(
    fc.property(body, form, (bytes, operation) => {
      bedrock.readRequest(operation, bytes, head);
      bedrock.readResponse(operation, 200, bytes);
    }),
    { numRuns: 300 },
  );
});
