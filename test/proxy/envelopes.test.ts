/** The official SDKs of two families, pointed at servers of others: a refusal is the error that their users catch. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { policyOf } from './policies.ts';

const speakOpenAi = ['openai', 'ollama', 'cohere', 'bedrock', 'gemini', 'vertex'] as const;
const speakAnthropic = ['anthropic', 'openai', 'ollama', 'azure', 'bedrock'] as const;
const servers = [...new Set([...speakOpenAi, ...speakAnthropic])];
const requestBytesMax = 20_000;
const messages = [{ role: 'user' as const, content: 'Pay.' }];

let sidecar: TestSidecar;

beforeAll(async () => {
  const upstream = await startRawUpstream(() => {
    throw new Error('A refused call went out.');
  });
  sidecar = await startTestSidecar({
    policy: policyOf({
      phase: 'request',
      when: 'request.text.contains("Pay")',
      action: 'deny',
      match: '{ text: Pay. }',
      noMatch: '{ text: nothing }',
    }),
    upstreams: Object.fromEntries(
      servers.map((protocol) => [protocol, { url: upstream.url, protocol, mount: `/${protocol}` }]),
    ),
    limits: { requestBytesMax },
  });
});
afterAll(endAll);

/** Where Google serves it, the path is another. */
const placeOf: Readonly<Record<string, string>> = {
  gemini: '/v1beta/openai',
  vertex: '/v1/endpoints/openapi',
};

function openaiAt(server: string): OpenAI {
  const baseURL = `${sidecar.proxyUrl}/${server}${placeOf[server] ?? '/v1'}`;
  return new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
}

function anthropicAt(server: string): Anthropic {
  return new Anthropic({ baseURL: `${sidecar.proxyUrl}/${server}`, apiKey: 'none', maxRetries: 0 });
}

describe('the openai SDK', () => {
  test.each(speakOpenAi)('at a server of the family %s raises a denial with its code', async (server) => {
    const asked = openaiAt(server).chat.completions.create({ model: 'm', messages });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    await expect(asked).rejects.toMatchObject({
      code: 'denied_by_policy',
      type: 'permission_error',
      message: expect.stringContaining('denies this call'),
    });
  });

  test('at Ollama raises what was refused before it was read', async () => {
    const content = 'x'.repeat(requestBytesMax);
    const asked = openaiAt('ollama').chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content }],
    });
    await expect(asked).rejects.toMatchObject({
      status: 413,
      code: 'body_too_large',
      type: 'invalid_request_error',
    });
  });
});

describe('the anthropic SDK', () => {
  test.each(speakAnthropic)('at a server of the family %s raises a denial with its code', async (server) => {
    const asked = anthropicAt(server).messages.create({ model: 'm', max_tokens: 1, messages });
    await expect(asked).rejects.toBeInstanceOf(Anthropic.PermissionDeniedError);
    await expect(asked).rejects.toMatchObject({
      type: 'permission_error',
      error: { error: { code: 'denied_by_policy', message: expect.stringContaining('denies this call') } },
    });
  });
});
