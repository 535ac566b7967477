/** Whatever comes over a WebSocket: it is read or named unreadable, and what is sealed of it can be read back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeSocketBody,
  encodeSocketBody,
  type SocketRecord,
} from '../../../src/provider/realtime/body.ts';
import type { SocketMessage } from '../../../src/provider/realtime/dialect.ts';
import { socketDialectAt } from '../../../src/provider/realtime/dialects.ts';
import { plainValue } from './answers.ts';

const paths = ['/v1/realtime', '/v1/responses', '/ws/x.GenerativeService.BidiGenerateContent'] as const;

const record: fc.Arbitrary<SocketRecord> = fc
  .record({
    atMs: fc.nat(),
    sender: fc.constantFrom('client', 'server', 'holdpoint'),
    opcode: fc.constantFrom('text', 'binary', 'close:1000', 'close:4999'),
    way: fc.constantFrom('passed', 'withheld', 'refused'),
    payload: fc.uint8Array({ maxLength: 64 }),
    omitted: fc.boolean(),
  })
  .map(({ payload, omitted, ...rest }) => {
    const data = Buffer.from(payload);
    const bytes = data.length;
    return omitted
      ? { ...rest, bytes, data: null, sha256: 'ab'.repeat(32) }
      : { ...rest, bytes, data, sha256: '' };
  });

const understood = { facts: { text: 'a\nb' }, defects: ['one'] };

test('messages are read back from a sealed body as they were taken down', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      expect(decodeSocketBody(encodeSocketBody(understood, records))).toEqual({ understood, records });
    }),
  );
});

test('a body that is cut or changed is read as something else or refused, and nothing but refused', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 4 }),
      fc.nat(),
      fc.nat({ max: 255 }),
      (records, place, byte) => {
        const body = encodeSocketBody(understood, records);
        const at = place % body.length;
        const changed = Buffer.from(body);
        changed[at] = byte;
        for (const hostile of [changed, body.subarray(0, at)]) {
          try {
            decodeSocketBody(hostile);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      },
    ),
  );
});

const types = [
  'response.created',
  'response.done',
  'response.completed',
  'response.output_item.added',
  'response.output_item.done',
  'response.function_call_arguments.delta',
  'conversation.item.added',
  'session.update',
  'response.create',
  'error',
];
const member = fc.oneof(
  fc.jsonValue(),
  fc.record({
    id: fc.constantFrom('a', 'b'),
    type: fc.constantFrom('message', 'function_call'),
    output: fc.jsonValue(),
  }),
);
const value = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(
    fc.constantFrom(
      'type',
      'response',
      'item',
      'session',
      'setup',
      'toolCall',
      'serverContent',
      'clientContent',
      'toolResponse',
    ),
    member,
  ),
  fc.record({
    type: fc.constantFrom(...types),
    response: member,
    item: member,
    response_id: fc.constantFrom('a', 'b'),
  }),
);
const hostile: fc.Arbitrary<SocketMessage> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ data: Buffer.from(bytes), binary: true })),
  value.map((json) => ({ data: Buffer.from(JSON.stringify(json)), binary: false })),
);

test('no message makes a reader throw, in any order, and what cannot be read has a defect', () => {
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.array(hostile, { maxLength: 12 }), (path, messages) => {
      const reader = socketDialectAt(path)?.open(path);
      if (reader === undefined) throw new Error('Nothing is spoken there.');
      for (const message of messages) {
        const asked = reader.readClient(message);
        asked.accept();
        const { answer, ends, kind } = reader.readServer(message);
        const isObject = /^\s*\{/.test(message.data.toString());
        if (!isObject) expect([asked.defects.length, kind]).toEqual([1, 'tool']);
        if (answer === null) continue;
        const { defects } = reader.reading(answer);
        if (!isObject) expect(defects).not.toEqual([]);
        if (ends) reader.settle(answer, true);
      }
    }),
  );
});

test('of a call, no message passes for text, however its arguments are cut', () => {
  fc.assert(
    fc.property(plainValue(), fc.array(fc.nat({ max: 40 }), { maxLength: 5 }), (args, cuts) => {
      const reader = socketDialectAt('/v1/realtime')?.open('/v1/realtime');
      const text = JSON.stringify({ args });
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
      const item = { id: 'i', type: 'function_call', call_id: 'c', name: 'pay' };
      const about = { response_id: 'r', output_index: 0, item_id: 'i' };
      const done = { ...item, arguments: text };
      const events = [
        { type: 'response.output_item.added', ...about, item: { ...item, arguments: '' } },
        ...places.slice(1).map((end, n) => ({
          type: 'response.function_call_arguments.delta',
          ...about,
          delta: text.slice(places[n], end),
        })),
        { type: 'response.output_item.done', ...about, item: done },
        { type: 'conversation.item.done', item: done },
        { type: 'response.done', response: { id: 'r', status: 'completed', output: [done] } },
      ];
      for (const event of events) {
        const data = Buffer.from(JSON.stringify(event));
        expect(reader?.readServer({ data, binary: false })).toMatchObject({ kind: 'tool', answer: 'r' });
      }
      const reading = reader?.reading('r');
      expect(reading?.defects).toEqual([]);
      expect(reading?.facts.toolCalls).toMatchObject([{ id: 'c', name: 'pay', argumentsText: text }]);
    }),
  );
});
