/** WebSocket connections that are recorded: handshakes, closings, sizes, slow and silent peers, stops and crashes. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemSchedule } from '../../src/core/clock.ts';
import type { Machine } from '../../src/sidecar.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { spawnSidecar, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { createManualTime } from '../support/time.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyUnlistedModels, holdTransfers, holdUnlistedModels } from './policies.ts';
import {
  callEvents,
  connectScene,
  realtimeTarget,
  sendAll,
  spokenEvents,
  textsOf,
} from './realtime-scene.ts';
import { connectSocket, startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const upstreamsOf = (url: string) => ({ openai: { url, protocol: 'openai' as const, mount: '/' } });

describe('the handshake', () => {
  test('is sealed with its answer, and leads to what was said on the connection', async () => {
    const { sidecar, client, provider } = await connectScene();
    client.send({ type: 'response.create' });
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    sendAll(provider, spokenEvents('resp_1', 'Hello.'));
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
    const spoken = await sidecar.ada.lastDecision();
    const opening = await sidecar.ada.decision(String(spoken.entries[0]?.data['session']));
    expect(opening).toMatchObject({ operation: 'realtime', status: 101, outcome: null });
    const [, answer] = await sidecar.ada.bodies(opening.id);
    expect(answer?.startLine).toBe('HTTP/1.1 101 Switching Protocols');
    client.ws.close(1000);
    expect(await sidecar.ada.outcomeOf(opening.id)).toBe('delivered');
  });

  test.each([
    ['workload', 'client_abort'],
    ['provider', 'upstream_truncated'],
  ] as const)('ends as %s broke the connection off where it did', async (side, outcome) => {
    const scene = await connectScene();
    const { id } = await scene.sidecar.ada.lastDecision();
    (side === 'workload' ? scene.client : scene.provider).ws.terminate();
    expect(await scene.sidecar.ada.outcomeOf(id)).toBe(outcome);
  });

  // Some servers take the first of two, others the last; some heed the case of a name.
  test.each(['model=a&model=b', 'model=a&deployment=b', 'deployment=a&Deployment=b'])(
    'that names two models goes nowhere: %s',
    async (query) => {
      const upstream = await startSocketUpstream();
      const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
      const client = await connectRaw(sidecar.proxyUrl);
      client.send(rawRequest('GET', `/v1/realtime?${query}`, upgrade));
      await client.until('\r\n\r\n');
      expect(client.text()).toMatch(/^HTTP\/1\.1 400 /);
      expect(upstream.talkers).toEqual([]);
      client.destroy();
    },
  );

  test('that the provider refuses is relayed with its status, headers and body', async () => {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', '/refuse/v1/realtime', upgrade));
    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(client.text()).toContain('x-why: key');
    expect(client.text()).toMatch(/\r\n\r\nnope$/);
    const decision = await sidecar.ada.lastDecision();
    expect(decision.status).toBe(401);
    expect(await sidecar.ada.outcomeOf(decision.id)).toBe('delivered');
  });

  test('that the provider refuses at length is relayed as far as one mebibyte', async () => {
    const length = 2 * 1024 * 1024;
    const refusal = `HTTP/1.1 401 Unauthorized\r\nContent-Length: ${length}\r\n\r\n`;
    // It never comes to its end.
    const upstream = await startRawUpstream((_request, answer) =>
      answer.send(refusal + 'x'.repeat(length - 1)),
    );
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', realtimeTarget, upgrade));
    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(client.received().length).toBeLessThan(1024 * 1024 + 4096);
  });

  test('of another version is refused before the provider hears of it', async () => {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
    const client = await connectRaw(sidecar.proxyUrl);
    const older = upgrade.map((line) => line.replace('Version: 13', 'Version: 8'));
    client.send(rawRequest('GET', realtimeTarget, older));
    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1\.1 400 /);
    expect(upstream.requests).toEqual([]);
  });

  test('reaches the provider with all values of a header, and without those meant for a proxy', async () => {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
    const client = await connectRaw(sidecar.proxyUrl);
    const own = ['X-Tag: a', 'X-Tag: b', 'x-tag: c', 'Proxy-Authorization: Basic secret'];
    client.send(rawRequest('GET', realtimeTarget, [...upgrade, ...own]));
    await client.until('\r\n\r\n');
    const { 'x-tag': tags, 'proxy-authorization': forProxy } = upstream.requests[0]?.headers ?? {};
    expect([tags, forProxy]).toEqual(['a, b, c', undefined]);
  });

  test('that a rule would hold goes on, and is marked: nothing is asked yet that a person could rule on', async () => {
    const { sidecar } = await connectScene(holdUnlistedModels);
    expect(await sidecar.ada.lastDecision()).toMatchObject({ verdict: 'flag' });
  });

  test('is refused by a rule before the provider hears of it', async () => {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({
      policy: denyUnlistedModels,
      upstreams: upstreamsOf(upstream.url),
    });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', realtimeTarget, upgrade));
    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1\.1 403 /);
    expect(client.text()).toContain('denied_by_policy');
    expect(upstream.requests).toEqual([]);
    const { id } = await sidecar.ada.lastDecision();
    expect(await sidecar.ada.outcomeOf(id)).toBe('denied');
  });

  test('with a provider that cannot be reached is a 502', async () => {
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf('http://127.0.0.1:9') });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', realtimeTarget, upgrade));
    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1\.1 502 /);
    const { id } = await sidecar.ada.lastDecision();
    expect(await sidecar.ada.outcomeOf(id)).toBe('upstream_error');
  });

  test('with a provider that does not answer is given up, and so is the connection to it', async () => {
    const upstream = await startRawUpstream((_request, answer) => answer.closed);
    const sidecar = await startTestSidecar({
      upstreams: upstreamsOf(upstream.url),
      limits: { upstreamConnectMsMax: 100 },
    });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', realtimeTarget, upgrade));
    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1\.1 502 /);
    const { id } = await sidecar.ada.lastDecision();
    expect(await sidecar.ada.outcomeOf(id)).toBe('upstream_error');
  });

  test.each(['/v1/somewhere', '/v1/live/sessions'])(
    'at %s, where nobody knows what is spoken, is refused',
    async (path) => {
      const upstream = await startSocketUpstream();
      const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
      const client = await connectRaw(sidecar.proxyUrl);
      client.send(rawRequest('GET', path, upgrade));
      await client.ended;
      expect(client.text()).toMatch(/^HTTP\/1\.1 403 /);
      expect(client.text()).toContain('upstreams.openai.tunnel');
      expect(upstream.requests).toEqual([]);
    },
  );

  test('is recorded under another spelling of a path that is tunnelled', async () => {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({
      upstreams: { openai: { ...upstreamsOf(upstream.url).openai, tunnel: ['/v1/raw'] } },
    });
    await connectSocket(sidecar.proxyUrl, '/v1/raw/..%2frealtime');
    expect((await sidecar.ada.lastDecision()).operation).toBe('realtime');
  });

  test('relays the subprotocol chosen, and keeps the key among those offered out of the ledger', async () => {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
    const protocols = ['realtime', 'openai-insecure-api-key.sk-secret'];
    const client = await connectSocket(sidecar.proxyUrl, realtimeTarget, { protocols });
    expect(client.ws.protocol).toBe('realtime');
    expect(upstream.requests[0]?.headers['sec-websocket-protocol']).toBe(protocols.join(','));
    const { id, entries } = await sidecar.ada.lastDecision();
    expect(JSON.stringify(await sidecar.ada.bodies(id))).not.toContain('sk-secret');
    expect(entries[0]?.data['caller']).toMatch(/^[0-9a-f]{16}$/);
  });
});

test('a key that the sidecar put in goes out, and comes back in nothing that the provider says', async () => {
  const upstream = await startSocketUpstream((talker, { headers }) =>
    talker.send({ type: 'error', error: { message: `Bad key ${headers.authorization}.`, event_id: null } }),
  );
  const openai = { ...upstreamsOf(upstream.url).openai, key: { env: 'PROVIDER_KEY' } };
  const env = { PROVIDER_KEY: 'sk-of-the-sidecar' };
  const sidecar = await startTestSidecar({ upstreams: { openai }, env });
  const client = await connectSocket(sidecar.proxyUrl, realtimeTarget);
  await waitFor(() => expect(client.heard).toHaveLength(1));
  expect(upstream.requests[0]?.headers.authorization).toBe('Bearer sk-of-the-sidecar');
  expect(textsOf(client)[0]).toContain(`Bad key Bearer ${'*'.repeat(17)}.`);
});

test('a key that the sidecar put in does not come back in the reason of a closing', async () => {
  const upstream = await startSocketUpstream(({ ws }, { headers }) =>
    ws.close(4001, `Bad key ${headers.authorization}`),
  );
  const openai = { ...upstreamsOf(upstream.url).openai, key: { env: 'PROVIDER_KEY' } };
  const env = { PROVIDER_KEY: 'sk-of-the-sidecar' };
  const sidecar = await startTestSidecar({ upstreams: { openai }, env });
  const client = await connectSocket(sidecar.proxyUrl, realtimeTarget);
  expect(await client.closed).toEqual({ code: 4001, reason: `Bad key Bearer ${'*'.repeat(17)}` });
});

test('what a workload still sends where the configuration says that a key stands is not stored', async () => {
  const upstream = await startSocketUpstream();
  const key = { env: 'PROVIDER_KEY', header: 'x-gateway-key' };
  const openai = { ...upstreamsOf(upstream.url).openai, key };
  const sidecar = await startTestSidecar({ upstreams: { openai }, env: { PROVIDER_KEY: 'sk-real' } });
  const headers = { 'x-gateway-key': 'OWN', 'x-other': 'kept' };
  await connectSocket(sidecar.proxyUrl, realtimeTarget, { headers });
  const { id } = await sidecar.ada.lastDecision();
  const seen = JSON.stringify(await sidecar.ada.bodies(id));
  expect(seen).toContain('kept');
  expect(seen).not.toContain('OWN');
});

/** All that the bodies of a decision say. */
async function said({ ada }: TestSidecar, id: string): Promise<string> {
  return (await ada.bodies(id)).map(({ text }) => text).join('\n');
}

