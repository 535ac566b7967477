/** The high-water mark as a one-line file beside the ledger's directory. FORMAT.md, "Files". */
import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { sha256Hex } from '../core/bytes.ts';
import { HoldpointError } from '../core/errors.ts';
import type { HighWater } from '../ledger/store.ts';
import { readKept } from './kept-file.ts';
import { writeWholeFile } from './whole-file.ts';

const shape = /^holdpoint-high-water-1 (\d{20}) ([0-9a-f]{64}) ([0-9a-f]{8})\n$/;

/** Opens the mark at `file`, creating it whole at the first write; `close` syncs it. */
export function openHighWater(file: string): HighWater & { close(): void } {
  let fd: number | null = null;
  return {
    read: () => {
      const text = readKept(file);
      return text === null ? null : parseHighWater(text, file);
    },
    write: (size, root) => {
      const line = highWaterLine(size, root.toString('hex'));
      // An empty mark would refuse every start.
      if (fd === null && !existsSync(file)) writeWholeFile(file, line);
      fd ??= openSync(file, 'r+');
      // One line of fixed length at offset 0: shorter than a disk sector, so it is replaced whole.
      writeSync(fd, line, 0);
    },
    close: () => {
      if (fd === null) return;
      fsyncSync(fd);
      closeSync(fd);
      fd = null;
    },
  };
}

/** The file's one line for a size and a root in hex. */
function highWaterLine(size: number, root: string): string {
  const text = `holdpoint-high-water-1 ${String(size).padStart(20, '0')} ${root} `;
  return `${text}${sha256Hex(text).slice(0, 8)}\n`;
}

/** Puts another mark in the place of what is there, or of nothing; on disk when it returns. */
export function replaceHighWater(file: string, size: number, root: Buffer): void {
  writeWholeFile(file, highWaterLine(size, root.toString('hex')));
}

function parseHighWater(text: string, file: string): { size: number; root: string } {
  const match = shape.exec(text);
  const [, size, root, check] = match ?? [];
  if (size === undefined || root === undefined || sha256Hex(text.slice(0, -9)).slice(0, 8) !== check) {
    throw new HoldpointError(
      'ledger_damaged',
      `The high-water mark ${file} does not parse.`,
      'It guards against a ledger that was rolled back. Run `holdpoint verify`; delete the file only if the ledger is known to be whole.',
    );
  }
  return { size: Number(size), root };
}
