/** Amazon's SDK and the AI SDK through the sidecar: held, released, denied, amended, and signed for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import {
  AccessDeniedException,
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  ValidationException,
} from '@aws-sdk/client-bedrock-runtime';
import { LLMock } from '@copilotkit/aimock';
import { generateText } from 'ai';
import { afterEach, describe, expect, test } from 'vitest';
import { startSidecar } from '../../src/sidecar.ts';
import { headerIn, signatureDefect } from '../support/aws-signature.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { chunk, type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { type Settings, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { createManualTime } from '../support/time.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  blockStop,
  callDelta,
  callStart,
  chunkFrame,
  converseFrames,
  messageStart,
  messageStop,
  metadata,
  textDelta,
  transferAnswer,
} from '../unit/provider/bedrock/written.ts';
import { denyTransfers, holdTransfers, policyOf } from './policies.ts';

let upstream: RawUpstream;
let sidecar: TestSidecar;
afterEach(endAll);

const workload = { accessKeyId: 'AKIDWORKLOAD', secretAccessKey: 'workload-secret' };
const arn = 'arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-Sonnet-v1:0';
const arnPath = `/model/${encodeURIComponent(arn)}`;
const asked: ConverseCommandInput = {
  modelId: arn,
  messages: [{ role: 'user', content: [{ text: 'Pay.' }] }],
};

type UpstreamExtras = Omit<Settings['upstreams'][string], 'url' | 'protocol' | 'mount'>;

async function start(
  policy?: string,
  extras: UpstreamExtras = {},
  more: Pick<Settings, 'env' | 'machine'> = {},
): Promise<void> {
  upstream = await startRawUpstream(() => undefined);
  sidecar = await startTestSidecar({
    ...(policy === undefined ? {} : { policy }),
    ...more,
    upstreams: { bedrock: { url: upstream.url, protocol: 'bedrock', mount: '/', ...extras } },
  });
}

interface SentRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** Sends over HTTP/1.1; the SDK's own way is HTTP/2. */
const overHttp1 = {
  metadata: { handlerProtocol: 'http/1.1' },
  async handle({ protocol, hostname, port, path, method, headers, body }: SentRequest) {
    const response = await fetch(`${protocol}//${hostname}:${port}${path}`, {
      method,
      headers,
      ...(body && { body }),
    });
    const answer = Readable.fromWeb(response.body as ReadableStream);
    return {
      response: { statusCode: response.status, headers: Object.fromEntries(response.headers), body: answer },
    };
  },
};

const transports = { 'HTTP/2': {}, 'HTTP/1.1': { requestHandler: overHttp1 } };
type Transport = keyof typeof transports;

function clientOf(transport: Transport = 'HTTP/2', endpoint = sidecar.proxyUrl): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    endpoint,
    region: 'eu-central-1',
    credentials: workload,
    maxAttempts: 1,
    ...transports[transport],
  });
  atEnd(() => client.destroy());
  return client;
}

const streamHead =
  'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n';
const text = converseFrames(messageStart, textDelta(0, 'One '), textDelta(0, 'moment.'), blockStop(0));
const call = converseFrames(
  callStart(1, 'tooluse_1', 'transfer_funds'),
  callDelta(1, '{"amount": 25000,'),
  callDelta(1, ' "to": "ACME"}'),
  blockStop(1),
);
const end = converseFrames(messageStop('tool_use'), metadata);

function answerWhole(body: string): void {
  upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json', 'x-amzn-RequestId: r-1'], body)),
  );
}

function answerFrames(...parts: readonly Buffer[]): void {
  upstream.script((_request, answer) => {
    answer.send(streamHead);
    for (const part of parts) answer.send(chunk(part));
    answer.send('0\r\n\r\n');
  });
}

interface Said {
  text: string;
  input: string;
  readonly events: string[];
}

