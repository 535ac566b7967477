/**
 * What the families' batches share: many requests, or many answers, one JSON text a line or one element of a
 * list each, told apart by an id that the workload chose. Each is handed out as the bytes that the same request
 * or answer would have had alone, so that the family's own readers read it. Pure; bounded; lazy.
 */
import { isUtf8 } from 'node:buffer';
import { sha256Hex } from '../../core/bytes.ts';
import { isSpeltAsUsual, parseForRewrite } from '../amending/amendment.ts';
import { isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';

/** Providers allow 50 000 and 100 000. */
export const batchLinesMax = 100_000;
/** No provider takes a request larger than this. */
const lineBytesMax = 32 * 1024 * 1024;

/** One line, or one element, before its family says what stands in it. */
export interface BatchEntry {
  readonly customId: string;
  readonly value: JsonRecord;
  readonly defect: string;
  /** Nobody here can say what it is; somebody who reads more loosely may. */
  readonly isUnread?: true;
}

const lineFeed = 0x0a;
const empty: JsonRecord = {};

/** A value's bytes, numbers spelt as they were. The value must come from this module or `parseForRewrite`. */
export function jsonBytes(value: unknown): Buffer {
  return value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
}

function readLine(line: Buffer): Omit<BatchEntry, 'customId'> {
  const unread = (defect: string) => ({ value: empty, defect, isUnread: true }) as const;
  if (line.length > lineBytesMax) return unread(`a line of the batch exceeds ${lineBytesMax} bytes`);
  if (!isUtf8(line)) return unread('a line of the batch is not valid UTF-8');
  const text = line.toString('utf8');
  const { value, defect } = readJsonText(text, 'a line of the batch');
  if (value === undefined) return unread(defect);
  if (!isRecord(value)) return { value: empty, defect: 'a line of the batch is not a JSON object' };
  // Parsing once more costs more than all else here, and changes nothing where every number is spelt as usual.
  if (isSpeltAsUsual(text)) return { value, defect };
  const spelt = parseForRewrite(text);
  return { value: isRecord(spelt) ? spelt : empty, defect };
}

/** Longer ids are told apart by their hash, so that a file of long ones is not kept in memory. */
const idCharactersKept = 128;

/** Says of each id whether it is one that tells its line apart. Some servers give ids to lines that have none. */
function createIdCheck(idName: string, isOptional = false): (value: JsonRecord) => string {
  const seen = new Set<string>();
  return (value) => {
    const id = textOf(value[idName]);
    if (id === '' && isOptional) return '';
    if (id === '') return `a line of the batch has no ${idName}`;
    const kept = id.length <= idCharactersKept ? id : sha256Hex(Buffer.from(id, 'utf16le'));
    if (seen.has(kept)) return `two lines of the batch have the same ${idName}`;
    seen.add(kept);
    return '';
  };
}

const tooMany: BatchEntry = {
  customId: '',
  value: empty,
  defect: `the batch has more than ${batchLinesMax} lines`,
  isUnread: true,
};

/** Reads one line after the other; null for an empty one, which is none. After the last allowed one comes `tooMany`. */
function createLineReader(idName: string): (line: Buffer) => BatchEntry | null {
  const checkId = createIdCheck(idName);
  let lines = 0;
  return (line) => {
    if (line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) return null;
    lines += 1;
    if (lines > batchLinesMax) return tooMany;
    const read = readLine(line);
    const { value } = read;
    return { ...read, customId: textOf(value[idName]), defect: read.defect || checkId(value) };
  };
}

/** The lines of a file of JSON texts, told apart by the member `idName`. After the last allowed line comes one with a defect. */
export function* batchEntriesOf(file: Buffer, idName = 'custom_id'): Generator<BatchEntry> {
  const read = createLineReader(idName);
  for (let start = 0; start < file.length; ) {
    const found = file.indexOf(lineFeed, start);
    const end = found === -1 ? file.length : found;
    const entry = read(file.subarray(start, end));
    start = end + 1;
    if (entry === null) continue;
    yield entry;
    if (entry === tooMany) return;
  }
}

/** The same lines of a file that comes in pieces; never more than one of them is in memory. */
export async function* batchEntriesFrom(
  pieces: AsyncIterable<Buffer>,
  idName = 'custom_id',
): AsyncGenerator<BatchEntry> {
  const read = createLineReader(idName);
  for await (const line of linesFrom(pieces)) {
    const entry = read(line);
    if (entry === null) continue;
    yield entry;
    if (entry === tooMany) return;
  }
}

/** Lines without their ends; of one that is too long, one byte more than is allowed. */
async function* linesFrom(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  let bytes = 0;
  const take = (part: Buffer): void => {
    const kept = part.subarray(0, lineBytesMax + 1 - bytes);
    if (kept.length > 0) begun.push(kept);
    bytes += kept.length;
  };
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(lineFeed); end !== -1; end = piece.indexOf(lineFeed, start)) {
      if (begun.length === 0) yield piece.subarray(start, Math.min(end, start + lineBytesMax + 1));
      else {
        take(piece.subarray(start, end));
        yield Buffer.concat(begun);
      }
      begun = [];
      bytes = 0;
      start = end + 1;
    }
    take(piece.subarray(start));
  }
  if (bytes > 0) yield Buffer.concat(begun);
}

/** The elements of a list, read alike; `isOptional`: an element may be without an id. */
export function* batchEntriesIn(
  list: readonly unknown[],
  idName = 'custom_id',
  isOptional = false,
): Generator<BatchEntry> {
  const checkId = createIdCheck(idName, isOptional);
  for (const [place, value] of list.entries()) {
    if (place >= batchLinesMax) {
      yield tooMany;
      return;
    }
    if (isRecord(value)) yield { customId: textOf(value[idName]), value, defect: checkId(value) };
    else yield { customId: '', value: empty, defect: 'a request of the batch is not an object' };
  }
}
