/** A reviewer's arguments in the withheld messages of an answer. */
import { describe, expect, test } from 'vitest';
import { HoldpointError } from '../../../../src/core/errors.ts';
import type { Amendment } from '../../../../src/provider/protocol.ts';
import { amendSocketAnswer } from '../../../../src/provider/realtime/amend.ts';
import { decodeSocketBody, encodeSocketBody, type Way } from '../../../../src/provider/realtime/body.ts';
import { socketDialectOf } from '../../../../src/provider/realtime/dialects.ts';
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
  const amended = amendSocketAnswer('live', live, toTwo);
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

/** The messages of an answer as they are sealed, with what its API's reader makes of them. */
function answerOf(operation: string, messages: readonly object[]): Buffer {
  const reader = socketDialectOf(operation)?.open('');
  if (reader === undefined) throw new Error(`There is no API ${operation}.`);
  let answer = '';
  for (const message of messages)
    answer =
      reader.readServer({ data: Buffer.from(JSON.stringify(message)), binary: false }).answer ?? answer;
  const said = reader.reading(answer);
  const { records } = decodeSocketBody(bodyOf(messages.map((message) => ['withheld', message])));
  return encodeSocketBody({ facts: { ...said.facts }, defects: said.defects }, records);
}

const item = { id: 'i', type: 'function_call', call_id: 'c', name: 'pay', status: 'completed' };
/** Events of an answer that makes one call; `done` is the item as it ends. */
function callEvents(done: object, pieces: readonly object[] = []): readonly object[] {
  const about = { response_id: 'r', item_id: 'i', output_index: 0 };
  return [
    { type: 'response.created', response: { id: 'r', output: [] } },
    { type: 'response.output_item.added', ...about, item: { ...item, status: 'in_progress', arguments: '' } },
    ...pieces.map((piece) => ({ ...about, ...piece })),
    { type: 'response.output_item.done', ...about, item: done },
    { type: 'response.done', response: { id: 'r', status: 'completed', output: [done] } },
  ];
}

const eventsIn = (body: Buffer): unknown[] =>
  decodeSocketBody(body).records.map(({ data }) => JSON.parse(String(data)));

test('are those of the call by its other names too, and of the calls within it, by which rules judge it again', () => {
  const uses = (amount: number) => ({
    tool_uses: [{ recipient_name: 'functions.pay', parameters: { amount } }],
  });
  const done = { ...item, namespace: 'bank', arguments: JSON.stringify(uses(1)) };
  const [created, added, ...rest] = callEvents(done);
  const begun = { ...added, item: { ...item, namespace: 'bank', status: 'in_progress', arguments: '' } };
  const body = answerOf('realtime', [created ?? {}, begun, ...rest]);
  const amended = amendSocketAnswer('realtime', body, { toolCalls: [{ id: 'c', arguments: uses(2) }] });
  const again = answerOf('realtime', [
    created ?? {},
    begun,
    ...callEvents({ ...done, arguments: JSON.stringify(uses(2)) }).slice(2),
  ]);
  const [expected] = readSocketAnswer(again).facts.toolCalls;
  expect(expected?.alsoAs?.map(({ name }) => name)).toContain('pay');
  expect(readSocketAnswer(amended).facts.toolCalls).toEqual([expected]);
});

test('are none yet of a call that has just begun', () => {
  const events = (amount: number) => callEvents({ ...item, arguments: JSON.stringify({ amount }) });
  const amended = amendSocketAnswer('realtime', answerOf('realtime', events(1)), toTwo);
  expect(eventsIn(amended)).toEqual(events(2));
});

