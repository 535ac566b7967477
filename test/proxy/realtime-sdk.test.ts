/** OpenAI's own clients over WebSockets: the Realtime API and the responses API's mode, against a mock of both. */
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterEach, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, holdTransfers } from './policies.ts';

afterEach(endAll);

const transfer = { name: 'transfer_funds', arguments: '{"amount":25000,"payee":"ACME"}' };

async function start(policy: string): Promise<TestSidecar> {
  const mock = new LLMock({ port: 0 });
  await mock.start();
  atEnd(() => mock.stop());
  mock.onMessage('Pay ACME.', { toolCalls: [transfer] });
  mock.onMessage('Hello.', { content: 'Good day to you.' });
  return startTestSidecar({
    policy,
    upstreams: { openai: { url: mock.url, protocol: 'openai', mount: '/' } },
  });
}

/** The Realtime client takes no address but a wss: one; this agent leaves the encryption out. */
class PlainAgent extends Agent {
  readonly #port: number;
  constructor(port: number) {
    super();
    this.#port = port;
  }
  override createConnection(): ReturnType<typeof connect> {
    return connect(this.#port, '127.0.0.1');
  }
}

type RealtimeEvent = { readonly type: string };

function openRealtime({ proxyUrl }: TestSidecar) {
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: `${proxyUrl}/v1` });
  const agent = new PlainAgent(Number(new URL(proxyUrl).port));
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { agent } }, client);
  const events: RealtimeEvent[] = [];
  realtime.on('event', (event) => events.push(event));
  realtime.on('error', () => undefined);
  atEnd(() => realtime.close());
  const opened = new Promise<void>((resolve) => realtime.socket.once('open', () => resolve()));
  const say = (text: string): void => {
    const content = [{ type: 'input_text' as const, text }];
    realtime.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    realtime.send({ type: 'response.create' });
  };
  return { events, opened, say };
}

const argumentsIn = (events: readonly RealtimeEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'response.function_call_arguments.done' ? [String(Object(event).arguments)] : [],
  );

test('the Realtime client gets text at once, and a held call once it is released', async () => {
  const sidecar = await start(holdTransfers);
  const { events, opened, say } = openRealtime(sidecar);
  await opened;
  say('Hello.');
  await waitFor(() => expect(events.at(-1)?.type).toBe('response.done'));
  expect(JSON.stringify(events.at(-1))).toContain('Good day to you.');
  say('Pay ACME.');
  const hold = await sidecar.ada.nextHold();
  expect(JSON.stringify(events)).not.toContain('transfer_funds');
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await waitFor(() => expect(argumentsIn(events)).toEqual([transfer.arguments]));
  await waitFor(() => expect(events.at(-1)?.type).toBe('response.done'));
});

test('the Realtime client goes on after a call that was denied', async () => {
  const sidecar = await start(denyTransfers);
  const { events, opened, say } = openRealtime(sidecar);
  await opened;
  say('Pay ACME.');
  await waitFor(() => expect(events.slice(-2).map(({ type }) => type)).toEqual(['error', 'response.done']));
  expect(JSON.stringify(events)).not.toContain('transfer_funds');
  say('Hello.');
  await waitFor(() => expect(JSON.stringify(events.at(-1))).toContain('Good day to you.'));
});

test('the responses client gets a held call once it is released, and the error of a denied one', async () => {
  for (const { policy, denied } of [
    { policy: holdTransfers, denied: false },
    { policy: denyTransfers, denied: true },
  ]) {
    const sidecar = await start(policy);
    const client = new OpenAI({ apiKey: 'sk-test', baseURL: `${sidecar.proxyUrl}/v1` });
    const socket = new ResponsesWS(client);
    const events: RealtimeEvent[] = [];
    const errors: string[] = [];
    socket.on('event', (event) => events.push(event));
    socket.on('error', ({ message }) => errors.push(message));
    atEnd(() => socket.close());
    socket.send({ type: 'response.create', model: 'gpt-5', input: 'Pay ACME.' });
    if (denied) {
      await waitFor(() => expect(errors.join('')).toContain('the-rule'));
      expect(JSON.stringify(events)).not.toContain('transfer_funds');
      continue;
    }
    const hold = await sidecar.ada.nextHold();
    expect(hold.headline).toBe('transfer_funds amount=25000 payee=ACME');
    expect(JSON.stringify(events)).not.toContain('transfer_funds');
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await waitFor(() => expect(events.at(-1)?.type).toBe('response.completed'));
    expect(argumentsIn(events)).toEqual([transfer.arguments]);
    const decision = await sidecar.ada.decision(hold.decisionId);
    expect(decision.entries[0]?.data).toMatchObject({ operation: 'responses', model: 'gpt-5' });
  }
});
