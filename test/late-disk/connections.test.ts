/** What passes on connections that stay open waits, piece by piece, for the entry that records it. */
import { afterEach, describe, expect, test } from 'vitest';
import { holdTransfers } from '../proxy/policies.ts';
import {
  callEvents,
  connectScene,
  realtimeTarget,
  type Scene,
  sayingItem,
  sendAll,
  spokenEvents,
} from '../proxy/realtime-scene.ts';
import { anthropicStream, idle, message } from '../proxy/session-scene.ts';
import { connectSocket, startSocketUpstream } from '../proxy/socket-upstream.ts';
import { openThrough, startBehind } from '../proxy/through.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { chunk, type RawAnswer, startRawUpstream, streamHead } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { answerAfter, createLateDisk, isEntry, type LateDisk, type LateEntry } from './late-disk.ts';

afterEach(endAll);

async function openScene(policy?: string): Promise<Scene & { readonly disk: LateDisk }> {
  const disk = createLateDisk();
  const scene = await connectScene(policy, {}, { openLedgerStore: disk.openLedgerStore });
  return { ...scene, disk };
}

describe('of a WebSocket', () => {
  test.each([
    ['read', {}],
    ['tunnelled', { tunnel: ['/v1'] }],
  ])('the provider hears when its opening is on disk, where it is %s', async (_how, settings) => {
    const upstream = await startSocketUpstream();
    const disk = createLateDisk();
    const sidecar = await startTestSidecar({
      upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', ...settings } },
      machine: { openLedgerStore: disk.openLedgerStore },
    });
    const opening = disk.keepBack(sidecar.sidecar, isEntry('request'));
    const connected = connectSocket(sidecar.proxyUrl, realtimeTarget);
    await opening.awaited();
    expect(upstream.requests).toEqual([]);
    opening.arrive();
    await connected;
    expect(upstream.requests).toHaveLength(1);
  });

  test('the workload hears that it is open when the answer of the provider is on disk', async () => {
    const upstream = await startSocketUpstream();
    const disk = createLateDisk();
    const sidecar = await startTestSidecar({
      upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
      machine: { openLedgerStore: disk.openLedgerStore },
    });
    const answer = disk.keepBack(sidecar.sidecar, isEntry('response'));
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', realtimeTarget, upgradeHeaders));
    await answer.awaited();
    expect(client.text()).toBe('');
    answer.arrive();
    await client.until('101 Switching Protocols');
  });

  test('the provider hears what the model is told when that is on disk', async () => {
    const { client, provider, sidecar, disk } = await openScene();
    const told = disk.keepBack(sidecar.sidecar, isEntry('request'));
    client.send(sayingItem('hello'));
    await told.awaited();
    expect(provider.heard).toEqual([]);
    told.arrive();
    await waitFor(() => expect(provider.types()).toEqual(['conversation.item.create']));
  });

  test('an answer that begins while what may have been refused is being closed is sealed once, with its question', async () => {
    const { client, provider, sidecar, disk } = await openScene();
    const ask = { type: 'response.create' };
    for (const one of [ask, ask]) client.send(one);
    await waitFor(() => expect(provider.heard).toHaveLength(2));
    provider.send({ type: 'error', error: { message: 'Not now.' } });
    await waitFor(() => expect(client.types()).toContain('error'));
    const closed = disk.keepBack(sidecar.sidecar, isEntry('response'));
    client.send(ask);
    await closed.awaited();
    const [begins, ...rest] = spokenEvents('resp_1', 'Hello.');
    sendAll(provider, begins === undefined ? [] : [begins]);
    await waitFor(() => expect(client.types()).toContain('response.created'));
    closed.arrive();
    await waitFor(() => expect(provider.heard).toHaveLength(3));
    sendAll(provider, rest);
    await waitFor(() => expect(client.types()).toContain('response.done'));
    const [third = '', second = '', first = ''] = await sidecar.ada.newestIds(3);
    const answers = await Promise.all(
      [first, second, third].map(async (id) => {
        const { entries } = await sidecar.ada.decision(id);
        return entries.filter(({ type }) => type === 'response').length;
      }),
    );
    expect(answers).toEqual([1, 1, 0]);
    expect((await sidecar.ada.bodies(second)).map(({ text }) => text).join()).toContain('Hello.');
  });

  test('the workload hears of a call when the answer that makes it is on disk', async () => {
    const { client, provider, sidecar, disk } = await openScene(holdTransfers);
    client.send({ type: 'response.create' });
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    const answered = disk.keepBack(sidecar.sidecar, isEntry('response'));
    sendAll(provider, callEvents('resp_1', 20));
    await answered.awaited();
    expect(client.types()).not.toContain('response.done');
    expect(client.types()).not.toContain('response.output_item.done');
    answered.arrive();
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  });

  test('the workload hears of a released call when the use of its release is on disk', async () => {
    const { client, provider, sidecar, disk } = await openScene(holdTransfers);
    client.send({ type: 'response.create' });
    await waitFor(() => expect(provider.heard).toHaveLength(1));
    sendAll(provider, callEvents('resp_1', 25_000));
    const hold = await sidecar.ada.nextHold();
    const use = disk.keepBack(sidecar.sidecar, isEntry('delivery'));
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await use.awaited();
    expect(client.types()).not.toContain('response.done');
    use.arrive();
    await waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  });
});

const upgradeHeaders = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('of a stream of events of a session', () => {
  /** A stream that is open; what its first event is recorded by comes late. */
  async function openStream(type: 'request' | 'response') {
    const opened = Promise.withResolvers<RawAnswer>();
    const upstream = await startRawUpstream((_request, answer) => {
      answer.send(streamHead);
      opened.resolve(answer);
    });
    const disk = createLateDisk();
    const sidecar = await startTestSidecar({
      upstreams: { anthropic: { url: upstream.url, protocol: 'anthropic', mount: '/anthropic' } },
      machine: { openLedgerStore: disk.openLedgerStore },
    });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', anthropicStream, ['x-api-key: secret']));
    const provider = await opened.promise;
    await client.until('\r\n\r\n');
    const late: LateEntry = disk.keepBack(sidecar.sidecar, isEntry(type));
    return { client, provider, late };
  }

  test('an event passes when it is on disk that something is said', async () => {
    const { client, provider, late } = await openStream('request');
    provider.send(chunk(message('Hello.')));
    await late.awaited();
    expect(client.text()).not.toContain('Hello.');
    late.arrive();
    await client.until('Hello.');
  });

  test('the end of a turn passes when what was said in it is on disk', async () => {
    const { client, provider, late } = await openStream('response');
    provider.send(chunk(message('Hello.') + idle()));
    await late.awaited();
    expect(client.text()).not.toContain('session.status_idle');
    late.arrive();
    await client.until('session.status_idle');
  });
});

test('of a connection to a host that is none of the upstreams, what becomes of it is told when it is on disk', async () => {
  const disk = createLateDisk();
  const { forwardUrl, sidecar } = await startBehind({
    upstreams: {
      openai: { url: 'http://127.0.0.1:9', protocol: 'openai', mount: '/', hosts: ['api.openai.com'] },
    },
    proxy: { others: 'pass' },
    machine: { openLedgerStore: disk.openLedgerStore },
  });
  const asked = disk.keepBack(sidecar.sidecar, isEntry('request', { operation: 'tunnel' }));
  const refusal = openThrough(forwardUrl, 'localhost', {}).catch(String);
  expect(await answerAfter(asked, refusal)).toContain('unrecognized name');
});