test.each(['logprobs', 'token_ids'])('are not told by the %s of those before', (member) => {
  const piece = {
    type: 'response.function_call_arguments.delta',
    delta: '{"amount":1}',
    obfuscation: 'aaaa',
    [member]: ['one'],
  };
  const done = { ...item, arguments: '{"amount":1}', [member]: ['one'] };
  const events = callEvents(done, [piece]).map((event) =>
    'response' in event && JSON.stringify(event).includes('completed')
      ? { ...event, response: { ...(event.response as object), [member]: ['one'] } }
      : event,
  );
  const amended = String(amendSocketAnswer('realtime', answerOf('realtime', events), toTwo));
  expect(amended).not.toMatch(/"one"|obfuscation|"amount\\":1/);
});

describe('are refused', () => {
  const nameless = { toolCall: { functionCalls: [{ name: 'pay', args: { amount: 1 } }] } };
  const two = [1, 25_000].map((amount) => ({ id: 'c', name: 'pay', args: { amount } }));
  const done = { ...item, arguments: '{"amount":1}' };
  const stray = { type: 'response.function_call_arguments.delta', delta: '{"amount":1}', item_id: 'j' };
  const unread = { ...item, id: 'j', call_id: 'd', arguments: '{"amount":' };
  const [, added, ended] = callEvents(done);
  const twoItems = [
    ...[added, ended],
    ...[{ ...added, output_index: 1, item: { ...unread, status: 'in_progress', arguments: '' } }],
    ...[{ ...ended, output_index: 1, item: unread }],
    { type: 'response.done', response: { id: 'r', status: 'completed', output: [done, unread] } },
  ].map((event) => event ?? {});

  test.each<[string, string, Buffer, Amendment, RegExp]>([
    ['with another text', 'live', live, { ...toTwo, text: 'Never.' }, /its text is not held back/],
    [
      'for a call that is not there',
      'live',
      live,
      { toolCalls: [{ id: 'd', arguments: {} }] },
      /no tool call/,
    ],
    ['that are no object', 'live', live, { toolCalls: [{ id: 'c', arguments: 2 }] }, /must be a JSON object/],
    ['for bytes that are no messages', 'live', Buffer.from('{}'), toTwo, /cannot be read/],
    ['where all of it has gone out', 'live', bodyOf([['passed', liveCall]]), toTwo, /cannot be read again/],
    ['of an API that is not known', 'chat', live, toTwo, /cannot be read again/],
    ['where not all could be read', 'live', bodyOf([['withheld', liveCall]], ['odd']), toTwo, /odd/],
    [
      'where its messages do not name the call',
      'live',
      answerOf('live', [nameless]),
      { toolCalls: [{ id: '#1', arguments: { amount: 2 } }] },
      /do not name the call "#1"/,
    ],
    [
      'where the messages have another call than the one that was judged',
      'live',
      bodyOf([
        ['withheld', { toolCall: { functionCalls: [{ id: 'c', name: 'pay', args: { amount: 7 } }] } }],
      ]),
      toTwo,
      /other tool calls than those that were judged/,
    ],
    [
      'where another call has the id of theirs, and would be handed them too',
      'live',
      answerOf('live', [{ toolCall: { functionCalls: two } }]),
      toTwo,
      /several of its calls have the id "c"/,
    ],
    [
      'where a piece of arguments names no call of the answer: it may be one of the held ones',
      'realtime',
      answerOf('realtime', callEvents(done, [stray])),
      toTwo,
      /a piece of arguments names none of its calls/,
    ],
    [
      'where those of another call cannot be read',
      'realtime',
      answerOf('realtime', twoItems),
      toTwo,
      /the argument text of a tool call is not JSON/,
    ],
  ])('%s', (_what, operation, body, amendment, why) => {
    expect(() => amendSocketAnswer(operation, body, amendment)).toThrow(why);
    expect(() => amendSocketAnswer(operation, body, amendment)).toThrow(HoldpointError);
  });
});

