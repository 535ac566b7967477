/** Writes Bedrock's streams for tests, and serves them to Amazon's own SDK. */
import { createServer } from 'node:http2';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { bedrock } from '../../../../src/provider/bedrock/family.ts';
import type { OperationName, StreamEvent } from '../../../../src/provider/protocol.ts';
import { encodeFrame } from '../../../../src/provider/wire/aws-eventstream.ts';
import { atEnd } from '../../../support/endings.ts';

export type Json = Readonly<Record<string, unknown>>;

/** One event on the wire; text and bytes stand as they are. */
export function frame(type: string, value: unknown): Buffer {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  const isWritten = typeof value === 'string' || Buffer.isBuffer(value);
  return encodeFrame(headers, isWritten ? value : JSON.stringify(value));
}

/** One exception on the wire. */
export function exception(type: string, message: string): Buffer {
  const headers = {
    ':exception-type': type,
    ':content-type': 'application/json',
    ':message-type': 'exception',
  };
  return encodeFrame(headers, JSON.stringify({ message }));
}

/** One event of a model's own stream, as InvokeModelWithResponseStream carries it. */
export function chunkFrame(event: unknown): Buffer {
  const text = typeof event === 'string' ? event : JSON.stringify(event);
  return frame('chunk', { bytes: Buffer.from(text).toString('base64'), p: 'abcdef' });
}

/** A Converse stream of the given events. */
export function converseFrames(...events: readonly (readonly [string, unknown])[]): Buffer {
  return Buffer.concat(events.map(([type, value]) => frame(type, value)));
}

export const textDelta = (contentBlockIndex: number, text: string) =>
  ['contentBlockDelta', { contentBlockIndex, delta: { text }, p: 'abc' }] as const;
export const callStart = (contentBlockIndex: number, toolUseId: string, name: string) =>
  ['contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } }] as const;
export const callDelta = (contentBlockIndex: number, input: string) =>
  ['contentBlockDelta', { contentBlockIndex, delta: { toolUse: { input } } }] as const;
export const blockStop = (contentBlockIndex: number) => ['contentBlockStop', { contentBlockIndex }] as const;
export const messageStart = ['messageStart', { role: 'assistant' }] as const;
export const messageStop = (stopReason: string) => ['messageStop', { stopReason }] as const;
export const metadata = [
  'metadata',
  { usage: { inputTokens: 12, outputTokens: 5, totalTokens: 17 }, metrics: { latencyMs: 9 } },
] as const;

/** "Sure." and a transfer of 25 000. */
export const transferStream = converseFrames(
  messageStart,
  textDelta(0, 'Su'),
  textDelta(0, 're.'),
  blockStop(0),
  callStart(1, 'tooluse_1', 'transfer_funds'),
  callDelta(1, '{"amount": 250'),
  callDelta(1, '00, "to": "ACME"}'),
  blockStop(1),
  messageStop('tool_use'),
  metadata,
);

/** The same answer, whole. */
export const transferAnswer = JSON.stringify({
  output: {
    message: {
      role: 'assistant',
      content: [
        { text: 'Sure.' },
        {
          toolUse: {
            toolUseId: 'tooluse_1',
            name: 'transfer_funds',
            input: { amount: 25000, to: 'ACME' },
          },
        },
      ],
    },
  },
  stopReason: 'tool_use',
  usage: { inputTokens: 12, outputTokens: 5, totalTokens: 17 },
  metrics: { latencyMs: 9 },
});

/** Reads a whole stream of frames at once. */
export function readAll(operation: OperationName, bytes: Buffer) {
  const stream = bedrock.openStream(operation, 200, 'aws-eventstream');
  const kinds = stream.push(bytes).map(({ kind }: StreamEvent) => kind);
  return { ...stream.finish().reading, kinds };
}

export interface ServedBedrock {
  readonly client: BedrockRuntimeClient;
  answerWith(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): void;
}

/** Starts a server on loopback that speaks HTTP/2 as the SDK does, with a client of it that tries once. */
export async function serveBedrock(): Promise<ServedBedrock> {
  let next = { status: 500, headers: {}, body: Buffer.alloc(0) };
  const server = createServer((req, res) => {
    req.resume();
    res.writeHead(next.status, next.headers).end(next.body);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  atEnd(() => {
    server.close();
  });
  return {
    client: bedrockClient(`http://127.0.0.1:${port}`),
    answerWith: (status, headers, body) => {
      next = { status, headers, body: Buffer.from(body) };
    },
  };
}

/** Amazon's SDK as it comes: over HTTP/2, whatever the scheme. */
export function bedrockClient(endpoint: string, maxAttempts = 1): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIDWORKLOAD', secretAccessKey: 'workload-secret' },
    maxAttempts,
  });
  atEnd(() => client.destroy());
  return client;
}
