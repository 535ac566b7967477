/** Answers to an upgrade that is not made, written to the bare socket: ours, and the provider's own. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type HoldpointError, httpStatusByCode } from '../core/errors.ts';
import { endToEndHeaders, type RawHeaders } from '../core/http-message.ts';
import type { Protocol } from '../provider/protocol.ts';
import { decisionHeader } from './respond.ts';

/** Refuses in the provider's error envelope where the family is known; nothing when the socket was upgraded or left. */
export function refuseUpgrade(
  socket: Duplex,
  error: HoldpointError,
  protocol: Protocol | null,
  decisionId: string | null,
): void {
  if (!socket.writable) return;
  const status = httpStatusByCode[error.code];
  const message = error.next === '' ? error.message : `${error.message} ${error.next}`;
  const body =
    protocol === null
      ? JSON.stringify({ error: { message, type: 'holdpoint_error', param: null, code: error.code } })
      : // A connection is none of the operations that an envelope could be fitted to.
        protocol.errorBody('unknown', error.code, status, message);
  const lines = [`HTTP/1.1 ${status} Refused`, 'content-type: application/json'];
  lines.push(`content-length: ${Buffer.byteLength(body)}`, 'connection: close');
  if (decisionId !== null) lines.push(`${decisionHeader}: ${decisionId}`);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, 'utf8');
  dropTheRest(socket);
}

/** For a caller to take what it was told and to close, while no byte moves. */
const closeMsMax = 60_000;

/** What the caller sends all the same goes nowhere; left unread it would hide that the caller closed. */
export function dropTheRest(socket: Duplex): void {
  socket.resume();
  if (socket instanceof Socket) socket.setTimeout(closeMsMax, () => socket.destroy());
}

const replaced = (name: string): boolean => name === decisionHeader || name === 'content-length';

/** Hands on what the provider answered instead of upgrading; true when the caller was there to get it. */
export function relayRefusal(
  socket: Duplex,
  refused: {
    readonly status: number;
    readonly statusText: string;
    readonly headers: RawHeaders;
    readonly body: Buffer;
  },
  decisionId: string,
): Promise<boolean> {
  if (!socket.writable) return Promise.resolve(false);
  const kept = endToEndHeaders(refused.headers, replaced);
  const lines = [`HTTP/1.1 ${refused.status} ${refused.statusText}`];
  for (let i = 0; i + 1 < kept.length; i += 2) lines.push(`${kept[i]}: ${kept[i + 1]}`);
  lines.push(
    `content-length: ${refused.body.length}`,
    'connection: close',
    `${decisionHeader}: ${decisionId}`,
  );
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('finish', () => resolve(true));
  socket.once('close', () => resolve(socket.writableFinished));
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  socket.end(refused.body);
  dropTheRest(socket);
  return promise;
}
