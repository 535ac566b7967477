/** What servers write down of speech where they do nothing else: Mistral's and vLLM's, on a connection as the Realtime API's. */
import { describe, expect, test } from 'vitest';
import type { SocketMessage } from '../../../../src/provider/realtime/dialect.ts';
import { socketDialectAt } from '../../../../src/provider/realtime/dialects.ts';

const message = (value: unknown): SocketMessage => ({
  data: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  binary: false,
});

function open(target = '/v1/audio/transcriptions/realtime?model=voxtral') {
  const reader = socketDialectAt(target.replace(/\?.*$/, ''))?.open(target);
  if (reader === undefined) throw new Error(`Nothing is spoken at ${target}.`);
  const hear = (...events: readonly unknown[]) => events.map((event) => reader.readServer(message(event)));
  return { ...reader, hear };
}

const ofVllm = [
  { type: 'transcription.delta', delta: 'One ' },
  { type: 'transcription.delta', delta: 'moment.' },
  { type: 'transcription.done', text: 'One moment.', usage: { prompt_tokens: 3, completion_tokens: 2 } },
];
const ofMistral = [
  { type: 'transcription.language', audio_language: 'en' },
  { type: 'transcription.text.delta', text: 'One ' },
  { type: 'transcription.text.delta', text: 'moment.' },
  { type: 'transcription.done', model: 'voxtral-2', text: 'One moment.', segments: [], language: 'en' },
];

describe('a transcription', () => {
  test.each([
    ['vLLM', ofVllm, 'voxtral'],
    ['Mistral', ofMistral, 'voxtral-2'],
  ])('of %s is one answer, with its words for rules and the model that wrote it', (_who, events, model) => {
    const { hear, reading } = open();
    const read = hear(...events);
    const answers = [...new Set(read.map(({ answer }) => answer))];
    expect(answers).toHaveLength(1);
    expect(read.map(({ ends }) => ends)).toEqual(events.map((_one, i) => i === events.length - 1));
    expect(read.map(({ kind }) => kind)).not.toContain('tool');
    expect(reading(answers[0] ?? '')).toMatchObject({
      facts: { text: 'One moment.', model, toolCalls: [] },
      ...{ defects: [], complete: true },
    });
  });

  test('counts what it used', () => {
    const { hear, reading } = open();
    const [first] = hear(...ofVllm);
    expect(reading(first?.answer ?? '').facts.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  test('begins behind the end of the one before, and is forgotten once it is settled', () => {
    const { hear, reading, settle } = open();
    const [first, , , second] = hear(...ofVllm, { type: 'transcription.delta', delta: 'Two' });
    expect(second?.answer).not.toBe(first?.answer);
    const [text, next] = [first, second].map((one) => reading(one?.answer ?? ''));
    expect([text?.facts.text, next?.facts.text, next?.complete]).toEqual(['One moment.', 'Two', false]);
    settle(first?.answer ?? '', true);
    expect(reading(first?.answer ?? '').facts.text).toBe('');
  });

  test('that says other words at its end than before has both for rules', () => {
    const { hear, reading } = open();
    const [first] = hear(ofVllm[0], { type: 'transcription.done', text: 'SECRET' });
    expect(reading(first?.answer ?? '').facts.text).toBe('One \nSECRET');
  });

  test('that lists other words in its segments has those for rules too, and the same words once', () => {
    const segment = (text: string) => ({ type: 'transcription.segment', text });
    const done = (...texts: readonly string[]) => ({
      ...{ type: 'transcription.done', text: 'One moment.', segments: texts.map((text) => ({ text })) },
    });
    for (const [said, ...events] of [
      ['One moment.', ofVllm[0], ofVllm[1], segment('One '), segment('moment.'), done('One', 'moment.')],
      ['One moment.\nSECRET', ofVllm[0], ofVllm[1], segment('SECRET'), done()],
      ['One moment.\nSECRET', ofVllm[0], ofVllm[1], done('SECRET')],
      ['One moment.\nOne mo ment.', ofVllm[0], ofVllm[1], done('One mo ment.')],
    ]) {
      const { hear, reading } = open();
      const [first] = hear(...events);
      expect(reading(first?.answer ?? '').facts.text).toBe(said);
    }
  });

  test('has the words of its segments where it has no others', () => {
    const { hear, reading } = open();
    const [first] = hear(
      { type: 'transcription.segment', text: 'One' },
      { type: 'transcription.segment', text: 'two' },
    );
    expect(reading(first?.answer ?? '').facts.text).toBe('One\ntwo');
  });

  test('withholds what nobody knows, what is written twice, and what is too long', () => {
    const { hear, reading } = open();
    const [unknown] = hear({ type: 'transcription.something', text: 'SECRET' });
    expect(unknown?.kind).toBe('tool');
    const [twice] = hear('{"type":"transcription.delta","delta":"a","delta":"b"}');
    expect([twice?.kind, twice?.answer]).toEqual(['tool', unknown?.answer]);
    expect(reading(twice?.answer ?? '').defects).toHaveLength(1);
    const text = 'x'.repeat(3 * 1024 * 1024);
    for (const type of ['transcription.text.delta', 'transcription.segment']) {
      const long = open();
      const kinds = long.hear(...[1, 2, 3].map(() => ({ type, text })));
      expect(kinds.map(({ kind }) => kind)).toEqual(['text', 'text', 'tool']);
      expect(long.reading(kinds[0]?.answer ?? '').defects).toHaveLength(1);
    }
  });

  test('with a call in it is judged by itself', () => {
    const call = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{}' };
    const { hear } = open();
    expect(hear({ ...ofVllm[0], item: call })[0]).toMatchObject({ kind: 'tool', alone: true });
  });
});

test.each(['input_audio.append', 'input_audio.flush', 'input_audio.end'])(
  'sound in %s, Mistral’s, tells a model nothing that rules read',
  (type) => expect(open().readClient(message({ type, audio: 'AAAA' })).kind).toBe('media'),
);

test('an answer that the provider names as one of ours is another', () => {
  const { hear, reading } = open('/v1/realtime?model=m');
  const call = { type: 'function_call', id: 'i', call_id: 'c', name: 'pay', arguments: '{}' };
  const ours = ['#1', '#transcription 1'];
  const stray = hear({
    type: 'conversation.item.created',
    item: { role: 'assistant', content: [{ text: 'Hi' }] },
  });
  const begun = hear(ofVllm[0]);
  expect([...stray, ...begun].map(({ answer }) => answer)).toEqual(ours);
  for (const id of ours) {
    const [done] = hear({ type: 'response.done', response: { id, output: [call] } });
    expect(reading(done?.answer ?? '').facts.toolCalls).toMatchObject([{ name: 'pay' }]);
  }
});
