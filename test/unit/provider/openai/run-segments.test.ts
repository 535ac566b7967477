/** The stream of a run in segments, and how a reviewer's arguments are written into it. */
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { amendAnswer } from '../../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import { codeOf, readAs } from '../lines.ts';
import { answering, events } from '../streams.ts';

const openai = protocolOf('openai');
const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const done = 'event: done\ndata: [DONE]\n\n';

const step = (id: string, calls: readonly object[], more: object = {}) => ({
  id,
  object: 'thread.run.step',
  step_details: { type: 'tool_calls', tool_calls: calls },
  ...more,
});
const piece = (id: string, ...calls: readonly object[]) =>
  event('thread.run.step.delta', { id, delta: { step_details: { type: 'tool_calls', tool_calls: calls } } });
const code = (input: string) => ({
  index: 0,
  id: 'call_c',
  type: 'code_interpreter',
  code_interpreter: { input },
});
const said = (text: string) =>
  event('thread.message.delta', { id: 'm', delta: { content: [{ type: 'text', text: { value: text } }] } });
const spoken = (text: string) =>
  event('thread.message.completed', { id: 'm', content: [{ type: 'text', text: { value: text } }] });
const fn = (args: string) => ({ id: 'call_1', type: 'function', function: { name: 'pay', arguments: args } });
const requires = (args: string) =>
  event('thread.run.requires_action', {
    id: 'run_1',
    object: 'thread.run',
    status: 'requires_action',
    required_action: { submit_tool_outputs: { tool_calls: [fn(args)] } },
  });

function openStream() {
  const stream = openai.segmentsOf?.('threads.runs')?.(200);
  if (stream === undefined) throw new Error('such a stream is read in segments');
  return {
    stream,
    feed(...events: readonly string[]): readonly boolean[] {
      stream.push(Buffer.from(events.join('')));
      const ends: boolean[] = [];
      for (let next = stream.next(); next !== null; next = stream.next()) ends.push(next.ends);
      return ends;
    },
  };
}

describe('a segment', () => {
  test('ends where a step of the provider’s own tools does, with its calls', () => {
    const { stream, feed } = openStream();
    expect(feed(event('thread.run.step.created', step('s', [])), piece('s', code('1+')))).toEqual([
      false,
      false,
    ]);
    expect(stream.within()).toBe('call');
    expect(feed(event('thread.run.step.completed', step('s', [code('1+1')])))).toEqual([true]);
    expect(stream.within()).toBeNull();
    expect(stream.cut().facts.toolCalls).toMatchObject([
      { name: 'code_interpreter', arguments: { input: '1+1' } },
    ]);
    expect(feed(said('Two'))).toEqual([false]);
    expect([stream.within(), stream.isWhole()]).toEqual(['text', false]);
    expect(feed(spoken('Two'), done)).toEqual([false, true]);
    expect(stream.cut().facts).toMatchObject({ text: 'Two', toolCalls: [] });
    expect(stream.isWhole()).toBe(true);
  });

  test('of steps side by side, is not parted by the first that ends', () => {
    const { stream, feed } = openStream();
    feed(event('thread.run.step.created', step('a', [])), event('thread.run.step.created', step('b', [])));
    feed(event('thread.run.step.completed', step('a', [code('1')])));
    expect(stream.within()).toBe('call');
    feed(event('thread.run.step.failed', step('b', [])));
    expect(stream.within()).toBeNull();
  });

  test('ends where the run waits for the workload, whose calls it has', () => {
    const { stream, feed } = openStream();
    feed(event('thread.run.step.created', step('s', [])), piece('s', { index: 0, ...fn('{"n":1}') }));
    expect(feed(requires('{"n":1}'))).toEqual([true]);
    expect(stream.within()).toBeNull();
    expect(stream.cut().facts.toolCalls).toMatchObject([{ id: 'call_1', name: 'pay', arguments: { n: 1 } }]);
  });

  test('that begins within a message has the rest of it without doubt', () => {
    const { stream, feed } = openStream();
    feed(said('Good '));
    stream.cut();
    feed(said('day'), spoken('Good day'));
    const { facts, defects } = stream.cut();
    expect([facts.text, defects]).toEqual(['Good day', []]);
  });

  test('that has an event nobody knows waits', () => {
    const { feed } = openStream();
    expect(feed(event('thread.surprise', {}))).toEqual([true]);
  });
});

