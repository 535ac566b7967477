/**
 * The answers of a batch as a file, a line each, that may be too large for memory. Pure; bounded; hostile bytes in,
 * facts, lines and defects out.
 */

import type { BatchResult, LinesReading, ResponseReading } from '../protocol.ts';
import { unreadResponse } from '../reading/reading.ts';
import { isRecord, readJson } from '../wire/json.ts';
import { type BatchEntry, batchEntriesFrom, batchEntriesOf } from './batch-lines.ts';

const partialContent = 206;

/** A workload may ask for a file piece by piece (RFC 9110 section 14), and no piece shows what it is of. */
export function readPartOfFile(status: number): ResponseReading | null {
  return status === partialContent ? unreadResponse(status, 'only a part of a file was asked for') : null;
}

/** How a family writes the answers of a batch, a line each. */
export interface ResultLines {
  readonly idName: string;
  /** Whether this line is an answer, so that its file is such a file. */
  readonly isAnswer: (line: BatchEntry) => boolean;
  readonly resultOf: (line: BatchEntry) => BatchResult;
}

/** What tells of a file that it is one of answers, or that nobody can tell; null for a line that says neither. */
type Telling = { readonly defect: string } | null;

/**
 * One line tells, wherever it stands: a client that reads the others reads that one too. Of one that cannot be read, and
 * of what is behind the last that is read, nobody knows what file it is of: Python takes NaN in it, and many a client
 * bytes that are no UTF-8.
 */
function telling(line: BatchEntry, { isAnswer }: ResultLines): Telling {
  if (line.isUnread) return { defect: line.defect };
  return isAnswer(line) ? { defect: '' } : null;
}

/** The answers of such a file, as if each had come alone. */
export function* resultsIn(file: Buffer, { idName, resultOf }: ResultLines): Generator<BatchResult> {
  for (const line of batchEntriesOf(file, idName)) yield resultOf(line);
}

/** Reads a file that was asked for; one that is no batch's answers gives nothing to judge. */
export function readFileContent(status: number, body: Buffer, lines: ResultLines): ResponseReading {
  const part = readPartOfFile(status);
  if (part !== null) return part;
  const neutral = unreadResponse(status, '');
  for (const line of batchEntriesOf(body, lines.idName)) {
    const told = telling(line, lines);
    if (told === null) continue;
    // One JSON text over several lines is no file of lines.
    if (told.defect !== '' && isRecord(readJson(body, '').value)) return neutral;
    if (told.defect !== '') return { ...neutral, defects: [told.defect] };
    return { ...neutral, batch: () => resultsIn(body, lines) };
  }
  return neutral;
}

/** The same of one that is too large for memory. `file` gives its bytes anew each time. */
export async function readFileContentFrom(
  status: number,
  file: () => AsyncIterable<Buffer>,
  lines: ResultLines,
): Promise<LinesReading> {
  const part = readPartOfFile(status);
  if (part !== null) return { facts: part.facts, defects: part.defects };
  const { facts, defects } = unreadResponse(status, '');
  for await (const line of batchEntriesFrom(file(), lines.idName)) {
    const told = telling(line, lines);
    if (told === null) continue;
    if (told.defect !== '') return { facts, defects: [told.defect] };
    const batch = async function* (): AsyncGenerator<BatchResult> {
      for await (const entry of batchEntriesFrom(file(), lines.idName)) yield lines.resultOf(entry);
    };
    return { facts, defects, batch };
  }
  return { facts, defects };
}
