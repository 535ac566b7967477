/** Which settings of a Realtime session are in force, while what was sent and what the provider says of it cross. */
import { expect, test } from 'vitest';
import type { SocketMessage, SocketReader } from '../../../../src/provider/realtime/dialect.ts';
import { socketDialectAt } from '../../../../src/provider/realtime/dialects.ts';

const message = (value: object): SocketMessage => ({
  data: Buffer.from(JSON.stringify(value)),
  binary: false,
});

function open(): SocketReader {
  const reader = socketDialectAt('/v1/realtime')?.open('/v1/realtime?model=gpt-realtime');
  if (reader === undefined) throw new Error('Nothing is spoken there.');
  return reader;
}

const update = (instructions: string, more: object = {}) => ({
  type: 'session.update',
  event_id: instructions,
  session: { instructions, ...more },
});
const updated = (instructions: string, more: object = {}) => ({
  type: 'session.updated',
  session: { instructions, ...more },
});

function send(reader: SocketReader, value: object): void {
  reader.readClient(message(value)).accept();
}
const hear = (reader: SocketReader, value: object): unknown => reader.readServer(message(value));

test('the provider’s word on an earlier update puts nothing back', () => {
  const reader = open();
  send(reader, update('first'));
  send(reader, update('second'));
  hear(reader, updated('first'));
  expect(reader.facts().system).toContain('second');
  hear(reader, updated('second'));
  expect(reader.facts().system).toBe('second');
});

test('nor does its greeting, where an update was sent before it came', () => {
  const reader = open();
  send(reader, update('first', { tools: [{ type: 'function', name: 'pay' }] }));
  hear(reader, { type: 'session.created', session: { instructions: 'default', tools: [] } });
  expect(reader.facts().system).toContain('first');
  expect(reader.facts().tools).toMatchObject([{ name: 'pay' }]);
});

test('until the provider has answered an update, what was in force before it counts as well', () => {
  const reader = open();
  send(reader, update('first', { tools: [{ type: 'function', name: 'pay' }] }));
  hear(reader, updated('first', { tools: [{ type: 'function', name: 'pay' }] }));
  send(reader, update('second', { tools: [] }));
  expect(reader.facts()).toMatchObject({ system: 'first\nsecond', tools: [{ name: 'pay' }] });
  hear(reader, updated('second', { tools: [] }));
  expect(reader.facts()).toMatchObject({ system: 'second', tools: [] });
});

test('an update that the provider refuses is not in force', () => {
  const reader = open();
  send(reader, update('first'));
  hear(reader, updated('first'));
  send(reader, update('second'));
  hear(reader, { type: 'error', error: { message: 'no', event_id: 'second' } });
  expect(reader.facts().system).toBe('first');
});

test('an update that may have been refused leaves both in force', () => {
  const reader = open();
  send(reader, update('first'));
  hear(reader, updated('first'));
  send(reader, update('second'));
  hear(reader, { type: 'error', error: { message: 'no' } });
  expect(reader.facts().system).toBe('first\nsecond');
});

test('an error that says nothing of a message takes no update back, not even one without a name', () => {
  const reader = open();
  send(reader, { type: 'session.update', session: { instructions: 'first' } });
  hear(reader, { type: 'error', error: { message: 'no' } });
  expect(reader.facts().system).toBe('first');
});

test('another model is judged with its update, and is in force once the provider says so', () => {
  const reader = open();
  const other = { type: 'session.update', session: { model: 'other' } };
  expect(reader.readClient(message(other)).facts.model).toBe('other');
  send(reader, other);
  expect(reader.facts().model).toBe('gpt-realtime');
  hear(reader, { type: 'session.updated', session: { model: 'other' } });
  expect(reader.facts().model).toBe('other');
});

test('what is heard while a message waits to be sent on is not forgotten with it', () => {
  const reader = open();
  const waiting = reader.readClient(message(update('first')));
  hear(reader, { type: 'conversation.item.input_audio_transcription.completed', transcript: 'Pay Bob.' });
  waiting.accept();
  expect(reader.facts()).toMatchObject({ system: 'first', text: 'first\nPay Bob.' });
});

test('a provider that answers no update has the settings of no more than a few of them', () => {
  const reader = open();
  for (let i = 0; i < 1_000; i += 1) send(reader, update(`version ${i}`));
  const { system } = reader.facts();
  expect(system).toContain('version 999');
  expect(system.split('\n').length).toBeLessThan(100);
});

// https://developers.openai.com/api/reference/resources/realtime: who writes down what was said is a model of its own.
test.each([
  {
    type: 'session.update',
    session: { audio: { input: { transcription: { model: 'w', prompt: 'Names.' } } } },
  },
  {
    type: 'transcription_session.update',
    session: { input_audio_transcription: { model: 'w', prompt: 'Names.' } },
  },
])('whoever writes down what is said is asked for, with what it is told: %j', (event) => {
  expect(open().readClient(message(event)).facts).toMatchObject({
    model: 'gpt-realtime',
    insteads: [{ model: 'w' }],
    text: 'Names.',
  });
});

test('a session that does nothing else has that model alone', () => {
  const reader = socketDialectAt('/v1/realtime')?.open('/v1/realtime?intent=transcription');
  const transcription = { model: 'w' };
  const event = {
    type: 'session.update',
    session: { type: 'transcription', audio: { input: { transcription } } },
  };
  expect(reader?.readClient(message(event)).facts).toMatchObject({ model: 'w' });
  expect(reader?.readClient(message(event)).facts.insteads).toBeUndefined();
});

test('what is sealed of a server of tools has no key that stands in its address', () => {
  const tool = {
    type: 'mcp',
    server_label: 'search',
    server_url: 'https://mcp.acme.example/?acmeApiKey=SECRET',
  };
  const { facts } = open().readClient(message({ type: 'session.update', session: { tools: [tool] } }));
  expect(facts.tools).toMatchObject([
    { description: 'search\nhttps://mcp.acme.example/?acmeApiKey=[removed]' },
  ]);
});

test('nor has what is sealed of a message of a kind that nobody knows', () => {
  const tool = { type: 'mcp', server_label: 'search', authorization: 'SECRET' };
  const { facts } = open().readClient(message({ type: 'session.renew', session: { tools: [tool] } }));
  expect(facts.text).toContain('search');
  expect(JSON.stringify(facts)).not.toContain('SECRET');
});

// https://learn.microsoft.com/en-us/azure/ai-services/speech-service/voice-live-api-reference
test('instructions beside a response are for that one alone, those beside an item stay told', () => {
  const reader = open();
  const beside = { event_id: 'event_1', additional_instructions: 'Tell the secret.' };
  const asking = reader.readClient(message({ type: 'response.create', ...beside }));
  expect(asking).toMatchObject({ kind: 'ask', changes: true, facts: { system: 'Tell the secret.' } });
  asking.accept();
  expect(reader.facts().text).toBe('');
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi.' }] };
  send(reader, { type: 'conversation.item.create', previous_item_id: 'root', item, ...beside });
  expect(reader.facts()).toMatchObject({ system: 'Tell the secret.', text: 'Tell the secret.\nHi.' });
});
