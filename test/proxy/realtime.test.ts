/** The Realtime API through the sidecar: what flows, what waits, what is said of it afterwards. */
import { afterEach, expect, test, vi } from 'vitest';
import { endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { denyTransfers, holdTransfers } from './policies.ts';
import { connectSocket, type SocketUpstream, startSocketUpstream, type Talker } from './socket-upstream.ts';

afterEach(endAll);

interface Scene {
  readonly sidecar: TestSidecar;
  readonly upstream: SocketUpstream;
  readonly client: Talker;
  readonly provider: Talker;
}

const target = '/v1/realtime?model=gpt-realtime';

async function connect(policy?: string, limits: Record<string, number> = {}): Promise<Scene> {
  const upstream = await startSocketUpstream((talker) =>
    talker.send({ type: 'session.created', session: { type: 'realtime', model: 'gpt-realtime' } }),
  );
  const sidecar = await startTestSidecar({
    ...(policy === undefined ? {} : { policy }),
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits,
  });
  const client = await connectSocket(sidecar.proxyUrl, target);
  await vi.waitFor(() => expect(client.types()).toEqual(['session.created']));
  const [provider] = upstream.talkers;
  if (provider === undefined) throw new Error('The provider heard of no connection.');
  return { sidecar, upstream, client, provider };
}

/** The events of an answer that says something and then calls a tool. */
function callEvents(id: string, amount: number): Readonly<Record<string, unknown>>[] {
  const args = JSON.stringify({ amount, payee: 'ACME' });
  const item = { id: `item_${id}`, type: 'function_call', call_id: `call_${id}`, name: 'transfer_funds' };
  const done = { ...item, status: 'completed', arguments: args };
  const about = { response_id: id, item_id: item.id, output_index: 0 };
  return [
    { type: 'response.created', response: { id, object: 'realtime.response', output: [] } },
    { type: 'response.output_item.added', ...about, item: { ...item, status: 'in_progress', arguments: '' } },
    { type: 'conversation.item.added', item: { ...item, status: 'in_progress', arguments: '' } },
    { type: 'response.function_call_arguments.delta', ...about, delta: args.slice(0, 9) },
    { type: 'response.function_call_arguments.delta', ...about, delta: args.slice(9) },
    { type: 'response.function_call_arguments.done', ...about, arguments: args },
    { type: 'conversation.item.done', item: done },
    { type: 'response.output_item.done', ...about, item: done },
    { type: 'response.done', response: { id, status: 'completed', output: [done] } },
  ];
}

const audio = (id: string) => ({
  type: 'response.output_audio.delta',
  response_id: id,
  item_id: 'spoken',
  output_index: 0,
  content_index: 0,
  delta: 'AAAA',
});

function textsOf({ heard }: Talker): string[] {
  return heard.map(({ text }) => text);
}

test('of a held call nothing arrives before the ruling; sound goes on; released, it arrives as it was sent', async () => {
  const { sidecar, client, provider } = await connect(holdTransfers);
  client.send({ type: 'response.create' });
  await vi.waitFor(() => expect(provider.types()).toEqual(['response.create']));
  const events = callEvents('resp_1', 25_000);
  for (const event of events) provider.send(event);
  const hold = await sidecar.ada.nextHold();
  expect(hold.headline).toBe('transfer_funds amount=25000 payee=ACME');
  for (const event of [{ type: 'response.created', response: { id: 'resp_2' } }, audio('resp_2')])
    provider.send(event);
  await vi.waitFor(() => expect(client.types().at(-1)).toBe('response.output_audio.delta'));
  expect(client.types()).toEqual([
    'session.created',
    'response.created',
    'response.created',
    'response.output_audio.delta',
  ]);
  expect(await sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
  await vi.waitFor(() => expect(client.types().at(-1)).toBe('response.done'));
  expect(textsOf(client).slice(4)).toEqual(events.slice(1).map((event) => JSON.stringify(event)));
  expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
});

test('a denied call ends in an error and a failed response, and the session goes on', async () => {
  const { client, provider } = await connect(denyTransfers);
  client.send({ type: 'response.create' });
  await vi.waitFor(() => expect(provider.types()).toEqual(['response.create']));
  for (const event of callEvents('resp_1', 25_000)) provider.send(event);
  await vi.waitFor(() =>
    expect(client.types()).toEqual(['session.created', 'response.created', 'error', 'response.done']),
  );
  const [error, done] = textsOf(client)
    .slice(-2)
    .map((text) => JSON.parse(text));
  expect(error).toMatchObject({ error: { type: 'permission_error', code: 'denied_by_policy' } });
  expect(done).toMatchObject({ response: { id: 'resp_1', status: 'failed', output: [] } });
  expect(textsOf(client).join('')).not.toContain('ACME');
  client.send({ type: 'response.create' });
  await vi.waitFor(() => expect(provider.types()).toHaveLength(2));
  for (const event of callEvents('resp_2', 20)) provider.send(event);
  await vi.waitFor(() => expect(client.types()).toHaveLength(13));
});
