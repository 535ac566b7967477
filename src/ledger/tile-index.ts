/**
 * The full tiles of the tree, kept beside the lookup so that a proof reads a handful of them at any size. Derived
 * from the ledger, rebuildable, never evidence: written unsynced, and a tile that is read back must have the hash
 * that the tile above it states, up to the root of the signed checkpoint.
 */
import { HoldpointError } from '../core/errors.ts';
import { foldHashes, type ProofHash } from './proof.ts';
import type { RecordStore } from './store.ts';
import { encodeTip, readTip, tileKey, tipKey } from './tile-records.ts';
import {
  appendToEdge,
  emptyEdge,
  type FullTile,
  hashesAtLevel,
  hashesOf,
  levelsOver,
  nodeOver,
  nodesOfTile,
  rootOfEdge,
  type TilePlace,
  tileBytes,
  tileOfSubtree,
  tileWidth,
} from './tiles.ts';
import { hashBytes, leafHash } from './tree.ts';

/** What is durable, and the root that its checkpoint signs. */
export interface SignedTree {
  readonly size: number;
  readonly root: Buffer;
}

export interface TileIndexOptions {
  /** Where tiles are kept; shared with the lookup, which closes it. */
  readonly store: RecordStore;
  /** The leaves of the block that begins at this seq; null when none does. */
  readonly readBlock: (firstSeq: number) => Promise<readonly Buffer[] | null>;
  /** What is durable now; null before the first checkpoint. */
  readonly signed: () => SignedTree | null;
  /** Told of a failure of the work that nobody waits for. */
  readonly onError: (error: unknown) => void;
}

export interface TileIndex {
  /** Told the leaf hashes of a block that is durable now, so that it need not be read back. */
  take(firstSeq: number, hashes: readonly Buffer[]): void;
  /** Told what is durable; catches up by itself once a tile's worth is missing. */
  advance(size: number): void;
  /**
   * The first `width` hashes of a tile of the tree that is durable now. Throws `not_found` where the tree has no
   * such tile, `overloaded` while the tiles are still being made.
   */
  tile(place: TilePlace, width: number): Promise<readonly Buffer[]>;
  /** The hashes of a proof over leaves that are durable. Throws as `tile` does. */
  hashes(plan: readonly ProofHash[]): Promise<readonly Buffer[]>;
  /** Waits for what runs and keeps what is known; the store stays open. */
  close(): Promise<void>;
}

/** So many entries are read while a caller waits; beyond that it is asked to come again. */
const waitEntriesMax = 50_000;
/** 16 KiB each. */
const cachedTilesMax = 64;
const rebuildsMax = 1;
/** Blocks whose hashes are kept until they are in a tile: some tiles' worth, should it fall behind. */
const takenBlocksMax = 4 * tileWidth;