describe('a closing', () => {
  test('of the provider reaches the workload with its code and reason, after what was said before', async () => {
    const { client, provider } = await connectScene();
    provider.send({ type: 'rate_limits.updated', rate_limits: [] });
    provider.ws.close(4000, 'session_expired');
    expect(await client.closed).toEqual({ code: 4000, reason: 'session_expired' });
    expect(client.types().at(-1)).toBe('rate_limits.updated');
  });

  test('of the workload reaches the provider with its code, after what was said before', async () => {
    const { client, provider } = await connectScene();
    client.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
    client.ws.close(4001);
    expect(await provider.closed).toEqual({ code: 4001, reason: '' });
    expect(provider.heard).toHaveLength(1);
  });

  test('of the provider is in the ledger with its reason before the workload hears it', async () => {
    const { sidecar, client, provider } = await connectScene();
    const { id } = await sidecar.ada.lastDecision();
    provider.ws.close(4000, 'account 4711 is locked');
    await client.closed;
    const closing = await sidecar.ada.lastDecision();
    expect(closing.entries[0]?.data['session']).toBe(id);
    expect(await said(sidecar, closing.id)).toContain(
      'server close:4000 passed 22 -\naccount 4711 is locked',
    );
  });

  test('of the workload takes no word to the provider, and is in the ledger with its reason', async () => {
    const { sidecar, client, provider } = await connectScene();
    const { id } = await sidecar.ada.lastDecision();
    client.ws.close(1000, 'account 4711, password swordfish');
    expect(await provider.closed).toEqual({ code: 1000, reason: '' });
    expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
    const closing = await sidecar.ada.lastDecision();
    expect(await said(sidecar, closing.id)).toContain(
      'client close:1000 refused 32 -\naccount 4711, password swordfish',
    );
  });

  test('without a reason leaves nothing to record', async () => {
    const { sidecar, client, provider } = await connectScene();
    const { id } = await sidecar.ada.lastDecision();
    provider.ws.close(4000);
    expect(await client.closed).toEqual({ code: 4000, reason: '' });
    expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
    const { id: newest } = await sidecar.ada.lastDecision();
    expect(await said(sidecar, newest)).not.toContain('close:');
  });

  test('without a code reaches the other side without one, and gives the connection its outcome', async () => {
    const { sidecar, client, provider } = await connectScene();
    const { id } = await sidecar.ada.lastDecision();
    client.ws.close();
    expect((await provider.closed).code).toBe(1005);
    expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
  });

  test('ends the watch over silence', async () => {
    const idleMs = 123_456;
    const watching = new Set<object>();
    const schedule: Machine['schedule'] = (ms, fn) => {
      const timer = {};
      if (ms === idleMs) watching.add(timer);
      const cancel = systemSchedule(ms, fn);
      return () => {
        watching.delete(timer);
        cancel();
      };
    };
    const { sidecar, client } = await connectScene(undefined, { upstreamIdleMsMax: idleMs }, { schedule });
    const { id } = await sidecar.ada.lastDecision();
    expect(watching.size).toBe(1);
    client.ws.close(1000);
    expect(await sidecar.ada.outcomeOf(id)).toBe('delivered');
    expect(watching.size).toBe(0);
  });

  test('amid an answer leaves it in the ledger as far as it came', async () => {
    const { sidecar, client, provider } = await connectScene();
    client.send({ type: 'response.create' });
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    sendAll(provider, spokenEvents('resp_1', 'Good morning.').slice(0, 5));
    await waitFor(() => expect(client.heard).toHaveLength(6));
    provider.ws.terminate();
    expect((await client.closed).code).toBe(1006);
    const decision = await sidecar.ada.lastDecision();
    expect(await sidecar.ada.outcomeOf(decision.id)).toBe('upstream_truncated');
    const whole = await sidecar.ada.decision(decision.id);
    expect(whole.entries[1]?.data).toMatchObject({ result: 'upstream_truncated' });
    expect(JSON.stringify(await sidecar.ada.bodies(decision.id))).toContain('Good morning.');
  });

  test('comes by itself when neither side is heard of for long', async () => {
    const { client, provider } = await connectScene(undefined, { upstreamIdleMsMax: 300 });
    expect(await client.closed).toEqual({ code: 1001, reason: 'idle' });
    expect((await provider.closed).reason).toBe('idle');
  });

  test.each(['client', 'provider'] as const)('does not come while the %s is heard of', async (side) => {
    const { clock, schedule, advance } = createManualTime();
    const scene = await connectScene(undefined, { upstreamIdleMsMax: 1_000 }, { clock, schedule });
    const { client, provider } = scene;
    const [speaks, hears] = side === 'client' ? [client, provider] : [provider, client];
    const said = { type: 'input_audio_buffer.append', audio: 'AAAA' };
    for (let time = 0; time < 3; time += 1) {
      const before = hears.heard.length;
      speaks.send(said);
      await waitFor(() => expect(hears.heard).toHaveLength(before + 1));
      advance(900);
    }
    advance(100);
    expect((await client.closed).reason).toBe('idle');
  });
});

