/** A reviewer's arguments in the withheld messages of an answer. */
import { describe, expect, test } from 'vitest';
import { HoldpointError } from '../../../../src/core/errors.ts';
import type { Amendment } from '../../../../src/provider/protocol.ts';
import { amendSocketAnswer } from '../../../../src/provider/realtime/amend.ts';
import { decodeSocketBody, encodeSocketBody, type Way } from '../../../../src/provider/realtime/body.ts';
import { readSocketAnswer } from '../../../../src/provider/realtime/understood.ts';

const call = { id: 'c', name: 'pay', arguments: { amount: 1 }, argumentsText: '{"amount":1}' };
const facts = { status: 200, text: 'One moment.', toolCalls: [call], finishReason: 'completed' };

function bodyOf(messages: readonly (readonly [Way, unknown])[], defects: readonly string[] = []): Buffer {
  const records = messages.map(([way, value], atMs) => {
    const data = Buffer.from(JSON.stringify(value));
    return {
      atMs,
      sender: 'server' as const,
      opcode: atMs === 0 ? ('binary' as const) : ('text' as const),
      way,
      bytes: data.length,
      data,
      sha256: '',
    };
  });
  return encodeSocketBody({ facts, defects }, records);
}

const liveCall = { toolCall: { functionCalls: [{ id: 'c', name: 'pay', args: { amount: 1 } }] } };
const live = bodyOf([
  ['passed', { serverContent: { modelTurn: { parts: [{ text: 'One moment.' }] } } }],
  ['withheld', liveCall],
]);
const toTwo: Amendment = { toolCalls: [{ id: 'c', arguments: { amount: 2 } }] };

test('stand where the call had its own, and in what was understood; all else is as it was', () => {
  const amended = amendSocketAnswer(live, toTwo);
  const { records } = decodeSocketBody(amended);
  expect(records.map(({ data }) => JSON.parse(String(data)))).toEqual([
    { serverContent: { modelTurn: { parts: [{ text: 'One moment.' }] } } },
    { toolCall: { functionCalls: [{ id: 'c', name: 'pay', args: { amount: 2 } }] } },
  ]);
  expect(records.map(({ opcode, way }) => [opcode, way])).toEqual([
    ['binary', 'passed'],
    ['text', 'withheld'],
  ]);
  expect(readSocketAnswer(amended).facts.toolCalls).toEqual([
    { ...call, arguments: { amount: 2 }, argumentsText: '{"amount":2}' },
  ]);
});

test('are those of the call by its other names too, by which rules judge it again', () => {
  const handed = { arguments: { amount: 1 }, argumentsText: '{"amount":1}' };
  const named = { ...call, alsoAs: [{ name: 'bank.pay', ...handed }] };
  const { records } = decodeSocketBody(live);
  const body = encodeSocketBody({ facts: { ...facts, toolCalls: [named] }, defects: [] }, records);
  expect(readSocketAnswer(body).facts.toolCalls).toEqual([named]);
  expect(readSocketAnswer(amendSocketAnswer(body, toTwo)).facts.toolCalls[0]?.alsoAs).toEqual([
    { name: 'bank.pay', arguments: { amount: 2 }, argumentsText: '{"amount":2}' },
  ]);
});

test('are looked through for calls within them, as the first ones were', () => {
  const handed = (amount: number) => ({ arguments: { amount }, argumentsText: JSON.stringify({ amount }) });
  const uses = (amount: number) => ({
    tool_uses: [{ recipient_name: 'functions.pay', parameters: { amount } }],
  });
  const written = { arguments: uses(1), argumentsText: JSON.stringify(uses(1)) };
  const alsoAs = [
    { name: 'bank.pay', ...written },
    { name: 'pay', ...handed(1) },
  ];
  const { records } = decodeSocketBody(live);
  const toolCalls = [{ ...call, ...written, alsoAs }];
  const body = encodeSocketBody({ facts: { ...facts, toolCalls }, defects: [] }, records);
  const amended = amendSocketAnswer(body, { toolCalls: [{ id: 'c', arguments: uses(2) }] });
  expect(readSocketAnswer(amended).facts.toolCalls[0]?.alsoAs).toEqual([
    { name: 'bank.pay', arguments: uses(2), argumentsText: JSON.stringify(uses(2)) },
    { name: 'pay', ...handed(2) },
  ]);
});

test('are none yet of a call that has just begun', () => {
  const item = { type: 'function_call', call_id: 'c', name: 'pay' };
  const begun = { type: 'response.output_item.added', item: { ...item, arguments: '' } };
  const done = (amount: number) => ({
    type: 'response.output_item.done',
    item: { ...item, arguments: JSON.stringify({ amount }) },
  });
  const body = bodyOf([
    ['withheld', begun],
    ['withheld', done(1)],
  ]);
  const { records } = decodeSocketBody(amendSocketAnswer(body, toTwo));
  expect(records.map(({ data }) => JSON.parse(String(data)))).toEqual([begun, done(2)]);
});

