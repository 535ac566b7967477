/** One plain request to somewhere that is no upstream, carried there and back unread, once the passage was sealed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoldpointError } from '../../core/errors.ts';
import {
  endToEndHeaders,
  headerOf,
  type RawHeaders,
  sendableReason,
  valuesOf,
} from '../../core/http-message.ts';
import { request } from '../../core/node-http.ts';
import type { Outcome } from '../../ledger/entry.ts';
import { breakOff, endWith, writeChunk } from '../respond.ts';
import type { TunnelBounds } from './blind.ts';
import { type Destination, defaultPorts, nameOf } from './destination.ts';

const keptFromProvider = (): boolean => false;
const notRelayed = (name: string): boolean => name === 'host' || name === 'content-length';

/**
 * Resolves with how it ended. Throws `upstream_unreachable` when there was no answer, unless it was the caller who left
 * meanwhile.
 */
export async function relayHttp(
  req: IncomingMessage,
  res: ServerResponse,
  to: Destination & { readonly address: string; readonly path: string },
  bounds: TunnelBounds,
): Promise<Outcome> {
  // Who left before closes no second time, so nothing would end what is asked for in vain.
  if (res.destroyed) return 'client_abort';
  const host = to.port === defaultPorts.http ? to.host : nameOf(to);
  const out = request({
    host: to.address,
    port: to.port,
    method: req.method ?? 'GET',
    path: to.path,
    headers: [...endToEndHeaders(req.rawHeaders, notRelayed), ...framingOf(req.rawHeaders), 'Host', host],
    setHost: false,
    agent: false,
    timeout: bounds.connectMsMax,
  });
  // From when it is connected.
  out.setTimeout(bounds.idleMsMax);
  res.once('close', () => out.destroy());
  out.once('timeout', () => out.destroy(new Error(slownessOf(out.socket?.connecting === true, bounds))));
  // What the server does not take goes nowhere. Left unread it would keep back whatever comes behind it, and a caller
  // that sends all of it before it listens.
  out.once('close', () => req.unpipe(out).resume());
  req.pipe(out);
  let answer: IncomingMessage;
  try {
    answer = await answerOf(out);
  } catch (error) {
    if (res.destroyed) return 'client_abort';
    throw error;
  }
  const headers: RawHeaders = endToEndHeaders(answer.rawHeaders, keptFromProvider);
  res.sendDate = false;
  res.writeHead(answer.statusCode ?? 502, sendableReason(answer.statusMessage ?? ''), headers.slice());
  try {
    for await (const chunk of answer) {
      const drained = writeChunk(res, chunk);
      if (drained !== null) await drained;
    }
  } catch {
    // Cut, so that nobody takes it for whole.
    const left = res.destroyed;
    breakOff(res);
    return left ? 'client_abort' : 'upstream_truncated';
  }
  return (await endWith(res, '')) ? 'delivered' : 'client_abort';
}

/**
 * What tells where the body ends, whatever `Connection` says of it. Node writes it by itself for some methods alone: to
 * the server the body of any other would be a request of its own, of which nothing is sealed.
 */
function framingOf(headers: RawHeaders): string[] {
  const codings = valuesOf(headers, 'transfer-encoding');
  if (codings.length > 0) return ['Transfer-Encoding', codings.join(', ')];
  const length = headerOf(headers, 'content-length');
  return length === '' ? [] : ['Content-Length', length];
}

function slownessOf(isConnecting: boolean, { connectMsMax, idleMsMax }: TunnelBounds): string {
  return isConnecting ? `no connection within ${connectMsMax} ms` : `nothing for ${idleMsMax} ms`;
}

function answerOf(out: ReturnType<typeof request>): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const none = (error: Error): void =>
    reject(new HoldpointError('upstream_unreachable', `No answer: ${error.message}.`, 'Try again.', error));
  out.once('response', resolve);
  out.on('error', none);
  // One that changes to another protocol unasked is dropped by Node without a word.
  out.once('close', () => none(new Error('the connection was dropped')));
  return promise;
}
