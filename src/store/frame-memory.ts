/** Memory for one long frame after the other: fresh memory for each would cost as much as writing it, and be garbage at once. */

/** Of shorter ones Node shares out what it has. */
const longBytesMin = 64 * 1024;
/** Kept for as long as the store is open. */
const keptBytesMax = 8 * 1024 * 1024;

/** Gives memory of so many bytes; what it gave before is given again, and must not be in use any more. */
export function createFrameMemory(): (bytes: number) => Buffer {
  let kept = Buffer.alloc(0);
  return (bytes) => {
    if (bytes < longBytesMin || bytes > keptBytesMax) return Buffer.allocUnsafe(bytes);
    // Half as much again as is needed now, or a sidecar whose prompts grow would have it grow each time.
    if (kept.length < bytes) kept = Buffer.allocUnsafeSlow(Math.min(keptBytesMax, Math.ceil(bytes * 1.5)));
    return kept.subarray(0, bytes);
  };
}