test('messages of 17 MB pass both ways unchanged', async () => {
  const { client, provider } = await connectScene();
  const sound = 'A'.repeat(17 * 1024 * 1024);
  const up = JSON.stringify({ type: 'input_audio_buffer.append', audio: sound });
  const down = JSON.stringify({
    type: 'conversation.item.retrieved',
    item: { type: 'message', audio: sound },
  });
  client.send(up);
  provider.send(down);
  await waitFor(() => expect([provider.heard.length, client.heard.length]).toEqual([1, 2]), 10_000);
  expect(textsOf(provider)[0] === up && textsOf(client)[1] === down).toBe(true);
});

test('messages larger than what is stored of them pass both ways unchanged', async () => {
  const stored = 64 * 1024;
  const { client, provider } = await connectScene(undefined, {
    requestBytesMax: stored,
    responseBytesMax: stored,
  });
  const sound = JSON.stringify({ type: 'input_audio_buffer.append', audio: 'A'.repeat(2 * stored) });
  const beside = JSON.stringify({ type: 'rate_limits.updated', filler: 'x'.repeat(2 * stored) });
  client.send(sound);
  provider.send(beside);
  await waitFor(() => expect(textsOf(provider)).toEqual([sound]));
  await waitFor(() => expect(textsOf(client).slice(1)).toEqual([beside]));
});

