/** A workload's connection without a network: each byte is looked at in the moment in which the product writes it. */
import { Duplex } from 'node:stream';
import { rawRequest } from '../../support/raw-client.ts';
import { type Kind, questionOf, requester } from './rules.ts';

/**
 * `reads`: takes all of its answer. `stalls`: takes the first piece of it and no more. `hurries`: would rather be told
 * that its call is held than wait.
 */
export type Manner = 'reads' | 'stalls' | 'hurries';

export interface Asking {
  readonly call: number;
  readonly kind: Kind;
  /** It says that it is a retry. */
  readonly marked: boolean;
  readonly manner: Manner;
}

/** What a caller has got so far. */
export interface Heard {
  readonly status: number;
  /** The seq of the decision it was told of; NaN for none. */
  readonly decision: number;
  readonly body: string;
  readonly whole: boolean;
}

export interface Caller extends Asking {
  /** The sidecar's end of the connection. */
  readonly socket: Duplex;
  /** Null before the head of an answer came. */
  heard(): Heard | null;
  /** The sidecar closed the connection. */
  isCut(): boolean;
  /** Hangs up, or its sidecar died: it hears no more. */
  leave(how: 'hangs up' | 'is cut'): void;
  readonly left: boolean;
}

/** Asks on a new connection; `onBytes` runs whenever the sidecar has written some. */
export function openCaller(asking: Asking, onBytes: (caller: Caller) => void): Caller {
  const { call, kind, marked, manner } = asking;
  const pieces: Buffer[] = [];
  let left = false;
  const socket = new Duplex({
    read: () => undefined,
    write: (piece: Buffer, _encoding, taken) => {
      if (left) return;
      pieces.push(piece);
      onBytes(caller);
      // Whoever stalls never says so.
      if (manner !== 'stalls') taken();
    },
  });
  const caller: Caller = {
    ...asking,
    socket,
    heard: () => heardIn(Buffer.concat(pieces).toString('latin1')),
    isCut: () => socket.destroyed || socket.writableEnded,
    leave: (how) => {
      left = true;
      if (how === 'hangs up') socket.destroy();
    },
    get left() {
      return left;
    },
  };
  socket.push(
    rawRequest(
      'POST',
      '/v1/chat/completions',
      [
        'Content-Type: application/json',
        'Authorization: Bearer of-the-workload',
        `Holdpoint-Workload: ${requester}`,
        'Connection: close',
        ...(marked ? ['X-Stainless-Retry-Count: 1'] : []),
        ...(manner === 'hurries' ? ['Prefer: respond-async'] : []),
      ],
      questionOf(call, kind),
    ),
  );
  return caller;
}

function heardIn(text: string): Heard | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = text.slice(0, end);
  const rest = text.slice(end + 4);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const { body, whole } =
    length === undefined ? unchunked(rest) : { body: rest, whole: rest.length >= Number(length) };
  return {
    status: Number(head.split(' ', 2)[1]),
    decision: Number(/\r\nholdpoint-decision: *d-[0-9a-f]{8}-(\d+)/i.exec(head)?.[1] ?? Number.NaN),
    body,
    whole,
  };
}

/** As far as it came. */
function unchunked(text: string): Pick<Heard, 'body' | 'whole'> {
  let body = '';
  for (let from = 0; ; ) {
    const line = text.indexOf('\r\n', from);
    if (line === -1) return { body, whole: false };
    const size = Number.parseInt(text.slice(from, line), 16);
    if (size === 0) return { body, whole: true };
    body += text.slice(line + 2, line + 2 + size);
    from = line + 2 + size + 2;
  }
}
