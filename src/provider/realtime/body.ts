/**
 * How messages of a WebSocket are kept in a sealed body, each with its time. Everything a reader needs is in the
 * lines between them; the messages themselves stand as they were sent, byte for byte:
 *
 *     facts <bytes>\n<JSON>\n                                                  once, first
 *     <ms> <who> <opcode> <way> <bytes> <sha256 or ->\n<payload>\n             any number
 *
 * `facts` is what was understood of all this, as rules judged it, and what could not be read. `ms` counts from the
 * opening of the connection. `who` is `client`, `server` or `holdpoint` (a message of ours in the provider's form);
 * `opcode` is `text`, `binary`, or `close:<code>` where somebody closed and said why: the payload is the reason;
 * `way` is `passed` (went on at once), `withheld` (waited for the verdict over this body) or `refused` (never went
 * on). Where the hash is not `-` the payload was left out because the body reached its bound: `bytes` and the hash
 * are of what went through. Pure.
 */
import { isRecord } from '../wire/json.ts';

export const socketBodyType = 'application/vnd.holdpoint.messages';

export const senders = ['client', 'server', 'holdpoint'] as const;
export type Sender = (typeof senders)[number];
export const ways = ['passed', 'withheld', 'refused'] as const;
export type Way = (typeof ways)[number];
/** A message's kind, or the code of a closing (RFC 6455 sections 5.5.1 and 7.4). */
export type Opcode = 'text' | 'binary' | `close:${number}`;

export interface SocketRecord {
  /** Since the connection was opened. */
  readonly atMs: number;
  readonly sender: Sender;
  readonly opcode: Opcode;
  readonly way: Way;
  readonly bytes: number;
  /** Null where it was left out; then `sha256` says what it was. */
  readonly data: Buffer | null;
  /** Lower-case hex; '' where `data` is there. */
  readonly sha256: string;
}

/** What was understood: the body's own facts and defects, as JSON has them. */
export interface Understood {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly defects: readonly string[];
}

export interface SocketBody {
  readonly understood: Understood;
  readonly records: readonly SocketRecord[];
}

/** The body's bytes. */
export function encodeSocketBody(understood: Understood, records: readonly SocketRecord[]): Buffer {
  const facts = Buffer.from(JSON.stringify(understood));
  const pieces: Buffer[] = [Buffer.from(`facts ${facts.length}\n`), facts];
  for (const { atMs, sender, opcode, way, bytes, data, sha256 } of records) {
    pieces.push(
      Buffer.from(`\n${atMs} ${sender} ${opcode} ${way} ${bytes} ${data === null ? sha256 : '-'}\n`),
    );
    if (data !== null) pieces.push(data);
  }
  pieces.push(Buffer.from('\n'));
  return Buffer.concat(pieces);
}

const factsLine = /^facts (\d{1,10})$/;
const recordLine =
  /^(\d{1,12}) (client|server|holdpoint) (text|binary|close:[1-4]\d{3}) (passed|withheld|refused) (\d{1,10}) (-|[0-9a-f]{64})$/;
const lineBytesMax = 160;
const newline = 0x0a;

/** Reads what encodeSocketBody wrote. Throws RangeError on anything else. */
export function decodeSocketBody(body: Buffer): SocketBody {
  let at = 0;
  const line = (): string => {
    const end = body.indexOf(newline, at);
    if (end === -1 || end - at > lineBytesMax) throw new RangeError('A message has no line before it.');
    const text = body.toString('latin1', at, end);
    at = end + 1;
    return text;
  };
  const payload = (length: number): Buffer => {
    const end = at + length;
    if (body[end] !== newline) throw new RangeError('A message is shorter or longer than its line says.');
    const bytes = body.subarray(at, end);
    at = end + 1;
    return bytes;
  };
  const head = factsLine.exec(line());
  if (head === null) throw new RangeError('The messages do not begin with their facts.');
  const understood = readUnderstood(payload(Number(head[1])));
  const records: SocketRecord[] = [];
  while (at < body.length) records.push(readRecord(line(), payload));
  return { understood, records };
}

function readRecord(line: string, payload: (length: number) => Buffer): SocketRecord {
  const fields = recordLine.exec(line);
  if (fields === null) throw new RangeError('The line before a message cannot be read.');
  const [, ms, who, opcode, way, length, hash = ''] = fields;
  const bytes = Number(length);
  const omitted = hash !== '-';
  const data = payload(omitted ? 0 : bytes);
  return {
    atMs: Number(ms),
    sender: senders.find((known) => known === who) ?? 'server',
    opcode: readOpcode(opcode),
    way: ways.find((known) => known === way) ?? 'refused',
    bytes,
    data: omitted ? null : data,
    sha256: omitted ? hash : '',
  };
}

function readOpcode(opcode = ''): Opcode {
  if (opcode.startsWith('close:')) return `close:${Number(opcode.slice('close:'.length))}`;
  return opcode === 'binary' ? 'binary' : 'text';
}

function readUnderstood(json: Buffer): Understood {
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw new RangeError('The facts are not JSON.', { cause: error });
  }
  if (!isRecord(value) || !isRecord(value.facts) || !Array.isArray(value.defects))
    throw new RangeError('The facts have another shape.');
  return { facts: value.facts, defects: value.defects.map(String) };
}