test.each(['client', 'provider'] as const)(
  'a message too large for anybody closes the connection: of the %s',
  async (sender) => {
    const scene = await connectScene(undefined, {
      requestBytesMax: 1024 * 1024,
      responseBytesMax: 1024 * 1024,
    });
    const other = sender === 'client' ? scene.provider : scene.client;
    const before = other.heard.length;
    scene[sender].send({ type: 'input_audio_buffer.append', audio: 'A'.repeat(17 * 1024 * 1024) });
    expect((await scene[sender].closed).code).toBe(1009);
    await other.closed;
    expect(other.heard).toHaveLength(before);
  },
);

test('pings and pongs pass from end to end', async () => {
  const { client, provider } = await connectScene();
  const pings: string[] = [];
  provider.ws.on('ping', (data) => pings.push(data.toString()));
  const pong = new Promise<string>((resolve) => client.ws.once('pong', (data) => resolve(data.toString())));
  client.ws.ping('are you there');
  expect(await pong).toBe('are you there');
  expect(pings).toHaveLength(1);
});

test('a ping or pong carries no word of the workload to the provider, which no record would have', async () => {
  const { client, provider } = await connectScene();
  const heard: string[] = [];
  for (const kind of ['ping', 'pong'] as const)
    provider.ws.on(kind, (data) => heard.push(`${kind} ${data.toString()}`));
  client.ws.pong('a secret');
  for (const word of ['one secret', 'another secret']) client.ws.ping(word);
  const pongs: string[] = [];
  client.ws.on('pong', (data) => pongs.push(data.toString()));
  await waitFor(() => expect(pongs).toEqual(['one secret', 'another secret']));
  expect(heard.filter((frame) => frame.startsWith('ping'))).toHaveLength(2);
  expect(heard.join()).not.toContain('secret');
});

