/** What a small file says, read again when the file changes. */
import { readFileSync, statSync } from 'node:fs';
import { refusalOf } from '../core/errors.ts';

/** Between two looks at a file. */
const lookEveryMs = 1_000;

/** The function it returns gives what `parse` makes of the file's text; null while that is null or the file is gone. */
export function watchFile<T>(
  file: string,
  parse: (text: string) => T | null,
  nowMs: () => number,
): () => T | null {
  let seen = stampOf(file);
  let value = parse(textOf(file));
  let lookedMs = nowMs();
  return () => {
    const now = nowMs();
    // A clock that jumped back must not put the next look off.
    if (now - lookedMs >= lookEveryMs || now < lookedMs || value === null) {
      lookedMs = now;
      const stamp = stampOf(file);
      if (stamp !== seen || value === null) value = parse(textOf(file));
      seen = stamp;
    }
    return value;
  };
}

/** What a message about a file that says nothing ends with; empty where it can be read. */
export function whyUnread(file: string): string {
  try {
    readFileSync(file);
    return '';
  } catch (error) {
    return `: ${refusalOf(error)}`;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there or not readable: it says nothing, and the caller says so.
    return '';
  }
}

/** Changes whenever the file may have: a swapped link leads to another inode. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? 'none' : `${stat.dev}:${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}`;
}
