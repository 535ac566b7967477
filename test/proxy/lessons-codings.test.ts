/** Content codings are seen through on a copy, whatever their frames; what cannot be seen through is stopped. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { denyTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ policy: denyTransfers });
});
afterAll(endAll);

const codings = [
  { coding: 'gzip', encode: gzipSync },
  { coding: 'br', encode: brotliCompressSync },
  { coding: 'zstd', encode: zstdCompressSync },
  { coding: 'deflate', encode: deflateSync },
  { coding: 'deflate', encode: deflateRawSync },
];
const small = chatTransfer(20);
const large = chatTransfer(25_000);

async function statusOf(bytes: Buffer, coding: string): Promise<number> {
  const head = ['Content-Type: application/json', `Content-Encoding: ${coding}`];
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, bytes)));
  return (await (await rig.chat(chatRequest({ user: bytes.toString('hex').slice(0, 64) }))).answer()).status;
}

async function isHeld(bytes: Buffer, coding: string): Promise<void> {
  const head = ['Content-Type: application/json', `Content-Encoding: ${coding}`];
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, bytes)));
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  expect(client.received()).toHaveLength(0);
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).body).toEqual(bytes);
}

describe.each(codings)('$coding', ({ coding, encode }) => {
  test('an answer in it is judged by what it says', async () => {
    expect(await statusOf(encode(Buffer.from(small)), coding)).toBe(200);
    expect(await statusOf(encode(Buffer.from(large)), coding)).toBe(403);
  });

  test('an answer of it that is cut is held', async () => {
    await isHeld(encode(Buffer.from(small)).subarray(0, -3), coding);
  });

  test('a request in it reaches the provider as it was sent', async () => {
    rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], small)));
    const body = encode(Buffer.from(chatRequest()));
    const client = await connectRaw(rig.sidecar.proxyUrl);
    const lines = ['Host: sidecar', `Content-Encoding: ${coding}`, `Content-Length: ${body.length}`];
    client.send(`POST /v1/chat/completions HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    client.send(body);
    expect((await client.answer()).status).toBe(200);
    expect(rig.upstream.requests.at(-1)?.body).toEqual(body);
    expect((await rig.sidecar.ada.lastDecision()).operation).toBe('chat.completions');
  });
});

const half = Math.floor(small.length / 2);

test.each(codings)(
  'an answer of several $coding contents is held, as some clients read the first alone',
  async ({ coding, encode }) => {
    const parts = [small.slice(0, half), small.slice(half)].map((text) => encode(Buffer.from(text)));
    await isHeld(Buffer.concat(parts), coding);
  },
);

test.each(codings)(
  'what stands behind the end of $coding content is held, as some client may read it',
  async ({ coding, encode }) => {
    await isHeld(Buffer.concat([encode(Buffer.from(small)), Buffer.from('{"more":')]), coding);
  },
);
