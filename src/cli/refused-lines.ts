/** What is said of the lines of a file of decisions that were refused: each by name while they are few, once where no line is one. */
import { HoldpointError } from '../core/errors.ts';
import { printLine, visible } from './print.ts';

/** Of those that are named one by one; `--json` has all of them. */
const namedLinesMax = 20;

export interface RefusedLine {
  /** Of the file, from 1. */
  readonly line: number;
  readonly id: string;
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
  readonly next?: string | undefined;
}

export interface RefusedLines {
  /** Takes a line that was sent, with its bytes; `refused` says why where it was. */
  take(bytes: Uint8Array, refused: RefusedLine | null): void;
  /** Prints how many more there were. Throws `usage` where not one line of the file was a JSON object. */
  end(): void;
}

/** @param isPrinted whether lines are named on stdout; where results are printed as JSON, they are named there */
export function refusedLines(file: string, isPrinted: boolean): RefusedLines {
  let lines = 0;
  let refusedCount = 0;
  let first: { readonly refused: RefusedLine; readonly bytes: Uint8Array } | null = null;
  let hasObject = false;
  /** Named once it is known that the file is one of decisions. */
  let waiting: RefusedLine[] = [];

  const printWaiting = (): void => {
    if (!hasObject) return;
    for (const one of waiting) printRefused(file, one);
    waiting = [];
  };
  return {
    take: (bytes, refused) => {
      lines += 1;
      hasObject ||= isObject(bytes);
      if (refused !== null) {
        first ??= { refused, bytes };
        refusedCount += 1;
        if (isPrinted && refusedCount <= namedLinesMax) waiting.push(refused);
      }
      printWaiting();
    },
    end: () => {
      if (first !== null && !hasObject) throw notLines(file, lines, first.refused, first.bytes);
      const more = refusedCount - namedLinesMax;
      if (isPrinted && more > 0)
        printLine(`and ${more} more ${more === 1 ? 'line' : 'lines'} refused; --json names each`);
    },
  };
}

function printRefused(file: string, { line, id, code = '', detail = '', next = '' }: RefusedLine): void {
  const named = id === '' ? '' : ` (${visible(id)})`;
  printLine(`${visible(file)}:${line}${named}: ${visible(code)}: ${visible(detail)} ${visible(next)}`);
}

function notLines(file: string, lines: number, { line, detail }: RefusedLine, bytes: Uint8Array) {
  const none =
    lines === 1 ? 'its only line is no JSON object' : `none of its ${lines} lines is a JSON object`;
  const why = detail === undefined ? '' : `: ${detail}`;
  return new HoldpointError(
    'usage',
    `${file} is no file of decisions: ${none}, from line ${line} on${why}`,
    `It must be NDJSON: one JSON object a line, with id, at, decider, outcome and request.${rewriting(bytes)}`,
  );
}

/** How JSON that is written otherwise becomes lines. */
function rewriting(bytes: Uint8Array): string {
  const begin = Buffer.from(bytes.subarray(0, 64)).toString('utf8').trimStart();
  if (begin.startsWith('[')) return ` This is one JSON array: jq -c '.[]' makes lines of it.`;
  return begin.startsWith('{') ? ' This is JSON over several lines: jq -c . makes lines of it.' : '';
}

function isObject(bytes: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    // Why it is none, the sidecar says.
    return false;
  }
}
