/** A workload, the sidecar and a provider in one Realtime session. */
import { expect } from 'vitest';
import type { Machine } from '../../src/sidecar.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { connectSocket, type SocketUpstream, startSocketUpstream, type Talker } from './socket-upstream.ts';

export interface Scene {
  readonly sidecar: TestSidecar;
  readonly upstream: SocketUpstream;
  readonly client: Talker;
  readonly provider: Talker;
}

export const realtimeTarget = '/v1/realtime?model=gpt-realtime';

/** Opens a session that has begun. */
export async function connectScene(
  policy?: string,
  limits: Readonly<Record<string, number>> = {},
  machine: Partial<Machine> = {},
): Promise<Scene> {
  const upstream = await startSocketUpstream((talker) =>
    talker.send({ type: 'session.created', session: { type: 'realtime', model: 'gpt-realtime' } }),
  );
  const sidecar = await startTestSidecar({
    ...(policy === undefined ? {} : { policy }),
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits,
    machine,
  });
  const client = await connectSocket(sidecar.proxyUrl, realtimeTarget);
  await waitFor(() => expect(client.types()).toEqual(['session.created']));
  const [provider] = upstream.talkers;
  if (provider === undefined) throw new Error('The provider heard of no connection.');
  return { sidecar, upstream, client, provider };
}

export type WireEvent = Readonly<Record<string, unknown>>;

/** The events of an answer that calls a tool. */
export function callEvents(id: string, amount: number): readonly WireEvent[] {
  const args = JSON.stringify({ amount, payee: 'ACME' });
  const item = { id: `item_${id}`, type: 'function_call', call_id: `call_${id}`, name: 'transfer_funds' };
  const done = { ...item, status: 'completed', arguments: args };
  const begun = { ...item, status: 'in_progress', arguments: '' };
  const about = { response_id: id, item_id: item.id, output_index: 0 };
  return [
    { type: 'response.created', response: { id, object: 'realtime.response', output: [] } },
    { type: 'response.output_item.added', ...about, item: begun },
    { type: 'conversation.item.added', item: begun },
    { type: 'response.function_call_arguments.delta', ...about, delta: args.slice(0, 9) },
    { type: 'response.function_call_arguments.delta', ...about, delta: args.slice(9) },
    { type: 'response.function_call_arguments.done', ...about, arguments: args },
    { type: 'conversation.item.done', item: done },
    { type: 'response.output_item.done', ...about, item: done },
    { type: 'response.done', response: { id, status: 'completed', output: [done] } },
  ];
}

/** The events of an answer that says something. */
export function spokenEvents(id: string, transcript: string): readonly WireEvent[] {
  const about = { response_id: id, item_id: `item_${id}`, output_index: 0 };
  const part = { ...about, content_index: 0 };
  const item = { id: `item_${id}`, type: 'message', role: 'assistant' };
  const done = { ...item, status: 'completed', content: [{ type: 'output_audio', transcript }] };
  return [
    { type: 'response.created', response: { id, output: [] } },
    { type: 'response.output_item.added', ...about, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'conversation.item.added', item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...part, part: { type: 'audio', transcript: '' } },
    { type: 'response.output_audio_transcript.delta', ...part, delta: transcript },
    { type: 'response.output_audio.delta', ...part, delta: 'AAAAAAAA' },
    { type: 'response.output_audio.done', ...part },
    { type: 'response.output_audio_transcript.done', ...part, transcript },
    { type: 'response.content_part.done', ...part, part: { type: 'audio', transcript } },
    { type: 'conversation.item.done', item: done },
    { type: 'response.output_item.done', ...about, item: done },
    {
      type: 'response.done',
      response: {
        id,
        status: 'completed',
        output: [done],
        usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
      },
    },
  ];
}

export const sayingItem = (text: string): WireEvent => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
});

export function textsOf({ heard }: Talker): string[] {
  return heard.map(({ text }) => text);
}

export function sendAll(talker: Talker, events: readonly WireEvent[]): void {
  for (const event of events) talker.send(event);
}

export const asSent = (events: readonly WireEvent[]): string[] =>
  events.map((event) => JSON.stringify(event));