async function collect(stream: AsyncIterable<ConverseStreamOutput> | undefined, said: Said): Promise<Said> {
  for await (const event of stream ?? []) {
    said.events.push(Object.keys(event)[0] ?? '');
    said.text += event.contentBlockDelta?.delta?.text ?? '';
    said.input += event.contentBlockDelta?.delta?.toolUse?.input ?? '';
  }
  return said;
}

const nothingSaid = (): Said => ({ text: '', input: '', events: [] });

async function askStream(client = clientOf(), said = nothingSaid()): Promise<Said> {
  const { stream } = await client.send(new ConverseStreamCommand(asked));
  return collect(stream, said);
}

describe.each(['HTTP/2', 'HTTP/1.1'] as const)('Converse over %s', (transport) => {
  test('that asks for a large transfer is held, and released as it was', async () => {
    await start(holdTransfers);
    answerWhole(transferAnswer);
    const answered = clientOf(transport).send(new ConverseCommand(asked));
    const hold = await sidecar.ada.nextHold();
    await sidecar.ada.rule(hold, { verdict: 'release' });
    const { output } = await answered;
    expect(output).toEqual(JSON.parse(transferAnswer).output);
  });

  test('streams its text at once, and nothing of a call before it was ruled on', async () => {
    await start(holdTransfers);
    const goOn = Promise.withResolvers<void>();
    upstream.script(async (_request, answer) => {
      answer.send(streamHead);
      answer.send(chunk(text));
      await goOn.promise;
      answer.send(chunk(call.subarray(0, 100)));
      answer.send(chunk(Buffer.concat([call.subarray(100), end])));
      answer.send('0\r\n\r\n');
    });
    const said = nothingSaid();
    const asking = askStream(clientOf(transport), said);
    await waitFor(() => expect(said.text).toBe('One moment.'));
    goOn.resolve();
    const hold = await sidecar.ada.nextHold();
    expect(said.events).not.toContain('contentBlockStart');
    await sidecar.ada.rule(hold, { verdict: 'release' });
    expect(JSON.parse((await asking).input)).toEqual({ amount: 25000, to: 'ACME' });
    expect(said.events.slice(-2)).toEqual(['messageStop', 'metadata']);
  });
});

describe('Converse', () => {
  test('passes, with the path and body that the SDK sent', async () => {
    await start(holdTransfers);
    answerWhole(transferAnswer.replace('25000', '20'));
    const { output, $metadata } = await clientOf().send(new ConverseCommand(asked));
    expect(output?.message?.content?.[1]?.toolUse).toMatchObject({
      name: 'transfer_funds',
      input: { amount: 20 },
    });
    expect($metadata.requestId).toBe('r-1');
    expect(upstream.requests[0]).toMatchObject({ method: 'POST', target: `${arnPath}/converse` });
    expect(JSON.parse(String(upstream.requests[0]?.body))).toEqual({ messages: asked.messages });
  });

  test('that is denied raises AccessDeniedException', async () => {
    await start(denyTransfers);
    answerWhole(transferAnswer);
    const refused = clientOf().send(new ConverseCommand(asked));
    await expect(refused).rejects.toBeInstanceOf(AccessDeniedException);
    await expect(refused).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
      code: 'denied_by_policy',
    });
  });

  test('denied after its text raises an exception in the stream, and shows nothing of the call', async () => {
    await start(holdTransfers);
    answerFrames(text, call, end);
    const said = nothingSaid();
    const asking = askStream(clientOf(), said);
    const refused = expect(asking).rejects.toBeInstanceOf(ValidationException);
    const hold = await sidecar.ada.nextHold();
    await waitFor(() => expect(said.text).toBe('One moment.'));
    await sidecar.ada.rule(hold, { verdict: 'deny' });
    await refused;
    await expect(asking).rejects.toMatchObject({ message: 'A reviewer denied this call.' });
    expect(said.events).not.toContain('contentBlockStart');
  });
});

