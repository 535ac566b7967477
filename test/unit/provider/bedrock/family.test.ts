/** Bedrock's paths, its other operations, and refusals that every client of it understands. */
import {
  AccessDeniedException,
  ConverseCommand,
  ConverseStreamCommand,
  ServiceUnavailableException,
  ValidationException,
} from '@aws-sdk/client-bedrock-runtime';
import { afterEach, describe, expect, test } from 'vitest';
import { bedrock } from '../../../../src/provider/bedrock/family.ts';
import { endAll } from '../../../support/endings.ts';
import { converseFrames, type Json, messageStart, serveBedrock } from './written.ts';

afterEach(endAll);

const post = (path: string) => bedrock.operationOf('POST', path);

function read(operation: string, body: Json, path = '/') {
  const head = { path, contentType: 'application/json' };
  return bedrock.readRequest(operation, Buffer.from(JSON.stringify(body)), head);
}

describe('a path', () => {
  test.each([
    ['/model/us.amazon.nova-pro-v1%3A0/converse', 'converse'],
    ['/model/m/converse-stream', 'converse'],
    ['/model/m/invoke', 'invoke'],
    ['/model/m/invoke-with-response-stream', 'invoke'],
    ['/model/m/invoke-with-bidirectional-stream', 'invoke.bidirectional'],
    ['/model/m/count-tokens', 'count_tokens'],
    ['/model/arn%3Aaws%3Abedrock%3A%3A%3Ainference-profile%2Fus.m/converse', 'converse'],
    ['/prefix/model/m/CONVERSE', 'converse'],
    ['/model/m/converse;x=1', 'converse'],
    ['/model/m//converse/', 'converse'],
    ['/model/m/%63onverse', 'converse'],
    ['/guardrail/g/version/1/apply', 'guardrail.apply'],
    ['/guardrail-checks/invoke', 'guardrail.checks'],
    ['/async-invoke', 'async_invoke'],
    ['/openai/v1/chat/completions', 'chat.completions'],
    ['/v1/responses', 'responses'],
    ['/anthropic/v1/messages', 'messages'],
    ['/foundation-models', 'unknown'],
  ])('%s asks for %s', (path, operation) => {
    expect(post(path)).toBe(operation);
  });

  test('that is read asks for nothing', () => {
    expect(bedrock.operationOf('GET', '/async-invoke')).toBe('unknown');
  });

  test.each([
    '/model/allowed/../other/converse',
    '/model/allowed%2F..%2Fother/converse',
    '/model/allowed;v=other/converse',
    '/model/allowed%253A0/converse',
    '/model//converse',
    '/converse',
    '/model/allowed/model/other/converse',
    '/model/allowed%00/converse',
    '/model/%E0%A4%A/converse',
  ])('that others may resolve to another model is a defect: %s', (path) => {
    const { facts, defects } = read('converse', { messages: [] }, path);
    expect([facts.model, defects]).toEqual(['', ['the path does not clearly name a model']]);
  });
});

describe('another operation', () => {
  test('counts the tokens of a Converse request, whose text is seen', () => {
    const input = { converse: { messages: [{ role: 'user', content: [{ text: 'Pay.' }] }] } };
    const { facts, defects } = read('count_tokens', { input }, '/model/m/count-tokens');
    expect([facts.text, facts.model, defects]).toEqual(['Pay.', 'm', []]);
  });

  test('counts the tokens of an InvokeModel request, whose text is seen', () => {
    const body = Buffer.from('{"prompt":"Pay."}').toString('base64');
    const { facts, defects } = read(
      'count_tokens',
      { input: { invokeModel: { body } } },
      '/model/m/count-tokens',
    );
    expect([facts.text, defects]).toEqual(['Pay.', []]);
  });

  test('that counts nobody knows what is refused', () => {
    expect(read('count_tokens', { input: { other: 'Pay.' } }, '/model/m/count-tokens').defects).toHaveLength(
      1,
    );
  });

  test('asks a guardrail, whose text and answer are seen', () => {
    const asked = read('guardrail.apply', { source: 'OUTPUT', content: [{ text: { text: 'Pay.' } }] });
    expect(asked.facts.text).toContain('Pay.');
    const body = JSON.stringify({
      action: 'GUARDRAIL_INTERVENED',
      outputs: [{ text: 'Blocked.' }],
      assessments: [],
    });
    expect(bedrock.readResponse('guardrail.apply', 200, Buffer.from(body)).facts).toMatchObject({
      text: 'Blocked.',
      finishReason: 'GUARDRAIL_INTERVENED',
    });
  });

  test('starts an asynchronous call, whose text and model are seen', () => {
    const { facts } = read('async_invoke', {
      modelId: 'amazon.nova-reel-v1:0',
      modelInput: { prompt: 'A cat.' },
    });
    expect([facts.model, facts.text.includes('A cat.')]).toEqual(['amazon.nova-reel-v1:0', true]);
  });

  test('streams in both directions and is refused, as nobody can read it', () => {
    expect(read('invoke.bidirectional', {}).defects).toHaveLength(1);
  });

  test.each(['count_tokens', 'async_invoke', 'guardrail.checks', 'unknown'])(
    '%s is not answered with anything that rules judge',
    (operation) => {
      expect(bedrock.readsAnswer(operation)).toBe(false);
    },
  );
});

describe('a refusal', () => {
  const asked = { modelId: 'm', messages: [] };

  test.each([
    ['denied_by_reviewer', 403, AccessDeniedException],
    ['held', 503, ServiceUnavailableException],
    ['bad_request', 400, ValidationException],
  ] as const)('with %s raises the SDK’s own class, with our code', async (code, status, expected) => {
    const served = await serveBedrock();
    const headers = { 'content-type': 'application/json', ...bedrock.errorHeaders(code, status) };
    served.answerWith(status, headers, bedrock.errorBody('converse', code, status, 'Not now.'));
    const refused = served.client.send(new ConverseCommand(asked));
    await expect(refused).rejects.toBeInstanceOf(expected);
    await expect(refused).rejects.toMatchObject({ message: 'Not now.', code });
  });

  test('of InvokeModel stands where the Anthropic SDK looks for it too', () => {
    expect(JSON.parse(bedrock.errorBody('invoke', 'denied_by_policy', 403, 'No.'))).toMatchObject({
      error: { message: 'No.', type: 'permission_error', code: 'denied_by_policy' },
    });
  });

  test('in a stream under the OpenAI SDK’s path reads as OpenAI’s', () => {
    expect(bedrock.errorEvent('chat.completions', 'sse', 'denied_by_policy', 'No.')).toContain(
      'permission_error',
    );
  });

  test.each([
    ['denied_by_reviewer', ValidationException],
    ['held', ServiceUnavailableException],
  ] as const)('in a stream that has begun raises the SDK’s own class: %s', async (code, expected) => {
    const served = await serveBedrock();
    const event = Buffer.from(bedrock.errorEvent('converse', 'aws-eventstream', code, 'Not now.'));
    const type = { 'content-type': 'application/vnd.amazon.eventstream' };
    served.answerWith(200, type, Buffer.concat([converseFrames(messageStart), event]));
    const { stream } = await served.client.send(new ConverseStreamCommand(asked));
    const consumed = (async () => {
      for await (const _event of stream ?? []);
    })();
    await expect(consumed).rejects.toBeInstanceOf(expected);
    await expect(consumed).rejects.toMatchObject({ message: 'Not now.' });
  });
});
