/**
 * The answers of a batch as a file, a line each, that may be too large for memory. Pure; bounded; hostile bytes in,
 * facts, lines and defects out.
 */

import type { BatchResult, LinesReading, ResponseReading } from '../protocol.ts';
import { unreadResponse } from '../reading/reading.ts';
import { type BatchEntry, batchEntriesFrom } from './batch-lines.ts';

const partialContent = 206;

/** A workload may ask for a file piece by piece (RFC 9110 section 14), and no piece shows what it is of. */
export function readPartOfFile(status: number): ResponseReading | null {
  return status === partialContent ? unreadResponse(status, 'only a part of a file was asked for') : null;
}

/** How a family writes the answers of a batch, a line each. */
export interface ResultLines {
  readonly idName: string;
  /** Whether a file that begins with this line is such a file. */
  readonly begins: (first: BatchEntry) => boolean;
  readonly resultOf: (line: BatchEntry) => BatchResult;
}

/** Reads a file that was asked for from where it lies. `file` gives its bytes anew each time. */
export async function readFileContentFrom(
  status: number,
  file: () => AsyncIterable<Buffer>,
  { idName, begins, resultOf }: ResultLines,
): Promise<LinesReading> {
  const part = readPartOfFile(status);
  if (part !== null) return { facts: part.facts, defects: part.defects };
  const { facts, defects } = unreadResponse(status, '');
  for await (const first of batchEntriesFrom(file(), idName)) {
    // Of a line that cannot be read nobody knows what file it begins.
    if (first.defect !== '' && Object.keys(first.value).length === 0)
      return { facts, defects: [first.defect] };
    if (!begins(first)) break;
    const batch = async function* (): AsyncGenerator<BatchResult> {
      for await (const line of batchEntriesFrom(file(), idName)) yield resultOf(line);
    };
    return { facts, defects, batch };
  }
  return { facts, defects };
}