describe('a Converse stream', () => {
  test('denied before any text is a plain AccessDeniedException', async () => {
    await start(holdTransfers);
    answerFrames(converseFrames(messageStart), call, end);
    const refused = expect(askStream()).rejects.toBeInstanceOf(AccessDeniedException);
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
    await refused;
  });

  test('that was amended continues after the text that its caller has', async () => {
    await start(holdTransfers);
    answerFrames(text, call, end);
    const asking = askStream();
    const toolCalls = [{ id: 'tooluse_1', arguments: { amount: 20, to: 'ACME' } }];
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'amend', amendment: { toolCalls } });
    const said = await asking;
    expect([said.text, JSON.parse(said.input)]).toEqual(['One moment.', { amount: 20, to: 'ACME' }]);
  });

  test('that is held stays alive by frames that the SDK passes over', async () => {
    const time = createManualTime();
    await start(holdTransfers, {}, { machine: { clock: time.clock, schedule: time.schedule } });
    answerFrames(converseFrames(messageStart), call, end);
    const asking = askStream();
    const hold = await sidecar.ada.nextHold();
    for (let beat = 0; beat < 4; beat += 1) time.advance(15_000);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    const said = await asking;
    expect(JSON.parse(said.input)).toEqual({ amount: 25000, to: 'ACME' });
    expect(said.events[0]).toBe('messageStart');
  });

  test('with a damaged frame is held', async () => {
    await start(holdTransfers);
    const damaged = Buffer.from(text);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 6) ^ 1, damaged.length - 6);
    answerFrames(damaged, end);
    const asking = expect(askStream()).rejects.toThrow('denied');
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
    await asking;
  });

  test('that breaks off is not ended in order', async () => {
    await start(holdTransfers);
    answerFrames(text);
    await expect(askStream()).rejects.toThrow();
  });
});

const anthropicBody = JSON.stringify({
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'Pay.' }],
});
const toolUse = { type: 'tool_use', id: 't1', name: 'transfer_funds', input: { amount: 25000 } };
const anthropicEvents = [
  { type: 'message_start', message: { content: [] } },
  { type: 'content_block_start', index: 0, content_block: { ...toolUse, input: {} } },
  {
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json: '{"amount":25000}' },
  },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 3 } },
  { type: 'message_stop' },
];
const invoked = { modelId: arn, contentType: 'application/json', body: anthropicBody };

describe('InvokeModel', () => {
  test('with Anthropic’s body is held and released as it was', async () => {
    await start(holdTransfers);
    const body = JSON.stringify({ type: 'message', content: [toolUse], stop_reason: 'tool_use' });
    answerWhole(body);
    const answered = clientOf().send(new InvokeModelCommand(invoked));
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect(Buffer.from((await answered).body).toString()).toBe(body);
  });

  test('with Anthropic’s body, streamed, is held and released as it was', async () => {
    await start(holdTransfers);
    answerFrames(...anthropicEvents.map(chunkFrame));
    const answered = clientOf().send(new InvokeModelWithResponseStreamCommand(invoked));
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    const events: unknown[] = [];
    for await (const { chunk: part } of (await answered).body ?? [])
      events.push(JSON.parse(Buffer.from(part?.bytes ?? []).toString()));
    expect(events).toEqual(anthropicEvents);
  });

  test('whose answer nobody can read as harmless is held', async () => {
    await start(holdTransfers);
    answerWhole('{"next_step":{"tool":"transfer_funds","amount":25000}}');
    const refused = expect(clientOf().send(new InvokeModelCommand(invoked))).rejects.toThrow('denied');
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
    await refused;
  });
});

