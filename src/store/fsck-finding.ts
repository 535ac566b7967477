/** What a check of the ledger's files finds, and where the blocks end that it reads on the way. */
import { statSync } from 'node:fs';
import { messageOf, refusalOf } from '../core/errors.ts';
import { decodeBlock } from '../ledger/block.ts';
import { rootInNote } from '../ledger/checkpoint.ts';

export interface FsckFinding {
  /** `damage` is what no crash leaves. `derived` can be made again from the rest. `note` is as it should be. */
  readonly kind: 'damage' | 'derived' | 'note';
  readonly file: string;
  /** Where in the file; -1 where it is about all of it. */
  readonly byte: number;
  readonly message: string;
}

/** Notes a finding. */
export type Add = (kind: FsckFinding['kind'], file: string, byte: number, message: string) => void;

/** Why what has the name of one of the ledger's files is none; null where it is one. Opening a pipe would never return. */
export function noFile(file: string): string | null {
  try {
    return statSync(file).isFile() ? null : 'it is no file';
  } catch (error) {
    return `it cannot be read: ${refusalOf(error)}`;
  }
}

/** Of a record in the journal: its key, and the length of its value. */
export const recordHeaderBytes = 13;

/** Where a last block ends, and the root that its checkpoint states. */
export interface End {
  size: number;
  root: string;
}

/** Where a block ends; what it says of itself is reported where it cannot be read. */
export function endOf(seq: number, block: Buffer, report: (message: string) => void): End {
  try {
    const { leaves, note } = decodeBlock(block);
    return { size: seq + leaves.length, root: rootInNote(note).toString('hex') };
  } catch (error) {
    report(messageOf(error));
    return { size: seq + 1, root: '' };
  }
}
