/** A stream of a session's events, sent by an upstream made of bytes when the test says so. */
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { chunk, type RawAnswer, streamHead } from '../support/raw-upstream.ts';
import type { Settings } from '../support/sidecar.ts';
import { type Rig, startRig } from './rig.ts';

export interface SessionScene {
  readonly rig: Rig;
  readonly client: RawClient;
  /** The upstream sends this in one chunk. */
  say(...events: readonly string[]): void;
  /** The upstream sends these bytes as one chunk. */
  sendBytes(bytes: Buffer): void;
  /** The upstream ends its stream in order. */
  finish(): void;
  readonly upstream: RawAnswer;
  /** What the client has of the stream, its transfer coding undone. */
  heard(): string;
}

export const anthropicStream = '/anthropic/v1/sessions/sesn_1/events/stream';
export const openaiStream = '/v1/agents/sessions/sess_1/events';

export async function openSession(
  settings: Pick<Settings, 'policy' | 'limits'>,
  target: string = anthropicStream,
  headers: readonly string[] = [],
): Promise<SessionScene> {
  const rig = await startRig(settings);
  const opened = Promise.withResolvers<RawAnswer>();
  rig.upstream.script((_request, answer) => {
    answer.send(streamHead);
    opened.resolve(answer);
  });
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(rawRequest('GET', target, ['x-api-key: secret', ...headers]));
  const upstream = await opened.promise;
  await client.until('\r\n\r\n');
  return {
    rig,
    client,
    upstream,
    say: (...events) => upstream.send(chunk(events.join(''))),
    sendBytes: (bytes) => upstream.send(chunk(bytes)),
    finish: () => upstream.send('0\r\n\r\n'),
    heard: () => dechunked(client.received()),
  };
}

/** All chunks of an answer that are there, whole or not. */
function dechunked(bytes: Buffer): string {
  let at = bytes.indexOf('\r\n\r\n') + 4;
  let text = '';
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    if (line === -1) return text;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    text += bytes.toString('utf8', line + 2, line + 2 + size);
    if (size === 0) return text;
    at = line + 2 + size + 2;
  }
}

/** One event as Anthropic's API sends it. */
export function sent(type: string, members: Readonly<Record<string, unknown>> = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, id: `sevt_${type}`, processed_at: null, ...members })}\n\n`;
}

export const message = (text: string, id = `sevt_${text}`): string =>
  sent('agent.message', { id, content: [{ type: 'text', text }] });

export const transfer = (amount: number, id = `sevt_pay_${amount}`): string =>
  sent('agent.custom_tool_use', { id, name: 'transfer_funds', input: { amount } });

export const idle = (reason = 'end_turn'): string =>
  sent('session.status_idle', { stop_reason: { type: reason }, stop_details: null });
