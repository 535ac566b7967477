/** What Gemini Live understood of speech, and says of its own: within the content of a message, or beside it. */
import { describe, expect, test } from 'vitest';
import type { SocketMessage } from '../../../../src/provider/realtime/dialect.ts';
import { geminiLive } from '../../../../src/provider/realtime/gemini.ts';

const message = (value: unknown): SocketMessage => ({
  data: Buffer.from(JSON.stringify(value)),
  binary: false,
});
const open = () => geminiLive.open('/');
const secret = { text: 'SECRET' };

describe('words of the model', () => {
  test.each([
    ['within the content', { serverContent: { outputTranscription: secret } }],
    ['beside it', { outputTranscription: secret }],
    ['beside it, in the other spelling', { output_transcription: secret }],
    ['beside what is null', { serverContent: { outputTranscription: null }, outputTranscription: secret }],
    ['in both places alike', { serverContent: { outputTranscription: secret }, outputTranscription: secret }],
    ['beside a call', { toolCall: { functionCalls: [{ id: 'c', name: 'a' }] }, outputTranscription: secret }],
  ])('are its answer’s, once, where they stand %s', (_where, value) => {
    const reader = open();
    const { answer } = reader.readServer(message(value));
    expect(reader.reading(answer ?? '')).toMatchObject({ facts: { text: 'SECRET' }, defects: [] });
  });

  test('that differ in the two places cannot be read', () => {
    const reader = open();
    const both = { serverContent: { outputTranscription: { text: 'Hi' } }, outputTranscription: secret };
    const { kind, answer } = reader.readServer(message(both));
    expect([kind, reader.reading(answer ?? '').defects]).toEqual([
      'tool',
      ['a message has `outputTranscription` twice'],
    ]);
  });

  test('end with the turn that they are part of', () => {
    const reader = open();
    const { answer, ends } = reader.readServer(message({ outputTranscription: { text: 'One ' } }));
    expect(ends).toBe(false);
    const end = { serverContent: { turnComplete: true }, outputTranscription: { text: 'moment.' } };
    expect(reader.readServer(message(end))).toMatchObject({ answer, ends: true });
    expect(reader.reading(answer ?? '').facts.text).toBe('One moment.');
  });
});

test.each([
  ['within the content', { serverContent: { inputTranscription: secret } }],
  ['there, in the other spelling', { serverContent: { input_transcription: secret } }],
  ['beside it', { inputTranscription: secret }],
  ['beside it, in the other spelling', { input_transcription: secret }],
  [
    'within it, beside a call',
    {
      serverContent: { inputTranscription: secret },
      toolCall: { functionCalls: [{ id: 'c', name: 'a' }] },
    },
  ],
])('words of the user are what the model is told, where they stand %s', (_where, value) => {
  const reader = open();
  reader.readServer(message(value));
  expect(reader.facts()).toMatchObject({ text: 'SECRET', messages: [{ role: 'user', text: 'SECRET' }] });
});

describe('a message that waits for its ruling, once it is sent on', () => {
  const spoken = { serverContent: { inputTranscription: secret } };
  const waiting = { realtimeInput: { text: 'Pay.' } };

  test('leaves what was understood meanwhile told', () => {
    const reader = open();
    const reading = reader.readClient(message(waiting));
    reader.readServer(message(spoken));
    reading.accept();
    expect(reader.facts().text).toBe('SECRET\nPay.');
  });

  test('tells nothing again that has been answered meanwhile', () => {
    const reader = open();
    reader.readServer(message(spoken));
    const reading = reader.readClient(message(waiting));
    reader.asked(reader.facts());
    reading.accept();
    expect(reader.facts().text).toBe('Pay.');
  });
});
