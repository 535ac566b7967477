import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { amendAnswer } from '../../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import { readAs } from '../lines.ts';
import { type Served, serve } from '../served.ts';
import { events, readStream } from '../streams.ts';

const openai = protocolOf('openai');
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const choice = (text: string, finish: string | null = null, index = 0) => ({
  index,
  text,
  logprobs: null,
  finish_reason: finish,
});
const chunk = (...choices: readonly unknown[]) => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'm',
  choices,
});
const done = 'data: [DONE]\n\n';

describe('a completion', () => {
  test('has the text of its choices, why it ended and what it cost', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const body = { ...chunk(choice('Once', 'stop'), choice('Twice', 'length', 1)), usage };
    const { facts, defects } = openai.readResponse('completions', 200, bytes(body));
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'm',
      text: 'Once\nTwice',
      finishReason: 'stop',
      usage: { totalTokens: 3 },
    });
  });

  test.each([
    ['a message', { message: { tool_calls: [] } }],
    ['a delta', { delta: {} }],
    ['a tool call', { text: 'x', tool_calls: [{}] }],
  ])('with %s in a choice is that of a chat: a defect', (_what, members) => {
    expect(openai.readResponse('completions', 200, bytes(chunk(members))).defects.join()).toContain('a chat');
  });

  test('with a text that is none is a defect, whole and streamed', () => {
    const body = chunk({ ...choice('', 'stop'), text: ['x'] });
    expect(openai.readResponse('completions', 200, bytes(body)).defects).toEqual([
      'the text of a choice is not a text',
    ]);
    const { kinds, defects } = readStream(openai, 'completions', events(body, done));
    expect([kinds, defects]).toEqual([['tool', 'end'], ['the text of a choice is not a text']]);
  });

  test('takes a reviewer’s text', () => {
    const amended = amendAnswer(openai, 'completions', bytes(chunk(choice('bad'))), null, { text: 'good' });
    expect(JSON.parse(amended.toString())).toEqual(chunk(choice('good')));
  });

  test('of several choices cannot be amended', () => {
    const several = bytes(chunk(choice('a'), choice('b', null, 1)));
    expect(() => amendAnswer(openai, 'completions', several, null, { text: 'x' })).toThrow('several choices');
  });
});

test('a completion in the forms of two servers at once is held', () => {
  const both = { content: 'SECRET', choices: [{ index: 0, text: 'x', finish_reason: 'stop' }] };
  for (const form of [null, 'sse'] as const) {
    const text = form === null ? JSON.stringify(both) : events(both);
    const { defects } = readAs(form, openai, 'completions', text);
    expect(defects).toEqual([expect.stringContaining('has the forms of two servers')]);
  }
});

describe('a streamed completion', () => {
  test('lets its text pass while it comes', () => {
    const read = readStream(
      openai,
      'completions',
      events(chunk(choice('On')), chunk(choice('ce')), chunk(choice('', 'stop')), done),
    );
    expect(read.kinds).toEqual(['text', 'text', 'other', 'end']);
    expect(read).toMatchObject({
      complete: true,
      defects: [],
      facts: { text: 'Once', finishReason: 'stop' },
    });
  });

  test('keeps parallel choices apart', () => {
    const stream = events(chunk(choice('a')), chunk(choice('b', null, 1)), chunk(choice('a')), done);
    expect(readStream(openai, 'completions', stream).facts.text).toBe('aa\nb');
  });

  test('withholds what is no completion', () => {
    const { kinds } = readStream(
      openai,
      'completions',
      events({ choices: [{ delta: {} }] }, { object: 'x' }),
    );
    expect(kinds).toEqual(['tool', 'tool']);
  });

  test('takes a reviewer’s text in its first piece', () => {
    const original = Buffer.from(events(chunk(choice('b')), chunk(choice('ad', 'stop')), done));
    const amended = amendAnswer(openai, 'completions', original, 'sse', { text: 'good' });
    expect(readStream(openai, 'completions', amended).facts).toMatchObject({
      text: 'good',
      finishReason: 'stop',
    });
  });
});

describe('the openai SDK', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served.close());

  test('shows nobody the keep-alive, and its answer is unharmed', async () => {
    const alive = openai.keepAliveEvent('completions', 'sse', 'm') ?? '';
    served.answerWith(200, 'text/event-stream', events(alive, chunk(choice('Hi', 'stop')), alive, done));
    let text = '';
    for await (const one of await served.openai.completions.create({
      model: 'm',
      prompt: 'x',
      stream: true,
    })) {
      text += one.choices[0]?.text ?? '';
    }
    expect(text).toBe('Hi');
  });
});

describe('a transcript', () => {
  const read = (body: string | Buffer) => openai.readResponse('audio.transcriptions', 200, Buffer.from(body));

  test.each([
    [
      'JSON',
      '{"text":"Good day","usage":{"type":"tokens","input_tokens":1,"output_tokens":2,"total_tokens":3}}',
    ],
    ['bare text', 'Good day'],
  ])('as %s has its text', (_form, body) => {
    expect(read(body)).toMatchObject({ defects: [], facts: { text: 'Good day' } });
  });

  test('as subtitles is text as it stands', () => {
    const subtitles = '1\n00:00:00,000 --> 00:00:01,000\nGood day\n';
    expect(read(subtitles).facts.text).toBe(subtitles);
  });

  test('that begins like JSON and is none is text', () => {
    expect(read('{laughs} Good day')).toMatchObject({ defects: [], facts: { text: '{laughs} Good day' } });
  });

  test('that is not UTF-8 has a defect', () => {
    expect(read(Buffer.from([0xff])).defects).not.toEqual([]);
  });

  test('streams, and ends with its own last event', () => {
    const stream = events(
      { type: 'transcript.text.delta', delta: 'Good ' },
      { type: 'transcript.text.delta', delta: 'day' },
      { type: 'transcript.text.done', text: 'Good day' },
    );
    expect(readStream(openai, 'audio.transcriptions', stream)).toMatchObject({
      kinds: ['text', 'text', 'end'],
      complete: true,
      facts: { text: 'Good day' },
    });
  });

  test('that says something else at its end shows rules both', () => {
    const stream = events(
      { type: 'transcript.text.delta', delta: 'a' },
      { type: 'transcript.text.done', text: 'b' },
    );
    expect(readStream(openai, 'audio.transcriptions', stream).facts.text).toBe('a\nb');
  });

  test('cut before its end is not complete', () => {
    const stream = events({ type: 'transcript.text.delta', delta: 'a' });
    expect(readStream(openai, 'audio.transcriptions', stream).complete).toBe(false);
  });
});
