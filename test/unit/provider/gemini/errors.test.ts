import { ApiError, GoogleGenAI } from '@google/genai';
import { GoogleGenerativeAI } from '@google/generative-ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { type Served, serve } from '../served.ts';
import { events } from '../streams.ts';

const gemini = protocolOf('gemini');
const operation = 'stream_generate_content';
const sse = 'text/event-stream';
const begun = events({ candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] } }] });
const ended = events({
  candidates: [{ content: { role: 'model', parts: [{ text: '!' }] }, finishReason: 'STOP' }],
});
let served: Served;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const client = () => new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: served.url } });
const model = 'gemini-2.5-pro';

async function streamed(body: string): Promise<string> {
  served.answerWith(200, sse, body);
  let text = '';
  const stream = await client().models.generateContentStream({ model, contents: 'Hi' });
  for await (const chunk of stream) text += chunk.text ?? '';
  return text;
}

test('the envelope has Google’s status names and our code as the reason', () => {
  expect(JSON.parse(gemini.errorBody('generate_content', 'denied_by_policy', 403, 'No.'))).toEqual({
    error: {
      code: 403,
      message: 'No.',
      status: 'PERMISSION_DENIED',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'DENIED_BY_POLICY',
          domain: 'holdpoint',
          metadata: { code: 'denied_by_policy' },
        },
      ],
    },
  });
});

test.each([
  [400, 'INVALID_ARGUMENT'],
  [404, 'NOT_FOUND'],
  [413, 'INVALID_ARGUMENT'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
])('status %i is %s', (status, name) => {
  expect(JSON.parse(gemini.errorBody('generate_content', 'held', status, ''))).toMatchObject({
    error: { status: name },
  });
});

test('the SDK raises the envelope as its ApiError', async () => {
  served.answerWith(
    403,
    'application/json',
    gemini.errorBody('generate_content', 'denied_by_policy', 403, 'No.'),
  );
  const asked = client().models.generateContent({ model, contents: 'Hi' });
  await expect(asked).rejects.toThrow(ApiError);
  await expect(asked).rejects.toMatchObject({ status: 403, message: expect.stringContaining('No.') });
});

test('the SDK raises an in-band error as its ApiError with status 403', async () => {
  const body = begun + gemini.errorEvent(operation, 'sse', 'denied_by_reviewer', 'No.');
  await expect(streamed(body)).rejects.toMatchObject({ name: 'ApiError', status: 403 });
});

test('the SDK before it raises an in-band error where the text of that event, or of the whole, is asked for', async () => {
  served.answerWith(200, sse, begun + gemini.errorEvent(operation, 'sse', 'denied_by_reviewer', 'No.'));
  const old = new GoogleGenerativeAI('none').getGenerativeModel({ model }, { baseUrl: served.url });
  const { stream, response } = await old.generateContentStream('Hi');
  let last = '';
  const read = async (): Promise<void> => {
    for await (const event of stream) last += event.text();
  };
  await expect(read()).rejects.toThrow('Candidate was blocked due to SAFETY: No.');
  expect(last).toBe('Hi');
  const whole = await response;
  expect(() => whole.text()).toThrow('No.');
});

describe('keep-alive events', () => {
  const alive = () => String(gemini.keepAliveEvent(operation, 'sse', model));

  test('are shown to nobody by Google’s SDK, wherever they stand', async () => {
    expect(await streamed(alive() + begun + alive() + alive() + ended)).toBe('Hi!');
  });

  test('leave a chat’s history valid', async () => {
    served.answerWith(200, sse, alive() + begun + alive() + ended);
    const chat = client().chats.create({ model });
    for await (const _chunk of await chat.sendMessageStream({ message: 'Hi' }));
    const said = chat.getHistory(true).flatMap(({ parts }) => parts?.map(({ text }) => text) ?? []);
    expect(said.join('')).toBe('HiHi!');
  });

  test('are shown to nobody by the SDK before it, which fails on anything else', async () => {
    served.answerWith(200, sse, alive() + begun + alive() + ended);
    const old = new GoogleGenerativeAI('none').getGenerativeModel({ model }, { baseUrl: served.url });
    const { response } = await old.generateContentStream('Hi');
    expect((await response).text()).toBe('Hi!');
  });

  test('are the only thing that shows the connection lives, in events', () => {
    expect(gemini.filler?.(operation, 'sse')).toBeNull();
    expect(gemini.filler?.(operation, 'json-array')).toBe(' ');
    expect(gemini.keepAliveEvent(operation, 'json-array', model)).toBeNull();
    expect(gemini.filler?.('chat.completions', 'sse')).toContain('held');
  });
});

test('a comment between two events makes the SDK drop one, which is why there is none', async () => {
  expect(await streamed(`${begun}: held\n${ended}`)).toBe('Hi');
});

describe('an error in an array', () => {
  const error = (isFirst: boolean) =>
    String(gemini.errorEvent(operation, 'json-array', 'hold_expired', 'Too late.', isFirst));

  test('is its last element', () => {
    expect(JSON.parse(`[{"candidates":[]}${error(false)}`)).toMatchObject([
      { candidates: [] },
      { error: { status: 'PERMISSION_DENIED' } },
    ]);
  });

  test('is its only element where the caller has none yet', () => {
    expect(JSON.parse(`  ${error(true)}`)).toMatchObject([{ error: { code: 403 } }]);
  });
});
