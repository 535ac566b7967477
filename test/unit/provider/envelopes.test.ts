import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { type Served, serve } from './served.ts';
import { events } from './streams.ts';

const openai = protocolOf('openai');
const anthropic = protocolOf('anthropic');
const stream = 'text/event-stream';
const json = 'application/json';
let served: Served;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

async function thrownBy(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

async function drain(items: Promise<AsyncIterable<unknown>>): Promise<number> {
  let count = 0;
  for await (const _item of await items) count += 1;
  return count;
}

const messages = [{ role: 'user' as const, content: 'x' }];
const chat = () => served.openai.chat.completions.create({ model: 'm', messages });
const chatStream = () => drain(served.openai.chat.completions.create({ model: 'm', messages, stream: true }));
const responsesStream = () => drain(served.openai.responses.create({ model: 'm', input: 'x', stream: true }));
const message = () => served.anthropic.messages.create({ model: 'm', max_tokens: 1, messages });
const messageStream = () =>
  drain(served.anthropic.messages.create({ model: 'm', max_tokens: 1, messages, stream: true }));

describe('the openai SDK', () => {
  test('raises a denial as its permission error with our code', async () => {
    served.answerWith(403, json, openai.errorBody('chat.completions', 'denied_by_policy', 403, 'No.'));
    const error = await thrownBy(chat);
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(error).toMatchObject({ code: 'denied_by_policy', type: 'permission_error', message: '403 No.' });
  });

  test('raises the in-band error of a chat stream', async () => {
    const begun = { choices: [{ index: 0, delta: { content: 'x' } }] };
    served.answerWith(
      200,
      stream,
      events(begun, openai.errorEvent('chat.completions', 'sse', 'denied_by_reviewer', 'No.')),
    );
    expect(await thrownBy(chatStream)).toMatchObject({
      code: 'denied_by_reviewer',
      type: 'permission_error',
    });
  });

  test('raises the in-band error of a responses stream', async () => {
    served.answerWith(200, stream, openai.errorEvent('responses', 'sse', 'hold_expired', 'Too late.'));
    const error = await thrownBy(responsesStream);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ code: 'hold_expired', type: 'permission_error', message: 'Too late.' });
  });

  test('shows nobody the keep-alive of a chat stream, and its answer is unharmed', async () => {
    const alive = openai.keepAliveEvent('chat.completions', 'sse', 'm') ?? '';
    const chunk = (delta: object, finish: string | null) => ({
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'real',
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    const body = events(alive, chunk({ role: 'assistant', content: 'Hi' }, null), alive, chunk({}, 'stop'));
    served.answerWith(200, stream, events(body, 'data: [DONE]\n\n'));
    const answer = await served.openai.chat.completions
      .stream({ model: 'm', messages })
      .finalChatCompletion();
    expect(answer).toMatchObject({ id: 'c1', model: 'real', choices: [{ message: { content: 'Hi' } }] });
  });
});

describe('the anthropic SDK', () => {
  test('raises a denial as its permission error', async () => {
    served.answerWith(403, json, anthropic.errorBody('messages', 'denied_by_policy', 403, 'No.'));
    const error = await thrownBy(message);
    expect(error).toBeInstanceOf(Anthropic.PermissionDeniedError);
    expect(error).toMatchObject({
      type: 'permission_error',
      error: { type: 'error', error: { code: 'denied_by_policy', message: 'No.' } },
    });
  });

  test('raises the in-band error of a stream, pings before it unseen', async () => {
    const ping = anthropic.keepAliveEvent('messages', 'sse', 'm') ?? '';
    served.answerWith(
      200,
      stream,
      events(ping, anthropic.errorEvent('messages', 'sse', 'denied_by_reviewer', 'No.')),
    );
    expect(await thrownBy(messageStream)).toMatchObject({
      type: 'permission_error',
      error: { error: { code: 'denied_by_reviewer' } },
    });
  });

  test('shows nobody a ping', async () => {
    served.answerWith(200, stream, anthropic.keepAliveEvent('messages', 'sse', 'm') ?? 'data: 1\n\n');
    expect(await messageStream()).toBe(0);
  });
});

test.each([
  [400, 'invalid_request_error'],
  [403, 'permission_error'],
  [404, 'invalid_request_error'],
  [503, 'server_error'],
])('openai names the error of a status %i %s', (status, type) => {
  expect(JSON.parse(openai.errorBody('chat.completions', 'held', status, 'm'))).toEqual({
    error: { message: 'm', type, param: null, code: 'held' },
  });
});

test.each([
  [400, 'invalid_request_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [502, 'api_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
])('anthropic names the error of a status %i %s', (status, type) => {
  expect(JSON.parse(anthropic.errorBody('messages', 'held', status, 'm'))).toEqual({
    type: 'error',
    error: { type, message: 'm', code: 'held' },
  });
});

test('where only comments are safe there is no keep-alive', () => {
  expect(openai.keepAliveEvent('responses', 'sse', 'm')).toBeNull();
  expect(openai.keepAliveEvent('unknown', 'sse', 'm')).toBeNull();
  expect(anthropic.keepAliveEvent('unknown', 'sse', 'm')).toBeNull();
});

test('a message in an error cannot break out of its event', () => {
  const frame = openai.errorEvent('chat.completions', 'sse', 'held', 'a\n\ndata: [DONE]\n\n');
  expect(frame.toString().match(/\n\n/g)).toHaveLength(1);
});
