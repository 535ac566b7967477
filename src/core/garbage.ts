/**
 * Collects what is not needed any more where V8 would let it be. Buffers lie outside the heap that V8 watches closely: it
 * lets some 64 MB of them wait, and doubles its own room for young objects meanwhile.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that are worked through between two collections. */
const bytesBetween = 512 * 1024;

type Collect = (options: { readonly type: 'minor' | 'major'; readonly flavor?: 'last-resort' }) => unknown;

/** Exposed for as long as it takes to get hold of it; null where this V8 has none. */
function collector(): Collect | null {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof exposed === 'function' ? (options) => Reflect.apply(exposed, undefined, [options]) : null;
}

let collect: Collect | null | undefined;

/**
 * Counts bytes that are worked through, and collects now and then while that lasts. A young collection every half a
 * megabyte costs little, as almost nothing outlives it.
 */
export function countGarbage(): (bytes: number) => void {
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < bytesBetween) return;
    since = 0;
    if (collect === undefined) collect = collector();
    collect?.({ type: 'minor' });
  };
}

/** Gives back what a large piece of work left behind, room for young objects included; takes a quarter of a second. */
export function collectAll(): void {
  if (collect === undefined) collect = collector();
  collect?.({ type: 'major', flavor: 'last-resort' });
}