describe('a rule on requests', () => {
  const onlyThatModel = policyOf({
    phase: 'request',
    when: `request.model != "${arn}"`,
    action: 'deny',
    match: '{ model: other }',
    noMatch: `{ model: "${arn}" }`,
  });

  test('reads the model in its own spelling from the path', async () => {
    await start(onlyThatModel);
    answerWhole(transferAnswer);
    await clientOf().send(new ConverseCommand(asked));
    const other = clientOf().send(new ConverseCommand({ ...asked, modelId: 'other' }));
    await expect(other).rejects.toBeInstanceOf(AccessDeniedException);
    expect(upstream.requests).toHaveLength(1);
  });

  test('sees whether a guardrail was asked for, which InvokeModel says in a header', async () => {
    await start(
      policyOf({
        phase: 'request',
        when: '("x-amzn-bedrock-guardrailidentifier" in request.headers) == false',
        action: 'deny',
        match: '{ headers: {} }',
        noMatch: '{ headers: { x-amzn-bedrock-guardrailidentifier: gr-1 } }',
      }),
    );
    answerWhole('{"generation":"Hello."}');
    const guarded = { ...invoked, guardrailIdentifier: 'gr-1', guardrailVersion: '1' };
    await clientOf().send(new InvokeModelCommand(guarded));
    await expect(clientOf().send(new InvokeModelCommand(invoked))).rejects.toBeInstanceOf(
      AccessDeniedException,
    );
  });

  test('is not led astray by a path that others resolve to another model', async () => {
    await start(onlyThatModel);
    const url = `${sidecar.proxyUrl}/model/x%2F..%2Fother/converse`;
    const { status, headers } = await fetch(url, { method: 'POST', body: '{"messages":[]}' });
    expect([status, headers.get('x-amzn-errortype')]).toEqual([400, 'ValidationException']);
    expect(upstream.requests).toHaveLength(0);
  });
});

function onlyRequest() {
  const [received, second] = upstream.requests;
  if (received === undefined || second !== undefined) throw new Error('not one request arrived');
  return received;
}

describe('a signature', () => {
  const own = { AWS_ACCESS_KEY_ID: 'AKIDSIDECAR', AWS_SECRET_ACCESS_KEY: 'sidecar-secret' };
  const sign = { service: 'bedrock', region: 'eu-central-1' };

  test('is made anew with the sidecar’s credentials, and none of the workload’s goes on', async () => {
    await start(undefined, { sign }, { env: { ...own, AWS_SESSION_TOKEN: 'sidecar-session' } });
    answerWhole(transferAnswer);
    await clientOf().send(new ConverseCommand(asked));
    const received = onlyRequest();
    expect(signatureDefect(received, 'AKIDSIDECAR', 'sidecar-secret')).toBe('');
    expect(headerIn(received, 'x-amz-security-token')).toBe('sidecar-session');
    expect(received.head).not.toContain('AKIDWORKLOAD');
    expect(received.target).toBe(`${arnPath}/converse`);
  });

  test('of the sidecar is nowhere in the record', async () => {
    await start(undefined, { sign }, { env: { ...own, AWS_SESSION_TOKEN: 'sidecar-session' } });
    answerWhole(transferAnswer);
    await clientOf().send(new ConverseCommand(asked));
    const decision = await sidecar.ada.lastDecision();
    const stored = JSON.stringify([decision, await sidecar.ada.bodies(decision.id)]);
    expect(stored).not.toMatch(/AKIDSIDECAR|sidecar-se|Signature=/);
  });

  test('that cannot be made, for want of credentials, stops the start', async () => {
    // Nothing is made, so there is no ledger to verify: no place of the tests' own.
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-test-'));
    atEnd(() => rmSync(directory, { recursive: true }));
    const config = join(directory, 'holdpoint.yaml');
    const bedrock = { url: 'http://127.0.0.1:1', protocol: 'bedrock', sign };
    writeFileSync(config, JSON.stringify({ data: { dir: join(directory, 'data') }, upstreams: { bedrock } }));
    await expect(startSidecar(config, {})).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    });
  });

  test('of the workload stays valid where its host is kept', async () => {
    await start(undefined, { keepHost: true });
    answerWhole(transferAnswer);
    await clientOf('HTTP/1.1').send(new ConverseCommand(asked));
    const received = onlyRequest();
    expect(headerIn(received, 'host')).toBe(new URL(sidecar.proxyUrl).host);
    expect(signatureDefect(received, workload.accessKeyId, workload.secretAccessKey)).toBe('');
  });

  test('of the workload is worth nothing where its host is replaced', async () => {
    await start();
    answerWhole(transferAnswer);
    await clientOf('HTTP/1.1').send(new ConverseCommand(asked));
    const received = onlyRequest();
    expect(signatureDefect(received, workload.accessKeyId, workload.secretAccessKey)).not.toBe('');
  });

  test('is not needed with a bearer key, which goes on untouched', async () => {
    await start();
    answerWhole(transferAnswer);
    const client = new BedrockRuntimeClient({
      endpoint: sidecar.proxyUrl,
      region: 'eu-central-1',
      token: { token: 'bedrock-api-key' },
      authSchemePreference: ['httpBearerAuth'],
      maxAttempts: 1,
    });
    atEnd(() => client.destroy());
    await client.send(new ConverseCommand(asked));
    expect(headerIn(onlyRequest(), 'authorization')).toBe('Bearer bedrock-api-key');
  });
});

