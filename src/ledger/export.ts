/**
 * A whole ledger for others to read: all records as one stream, or the tree as a directory of C2SP tlog-tiles.
 * Reads a store through its port and checks only that what it reads is dense; verifying is the reader's. Pure
 * but for the store.
 */
import { HoldpointError } from '../core/errors.ts';
import { decodeBlock, parseRecordKey, recordKey } from './block.ts';
import { rootInNote } from './checkpoint.ts';
import { encodeFrame, streamHeader } from './frame.ts';
import { readBlockLeaves, readNoteAt } from './reader.ts';
import type { RecordStore, StoredRecord } from './store.ts';
import { appendToEdge, emptyEdge, encodeBundle, rootOfEdge, tilePath, tileWidth } from './tiles.ts';
import { leafHash } from './tree.ts';

/**
 * The stream of all records, one frame per commit, or of those from a commit on. Throws `ledger_damaged` where
 * entries are missing.
 * @param fromSeq the first leaf's of that commit
 */
export async function* exportStream(store: RecordStore, fromSeq = 0): AsyncGenerator<Buffer> {
  yield streamHeader;
  let commit: StoredRecord[] = [];
  let nextSeq = fromSeq;
  for await (const record of store.scan({ from: recordKey(fromSeq, 'block') })) {
    const place = parseRecordKey(record.key);
    if (place === null) throw damaged(nextSeq);
    if (place.kind === 'block') {
      if (place.seq !== nextSeq) throw damaged(nextSeq);
      if (commit.length > 0) yield encodeFrame(commit);
      commit = [];
      nextSeq += decodeBlock(record.value).leaves.length;
    }
    commit.push(record);
  }
  if (commit.length > 0) yield encodeFrame(commit);
}

export interface ExportedFile {
  /** Relative, `/` between its parts. */
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * The files of the tree, the checkpoint last: full tiles, entry bundles, and the partial ones of the size that the
 * checkpoint signs. Throws `ledger_damaged` when the entries do not lead to its root.
 */
export async function* exportTiles(store: RecordStore): AsyncGenerator<ExportedFile> {
  const edge = emptyEdge();
  let bundle: Buffer[] = [];
  for (;;) {
    const leaves = await readBlockLeaves(store, edge.size);
    if (leaves === null) break;
    for (const leaf of leaves) {
      bundle.push(leaf);
      for (const { level, index, hashes } of appendToEdge(edge, leafHash(leaf))) {
        yield { path: tilePath({ level, index, width: tileWidth }), bytes: hashes };
      }
      if (bundle.length < tileWidth) continue;
      yield bundleFile(edge.size, bundle);
      bundle = [];
    }
  }
  const note = edge.size === 0 ? null : await readNoteAt(store, edge.size);
  if (note === null || !rootInNote(note).equals(rootOfEdge(edge))) throw damaged(edge.size);
  for (const [level, row] of edge.rows.entries()) {
    if (row.length === 0) continue;
    const index = Math.floor(edge.size / tileWidth ** (level + 1));
    yield { path: tilePath({ level, index, width: row.length }), bytes: Buffer.concat(row) };
  }
  if (bundle.length > 0) yield bundleFile(edge.size, bundle);
  yield { path: 'checkpoint', bytes: note };
}

function bundleFile(size: number, leaves: readonly Buffer[]): ExportedFile {
  const index = Math.floor((size - 1) / tileWidth);
  return {
    path: tilePath({ level: 'entries', index, width: leaves.length }),
    bytes: encodeBundle(leaves),
  };
}

function damaged(seq: number): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `The ledger cannot be exported: its records do not go on whole at entry ${seq}.`,
    'Run `holdpoint verify` on the data directory.',
  );
}
