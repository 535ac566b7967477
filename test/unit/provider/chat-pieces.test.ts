/** What official clients make of the pieces of a streamed tool call, beside what rules see of it. */
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { answering, events, readStream } from './streams.ts';

interface Called {
  readonly name: string;
  readonly input: string;
}

/** The calls of the first choice as the OpenAI SDK puts them together, by index. */
async function byOpenAi(stream: string): Promise<readonly Called[]> {
  const client = new OpenAI({ apiKey: 'none', fetch: answering(stream) });
  const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'x' }] };
  const { tool_calls } =
    (await client.chat.completions.stream(asked).finalChatCompletion()).choices[0]?.message ?? {};
  return (tool_calls ?? []).map((call) =>
    call.type === 'function'
      ? { name: call.function.name, input: call.function.arguments }
      : { name: call.custom.name, input: call.custom.input },
  );
}

/** The same by hand, as programs do that read chunk by chunk. */
async function byHand(stream: string): Promise<Called> {
  const client = new OpenAI({ apiKey: 'none', fetch: answering(stream) });
  const asked = { model: 'm', stream: true as const, messages: [{ role: 'user' as const, content: 'x' }] };
  const said = { name: '', input: '' };
  for await (const chunk of await client.chat.completions.create(asked)) {
    const fn = chunk.choices?.[0]?.delta.tool_calls?.[0]?.function;
    said.name ||= fn?.name ?? '';
    said.input += fn?.arguments ?? '';
  }
  return said;
}

async function byAiSdk(stream: string): Promise<readonly Called[]> {
  const model = createOpenAI({ apiKey: 'none', fetch: answering(stream) }).chat('m');
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'x' }] }];
  const calls: Called[] = [];
  for await (const part of (await model.doStream({ prompt })).stream)
    if (part.type === 'tool-call') calls.push({ name: part.toolName, input: part.input });
  return calls;
}

async function byLangChain(stream: string): Promise<readonly Called[]> {
  const model = new ChatOpenAI({ apiKey: 'none', model: 'm', configuration: { fetch: answering(stream) } });
  let whole = null;
  for await (const chunk of await model.stream('x')) whole = whole === null ? chunk : whole.concat(chunk);
  return (whole?.tool_calls ?? []).map(({ name, args }) => ({ name, input: JSON.stringify(args) }));
}

const read = (stream: string) => readStream(protocolOf('openai'), 'chat.completions', stream);
const judged = (stream: string) =>
  read(stream).facts.toolCalls.map(({ name, argumentsText }) => ({ name, input: argumentsText }));

