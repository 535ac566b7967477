/** What passed on a connection since it was last sealed, in order and with its times, within a bound. */
import { sha256Hex } from '../../core/bytes.ts';
import type { Sender, SocketRecord, Way } from '../../provider/realtime/body.ts';
import type { SocketMessage } from '../../provider/realtime/dialect.ts';
import type { Ending } from './peer.ts';

export interface Tape {
  /** Takes a message down; returns it as kept. What passed already is kept by its hash alone once the tape is full. */
  add(message: SocketMessage, sender: Sender, way: Way, atMs: number): SocketMessage;
  /** Takes down why somebody closed: at most 123 bytes (RFC 6455 section 5.5), so it is kept however full the tape is. */
  addEnding(ending: Ending, sender: Sender, way: Way, atMs: number): void;
  /** A tape of its own that begins as this one does, with the message behind; this one stays as it is. */
  plus(message: SocketMessage, sender: Sender, way: Way, atMs: number): Tape;
  readonly records: readonly SocketRecord[];
  /** Of all payloads, left out ones included. */
  readonly bytes: number;
  /** Of payloads that were left out. */
  readonly omittedBytes: number;
  /** Of what passed before anything was ruled. */
  readonly passedBytes: number;
}

/** What a tape may begin with. */
interface Begun extends Pick<Tape, 'records' | 'bytes' | 'omittedBytes' | 'passedBytes'> {
  readonly keptBytes: number;
}

const nothing: Begun = { records: [], bytes: 0, omittedBytes: 0, passedBytes: 0, keptBytes: 0 };

/** Of a record beside its payload. */
const recordBytes = 200;

export function createTape(bytesMax: number): Tape {
  return begin(bytesMax, nothing);
}

function begin(bytesMax: number, begun: Begun): Tape {
  const records = [...begun.records];
  const tape = { ...begun, records, add, addEnding, plus };
  function add({ data, binary }: SocketMessage, sender: Sender, way: Way, atMs: number): SocketMessage {
    const bytes = data.length;
    const fits = tape.keptBytes + bytes + recordBytes <= bytesMax;
    const omit = way === 'passed' && !fits;
    tape.bytes += bytes;
    if (way === 'passed') tape.passedBytes += bytes;
    if (omit) tape.omittedBytes += bytes;
    tape.keptBytes += recordBytes + (omit ? 0 : bytes);
    // A small message is a window on a large read: without a copy it would keep all of that in memory.
    const copy = omit ? null : Buffer.from(data);
    const opcode = binary ? 'binary' : 'text';
    records.push({ atMs, sender, opcode, way, bytes, data: copy, sha256: omit ? sha256Hex(data) : '' });
    return { data: copy ?? data, binary };
  }
  function addEnding({ code, reason }: Ending, sender: Sender, way: Way, atMs: number): void {
    const data = Buffer.from(reason);
    tape.bytes += data.length;
    if (way === 'passed') tape.passedBytes += data.length;
    records.push({ atMs, sender, opcode: `close:${code}`, way, bytes: data.length, data, sha256: '' });
  }
  function plus(message: SocketMessage, sender: Sender, way: Way, atMs: number): Tape {
    const longer = begin(bytesMax, tape);
    longer.add(message, sender, way, atMs);
    return longer;
  }
  return tape;
}
