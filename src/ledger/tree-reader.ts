/**
 * The tree as auditors ask for it: inclusion and consistency proofs, tiles and entry bundles, each over leaves
 * that are durable. Leaves come from the ledger and must have the hash that the tree has of them.
 */
import { HoldpointError } from '../core/errors.ts';
import { rootInNote } from './checkpoint.ts';
import { consistencyPlan, inclusionPlan, rootPlan } from './proof.ts';
import { readBlockLeaves, readLeaves, readNoteAt } from './reader.ts';
import type { RecordStore } from './store.ts';
import { openTileIndex } from './tile-index.ts';
import { bundledLeafBytesMax, encodeBundle, hasTile, type TileName, tileWidth } from './tiles.ts';
import { leafHash } from './tree.ts';

export interface InclusionProof {
  readonly seq: number;
  readonly size: number;
  readonly leaf: Buffer;
  readonly leafHash: Buffer;
  readonly root: Buffer;
  /** From the leaf's sibling upwards; at most 53. */
  readonly hashes: readonly Buffer[];
  /** The signed checkpoint over `size` entries; null where no commit ended at that size. */
  readonly note: Buffer | null;
}

export interface ConsistencyProof {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: Buffer;
  readonly toRoot: Buffer;
  readonly hashes: readonly Buffer[];
}

export interface TreeReader {
  /** Throws `invalid_argument` unless 0 <= seq < size <= what is durable; `size` is all that is by default. */
  inclusion(seq: number, size?: number): Promise<InclusionProof>;
  /** Throws `invalid_argument` unless 1 <= from <= to <= what is durable; `to` is all that is by default. */
  consistency(from: number, to?: number): Promise<ConsistencyProof>;
  /** The bytes of a tile or an entry bundle; throws `not_found` where the durable tree has none. */
  tile(name: TileName): Promise<Buffer>;
  /** Told when more is durable, and the leaf hashes of what is. */
  advance(firstSeq?: number, hashes?: readonly Buffer[]): void;
  close(): Promise<void>;
}

export interface TreeReaderOptions {
  readonly indexStore: RecordStore;
  /** The ledger's store as it is open now. */
  readonly store: () => RecordStore;
  readonly durable: () => { readonly size: number; readonly note: Buffer };
  readonly onError: (error: unknown) => void;
}

/** Opens the reader; what the tiles lack is read from the ledger in the background. */
export async function openTreeReader(options: TreeReaderOptions): Promise<TreeReader> {
  const { durable, store } = options;
  const tiles = await openTileIndex({
    store: options.indexStore,
    readBlock: (firstSeq) => readBlockLeaves(store(), firstSeq),
    signed: () => {
      const { size, note } = durable();
      return size === 0 ? null : { size, root: rootInNote(note) };
    },
    onError: options.onError,
  });

  /** Throws `ledger_damaged` unless these are the leaves [from, to) of the tree, all within one tile. */
  async function requireInTree(leaves: readonly Buffer[], from: number, to: number): Promise<void> {
    const index = Math.floor(from / tileWidth);
    const row = await tiles.tile({ level: 0, index }, to - index * tileWidth);
    const altered = leaves.findIndex((leaf, i) => !row[from - index * tileWidth + i]?.equals(leafHash(leaf)));
    if (altered >= 0 || leaves.length !== to - from) throw alteredLeaf(from + Math.max(0, altered));
  }

  async function bundle({ index, width }: TileName): Promise<Buffer> {
    const [from, to] = [index * tileWidth, index * tileWidth + width];
    const leaves = await readLeaves(store(), from, to);
    await requireInTree(leaves, from, to);
    const tooLong = leaves.findIndex((leaf) => leaf.length > bundledLeafBytesMax);
    if (tooLong < 0) return encodeBundle(leaves);
    throw new HoldpointError(
      'not_found',
      `Entry ${index * tileWidth + tooLong} has 65536 bytes, and a length of two bytes ends at 65535.`,
      'Read these entries with: holdpoint ledger export.',
    );
  }

  return {
    inclusion: async (seq, asked) => {
      const now = durable();
      const size = asked ?? now.size;
      requireOrder(seq + 1, size, now.size);
      // The leaf lies in one store, the tree in another: they are read at once.
      const [leaves, [root = Buffer.alloc(0), ...hashes]] = await Promise.all([
        readLeaves(store(), seq, seq + 1),
        tiles.hashes([rootPlan(size), ...inclusionPlan(seq, size)]),
      ]);
      await requireInTree(leaves, seq, seq + 1);
      const [leaf = Buffer.alloc(0)] = leaves;
      const note = size === now.size ? now.note : await readNoteAt(store(), size);
      return { seq, size, leaf, leafHash: leafHash(leaf), root, hashes, note };
    },
    consistency: async (from, asked) => {
      const to = asked ?? durable().size;
      requireOrder(from, to, durable().size);
      const [fromRoot = Buffer.alloc(0), toRoot = Buffer.alloc(0), ...hashes] = await tiles.hashes([
        rootPlan(from),
        rootPlan(to),
        ...consistencyPlan(from, to),
      ]);
      return { from, to, fromRoot, toRoot, hashes };
    },
    tile: async (name) => {
      if (name.width < 1 || !hasTile(durable().size, name)) {
        throw new HoldpointError('not_found', 'The tree has no such tile.', 'Read /checkpoint for its size.');
      }
      const { level, index, width } = name;
      return level === 'entries' ? bundle(name) : Buffer.concat(await tiles.tile({ level, index }, width));
    },
    advance: (firstSeq, hashes) => {
      if (firstSeq !== undefined && hashes !== undefined) tiles.take(firstSeq, hashes);
      tiles.advance(durable().size);
    },
    close: tiles.close,
  };
}

function requireOrder(first: number, second: number, durableSize: number): void {
  if (first >= 1 && first <= second && second <= durableSize) return;
  throw new HoldpointError(
    'invalid_argument',
    `There is no such proof: the ledger has ${durableSize} durable entries.`,
    'Ask for seq < size, or 1 <= from <= to, within what the checkpoint covers.',
  );
}

function alteredLeaf(seq: number): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `Entry ${seq} is not the one that the checkpoint covers.`,
    'Run `holdpoint verify` on the data directory.',
  );
}
