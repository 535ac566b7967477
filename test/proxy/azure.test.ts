/** Azure OpenAI through the sidecar, asked by the clients made for it. */
import { LLMock } from '@copilotkit/aimock';
import { AzureChatOpenAI } from '@langchain/openai';
import OpenAI, { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { holdTransfers } from './policies.ts';

const denyUnlistedDeployments = `  - id: deployments
    title: Only one deployment may be used
    phase: request
    when: request.model == "shadow"
    action: deny
    severity: high
    tests:
      - { name: yes, expect: match, request: { model: shadow } }
      - { name: no, expect: no-match, request: { model: prod-chat } }
`;
const tools = [
  {
    type: 'function' as const,
    function: { name: 'transfer_funds', parameters: { type: 'object', properties: {} } },
  },
];
const user = (content: string) => [{ role: 'user' as const, content }];

let direct: string;
let upstream: RawUpstream;
let sidecar: TestSidecar;

beforeAll(async () => {
  const mock = new LLMock({ port: 0, chunkSize: 7 });
  mock.onMessage(/photosynthesis/, { content: 'Plants turn light into sugar.' });
  const toolCall = { name: 'transfer_funds', arguments: '{"amount":25000}' };
  mock.onMessage(/transfer/, { toolCalls: [toolCall] });
  await mock.start();
  atEnd(() => mock.stop());
  direct = mock.url;
  upstream = await startRawUpstream(() => undefined);
  sidecar = await startTestSidecar({
    policy: holdTransfers + denyUnlistedDeployments,
    upstreams: {
      azure: { url: direct, protocol: 'azure', mount: '/' },
      raw: { url: upstream.url, protocol: 'azure', mount: '/raw' },
    },
  });
});
afterAll(endAll);

const clientOf = (endpoint: string, deployment = 'prod-chat') =>
  new AzureOpenAI({
    endpoint,
    apiKey: 'azure-key',
    apiVersion: '2025-04-01-preview',
    deployment,
    maxRetries: 0,
  });
const requestData = async (): Promise<Readonly<Record<string, unknown>>> =>
  (await sidecar.ada.lastDecision()).entries.find(({ type }) => type === 'request')?.data ?? {};

describe('AzureOpenAI of the openai SDK', () => {
  const ask = (origin: string) =>
    clientOf(origin).chat.completions.create({ model: 'gpt-4.1', messages: user('photosynthesis') });
  const askStreaming = (origin: string) =>
    clientOf(origin)
      .chat.completions.stream({ model: 'gpt-4.1', messages: user('photosynthesis') })
      .finalContent();

  test('gets the answer it gets without the sidecar, recorded under its deployment', async () => {
    const expected = (await ask(direct)).choices[0]?.message.content;
    expect(expected).toContain('sugar');
    expect((await ask(sidecar.proxyUrl)).choices[0]?.message.content).toBe(expected);
    expect(await requestData()).toMatchObject({
      provider: 'azure',
      operation: 'chat.completions',
      model: 'prod-chat',
      path: '/openai/deployments/prod-chat/chat/completions',
    });
  });

  test('gets the same stream', async () => {
    expect(await askStreaming(sidecar.proxyUrl)).toBe(await askStreaming(direct));
  });

  test('waits for a person where a large transfer is asked for', async () => {
    const asked = clientOf(sidecar.proxyUrl).chat.completions.create({
      model: 'gpt-4.1',
      messages: user('transfer'),
      tools,
    });
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await asked).choices[0]?.message.tool_calls).toHaveLength(1);
  });

  test('embeds', async () => {
    const client = clientOf(sidecar.proxyUrl, 'embedder');
    const { data } = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'x' });
    expect(data).toHaveLength(1);
    expect(await requestData()).toMatchObject({ operation: 'embeddings', model: 'embedder' });
  });

  test('is denied another deployment whatever model it names, with an error it raises as one of permission', async () => {
    const error: unknown = await clientOf(sidecar.proxyUrl, 'shadow')
      .chat.completions.create({ model: 'prod-chat', messages: user('photosynthesis') })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(error).toMatchObject({ code: 'denied_by_policy', type: 'permission_error' });
  });

  test('sees a filtered prompt as Azure tells it, and the record says why', async () => {
    const filtered = {
      error: {
        message: 'The prompt was filtered.',
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    };
    upstream.script((_request, answer) =>
      answer.send(
        wholeAnswer('400 Bad Request', ['Content-Type: application/json'], JSON.stringify(filtered)),
      ),
    );
    const error: unknown = await ask(`${sidecar.proxyUrl}/raw`).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'content_filter', error: filtered.error });
    const { entries } = await sidecar.ada.lastDecision();
    expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({ finish: 'content_filter' });
  });
});

describe('the plain openai SDK at Azure’s v1 address', () => {
  test('sends its key in either header, and neither is stored', async () => {
    const body = JSON.stringify({ object: 'response', status: 'completed', output: [] });
    upstream.script((_request, answer) =>
      answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], body)),
    );
    const client = new OpenAI({
      baseURL: `${sidecar.proxyUrl}/raw/openai/v1`,
      apiKey: 'entra-token',
      defaultHeaders: { 'api-key': 'azure-key' },
    });
    await client.responses.create({ model: 'prod-chat', input: 'Hi' });
    const head = upstream.requests.at(-1)?.head ?? '';
    expect(head).toContain('Bearer entra-token');
    expect(head).toContain('azure-key');
    const [stored] = await sidecar.ada.bodies((await sidecar.ada.lastDecision()).id);
    expect(JSON.stringify(stored?.headers)).not.toMatch(/entra-token|azure-key/);
    expect(await requestData()).toMatchObject({ operation: 'responses', model: 'prod-chat' });
  });
});

test('LangChain’s Azure client gets the answer it gets without the sidecar', async () => {
  const ask = async (origin: string) => {
    const chat = new AzureChatOpenAI({
      azureOpenAIApiKey: 'azure-key',
      azureOpenAIEndpoint: origin,
      azureOpenAIApiDeploymentName: 'prod-chat',
      azureOpenAIApiVersion: '2025-04-01-preview',
      maxRetries: 0,
    });
    return (await chat.invoke('photosynthesis')).text;
  };
  const expected = await ask(direct);
  expect(expected).toContain('sugar');
  expect(await ask(sidecar.proxyUrl)).toBe(expected);
  expect(await requestData()).toMatchObject({ model: 'prod-chat' });
});