/** Opens the tiles over their store; reads the right edge only. */
export async function openTileIndex(options: TileIndexOptions): Promise<TileIndex> {
  const { store } = options;
  const cached = new Map<string, Buffer>();
  /** By the seq of the block's first entry, in that order. */
  const taken = new Map<number, readonly Buffer[]>();
  let edge = (await readTip(store)) ?? emptyEdge();
  /** The rows of this edge at this size that were asked for. */
  let atEdge = { edge, size: edge.size, rows: new Map<number, Row>() };
  /** The size at which the edge was last compared with a checkpoint; less than what is durable until it is again. */
  let checkedSize = -1;
  /** After a failed write the edge may be ahead of the tiles that are kept. */
  let doubtful = false;
  /** What was durable when the last run failed: the next is tried a tile's worth later, not with each commit. */
  let failedSize = 0;
  let running: Promise<void> | null = null;
  let closing = false;

  /** At most one run at a time; whoever asks meanwhile waits for that one. `isAsked`: somebody waits for what it finds. */
  function catchUp(isAsked: boolean): Promise<void> {
    running ??= follow(isAsked).finally(() => {
      running = null;
    });
    return running;
  }

  async function follow(isAsked: boolean): Promise<void> {
    if (doubtful) {
      edge = (await readTip(store)) ?? emptyEdge();
      checkedSize = -1;
      doubtful = false;
    }
    for (let rebuilds = 0; ; rebuilds += 1) {
      const signed = options.signed();
      if (signed === null || closing || (await readUpTo(signed, isAsked))) return;
      // The edge is of entries that are gone, or was damaged where it lay.
      if (rebuilds >= rebuildsMax) throw damaged();
      edge = emptyEdge();
      checkedSize = -1;
      cached.clear();
    }
  }

  /** Appends what is missing; false when it is compared with the signed root and does not lead there. */
  async function readUpTo(signed: SignedTree, isAsked: boolean): Promise<boolean> {
    while (edge.size < signed.size && !closing) {
      const continued = edge;
      const hashes = await hashesOfBlock(continued.size);
      // Begun anew meanwhile.
      if (continued !== edge) continue;
      if (hashes === null) return false;
      const full = hashes.flatMap((hash) => appendToEdge(continued, hash));
      if (full.length > 0) await keep(full);
    }
    if (closing) return true;
    if (edge.size !== signed.size) return false;
    // To compare is to hash the whole edge again: for whoever asks, and once for what lay on disk, which may be wrong.
    if (!isAsked && checkedSize >= 0) return true;
    if (!rootOfEdge(edge).equals(signed.root)) return false;
    checkedSize = edge.size;
    return true;
  }

  async function hashesOfBlock(firstSeq: number): Promise<readonly Buffer[] | null> {
    const known = taken.get(firstSeq);
    taken.delete(firstSeq);
    if (known !== undefined) return known;
    const leaves = await options.readBlock(firstSeq);
    return leaves === null ? null : leaves.map(leafHash);
  }

  async function keep(full: readonly FullTile[]): Promise<void> {
    const records = full.map((tile) => ({ key: tileKey(tile), value: tile.hashes }));
    doubtful = true;
    await store.commit([...records, { key: tipKey, value: encodeTip(edge) }], false);
    doubtful = false;
  }

  /** Resolves when the edge is that of a checkpoint at least as long as what is durable now. */
  async function upToDate(): Promise<void> {
    const size = options.signed()?.size;
    if (size === undefined) throw notFound();
    if (checkedSize >= size) return;
    if (size - edge.size > waitEntriesMax) {
      catchUp(true).catch(options.onError);
      throw new HoldpointError(
        'overloaded',
        `The tree's tiles are being made from the ledger: ${edge.size} of ${size} entries so far.`,
        'Retry in a few seconds.',
      );
    }
    // A run that began before may end at an earlier size, or unchecked.
    while (checkedSize < size) {
      await catchUp(true);
      if (closing) throw new HoldpointError('shutting_down', 'The sidecar is stopping.');
    }
  }

  /** A whole tile, full or at the edge; never one that changes later. */
  async function rowOf(place: TilePlace): Promise<Row> {
    const full = hashesAtLevel(edge.size, place.level + 1);
    if (place.index > full) return edgeRow([]);
    if (place.index === full) return rowAtEdge(place.level);
    const nodes = await nodesOf(place);
    return {
      hashes: (width) => hashesOf(nodes.subarray(0, width * hashBytes)),
      over: (first, count) => nodeOver(nodes, first, count),
    };
  }

  /** Hashed once for as long as nothing is appended. */
  function rowAtEdge(level: number): Row {
    if (atEdge.edge !== edge || atEdge.size !== edge.size)
      atEdge = { edge, size: edge.size, rows: new Map() };
    const known = atEdge.rows.get(level);
    if (known !== undefined) return known;
    const row = edgeRow([...(edge.rows[level] ?? [])]);
    atEdge.rows.set(level, row);
    return row;
  }

  /** A full tile and what lies between it and the tile above, by whose hash it was checked. */
  async function nodesOf(place: TilePlace): Promise<Buffer> {
    const name = `${place.level}/${place.index}`;
    const known = cached.get(name);
    if (known !== undefined) return known;
    const tile = await store.get(tileKey(place));
    const above = await rowOf({ level: place.level + 1, index: Math.floor(place.index / tileWidth) });
    const stated = above.over(place.index % tileWidth, 1);
    const nodes = tile?.length === tileBytes ? nodesOfTile(tile) : null;
    if (nodes === null || stated === null || !nodeOver(nodes, 0, tileWidth).equals(stated)) {
      rebuild();
      throw damaged();
    }
    const [oldest] = cached.keys();
    if (cached.size >= cachedTilesMax && oldest !== undefined) cached.delete(oldest);
    cached.set(name, nodes);
    return nodes;
  }

  function rebuild(): void {
    edge = emptyEdge();
    checkedSize = -1;
    cached.clear();
    catchUp(true).catch(options.onError);
  }

  async function hashOf(subtrees: ProofHash): Promise<Buffer> {
    const hashes: Buffer[] = [];
    for (const subtree of subtrees) {
      const { place, first, count } = tileOfSubtree(subtree);
      const node = (await rowOf(place)).over(first, count);
      if (node === null) throw notFound();
      hashes.push(node);
    }
    return foldHashes(hashes);
  }

  return {
    take: (firstSeq, hashes) => {
      taken.set(firstSeq, hashes);
      const [oldest] = taken.keys();
      if (taken.size > takenBlocksMax && oldest !== undefined) taken.delete(oldest);
    },
    advance: (size) => {
      if (running !== null || size - Math.max(edge.size, failedSize) < tileWidth) return;
      catchUp(false).catch((error: unknown) => {
        failedSize = size;
        options.onError(error);
      });
    },
    tile: async (place, width) => {
      await upToDate();
      const row = (await rowOf(place)).hashes(width);
      if (row.length < width || width < 1) throw notFound();
      return row;
    },
    hashes: async (plan) => {
      await upToDate();
      const hashes: Buffer[] = [];
      for (const subtrees of plan) hashes.push(await hashOf(subtrees));
      return hashes;
    },
    close: async () => {
      closing = true;
      await running?.catch(() => undefined);
      if (edge.size > 0) await keep([]);
    },
  };
}

/** What a tile has so far. */
interface Row {
  /** The first `width` of its hashes, or as many as it has; at most 256. */
  readonly hashes: (width: number) => readonly Buffer[];
  /** The node over `count` of them from `first` on; null where it has not that many. */
  readonly over: (first: number, count: number) => Buffer | null;
}

function edgeRow(hashes: readonly Buffer[]): Row {
  const levels = levelsOver(hashes);
  return {
    hashes: (width) => hashes.slice(0, width),
    over: (first, count) => levels[Math.log2(count)]?.[first / count] ?? null,
  };
}

function notFound(): HoldpointError {
  return new HoldpointError(
    'not_found',
    'The tree has no such tile.',
    'Ask for one that the checkpoint covers.',
  );
}

function damaged(): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    'The tiles do not lead to the root that the checkpoint signs.',
    'They are made again from the ledger; retry, and if it stays, run `holdpoint verify` on the data directory.',
  );
}
