/** What the proxy does with a call waits for the entry that records it. */
import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { Machine } from '../../src/sidecar.ts';
import {
  chatDelta,
  chatRequest,
  chatRole,
  chatStop,
  chatText,
  chatTransfer,
  done,
} from '../proxy/answers.ts';
import {
  denyTransfers,
  denyUnlistedModels,
  holdTransfers,
  holdTransfersWith,
  holdUnlistedModels,
} from '../proxy/policies.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { chunk, startRawUpstream, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { createManualTime } from '../support/time.ts';
import { createLateDisk, isEntry } from './late-disk.ts';

afterEach(endAll);

const json = ['Content-Type: application/json'];

/** A sidecar on such a disk, before an upstream that says "Hello." until it is told otherwise. */
async function start(policy?: string, machine: Partial<Machine> = {}) {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', json, chatText('Hello.'))),
  );
  const disk = createLateDisk();
  const sidecar = await startTestSidecar({
    ...(policy === undefined ? {} : { policy }),
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    machine: { ...machine, openLedgerStore: disk.openLedgerStore },
  });
  const chat = async (body: string): Promise<RawClient> => {
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('POST', '/v1/chat/completions', [], body));
    return client;
  };
  // What a token is first used for is sealed, and would wait for the disk too.
  await sidecar.ada.holds();
  const late = (...of: Parameters<typeof isEntry>) => disk.keepBack(sidecar, isEntry(...of));
  return { upstream, sidecar, chat, late };
}

test('the provider hears of a call when its request is on disk', async () => {
  const rig = await start();
  const request = rig.late('request');
  const client = await rig.chat(chatRequest());
  await request.awaited();
  expect(rig.upstream.requests).toEqual([]);
  request.arrive();
  expect((await client.answer()).status).toBe(200);
  expect(rig.upstream.requests).toHaveLength(1);
});

test('the caller has the first byte of an answer when the answer is on disk', async () => {
  const rig = await start();
  const response = rig.late('response');
  const client = await rig.chat(chatRequest());
  await response.awaited();
  expect(client.text()).toBe('');
  response.arrive();
  expect((await client.answer()).status).toBe(200);
});

test('the caller of a stream has its text as it comes, and its end when the answer is on disk', async () => {
  const rig = await start();
  rig.upstream.script((_request, answer) => {
    answer.send(streamHead);
    for (const event of [chatRole, chatDelta('Hello.'), chatStop, done]) answer.send(chunk(event));
    answer.send('0\r\n\r\n');
  });
  const response = rig.late('response');
  const client = await rig.chat(chatRequest({ stream: true }));
  await response.awaited();
  expect(client.text()).toContain('Hello.');
  expect(client.text()).not.toContain('[DONE]');
  response.arrive();
  await client.until('0\r\n\r\n');
  expect(client.text()).toContain('[DONE]');
});

test('a call that a rule denies is refused when that is on disk', async () => {
  const rig = await start(denyUnlistedModels);
  const request = rig.late('request');
  const client = await rig.chat(chatRequest({ model: 'other' }));
  await request.awaited();
  expect(client.text()).toBe('');
  request.arrive();
  expect((await client.answer()).status).toBe(403);
  expect(rig.upstream.requests).toEqual([]);
});

test('an answer that a rule denies is refused when it is on disk', async () => {
  const rig = await start(denyTransfers);
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const response = rig.late('response');
  const client = await rig.chat(chatRequest());
  await response.awaited();
  expect(client.text()).toBe('');
  response.arrive();
  expect((await client.answer()).status).toBe(403);
});

test('a hold is shown to nobody, and nobody can rule on it, before it is on disk', async () => {
  const rig = await start(holdUnlistedModels);
  const entry = rig.late('hold');
  const client = await rig.chat(chatRequest({ model: 'other' }));
  await entry.awaited();
  expect(await rig.sidecar.ada.holds()).toEqual([]);
  entry.arrive();
  const hold = await rig.sidecar.ada.nextHold();
  expect(client.text()).toBe('');
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).status).toBe(200);
});

test('the provider hears of a released request when the use of its release is on disk', async () => {
  const rig = await start(holdUnlistedModels);
  const client = await rig.chat(chatRequest({ model: 'other' }));
  const hold = await rig.sidecar.ada.nextHold();
  const use = rig.late('delivery');
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  await use.awaited();
  expect(rig.upstream.requests).toEqual([]);
  use.arrive();
  expect((await client.answer()).status).toBe(200);
});

test('the caller has the first byte of a released answer when the use of its release is on disk', async () => {
  const rig = await start(holdTransfers);
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  const use = rig.late('delivery');
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  await use.awaited();
  expect(client.text()).toBe('');
  use.arrive();
  expect((await client.answer()).body.toString()).toBe(chatTransfer(25_000));
});

test('the caller hears that a hold expired when that is on disk', async () => {
  const time = createManualTime();
  const { clock, schedule } = time;
  const rig = await start(holdTransfersWith('expiresIn: 10s'), { clock, schedule });
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const client = await rig.chat(chatRequest());
  await rig.sidecar.ada.nextHold();
  const expiry = rig.late('ruling');
  time.advance(10_000);
  await expiry.awaited();
  expect(client.text()).toBe('');
  expiry.arrive();
  expect((await client.answer()).status).toBe(403);
});

test('a policy is in force when its version is on disk', async () => {
  const rig = await start(denyUnlistedModels);
  const loaded = rig.late('policy');
  writeFileSync(rig.sidecar.place.policyFile, 'version: "2"\nrules: []\n');
  const reloading = rig.sidecar.sidecar.reloadPolicy();
  await loaded.awaited();
  const client = await rig.chat(chatRequest({ model: 'other' }));
  // It is judged meanwhile.
  await loaded.awaited();
  loaded.arrive();
  await reloading;
  expect((await client.answer()).status).toBe(403);
  expect((await (await rig.chat(chatRequest({ model: 'other' }))).answer()).status).toBe(200);
});