test('a ping of the provider comes back to it from the workload with what it carried', async () => {
  const { client, provider } = await connectScene();
  const pings: Buffer[] = [];
  client.ws.on('ping', (data) => pings.push(data));
  const pong = new Promise<string>((resolve) => provider.ws.once('pong', (data) => resolve(data.toString())));
  provider.ws.ping('are you there');
  expect(await pong).toBe('are you there');
  expect(pings).toHaveLength(1);
});

test('sound that went on is kept by its hash alone once a body is full', async () => {
  const { sidecar, client, provider } = await connectScene(undefined, { responseBytesMax: 64 * 1024 });
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  const events = spokenEvents('resp_1', 'Hello.');
  const sound = { ...events[5], delta: 'A'.repeat(40 * 1024) };
  sendAll(provider, [...events.slice(0, 5), sound, sound, ...events.slice(6)]);
  await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  const decision = await sidecar.ada.lastDecision();
  expect(decision.entries[1]?.data['omitted']).toBe(JSON.stringify(sound).length);
  const [, response] = await sidecar.ada.bodies(decision.id);
  expect(response?.text).toMatch(/\n\d+ server text passed \d+ [0-9a-f]{64}\n\n/);
});

describe('while the ledger cannot be written', () => {
  const noteDraft = { type: 'access', data: { action: 'look', by: 'ada', role: 'viewer' } } as const;
  async function connectWithDisk() {
    const disk = { isFull: false };
    const openFailing: Machine['openLedgerStore'] = async (dir) => {
      const store = await openLedgerStore(dir);
      const commit: typeof store.commit = (records, sync) =>
        disk.isFull ? Promise.reject(new Error('no space left')) : store.commit(records, sync);
      return { ...store, commit };
    };
    return { disk, ...(await connectScene(undefined, {}, { openLedgerStore: openFailing })) };
  }

  test('nothing that makes the model answer goes out, and the connection closes', async () => {
    const { disk, sidecar, client, provider } = await connectWithDisk();
    const { id } = await sidecar.ada.lastDecision();
    disk.isFull = true;
    client.send({ type: 'response.create' });
    expect(await client.closed).toEqual({ code: 1013, reason: 'ledger_unavailable' });
    expect(provider.heard).toEqual([]);
    disk.isFull = false;
    expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('nothing that the provider says of its own accord arrives, and the connection closes', async () => {
    const { disk, sidecar, client, provider } = await connectWithDisk();
    disk.isFull = true;
    await expect(sidecar.sidecar.ledger.seal(noteDraft).durable).rejects.toThrow();
    provider.send({ type: 'rate_limits.updated', rate_limits: [] });
    expect(await client.closed).toEqual({ code: 1013, reason: 'ledger_unavailable' });
    expect(client.types()).toEqual(['session.created']);
    disk.isFull = false;
  });

  test('a provider that closes does so without its reason', async () => {
    const { disk, client, provider } = await connectWithDisk();
    disk.isFull = true;
    provider.ws.close(4000, 'account 4711 is locked');
    expect(await client.closed).toEqual({ code: 4000, reason: '' });
    disk.isFull = false;
  });

  test('the end of an answer does not arrive', async () => {
    const { disk, sidecar, client, provider } = await connectWithDisk();
    client.send({ type: 'response.create' });
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    const decision = await sidecar.ada.lastDecision();
    disk.isFull = true;
    sendAll(provider, spokenEvents('resp_1', 'Hello.'));
    expect(await client.closed).toEqual({ code: 1013, reason: 'ledger_unavailable' });
    expect(client.types()).not.toContain('response.done');
    disk.isFull = false;
    expect(await sidecar.ada.outcomeOf(decision.id)).toBe('ledger_unavailable');
  });
});

test('what belongs to no answer is sealed a minute after it passed, though nothing follows, each time', async () => {
  const { clock, schedule, advance } = createManualTime();
  const { sidecar, client, provider } = await connectScene(undefined, {}, { clock, schedule });
  const opening = await sidecar.ada.lastDecision();
  const sealedAfter = (before: { readonly id: string }) =>
    waitFor(async () => {
      const newest = await sidecar.ada.lastDecision();
      expect(newest.id).not.toBe(before.id);
      return newest;
    });
  advance(60_000);
  const loose = await sealedAfter(opening);
  await sidecar.ada.outcomeOf(loose.id);
  provider.send({ type: 'input_audio_buffer.speech_started' });
  await waitFor(() => expect(client.types()).toContain('input_audio_buffer.speech_started'));
  advance(60_000);
  const next = await sealedAfter(loose);
  expect(JSON.stringify(await sidecar.ada.bodies(next.id))).toContain('speech_started');
  expect(loose.entries[0]?.data['session']).toBe(opening.id);
  expect(JSON.stringify(await sidecar.ada.bodies(loose.id))).toContain('session.created');
});

test('a connection is over once what was being sealed because its time had come has its outcome', async () => {
  const { clock, schedule, advance } = createManualTime();
  const { sidecar, client, provider } = await connectScene(undefined, {}, { clock, schedule });
  const { seal } = sidecar.sidecar.ledger;
  const settle = vi.spyOn(sidecar.sidecar.ledger, 'settle');
  const both = async (): Promise<void> => {
    await Promise.all([client.closed, provider.closed]);
    // The sidecar has heard of it too, and done what it does then.
    for (let round = 0; round < 20; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  let due = -1;
  vi.spyOn(sidecar.sidecar.ledger, 'seal').mockImplementationOnce((draft) => {
    const sealed = seal(draft);
    due = sealed.seq;
    return { ...sealed, durable: both().then(() => sealed.durable) };
  });
  advance(60_000);
  client.ws.close(1000);
  await waitFor(() => expect(settle).toHaveBeenCalledTimes(2));
  expect(settle.mock.calls[0]).toEqual([due, 'delivered']);
});

describe('a process that dies', () => {
  async function openInProcess() {
    const upstream = await startSocketUpstream();
    const settings = { policy: holdTransfers, upstreams: upstreamsOf(upstream.url) };
    const running = await spawnSidecar(settings);
    const client = await connectSocket(running.proxyUrl, realtimeTarget);
    const [provider] = upstream.talkers;
    if (provider === undefined) throw new Error('The provider heard of no connection.');
    const { id } = await running.ada.lastDecision();
    const startAgain = async () => {
      await running.kill('SIGKILL');
      expect(await verifyDirectory(running.place.dataDir, {})).toMatchObject({ ok: true });
      return (await startTestSidecar(settings, running.place)).ada;
    };
    return { running, client, provider, opening: id, startAgain };
  }

  test('amid an answer leaves a ledger that verifies, and that says the answer was interrupted', async () => {
    const { running, client, provider, opening, startAgain } = await openInProcess();
    client.send({ type: 'response.create' });
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    sendAll(provider, spokenEvents('resp_1', 'Good morning.').slice(0, 6));
    await waitFor(() => expect(client.types().at(-1)).toBe('response.output_audio.delta'));
    const answer = await running.ada.lastDecision();
    const ada = await startAgain();
    expect(answer.entries[0]?.data['session']).toBe(opening);
    expect(await ada.outcomeOf(answer.id)).toBe('interrupted');
    expect(await ada.outcomeOf(opening)).toBe('interrupted');
  });

  test('amid an answer that nobody asked for says so too', async () => {
    const { running, client, provider, opening, startAgain } = await openInProcess();
    sendAll(provider, spokenEvents('resp_1', 'Good morning.').slice(0, 6));
    await waitFor(() => expect(client.types().at(-1)).toBe('response.output_audio.delta'));
    const answer = await running.ada.lastDecision();
    const ada = await startAgain();
    expect(answer.id).not.toBe(opening);
    expect(await ada.outcomeOf(answer.id)).toBe('interrupted');
  });

  test('when only sound and events of no answer have passed says that the connection was interrupted', async () => {
    const { client, provider, opening, startAgain } = await openInProcess();
    client.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
    provider.send({ type: 'input_audio_buffer.speech_started' });
    await waitFor(() => expect([provider.heard.length, client.heard.length]).toEqual([1, 1]));
    const ada = await startAgain();
    expect(await ada.outcomeOf(opening)).toBe('interrupted');
  });
});

test('a stop closes the connection, its holds staying for the next start', async () => {
  const upstream = await startSocketUpstream();
  const settings = { policy: holdTransfers, upstreams: upstreamsOf(upstream.url) };
  const sidecar = await spawnSidecar(settings);
  const client = await connectSocket(sidecar.proxyUrl, realtimeTarget);
  client.send({ type: 'response.create' });
  await waitFor(() => expect(upstream.talkers[0]?.heard).toHaveLength(1));
  for (const event of callEvents('resp_1', 25_000)) upstream.talkers[0]?.send(event);
  const hold = await sidecar.ada.nextHold();
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  expect((await client.closed).code).toBe(1001);
  const again = await spawnSidecar(settings, sidecar.place);
  expect(await again.ada.hold(hold.id)).toMatchObject({ state: 'pending', caller: 'gone' });
});

test('a stop waits for an answer that was asked for and has not begun', async () => {
  const { client, provider, sidecar } = await connectScene();
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.heard).toHaveLength(1));
  const stopped = sidecar.stop();
  await waitFor(() => expect(fetch(sidecar.proxyUrl)).rejects.toThrow());
  sendAll(provider, spokenEvents('resp_1', 'Good morning.'));
  expect((await client.closed).code).toBe(1001);
  expect(client.types().at(-1)).toBe('response.done');
  await stopped;
});
