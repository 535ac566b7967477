/** Keys pass through to the provider and stay nowhere: not in any file, not in any body that can be decrypted. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf } from './rig.ts';

afterAll(endAll);

const secret = (place: string): string => `SECRET-${place}-0123456789abcdef`;
const requestSecrets = [
  `Authorization: Bearer ${secret('authorization')}`,
  `x-api-key: ${secret('x-api-key')}`,
  `api-key: ${secret('api-key')}`,
  `X-Goog-Api-Key: ${secret('goog')}`,
  `Cookie: session=${secret('cookie')}`,
  `Ocp-Apim-Subscription-Key: ${secret('apim')}`,
  `X-Amz-Security-Token: ${secret('amz')}`,
];
const query = [
  'key',
  'api_key',
  'access_token',
  'sig',
  'X-Amz-Signature',
  'X-Goog-Signature',
  'upload_id',
  'client_secret',
];
const target = `/v1/chat/completions?${query.map((name) => `${name}=${secret(name)}`).join('&')}&plain=kept`;

function filesBelow(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

test('no credential of a call, of an answer or of a tunnel is in any file or any body', async () => {
  const upstream = await startRawUpstream((request, answer) =>
    answer.send(
      wholeAnswer(
        '200 OK',
        [
          `Set-Cookie: id=${secret('set-cookie')}`,
          `X-Goog-Upload-URL: https://upload.invalid/?upload_id=${secret('upload-url')}`,
        ],
        request.body.includes('hold me') ? chatTransfer(25_000) : chatText('Hello.'),
      ),
    ),
  );
  const sidecar = await startTestSidecar({
    policy: holdTransfers,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const passed = await exchange(sidecar.proxyUrl, rawRequest('POST', target, requestSecrets, chatRequest()));
  for (const header of requestSecrets) expect(upstream.requests[0]?.head).toContain(header);
  expect(upstream.requests[0]?.target).toBe(target);
  expect(passed.head).toContain(secret('set-cookie'));

  const waiting = await connectRaw(sidecar.proxyUrl);
  waiting.send(rawRequest('POST', target, requestSecrets, chatRequest({ user: 'hold me' })));
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waiting.answer();
  const realtime = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const inProtocol = `Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.${secret('protocol')}`;
  const tunnel = rawRequest('GET', `/v1/realtime?key=${secret('tunnel')}`, [...realtime, inProtocol]);
  await exchange(sidecar.proxyUrl, tunnel);

  const stored = await sidecar.ada.bodies(decisionIdOf(passed.head));
  const held = await sidecar.ada.bodies(hold.decisionId);
  const tunnelled = await sidecar.ada.bodies((await sidecar.ada.lastDecision()).id);
  for (const bodies of [stored, held, tunnelled]) {
    expect(JSON.stringify(bodies)).not.toContain('SECRET-');
    expect(JSON.stringify(bodies)).toContain('[removed]');
  }
  expect(stored[0]?.startLine).toContain('plain=kept');

  await sidecar.stop();
  const files = filesBelow(sidecar.place.directory);
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) expect(readFileSync(file).includes('SECRET-'), file).toBe(false);
});

test('calls with the same key are attributable to it, others are not', async () => {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))),
  );
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const callers: unknown[] = [];
  for (const key of ['one', 'one', 'two']) {
    const headers = [`Authorization: Bearer ${secret(key)}`];
    const answer = await exchange(
      sidecar.proxyUrl,
      rawRequest('POST', '/v1/chat/completions', headers, chatRequest()),
    );
    const { entries } = await sidecar.ada.decision(decisionIdOf(answer.head));
    callers.push(entries[0]?.data['caller']);
  }
  expect(callers[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(callers[1]).toBe(callers[0]);
  expect(callers[2]).not.toBe(callers[0]);
});
