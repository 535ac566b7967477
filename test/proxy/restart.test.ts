/** Real processes: holds, and tokens that a restore brought, outlive the one that was killed. */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, exchange, type RawClient, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { makePlace, type Settings, spawnSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers, holdUnlistedModels } from './policies.ts';

const transfer = chatTransfer(25_000);
let upstream: RawUpstream;
let settings: Settings;

beforeEach(async () => {
  const json = ['Content-Type: application/json'];
  upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', json, transfer)));
  settings = {
    policy: holdTransfers,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  };
});
afterEach(endAll);

async function chat(proxyUrl: string, body: string): Promise<RawClient> {
  const client = await connectRaw(proxyUrl);
  client.send(rawRequest('POST', '/v1/chat/completions', [], body));
  return client;
}

test('a killed sidecar has its holds again when it is back, and the SDK’s own retry collects the released answer', async () => {
  const place = makePlace(settings);
  const first = await spawnSidecar(settings, place);
  let proxyUrl = first.proxyUrl;
  const client = new OpenAI({
    baseURL: 'http://sidecar.invalid/v1',
    apiKey: 'sk-1',
    maxRetries: 5,
    // The workload finds the sidecar where it is now, as it would on a fixed port.
    fetch: (url, init) => fetch(String(url).replace('http://sidecar.invalid', proxyUrl), init),
  });
  const messages = [{ role: 'user' as const, content: 'Please.' }];
  const answer = client.chat.completions.create({ model: 'gpt-4.1', messages });
  const hold = await first.ada.nextHold();
  expect(await first.kill('SIGKILL')).toBeNull();

  const second = await spawnSidecar(settings, place);
  const kept = await second.ada.hold(hold.id);
  expect(kept).toMatchObject({ state: 'pending', digest: hold.digest, expiresAt: hold.expiresAt });
  expect(await second.ada.rule(kept, { verdict: 'release' })).toMatchObject({ status: 201 });
  proxyUrl = second.proxyUrl;
  const call = (await answer).choices[0]?.message.tool_calls?.[0];
  expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toMatchObject({ amount: 25_000 });
  expect(upstream.requests).toHaveLength(1);
  expect(await second.ada.outcomeOf(hold.decisionId)).toBe('delivered');
});

test('the tokens that a killed restore left in the ledger count from the first start on, and are in it no more', async () => {
  const place = makePlace(settings);
  const first = await spawnSidecar(settings, place);
  expect(await first.ada.holds()).toEqual([]);
  await first.kill('SIGTERM');
  const left = join(place.dataDir, 'ledger', 'tokens.json');
  renameSync(join(place.dataDir, 'tokens.json'), left);

  const second = await spawnSidecar(settings, place);
  expect(await second.ada.holds()).toEqual([]);
  expect(existsSync(left)).toBe(false);
});

test('SIGTERM tells waiting callers to come again, exits 0 and keeps their holds', async () => {
  const place = makePlace(settings);
  const first = await spawnSidecar(settings, place);
  const client = await chat(first.proxyUrl, chatRequest());
  const hold = await first.ada.nextHold();
  expect(await first.kill('SIGTERM')).toBe(0);
  const answer = await client.answer();
  expect(answer.status).toBe(503);
  expect(answer.head).toMatch(/\r\nretry-after: 1/i);
  expect(answer.head).toContain('x-should-retry: true');

  const second = await spawnSidecar(settings, place);
  await second.ada.rule(await second.ada.nextHold(), { verdict: 'release' });
  const collected = await exchange(
    second.proxyUrl,
    rawRequest('POST', '/v1/chat/completions', [], chatRequest()),
  );
  expect(collected.body.toString()).toBe(transfer);
  expect((await second.ada.hold(hold.id)).state).toBe('released');
  expect(upstream.requests).toHaveLength(1);
});

test('a held request that was released before the kill is sent once, when its caller comes back', async () => {
  const unlisted = { ...settings, policy: holdUnlistedModels };
  const place = makePlace(unlisted);
  const first = await spawnSidecar(unlisted, place);
  const body = chatRequest({ model: 'unlisted' });
  const client = await chat(first.proxyUrl, body);
  const hold = await first.ada.nextHold();
  client.destroy();
  await waitFor(async () => expect((await first.ada.hold(hold.id)).caller).toBe('gone'));
  await first.ada.rule(hold, { verdict: 'release' });
  await first.kill('SIGKILL');
  const second = await spawnSidecar(unlisted, place);
  expect(upstream.requests).toHaveLength(0);
  expect((await (await chat(second.proxyUrl, body)).answer()).status).toBe(200);
  expect(upstream.requests).toHaveLength(1);
});

test('SIGTERM lets a running call finish and refuses new connections', async () => {
  const sidecar = await spawnSidecar(settings);
  const { promise: mayAnswer, resolve: answerNow } = Promise.withResolvers<void>();
  upstream.script(async (_request, answer) => {
    await mayAnswer;
    answer.send(wholeAnswer('200 OK', [], chatTransfer(5)));
  });
  const client = await chat(sidecar.proxyUrl, chatRequest());
  await waitFor(() => expect(upstream.requests).toHaveLength(1));
  const exited = sidecar.kill('SIGTERM');
  await waitFor(() => expect(connectRaw(sidecar.proxyUrl)).rejects.toThrow('ECONNREFUSED'));
  answerNow();
  expect((await client.answer()).body.toString()).toBe(chatTransfer(5));
  expect(await exited).toBe(0);
});
