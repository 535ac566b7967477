/** Checks a LevelDB table where it lies, through a window that moves over it: a fresh copy of it costs more than to read it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFlags } from './disk-work.ts';
import { tableDefect } from './level-table.ts';

const windowBytes = 256 * 1024;
/** Used by one check at a time: none of them waits for anything. */
let memory = Buffer.alloc(0);

export interface CheckedTable {
  readonly bytes: number;
  /** In words; null for none. */
  readonly defect: string | null;
}

/** Throws as node:fs does when the file cannot be read. */
export function checkTableFile(file: string): CheckedTable {
  const fd = openSync(file, readFlags);
  try {
    const bytes = fstatSync(fd).size;
    let start = 0;
    let filled = 0;
    const read = (from: number, end: number): Buffer => {
      if (from < start || end > start + filled) {
        if (memory.length < end - from) memory = Buffer.allocUnsafeSlow(Math.max(end - from, windowBytes));
        start = from;
        filled = fill(fd, from);
        if (end > start + filled) throw new RangeError(`it ends at byte ${start + filled}`);
      }
      return memory.subarray(from - start, end - start);
    };
    return { bytes, defect: tableDefect({ size: bytes, read }) };
  } finally {
    closeSync(fd);
  }
}

/** How many bytes there are from a place on, up to as many as fit. */
function fill(fd: number, from: number): number {
  let filled = 0;
  for (;;) {
    const bytes = readSync(fd, memory, filled, memory.length - filled, from + filled);
    filled += bytes;
    if (bytes === 0 || filled === memory.length) return filled;
  }
}
