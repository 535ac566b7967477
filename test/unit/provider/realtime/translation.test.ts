/** What OpenAI's interpreter says: sentence by sentence an answer, what it understood what it was told. */
import { describe, expect, test } from 'vitest';
import type { SocketMessage } from '../../../../src/provider/realtime/dialect.ts';
import { socketDialectAt } from '../../../../src/provider/realtime/dialects.ts';

const message = (value: unknown): SocketMessage => ({
  data: Buffer.from(JSON.stringify(value)),
  binary: false,
});

function open() {
  const reader = socketDialectAt('/v1/realtime/translations')?.open(
    '/v1/realtime/translations?model=gpt-realtime-translate',
  );
  if (reader === undefined) throw new Error('Nothing is spoken there.');
  const hear = (...events: readonly unknown[]) => events.map((event) => reader.readServer(message(event)));
  return { ...reader, hear };
}

const words = (delta: string) => ({ type: 'session.output_transcript.delta', delta, elapsed_ms: 200 });
const sound = (delta: string) => ({ type: 'session.output_audio.delta', delta, format: 'pcm16' });
const understood = (delta: string) => ({ type: 'session.input_transcript.delta', delta });
const closed = { type: 'session.closed' };

describe('an interpreted sentence', () => {
  test('is one answer with its sound, and the next one another', () => {
    const { hear, reading } = open();
    const read = hear(words('One'), sound('AAAA'), words(' moment.'), words(' Two'));
    const [first, , , second] = read.map(({ answer }) => answer ?? '');
    expect(read.map(({ kind, ends }) => [kind, ends])).toEqual([
      ['text', false],
      ['text', false],
      ['text', true],
      ['text', false],
    ]);
    expect(second).not.toBe(first);
    expect(reading(first ?? '')).toMatchObject({
      facts: { text: 'One moment.', model: 'gpt-realtime-translate' },
      ...{ defects: [], complete: true },
    });
  });

  test.each(['Wirklich?', 'Sí!”', '好。', 'क्या।'])('ends with %s', (said) => {
    expect(open().hear(words(said))).toMatchObject([{ ends: true }]);
  });

  test('ends with much sound, many words, and the session', () => {
    expect(open().hear(words('x'.repeat(2_001)))).toMatchObject([{ ends: true }]);
    expect(open().hear(sound('A'.repeat(1024 * 1024 + 1)))).toMatchObject([{ ends: true }]);
    expect(open().hear(words('One'), closed)).toMatchObject([{ ends: false }, { kind: 'other', ends: true }]);
    expect(open().hear(closed)).toMatchObject([{ answer: null }]);
  });

  test('has the words of events that are not known', () => {
    const { hear, reading } = open();
    const [event] = hear({ type: 'session.output_caption.delta', caption: { words: 'a secret' } });
    expect(event).toMatchObject({ kind: 'tool', ends: false });
    expect(reading(event?.answer ?? '').facts.text).toBe('a secret');
  });

  test('that carries a call is none', () => {
    const item = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{}' };
    expect(open().hear({ ...words('One'), item })).toMatchObject([{ kind: 'tool', alone: true }]);
  });
});

test('what the interpreter understood is what it was told, until that has been recorded', () => {
  const { hear, facts, asked } = open();
  hear(understood('a sec'), understood('ret'));
  const recorded = facts();
  expect(recorded).toMatchObject({ text: 'a secret', messages: [{ role: 'user', text: 'a secret' }] });
  asked(recorded);
  expect(facts().text).toBe('');
  hear(understood('Hi.'));
  expect(facts().text).toBe('Hi.');
});
