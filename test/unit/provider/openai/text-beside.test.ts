/** Choices of chats that have words beside their message or delta, as Together's do (https://docs.together.ai/reference/chat-completions). */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const openai = protocolOf('openai');
const chat = 'chat.completions';
const done = 'data: [DONE]\n\n';
const other = ['a choice says something beside its message'];
const piece = (text: string, delta: object | null, finish: string | null = null) => ({
  choices: [{ index: 0, text, logprobs: null, finish_reason: finish, delta }],
});
const whole = (text: unknown, content: string | null) =>
  JSON.stringify({ choices: [{ index: 0, text, message: { content }, finish_reason: 'stop' }] });

describe('a stream of a chat', () => {
  test('that has the words of each delta twice, and numbers its tokens, shows them as they come', () => {
    const tokens = ['One ', 'moment.'].map((content, i) =>
      piece(content, { token_id: 30 + i, role: 'assistant', content, tool_calls: null }),
    );
    const end = piece('', { token_id: 2, role: 'assistant', content: '' }, 'stop');
    const { kinds, facts, defects } = readAs('sse', openai, chat, events(...tokens, end, done));
    expect(kinds).toEqual(['text', 'text', 'other', 'end']);
    expect([facts.text, defects]).toEqual(['One moment.', []]);
  });

  // https://console.groq.com/docs/reasoning, of gpt-oss
  test('that names the channel in which it thinks aloud shows what it thinks as it comes', () => {
    const delta = (said: object, finish: string | null = null) => ({
      choices: [{ index: 0, delta: said, finish_reason: finish }],
    });
    const thought = delta({ reasoning: 'Hm.', channel: 'analysis' });
    const stream = events(thought, delta({ content: 'Yes.' }), delta({}, 'stop'), done);
    const { kinds, facts, defects } = readAs('sse', openai, chat, stream);
    expect([kinds.slice(0, 2), facts.text, defects]).toEqual([['text', 'text'], 'Yes.', []]);
  });

  test.each([
    ['other words', { content: 'Hi' }],
    ['words, and no delta', null],
    ['words, and a delta without any', {}],
  ])('that has %s beside a delta cannot be read', (_what, delta) => {
    const { kinds, defects } = readAs('sse', openai, chat, events(piece('SECRET', delta), done));
    expect([kinds[0], defects]).toEqual(['tool', other]);
  });

  test('is withheld from a member of a delta on that nobody knows and that may ask for something', () => {
    for (const member of [true, 'pay', { name: 'pay' }, ['pay']])
      expect(readAs('sse', openai, chat, events(piece('', { asks: member }))).kinds).toEqual(['tool']);
  });
});

describe('a whole chat', () => {
  test('with other words beside its message cannot be read, with the same has them once', () => {
    for (const text of ['SECRET', ['SECRET'], { text: 'SECRET' }])
      expect(readAs(null, openai, chat, whole(text, 'Hi')).defects).toEqual(other);
    expect(readAs(null, openai, chat, whole('SECRET', null)).defects).toEqual(other);
    const { facts, defects } = readAs(null, openai, chat, whole('Hi', 'Hi'));
    expect([facts.text, defects]).toEqual(['Hi', []]);
  });

  test('whose text a reviewer replaces says the old one nowhere', () => {
    const changed = amended(null, openai, chat, whole('SECRET', 'SECRET'), { text: 'Later.' });
    expect(changed).not.toContain('SECRET');
    expect(readAs(null, openai, chat, changed)).toMatchObject({ defects: [], facts: { text: 'Later.' } });
  });
});