describe('are refused', () => {
  test.each<[string, Buffer, Amendment]>([
    ['with another text', live, { ...toTwo, text: 'Never.' }],
    ['for a call that is not there', live, { toolCalls: [{ id: 'd', arguments: {} }] }],
    ['that are no object', live, { toolCalls: [{ id: 'c', arguments: 2 }] }],
    ['where no withheld message names the call', bodyOf([['passed', liveCall]]), toTwo],
    ['where not all could be read', bodyOf([['withheld', liveCall]], ['something else']), toTwo],
    ['for bytes that are no messages', Buffer.from('{}'), toTwo],
  ])('%s', (_what, body, amendment) => {
    expect(() => amendSocketAnswer(body, amendment)).toThrow(HoldpointError);
  });
});

test('are refused where another call has the id of theirs, and would be handed them too', () => {
  const both = [1, 25_000].map((amount) => ({ id: 'c', name: 'pay', args: { amount } }));
  const { records } = decodeSocketBody(bodyOf([['withheld', { toolCall: { functionCalls: both } }]]));
  const toolCalls = [call, { ...call, id: 'c#2', arguments: { amount: 25_000 } }];
  const body = encodeSocketBody({ facts: { ...facts, toolCalls }, defects: [] }, records);
  expect(() => amendSocketAnswer(body, toTwo)).toThrow(/several of its calls have the id "c"/);
});

test('are written beside a message that nests too deep to be walked', () => {
  const data = Buffer.from(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  const deep = { atMs: 0, sender: 'client', opcode: 'text', way: 'passed', bytes: data.length } as const;
  const { understood, records } = decodeSocketBody(live);
  const amended = amendSocketAnswer(
    encodeSocketBody(understood, [{ ...deep, data, sha256: '' }, ...records]),
    toTwo,
  );
  expect(decodeSocketBody(amended).records[0]?.data).toEqual(data);
  expect(readSocketAnswer(amended).facts.toolCalls[0]?.arguments).toEqual({ amount: 2 });
});

test('are not written into the arguments of another call, which may name a thing by the same id', () => {
  const other = { id: 'd', name: 'log', args: { done: { id: 'c', name: 'pay', args: { amount: 7 } } } };
  const message = (amount: number) => ({
    toolCall: { functionCalls: [{ id: 'c', name: 'pay', args: { amount } }, other] },
  });
  const { records } = decodeSocketBody(amendSocketAnswer(bodyOf([['withheld', message(1)]]), toTwo));
  expect(JSON.parse(String(records[0]?.data))).toEqual(message(2));
});

test('are refused where only the arguments of another call name it', () => {
  const other = { id: 'd', name: 'log', args: { done: { id: 'c', name: 'pay', args: { amount: 7 } } } };
  const body = bodyOf([['withheld', { toolCall: { functionCalls: [other] } }]]);
  expect(() => amendSocketAnswer(body, toTwo)).toThrow(/do not name the call "c"/);
});

test('are refused where a piece of arguments names no call of the answer: it may be one of the held ones', () => {
  const delta = { type: 'response.function_call_arguments.delta', item_id: 'i', delta: '{"amount":1}' };
  const item = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{"amount":1}' };
  const body = bodyOf([
    ['withheld', delta],
    ['withheld', { type: 'response.output_item.done', item }],
  ]);
  expect(() => amendSocketAnswer(body, toTwo)).toThrow(/a piece of arguments names none of its calls/);
});

test('take the place of all pieces that the call had', () => {
  const item = { type: 'function_call', id: 'i', call_id: 'c', name: 'pay' };
  const piece = (type: string, said: object) => ({
    ...{ type: `response.function_call_arguments.${type}`, item_id: 'i' },
    ...said,
  });
  const withArguments = (...pieces: readonly object[]) => [
    { type: 'response.output_item.added', item: { ...item, arguments: '' } },
    ...pieces,
  ];
  const done = (amount: number) => [
    piece('done', { arguments: JSON.stringify({ amount }) }),
    { type: 'response.output_item.done', item: { ...item, arguments: JSON.stringify({ amount }) } },
  ];
  const deltas = ['{"amount":', '1}'].map((delta) => piece('delta', { delta }));
  const held = withArguments(...deltas, ...done(1));
  const body = bodyOf(held.map((event) => ['withheld', event] as const));
  const { records } = decodeSocketBody(amendSocketAnswer(body, toTwo));
  expect(records.map(({ data }) => JSON.parse(String(data)))).toEqual(
    withArguments(piece('delta', { delta: '{"amount":2}' }), ...done(2)),
  );
});
