/** Amazon's SDK with its own endpoint, over connections that were redirected: over TLS it speaks nothing but HTTP/2. */
import { connect as connectTls } from 'node:tls';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
} from '@aws-sdk/client-bedrock-runtime';
import { afterEach, expect, test } from 'vitest';
import { headerIn, signatureDefect } from '../support/aws-signature.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { transferAnswer } from '../unit/provider/bedrock/written.ts';
import { holdTransfers } from './policies.ts';
import { type Behind, startBehind } from './through.ts';

let upstream: RawUpstream;
let behind: Behind;
afterEach(endAll);

const host = 'bedrock-runtime.eu-central-1.amazonaws.com';
const asked: ConverseCommandInput = {
  modelId: 'm:0',
  messages: [{ role: 'user', content: [{ text: 'Pay.' }] }],
};

async function start(): Promise<BedrockRuntimeClient> {
  upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], transferAnswer)),
  );
  behind = await startBehind({
    policy: holdTransfers,
    env: { AWS_ACCESS_KEY_ID: 'AKIDSIDECAR', AWS_SECRET_ACCESS_KEY: 'sidecar-secret' },
    upstreams: {
      bedrock: {
        url: upstream.url,
        protocol: 'bedrock',
        mount: '/',
        hosts: [host],
        sign: { service: 'bedrock', region: 'eu-central-1' },
      },
    },
  });
  const [address, port] = behind.redirectedTo.split(':');
  const toSidecar = {
    host: address,
    port: Number(port),
    servername: host,
    ca: behind.ca,
    ALPNProtocols: ['h2'],
  };
  const client = new BedrockRuntimeClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIDWORKLOAD', secretAccessKey: 'workload-secret' },
    maxAttempts: 1,
    requestHandler: { nodeHttp2ConnectOptions: { createConnection: () => connectTls(toSidecar) } },
  });
  atEnd(() => client.destroy());
  return client;
}

test('a call is held, signed with the sidecar’s credentials and released', async () => {
  const client = await start();
  const answered = client.send(new ConverseCommand(asked));
  await behind.sidecar.ada.rule(await behind.sidecar.ada.nextHold(), { verdict: 'release' });
  expect((await answered).output).toEqual(JSON.parse(transferAnswer).output);
  const [received] = upstream.requests;
  if (received === undefined) throw new Error('nothing arrived');
  expect(signatureDefect(received, 'AKIDSIDECAR', 'sidecar-secret')).toBe('');
  expect(headerIn(received, 'host')).toBe(new URL(upstream.url).host);
  expect(received.target).toBe('/model/m%3A0/converse');
});
