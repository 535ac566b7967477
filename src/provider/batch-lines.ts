/**
 * What the families' batches share: many requests, or many answers, one JSON text a line or one element of a
 * list each, told apart by an id that the workload chose. Each is handed out as the bytes that the same request
 * or answer would have had alone, so that the family's own readers read it. Pure; bounded; lazy.
 */
import { isUtf8 } from 'node:buffer';
import { parseForRewrite } from './amendment.ts';
import { isRecord, type JsonRecord, readJsonText, textOf } from './json.ts';

/** Providers allow 50 000 and 100 000. */
export const batchLinesMax = 100_000;
/** No provider takes a request larger than this. */
const lineBytesMax = 32 * 1024 * 1024;

/** One line, or one element, before its family says what stands in it. */
export interface BatchEntry {
  readonly customId: string;
  readonly value: JsonRecord;
  readonly defect: string;
}

const lineFeed = 0x0a;
const empty: JsonRecord = {};

/** A value's bytes, numbers spelt as they were. The value must come from this module or `parseForRewrite`. */
export function jsonBytes(value: unknown): Buffer {
  return value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
}

function readLine(line: Buffer): { readonly value: JsonRecord; readonly defect: string } {
  if (line.length > lineBytesMax) {
    return { value: empty, defect: `a line of the batch exceeds ${lineBytesMax} bytes` };
  }
  if (!isUtf8(line)) return { value: empty, defect: 'a line of the batch is not valid UTF-8' };
  const text = line.toString('utf8');
  const { value, defect } = readJsonText(text, 'a line of the batch');
  if (!isRecord(value)) return { value: empty, defect: defect || 'a line of the batch is not a JSON object' };
  const spelt = parseForRewrite(text);
  return { value: isRecord(spelt) ? spelt : empty, defect };
}

/** Says of each id whether it is one that tells its line apart. */
function createIdCheck(idName: string): (value: JsonRecord) => string {
  const seen = new Set<string>();
  return (value) => {
    const id = textOf(value[idName]);
    if (id === '') return `a line of the batch has no ${idName}`;
    if (seen.has(id)) return `two lines of the batch have the same ${idName}`;
    seen.add(id);
    return '';
  };
}

const tooMany: BatchEntry = {
  customId: '',
  value: empty,
  defect: `the batch has more than ${batchLinesMax} lines`,
};

/**
 * The lines of a file of JSON texts, told apart by the member `idName`; empty ones are none. After the last allowed
 * line comes one with a defect.
 */
export function* batchEntriesOf(file: Buffer, idName = 'custom_id'): Generator<BatchEntry> {
  const checkId = createIdCheck(idName);
  let lines = 0;
  for (let start = 0; start < file.length; ) {
    const found = file.indexOf(lineFeed, start);
    const end = found === -1 ? file.length : found;
    const line = file.subarray(start, end);
    start = end + 1;
    if (line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) continue;
    lines += 1;
    if (lines > batchLinesMax) {
      yield tooMany;
      return;
    }
    const { value, defect } = readLine(line);
    yield { customId: textOf(value[idName]), value, defect: defect || checkId(value) };
  }
}

/** The elements of a list, read alike. */
export function* batchEntriesIn(list: readonly unknown[]): Generator<BatchEntry> {
  const checkId = createIdCheck('custom_id');
  for (const [place, value] of list.entries()) {
    if (place >= batchLinesMax) {
      yield tooMany;
      return;
    }
    if (isRecord(value)) yield { customId: textOf(value.custom_id), value, defect: checkId(value) };
    else yield { customId: '', value: empty, defect: 'a request of the batch is not an object' };
  }
}