test('are written beside a message that nests too deep to be walked', () => {
  const data = Buffer.from(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  const deep = { atMs: 0, sender: 'client', opcode: 'text', way: 'passed', bytes: data.length } as const;
  const { understood, records } = decodeSocketBody(live);
  const beside = encodeSocketBody(understood, [{ ...deep, data, sha256: '' }, ...records]);
  const amended = amendSocketAnswer('live', beside, toTwo);
  expect(decodeSocketBody(amended).records[0]?.data).toEqual(data);
  expect(readSocketAnswer(amended).facts.toolCalls[0]?.arguments).toEqual({ amount: 2 });
});

test('are written where what went out was kept by its hash alone', () => {
  const { understood, records } = decodeSocketBody(live);
  const gone = { atMs: 0, sender: 'server', opcode: 'text', way: 'passed', bytes: 5 } as const;
  const beside = [{ ...gone, data: null, sha256: '0'.repeat(64) }, ...records];
  const amended = amendSocketAnswer('live', encodeSocketBody(understood, beside), toTwo);
  expect(readSocketAnswer(amended).facts.toolCalls[0]?.arguments).toEqual({ amount: 2 });
});

test('are not written into what went out before', () => {
  const body = bodyOf([
    ['passed', liveCall],
    ['withheld', liveCall],
  ]);
  const [out] = eventsIn(amendSocketAnswer('live', body, toTwo));
  expect(out).toEqual(liveCall);
});

test('are written whatever call the workload put into the conversation meanwhile', () => {
  const { understood, records } = decodeSocketBody(
    answerOf('realtime', callEvents({ ...item, arguments: '{"amount":1}' })),
  );
  const data = Buffer.from(
    JSON.stringify({ type: 'conversation.item.create', item: { ...item, call_id: 'd', arguments: '{}' } }),
  );
  const told = { atMs: 0, sender: 'client', opcode: 'text', way: 'passed', bytes: data.length } as const;
  const [first, ...rest] = records;
  if (first === undefined) throw new Error('The answer has no message.');
  const body = encodeSocketBody(understood, [first, { ...told, data, sha256: '' }, ...rest]);
  const { toolCalls } = readSocketAnswer(amendSocketAnswer('realtime', body, toTwo)).facts;
  expect(toolCalls.map((one) => one.arguments)).toEqual([{ amount: 2 }]);
});

test('take the place of a piece that names the call alone', () => {
  const piece = (amount: number) => ({
    type: 'response.function_call_arguments.delta',
    call_id: 'c',
    item_id: null,
    delta: JSON.stringify({ amount }),
  });
  const events = (amount: number) =>
    callEvents({ ...item, arguments: JSON.stringify({ amount }) }, [piece(amount)]);
  const amended = amendSocketAnswer('realtime', answerOf('realtime', events(1)), toTwo);
  expect(eventsIn(amended)).toEqual(events(2));
});

test('are not written into the arguments of another call, which may name a thing by the same id', () => {
  const other = { id: 'd', name: 'log', args: { done: { id: 'c', name: 'pay', args: { amount: 7 } } } };
  const message = (amount: number) => ({
    toolCall: { functionCalls: [{ id: 'c', name: 'pay', args: { amount } }, other] },
  });
  expect(eventsIn(amendSocketAnswer('live', answerOf('live', [message(1)]), toTwo))).toEqual([message(2)]);
});

test.each(['realtime', 'responses'])(
  'take the place of all pieces that the call had, over %s',
  (operation) => {
    const piece = (type: string, said: object) => ({
      type: `response.function_call_arguments.${type}`,
      ...said,
    });
    const events = (deltas: readonly string[], amount: number) => {
      const text = JSON.stringify({ amount });
      return callEvents({ ...item, arguments: text }, [
        ...deltas.map((delta) => piece('delta', { delta })),
        piece('done', { arguments: text }),
      ]).map((event) =>
        operation === 'responses' && 'type' in event && event.type === 'response.done'
          ? { ...event, type: 'response.completed' }
          : event,
      );
    };
    const held = answerOf(operation, events(['{"amount":', '1}'], 1));
    expect(eventsIn(amendSocketAnswer(operation, held, toTwo))).toEqual(events(['{"amount":2}'], 2));
  },
);
