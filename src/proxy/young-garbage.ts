/**
 * Collects short-lived objects while a large file is worked through. Buffers lie outside the heap that V8 watches
 * closely: it lets some 64 MB of them wait, and doubles its own room for young objects meanwhile. A young collection
 * every half a megabyte costs little, as almost nothing outlives it, and keeps both small.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that are worked through between two collections. */
const bytesBetween = 512 * 1024;

type Collect = (options: { readonly type: 'minor' }) => unknown;

/** Exposed for as long as it takes to get hold of it; null where this V8 has none. */
function collector(): Collect | null {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof exposed === 'function' ? (options) => Reflect.apply(exposed, undefined, [options]) : null;
}

let collect: Collect | null | undefined;

/** Counts bytes that are worked through, and collects now and then. */
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