describe('what the OpenAI SDK shows', () => {
  const client = (stream: string) => new OpenAI({ apiKey: 'none', fetch: answering(stream) });
  const read = (stream: string) => readAs('sse', openai, 'threads.runs', stream);
  const content = (text: string) => [{ index: 0, type: 'text', text: { value: text, annotations: [] } }];

  // https://github.com/openai/openai-node/blob/v5.0.0/src/core/streaming.ts, and Python's to this day.
  test('of an event without a name is what its data names', () => {
    const asks = { id: 'r', required_action: { submit_tool_outputs: { tool_calls: [fn('{}')] } } };
    const waits = { event: 'thread.run.requires_action', data: asks };
    const delta = { id: 'm', delta: { content: content('SECRET') } };
    const { facts, kinds } = read(events({ event: 'thread.message.delta', data: delta }, waits, done));
    expect([facts.text, facts.toolCalls.map(({ name }) => name)]).toEqual(['SECRET', ['pay']]);
    expect(kinds).toEqual(['text', 'tool', 'end']);
    const { feed } = openStream();
    expect(feed(events(waits))).toEqual([true]);
    expect(read(event('error', waits)).failed).toBe(true);
    const named = { ...asks, event: 'thread.created', data: {} };
    expect(read(event('thread.run.requires_action', named)).facts.toolCalls).toHaveLength(1);
  });

  test('of a message begins with what that said as it began', async () => {
    const stream =
      event('thread.message.created', { id: 'm', content: content('SEC') }) +
      event('thread.message.in_progress', { id: 'm', content: [] }) +
      event('thread.message.delta', { id: 'm', delta: { content: content('RET') } });
    const ended =
      event('thread.message.completed', { id: 'm', content: content('RET') }) +
      event('thread.run.completed', { id: 'r' });
    let shown = '';
    const run = client(stream + ended + done).beta.threads.runs.stream('t', { assistant_id: 'a' });
    run.on('textDelta', (_delta, snapshot) => {
      shown = snapshot.value ?? '';
    });
    await run.done();
    expect(shown).toBe('SECRET');
    expect([read(stream).facts.text, read(stream).kinds]).toEqual(['SECRET', ['text', 'other', 'text']]);
    expect(read(stream + ended + done).facts.text).toBe('RET\nSECRET');
  });
});

describe('an amendment of a streamed run', () => {
  const pieces = [
    { index: 0, ...fn('') },
    { index: 0, type: 'function', function: { arguments: '{"n"' } },
    { index: 0, type: 'function', function: { arguments: ':1}' } },
  ].map((one) => piece('s', one));
  const original = Buffer.from(
    event('thread.run.step.created', step('s', [])) + pieces.join('') + requires('{"n":1}'),
  );
  const amend = (amendment: object) =>
    amendAnswer(openai, 'threads.runs', original, 'sse', amendment).toString('utf8');

  test('stands in the pieces of the call and where it is told whole', () => {
    const amended = amend({ toolCalls: [{ id: 'call_1', arguments: { n: 20 } }] });
    const stream = openai.openStream('threads.runs', 200, 'sse');
    stream.push(Buffer.from(amended));
    const { facts, defects } = stream.finish().reading;
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toEqual([
      { id: 'call_1', name: 'pay', arguments: { n: 20 }, argumentsText: '{"n":20}' },
    ]);
    expect(amended).not.toContain('\\"n\\":1}');
  });

  test.each([
    ['of its text', { text: 'x' }, 'invalid_argument'],
    ['of a call that is not there', { toolCalls: [{ id: 'other', arguments: {} }] }, 'invalid_argument'],
    ['that takes a call out', { withheld: ['call_1'] }, 'not_divisible'],
  ])('%s is refused', (_what, amendment, code) => {
    expect(codeOf(() => amend(amendment))).toBe(code);
  });
});

describe('an amendment of the events of an agent’s session', () => {
  const call = (args: string) => ({
    type: 'function_call',
    id: 'i',
    call_id: 'c',
    name: 'pay',
    arguments: args,
  });
  const turn = (type: string, item: object) => event(type, { type, session_id: 's', item });
  const added = turn('agent.session.turn.item.added', { ...call(''), status: 'in_progress' });
  const waits = event('agent.session.requires_action', {
    type: 'agent.session.requires_action',
    session: { required_actions: [call('{"n":1}')] },
  });

  test('stands where the call is told, each time', () => {
    const told = turn('agent.session.turn.item.done', { ...call('{"n":1}'), status: 'completed' });
    const amended = amendAnswer(openai, 'agents.sessions.stream', Buffer.from(added + told + waits), 'sse', {
      toolCalls: [{ id: 'c', arguments: { n: 20 } }],
    }).toString('utf8');
    expect(amended).toBe((added + told + waits).replaceAll('{\\"n\\":1}', '{\\"n\\":20}'));
  });
});