describe('the AI SDK', () => {
  const ask = () => {
    const bedrock = createAmazonBedrock({
      baseURL: sidecar.proxyUrl,
      region: 'eu-central-1',
      apiKey: 'bedrock-api-key',
    });
    return generateText({ model: bedrock('anthropic.claude-v1:0'), prompt: 'Pay.', maxRetries: 0 });
  };

  test('gets a held answer when it is released', async () => {
    await start(holdTransfers);
    answerWhole(transferAnswer);
    const answered = ask();
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await answered).toolCalls).toMatchObject([
      { toolName: 'transfer_funds', input: { amount: 25000 } },
    ]);
  });

  test('raises a denial with its reason', async () => {
    await start(denyTransfers);
    answerWhole(transferAnswer);
    await expect(ask()).rejects.toMatchObject({
      statusCode: 403,
      message: expect.stringContaining('denies'),
    });
  });
});

describe('a Bedrock that somebody else wrote', () => {
  async function ask(endpoint: string, content: string): Promise<unknown[]> {
    const client = clientOf('HTTP/1.1', endpoint);
    const question: ConverseCommandInput = {
      modelId: 'm',
      messages: [{ role: 'user', content: [{ text: content }] }],
    };
    const { output } = await client.send(new ConverseCommand(question));
    const { stream } = await client.send(new ConverseStreamCommand(question));
    const body = JSON.stringify({ ...JSON.parse(anthropicBody), messages: [{ role: 'user', content }] });
    const plain = await client.send(new InvokeModelCommand({ ...invoked, body }));
    const { content: blocks, stop_reason } = JSON.parse(Buffer.from(plain.body).toString());
    return [output, await collect(stream, nothingSaid()), blocks, stop_reason];
  }

  test.each(['Tell me about photosynthesis', 'Please transfer 250'])(
    'says the same as without the sidecar: %s',
    async (prompt) => {
      const mock = new LLMock({ port: 0, chunkSize: 7 });
      mock.onMessage(/photosynthesis/, { content: 'Plants turn light into sugar — ☀️ → 🌱.' });
      mock.onMessage(/transfer/, {
        toolCalls: [{ name: 'transfer_funds', arguments: '{"amount":250}', id: 't1' }],
      });
      const url = await mock.start();
      atEnd(() => mock.stop());
      sidecar = await startTestSidecar({
        policy: holdTransfers,
        upstreams: { bedrock: { url, protocol: 'bedrock', mount: '/' } },
      });
      expect(await ask(sidecar.proxyUrl, prompt)).toEqual(await ask(url, prompt));
    },
  );
});
