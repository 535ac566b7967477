/** How full tiles and the right edge lie in their store. Derived, never evidence: what does not fit is made again. */
import type { RecordStore } from './store.ts';
import { hashesAtLevel, hashesOf, type TileEdge, type TilePlace, tileWidth } from './tiles.ts';

export const tipKey = Buffer.from('tiles');

/** "HPT1" || u64 size || for each level: u8 count || count x 32 bytes. Only rows up to the highest with a hash. */
export function encodeTip(edge: TileEdge): Buffer {
  const head = Buffer.alloc(12);
  head.write('HPT1');
  head.writeBigUInt64BE(BigInt(edge.size), 4);
  return Buffer.concat([head, ...edge.rows.flatMap((row) => [Buffer.from([row.length]), ...row])]);
}

/** Null where there is no edge, or one that is not of its size: then it is made anew. */
export async function readTip(store: RecordStore): Promise<TileEdge | null> {
  const tip = await store.get(tipKey);
  if (tip === undefined || tip.length < 12 || tip.toString('latin1', 0, 4) !== 'HPT1') return null;
  const edge: TileEdge = { size: Number(tip.readBigUInt64BE(4)), rows: [] };
  for (let at = 12; at < tip.length; ) {
    const end = at + 1 + 32 * tip.readUInt8(at);
    if (end > tip.length) return null;
    edge.rows.push(hashesOf(tip.subarray(at + 1, end)));
    at = end;
  }
  const isOfSize = edge.rows.every(
    (row, level) => row.length === hashesAtLevel(edge.size, level) % tileWidth,
  );
  return isOfSize && hashesAtLevel(edge.size, edge.rows.length) === 0 ? edge : null;
}

/** "t" || u8 level || u64 index. */
export function tileKey({ level, index }: TilePlace): Buffer {
  const key = Buffer.alloc(10);
  key.write('t');
  key[1] = level;
  key.writeBigUInt64BE(BigInt(index), 2);
  return key;
}