const chunk = (delta: object, more: object = {}, index = 0) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index, delta, finish_reason: null }],
  ...more,
});
const piece = (input: string, more: object = {}) => ({ index: 0, function: { arguments: input }, ...more });
const calling = (...pieces: readonly object[]) => chunk({ tool_calls: pieces });
const opening = (input: string, id = 'a', name = 'pay') => ({
  index: 0,
  id,
  type: 'function',
  function: { name, arguments: input },
});
const began = chunk({ role: 'assistant', content: null, tool_calls: [opening('{"amount":5')] });
const stopped = { ...chunk({}), choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
const done = 'data: [DONE]\n\n';
const middle = ',"note":5';

/** A call in three pieces, of which some client may miss the second. */
const around = (event: unknown): string => events(began, event, calling(piece('0000}')), stopped, done);
const asJudged = [{ name: 'pay', input: '{"amount":5,"note":50000}' }];
const withoutMiddle = { name: 'pay', input: '{"amount":50000}' };

test('a call in pieces as documented is the same to all', async () => {
  const stream = around(calling(piece(middle)));
  expect(judged(stream)).toEqual(asJudged);
  expect(read(stream).defects).toEqual([]);
  for (const calls of [byOpenAi, byAiSdk, byLangChain]) expect(await calls(stream)).toEqual(asJudged);
  expect(await byHand(stream)).toEqual(asJudged[0]);
});

describe('a piece that some clients pass over is a defect:', () => {
  const second = {
    ...chunk({}),
    choices: [
      { index: 1, delta: {}, finish_reason: null },
      { index: 0, delta: { tool_calls: [piece(middle)] }, finish_reason: null },
    ],
  };

  test.each([
    ['in a choice that is not the first of its event, to the AI SDK', second, byAiSdk],
    ['in a choice that is not the first of its event, to LangChain', second, byLangChain],
    [
      'of a choice without an index',
      { ...chunk({}), choices: [{ delta: { tool_calls: [piece(middle)] } }] },
      byAiSdk,
    ],
    ['with the index as a text', calling(piece(middle, { index: '0' })), byAiSdk],
    ['with the index as a text, to LangChain', calling(piece(middle, { index: '0' })), byLangChain],
    ['with an id of another type', calling(piece(middle, { id: 7 })), byAiSdk],
    ['of an unknown kind', calling(piece(middle, { type: 'tool' })), byAiSdk],
    ['in an event of another type', { ...calling(piece(middle)), created: 'now' }, byAiSdk],
    ['beside a count that is a text', { ...calling(piece(middle)), usage: { total_tokens: '1' } }, byAiSdk],
    ['in a message of somebody else', chunk({ role: 'user', tool_calls: [piece(middle)] }), byAiSdk],
    ['beside content in parts', chunk({ content: [], tool_calls: [piece(middle)] }), byLangChain],
  ])('%s', async (_what, event, calls) => {
    const stream = around(event);
    expect(await calls(stream)).toEqual([withoutMiddle]);
    expect(judged(stream)).toEqual(asJudged);
    expect(read(stream).defects).toContain('some clients pass over a piece of a tool call');
  });

  test('in an event named as those of a thread, to who reads chunk by chunk', async () => {
    const stream = around(`event: thread.run\n${events(calling(piece(middle)))}`);
    expect(await byHand(stream)).toEqual(withoutMiddle);
    expect(read(stream).defects).toContain('some clients pass over a piece of a tool call');
  });

  test('behind the end, where the AI SDK reads on', async () => {
    const stream = events(began, done, calling(piece(',"to":"x"}')), stopped, done);
    expect(await byHand(stream)).toEqual({ name: 'pay', input: '{"amount":5' });
    expect(await byAiSdk(stream)).toEqual([{ name: 'pay', input: '{"amount":5,"to":"x"}' }]);
    expect(read(stream).defects).toEqual(['some clients pass over a piece of a tool call']);
  });

  test('in an event that does not end, which the AI SDK drops', async () => {
    const stream = events(began, stopped, calling(piece(',"to":"x"}'))).trimEnd();
    expect(await byOpenAi(stream)).toEqual([{ name: 'pay', input: '{"amount":5,"to":"x"}' }]);
    expect(await byAiSdk(stream)).toEqual([{ name: 'pay', input: '{"amount":5' }]);
    expect(read(stream).defects).toEqual(['the stream ends within an event of a tool call']);
  });

  test('but not where they pass over all of the call', () => {
    const typed = { created: 'now' };
    const pieces = [calling(opening('{"a":')), calling(piece('1}'))].map((event) => ({ ...event, ...typed }));
    expect(read(events(...pieces, stopped, done)).defects).toEqual([]);
  });
});

describe('where calls share a place', () => {
  const input = '{"amount":50000}';
  const first = (given: string, name: string) =>
    chunk({ role: 'assistant', tool_calls: [opening(given, 'a', name)] });
  const second = (fn: object) => calling({ index: 0, id: 'b', function: fn });

  test.each([
    ['without a name, gives its input to the one before', first('', 'pay'), second({ arguments: input })],
    ['without input, renames the one before', first(input, 'look'), second({ name: 'pay', arguments: '' })],
  ])('a second call that, %s, is a defect', async (_what, one, other) => {
    const stream = events(one, other, stopped, done);
    expect(await byOpenAi(stream)).toEqual([{ name: 'pay', input }]);
    expect(judged(stream)).not.toContainEqual({ name: 'pay', input });
    expect(read(stream).defects).toContain('pieces of one tool call may belong to another');
  });

  test('by their id, it is one to clients that go by it', () => {
    const stream = events(
      calling(opening('{"amount":5')),
      calling({ ...opening('0000}'), index: 1 }),
      stopped,
      done,
    );
    expect(read(stream).defects).toContain('pieces of one tool call may belong to another');
  });

  test('one in the pieces of another is a third with it to clients that go by their id: a defect', () => {
    const inside = { ...opening('{}', 'a', 'look'), index: 1 };
    const stream = events(
      calling(opening('{"note":"')),
      calling(inside),
      calling(piece('"}')),
      stopped,
      done,
    );
    expect(judged(stream).map(({ input: given }) => given)).toEqual(['{"note":""}', '{}']);
    expect(read(stream).defects).toEqual(['pieces of one tool call may belong to another']);
  });

  test('whole objects are none, as no text behind one makes it another', async () => {
    const stream = events(
      calling(opening('{"a":1}')),
      calling(opening('{"b":2}', 'b', 'look')),
      stopped,
      done,
    );
    expect(await byAiSdk(stream)).toEqual(judged(stream));
    expect(read(stream).defects).toEqual([]);
  });
});

describe('no place is shared', () => {
  test.each([
    [
      'by calls without an id',
      [calling(piece('', { function: { name: 'look', arguments: '' } }))],
      [calling({ index: 1, function: { name: 'pay', arguments: '{"n":1}' } })],
    ],
    [
      'by a call and one in the form of old',
      [calling(opening('', 'a', 'look'))],
      [
        chunk({ function_call: { name: 'pay', arguments: '{"n":' } }),
        chunk({ function_call: { arguments: '2}' } }),
      ],
    ],
  ])('%s', (_what, first, second) => {
    const { facts, defects } = read(events(...first, ...second, stopped, done));
    expect(defects).toEqual([]);
    expect(facts.toolCalls.map(({ alsoAs }) => alsoAs)).toEqual(facts.toolCalls.map(() => undefined));
  });
});

describe('where calls of several choices share a place', () => {
  const input = '{"amount":50000}';
  const of = (index: number, given: string, id: string, name: string) =>
    chunk({ role: 'assistant', tool_calls: [opening(given, id, name)] }, {}, index);
  const ends = { ...stopped, choices: [{ index: 1, delta: {}, finish_reason: 'tool_calls' }] };

  test('one without input gets that of another from who reads the first choice alone: a defect', async () => {
    const stream = events(of(1, '', 'a', 'pay'), of(0, input, 'a', 'look'), stopped, ends, done);
    expect(await byHand(stream)).toEqual({ name: 'pay', input });
    expect(judged(stream)).not.toContainEqual({ name: 'pay', input });
    expect(read(stream).defects).toEqual(['pieces of one tool call may belong to another']);
  });

  test('so does one in the form of old', () => {
    const old = (index: number, name: string, given: string) =>
      chunk({ function_call: { name, arguments: given } }, {}, index);
    const stream = events(old(1, 'pay', ''), old(0, 'look', input), stopped, ends, done);
    expect(read(stream).defects).toEqual(['pieces of one tool call may belong to another']);
  });

  const further = (index: number, text: string) => chunk({ tool_calls: [piece(text)] }, {}, index);
  const others = (stream: string) =>
    read(stream).facts.toolCalls.map(({ alsoAs = [] }) =>
      alsoAs.map(({ name, argumentsText }) => ({ name, input: argumentsText })),
    );

  test('whole ones whose pieces come in turns are read each for itself', () => {
    const stream = events(
      of(0, '', 'a', 'look'),
      of(1, '', 'b', 'look'),
      ...['{"to":"AC', '{"to":"BC', 'ME"}', 'ME"}'].map((text, i) => further(i % 2, text)),
      stopped,
      ends,
      done,
    );
    expect(read(stream).defects).toEqual([]);
    expect(judged(stream)).toEqual([
      { name: 'look', input: '{"to":"ACME"}' },
      { name: 'look', input: '{"to":"BCME"}' },
    ]);
  });

  test('one in the pieces of another is judged also as both together, which are a third', async () => {
    const stream = events(
      of(0, '{"note":"', 'a', 'pay'),
      of(1, '{}', 'b', 'look'),
      further(0, '"}'),
      stopped,
      ends,
      done,
    );
    const third = { name: 'pay', input: '{"note":"{}"}' };
    expect(await byHand(stream)).toEqual(third);
    expect(read(stream).defects).toEqual([]);
    expect(others(stream)[0]).toContainEqual(third);
  });

  test('one that goes on after another began is judged also as far as it came, by which LangChain goes', async () => {
    const stream = events(
      of(0, '{"a":1}', 'a', 'look'),
      of(1, '{"amount":5', 'b', 'pay'),
      further(0, ' '),
      further(1, '0}'),
      stopped,
      ends,
      done,
    );
    const cut = { name: 'pay', input: '{"amount":5}' };
    expect(await byLangChain(stream)).toContainEqual(cut);
    expect(judged(stream)).not.toContainEqual(cut);
    expect(others(stream)[1]).toContainEqual(cut);
  });

  test.each([
    ['{"a":1,"b":{"c":[true,"x', 'y"]}}', '{"a":1,"b":{"c":[true,"x"]}}'],
    ['{"a":1,', '"b":2}', '{"a":1}'],
    ['{"a":1,"b":', '2}', '{"a":1,"b":null}'],
    ['{"a":1,"b', '":2}', '{"a":1,"b":null}'],
    ['{"a":tr', 'ue}', '{"a":null}'],
    ['{"a":"x\\u00', '41"}', '{"a":"x"}'],
    ['{"a":-', '1}', '{"a":-0}'],
  ])('of one that came as far as %s the end is what may lack', (begun, rest, whole) => {
    const stream = events(
      of(0, '{}', 'b', 'look'),
      of(1, begun, 'a', 'pay'),
      further(0, ' '),
      further(1, rest),
      stopped,
      ends,
      done,
    );
    expect(read(stream).defects).toEqual([]);
    expect(others(stream)[1]).toContainEqual({ name: 'pay', input: whole });
  });

  test('so many and so long that judging them all as one another would take for ever are a defect', () => {
    const text = 'x'.repeat(100_000);
    const long = (index: number): object => {
      const custom = { index: 0, id: `c${index}`, type: 'custom', custom: { name: 'run', input: text } };
      return chunk({ tool_calls: [custom] }, {}, index);
    };
    const choices = Array.from({ length: 64 }, (_, index) => index);
    const stopping = choices.map((index) => chunk({}, { choices: [{ index, finish_reason: 'stop' }] }));
    const few = events(long(0), long(1), ...stopping.slice(0, 2), done);
    expect(read(few).defects).toEqual([]);
    expect(read(events(...choices.map(long), ...stopping, done)).defects).toEqual([
      'pieces of one tool call may belong to another',
    ]);
  });

  test('those that LangChain reads as one without its end are judged also as that one', async () => {
    const stream = events(
      of(0, '{"to":', 'a', 'pay'),
      of(1, '{"note":"', 'a', 'pay'),
      further(0, '5}'),
      further(1, '"}'),
      stopped,
      ends,
      done,
    );
    const one = { name: 'pay', input: '{"to":{"note":"5}"}}' };
    expect(await byLangChain(stream)).toEqual([one]);
    expect(others(stream)[0]).toContainEqual(one);
  });

  test('custom ones are judged each for itself, and with whatever clients may hand it', () => {
    const custom = (index: number, given: object) =>
      chunk({ tool_calls: [{ index: 0, ...given }] }, {}, index);
    const begins = (id: string, text: string) => ({
      id,
      type: 'custom',
      custom: { name: 'run', input: text },
    });
    const stream = events(
      custom(0, begins('a', 'rm ')),
      custom(1, begins('b', '-rf')),
      custom(0, { custom: { input: 'x' } }),
      custom(1, { custom: { input: ' y' } }),
      stopped,
      ends,
      done,
    );
    const { facts, defects } = read(stream);
    expect(defects).toEqual([]);
    const handed = (input: string) => ({ name: 'run', arguments: { input }, argumentsText: input });
    const joined = [handed('rm -rfx y'), handed('rm x y')];
    expect(facts.toolCalls).toEqual([
      { id: 'a', ...handed('rm x'), alsoAs: [handed('rm '), ...joined] },
      { id: 'b', ...handed('-rf y'), alsoAs: [handed('-rf'), handed('-rfx y'), ...joined] },
    ]);
  });

  test('custom ones of one choice stay a defect', () => {
    const custom = (id: string) =>
      calling({ index: 0, id, type: 'custom', custom: { name: 'run', input: 'x' } });
    expect(read(events(custom('a'), custom('b'), stopped, done)).defects).toContain(
      'pieces of one tool call may belong to another',
    );
  });

  test('whole objects are none', () => {
    const stream = events(of(0, '{"a":1}', 'a', 'look'), of(1, '{"a":2}', 'b', 'look'), stopped, ends, done);
    expect(read(stream).defects).toEqual([]);
    expect(judged(stream)).toHaveLength(2);
  });
});

test('a name that is no text, which JavaScript makes one of, is a defect', async () => {
  const typed = { created: 'now' };
  const renaming = chunk({ tool_calls: [{ index: 0, function: { name: ['pay'] } }] });
  const stream = events(
    { ...chunk({ role: 'assistant', tool_calls: [opening('{}', 'a', 'look')] }), ...typed },
    { ...renaming, ...typed },
    stopped,
    done,
  );
  expect((await byOpenAi(stream)).map(({ name }) => String(name))).toEqual(['pay']);
  expect(judged(stream)).toEqual([{ name: 'look', input: '{}' }]);
  expect(read(stream).defects).toEqual(['the name of a tool call is not a text']);
});

test('a piece that does not say of which call it is, is a defect unless its id does', () => {
  const unplaced = (more: object) => around(calling({ function: { arguments: middle }, ...more }));
  expect(read(unplaced({})).defects).toContain('a piece of a tool call does not say of which');
  const pieces = [
    { id: 'a', function: { name: 'pay', arguments: '{' } },
    { id: 'a', function: { arguments: '}' } },
  ];
  expect(read(events(...pieces.map((one) => calling(one)), stopped, done)).defects).toEqual([]);
});

test.each([
  ['-1', -1],
  ['half', 0.5],
])('an index of %s is a defect', (_what, index) => {
  const stream = events(calling({ ...opening('{}'), index }), stopped, done);
  expect(read(stream).defects).toContain('the index of a tool call is not a count');
});

test('a call without a name is a defect, streamed or whole', () => {
  const whole = {
    choices: [{ index: 0, message: { tool_calls: [{ id: 'a', function: { arguments: '{}' } }] } }],
  };
  const answer = protocolOf('openai').readResponse(
    'chat.completions',
    200,
    Buffer.from(JSON.stringify(whole)),
  );
  expect(answer.defects).toEqual(['a tool call has no name']);
  expect(read(events(calling(opening('{}', 'a', ' ')), stopped, done)).defects).toEqual([
    'a tool call has no name',
  ]);
});

test('a call whose id comes with a later piece has that id', () => {
  const stream = events(
    calling({ ...opening('{"a":'), id: undefined }),
    calling(piece('1}', { id: 'a' })),
    stopped,
    done,
  );
  expect(read(stream).facts.toolCalls).toMatchObject([{ id: 'a', arguments: { a: 1 } }]);
});

test.each([
  ['a function and then a custom tool', [opening(''), { index: 0, custom: { name: 'pay', input: 'x' } }]],
  ['a custom tool and then a function', [{ index: 0, custom: { name: 'pay', input: 'x' } }, piece('{}')]],
])('a call that is %s is a defect', (_what, pieces) => {
  const stream = events(...pieces.map((one) => calling(one)), stopped, done);
  expect(read(stream).defects).toContain('a tool call is both a function and a custom tool');
});

test('a piece of a call in the form of old that some clients pass over is a defect', () => {
  const rest = { index: 0, delta: { function_call: { arguments: '1}' } }, finish_reason: null };
  const beside = { index: 1, delta: {}, finish_reason: null };
  const stream = events(
    chunk({ function_call: { name: 'pay', arguments: '{"n":' } }),
    { ...chunk({}), choices: [beside, rest] },
    stopped,
    done,
  );
  expect(read(stream).defects).toContain('some clients pass over a piece of a tool call');
});
