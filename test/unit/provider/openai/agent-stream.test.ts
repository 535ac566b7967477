/** Events of an agent's session, in the shapes of the official SDK's types. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';

const openai = protocolOf('openai');
const turn = (name: string, members: object = {}) => ({
  type: `agent.session.turn.${name}`,
  event_id: 'e',
  session_id: 's',
  turn_id: 't',
  ...members,
});
const callItem = (id: string, status: string, args: unknown) => ({
  type: 'function_call',
  id: `item ${id}`,
  call_id: `call ${id}`,
  name: 'pay',
  arguments: args,
  status,
});
const added = (item: object) => turn('item.added', { item });
const done = (item: object) => turn('item.done', { item });
const textDelta = (delta: string) => turn('output_text.delta', { item_id: 'item m', delta });
const spokenItem = (status: string, text: string) => ({
  type: 'message',
  id: 'item m',
  role: 'assistant',
  status,
  content: text === '' ? [] : [{ type: 'output_text', text }],
});
const requires = (...calls: readonly { id: string; args: unknown }[]) => ({
  type: 'agent.session.requires_action',
  session: {
    required_actions: calls.map(({ id, args }) => ({
      type: 'function_call',
      call_id: `call ${id}`,
      name: 'pay',
      arguments: args,
    })),
  },
});

function openStream() {
  const stream = openai.segmentsOf?.('agents.sessions.stream')?.(200);
  if (stream === undefined) throw new Error('such a stream is read in segments');
  return {
    stream,
    feed(...events: readonly { readonly type: string }[]): readonly boolean[] {
      for (const event of events)
        stream.push(Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
      const ends: boolean[] = [];
      for (let next = stream.next(); next !== null; next = stream.next()) ends.push(next.ends);
      return ends;
    },
  };
}

test('a call counts once its item is done, and is within the segment until then', () => {
  const { stream, feed } = openStream();
  expect(feed(added(callItem('1', 'in_progress', '')))).toEqual([false]);
  expect(stream.within()).toBe('call');
  expect(feed(done(callItem('1', 'completed', '{"amount":5}')))).toEqual([true]);
  expect(stream.within()).toBeNull();
  expect(stream.cut().facts.toolCalls).toMatchObject([
    { id: 'call 1', name: 'pay', arguments: { amount: 5 } },
  ]);
});

test('of calls side by side, the first that is done does not part the others', () => {
  const { stream, feed } = openStream();
  feed(added(callItem('1', 'in_progress', '')), added(callItem('2', 'in_progress', '')));
  expect(feed(done(callItem('1', 'completed', '{}')))).toEqual([true]);
  expect(stream.within()).toBe('call');
  feed(done(callItem('2', 'completed', '{}')));
  expect(stream.within()).toBeNull();
});

test('what is said is text, and within the segment until its item is done', () => {
  const { stream, feed } = openStream();
  expect(feed(added(spokenItem('in_progress', '')), textDelta('Good '), textDelta('day.'))).toEqual([
    false,
    false,
    false,
  ]);
  expect(stream.within()).toBe('text');
  expect(feed(done(spokenItem('completed', 'Good day.')))).toEqual([false]);
  expect(stream.within()).toBeNull();
  expect(stream.cut().facts.text).toContain('Good day.');
});

test('what the workload said is added whole, and nothing waits for it', () => {
  const { stream, feed } = openStream();
  feed(added({ type: 'message', id: 'u', role: 'user', content: [{ type: 'input_text', text: 'Pay.' }] }));
  expect(stream.within()).toBeNull();
});

test.each(['turn.completed', 'turn.failed', 'turn.cancelled', 'idle', 'budget_reached', 'failed'])(
  'a segment ends with agent.session.%s, whatever has begun',
  (name) => {
    const { stream, feed } = openStream();
    feed(added(callItem('1', 'in_progress', '')));
    expect(feed({ type: `agent.session.${name}` })).toEqual([true]);
    expect(stream.within()).toBeNull();
  },
);

test('a call that was delivered and that the session waits for is no call again', () => {
  const { stream, feed } = openStream();
  feed(done(callItem('1', 'completed', '{"amount":5}')));
  stream.cut();
  stream.delivered();
  expect(feed(requires({ id: '1', args: '{"amount":5}' }))).toEqual([true]);
  expect(stream.cut().facts.toolCalls).toEqual([]);
});

test.each([
  ['with other arguments', '1', '{"amount":50000}'],
  ['that was never told', '2', '{"amount":5}'],
])('a call %s is one, though the session says that it waits for it', (_what, id, args) => {
  const { stream, feed } = openStream();
  feed(done(callItem('1', 'completed', '{"amount":5}')));
  stream.cut();
  stream.delivered();
  feed(requires({ id, args }));
  expect(stream.cut().facts.toolCalls).toMatchObject([{ id: `call ${id}` }]);
});

test('a call that was not delivered as it came is one again', () => {
  const { stream, feed } = openStream();
  feed(done(callItem('1', 'completed', '{"amount":5}')));
  stream.cut();
  feed(requires({ id: '1', args: '{"amount":5}' }));
  expect(stream.cut().facts.toolCalls).toMatchObject([{ id: 'call 1' }]);
});

test('a call that is made again under the same id is one, though it is spelt as before', () => {
  const { stream, feed } = openStream();
  feed(done(callItem('1', 'completed', '{"amount":5}')));
  stream.cut();
  stream.delivered();
  feed(done(callItem('1', 'completed', '{"amount":5}')));
  expect(stream.cut().facts.toolCalls).toMatchObject([{ id: 'call 1' }]);
});

test('an error ends a segment', () => {
  const { stream, feed } = openStream();
  expect(feed({ type: 'error' })).toEqual([true]);
  expect(stream.cut().failed).toBe(true);
});
