/**
 * The Merkle tree as C2SP tlog-tiles: rows of 256 hashes, each row's hash one hash of the level above. This is
 * the arithmetic of tiles and their right edge; where full tiles are kept is in tile-index.ts. Pure.
 */
import { foldHashes, rootPlan, type Subtree } from './proof.ts';
import { hashBytes, nodeHash, writeNodeHash } from './tree.ts';

export const tileWidth = 256;
const tileHeight = 8;
export const tileBytes = tileWidth * hashBytes;
export const tileLevelMax = 63;

/** Where a tile stands: hash i of it is over the leaves from (index * 256 + i) * 256^level, 256^level of them. */
export interface TilePlace {
  readonly level: number;
  readonly index: number;
}

/** A tile as it is asked for; `width` 1..256, less than 256 for a partial one. */
export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** A tile that became full. */
export interface FullTile extends TilePlace {
  /** 8192 bytes. */
  readonly hashes: Buffer;
}

/** The tiles at the right edge, one per level and not full; owned by whoever made it, changed by `appendToEdge`. */
export interface TileEdge {
  size: number;
  /** Level 0 first; each row has fewer than 256 hashes, later rows may be empty. */
  readonly rows: Buffer[][];
}

export function emptyEdge(): TileEdge {
  return { size: 0, rows: [] };
}

/** Appends one leaf hash and returns the tiles that became full by it, lowest first. */
export function appendToEdge(edge: TileEdge, leafHash: Buffer): readonly FullTile[] {
  const full: FullTile[] = [];
  let hash = leafHash;
  edge.size += 1;
  let count = edge.size;
  for (let level = 0; ; level += 1) {
    let row = edge.rows[level];
    if (row === undefined) {
      row = [];
      edge.rows.push(row);
    }
    row.push(hash);
    if (row.length < tileWidth) return full;
    count /= tileWidth;
    full.push({ level, index: count - 1, hashes: Buffer.concat(row) });
    hash = rootOfRow(row);
    row.length = 0;
  }
}

/** How many hashes level `level` has in a tree of `size` leaves. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / tileWidth ** level);
}

/** True when a tree of `size` leaves has this tile in this width. */
export function hasTile(size: number, { level, index, width }: TileName): boolean {
  return index * tileWidth + width <= hashesAtLevel(size, level === 'entries' ? 0 : level);
}

/** The tile and the hashes of it that make up a subtree's hash. */
export function tileOfSubtree({ height, index }: Subtree): {
  readonly place: TilePlace;
  readonly first: number;
  readonly count: number;
} {
  const level = Math.floor(height / tileHeight);
  const count = 2 ** (height % tileHeight);
  const first = index * count;
  return {
    place: { level, index: Math.floor(first / tileWidth) },
    first: first % tileWidth,
    count,
  };
}

/** The hash over a power of two of hashes. */
export function rootOfRow(row: readonly Buffer[]): Buffer {
  const root = levelsOver(row).at(-1)?.[0];
  if (root === undefined) throw new RangeError('A row has at least one hash.');
  return root;
}

/** A row, and above it the nodes over 2, 4, 8, ... of its hashes; those that lack a right half are left out. */
export function levelsOver(row: readonly Buffer[]): readonly (readonly Buffer[])[] {
  const levels = [row];
  for (let below = row; below.length > 1; ) {
    const above: Buffer[] = [];
    for (let i = 0; i + 1 < below.length; i += 2) {
      const [left, right] = [below[i], below[i + 1]];
      if (left !== undefined && right !== undefined) above.push(nodeHash(left, right));
    }
    levels.push(above);
    below = above;
  }
  return levels;
}

/**
 * A full tile and all nodes above its hashes, up to the one that the tile above has for it: 511 hashes, each row of
 * nodes behind the one it is made of.
 */
export function nodesOfTile(tile: Buffer): Buffer {
  const nodes = Buffer.allocUnsafeSlow((2 * tileWidth - 1) * hashBytes);
  tile.copy(nodes);
  for (let pair = 0; pair < tileWidth - 1; pair += 1)
    writeNodeHash(nodes, 2 * pair * hashBytes, (tileWidth + pair) * hashBytes);
  return nodes;
}

/** The node over `count` hashes of a tile from the one at `first` on; a power of two, and a multiple of it. */
export function nodeOver(nodes: Buffer, first: number, count: number): Buffer {
  return hashAt(nodes, 2 * tileWidth - (2 * tileWidth - first) / count);
}

function hashAt(hashes: Buffer, index: number): Buffer {
  return hashes.subarray(index * hashBytes, (index + 1) * hashBytes);
}

/** The root from the right edge alone: what its tiles have to the left is already hashed into the levels above. */
export function rootOfEdge(edge: TileEdge): Buffer {
  const hashes = rootPlan(edge.size).map((subtree) => {
    const { place, first, count } = tileOfSubtree(subtree);
    return rootOfRow((edge.rows[place.level] ?? []).slice(first, first + count));
  });
  return foldHashes(hashes);
}

/** A tile's bytes as its hashes; views, not copies. */
export function hashesOf(tile: Buffer): Buffer[] {
  return Array.from({ length: tile.length / hashBytes }, (_, i) => hashAt(tile, i));
}

/** `tile/<level>/<n>[.p/<w>]`, n in groups of three digits, all but the last with an x before them. */
export function tilePath({ level, index, width }: TileName): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  const path = groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join('/');
  return `tile/${level}/${path}${width === tileWidth ? '' : `.p/${width}`}`;
}

const pathForm = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/;

/** Reads a path that `tilePath` writes; null for every other text, a longer spelling of the same tile included. */
export function parseTilePath(path: string): TileName | null {
  const [, level = '', groups = '', width = String(tileWidth)] = pathForm.exec(path) ?? [];
  const name: TileName = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replace(/[x/]/g, '')),
    width: Number(width),
  };
  const isKnown = Number.isSafeInteger(name.index) && (level === 'entries' || Number(level) <= tileLevelMax);
  return isKnown && name.width >= 1 && name.width <= tileWidth && tilePath(name) === path ? name : null;
}

/** What a leaf in an entry bundle may have: its length is two bytes there. */
export const bundledLeafBytesMax = 65_535;

/** An entry bundle: each leaf behind its length in two bytes. Throws RangeError for a leaf that has no such length. */
export function encodeBundle(leaves: readonly Buffer[]): Buffer {
  const chunks: Buffer[] = [];
  for (const leaf of leaves) {
    if (leaf.length > bundledLeafBytesMax) {
      throw new RangeError(`A leaf of ${leaf.length} bytes does not fit an entry bundle.`);
    }
    const length = Buffer.alloc(2);
    length.writeUInt16BE(leaf.length);
    chunks.push(length, leaf);
  }
  return Buffer.concat(chunks);
}
