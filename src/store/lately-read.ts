/**
 * The bodies records that were read last. The bodies of a block lie in one record and are mostly read one after the
 * other, those of requests between those of their answers: without this each of them reads all the others from the disk
 * again. Nothing that is being rewritten is kept, so that what was erased is nowhere.
 */

export interface LatelyRead {
  find(key: Buffer): Buffer | undefined;
  /** Call it before a record is read, and what it gives with what was. */
  reading(): (key: Buffer, value: Buffer | undefined) => void;
  /** Forgets what was read before and while records are rewritten. */
  during<T>(rewrite: () => Promise<T>): Promise<T>;
}

/** Of all that is kept; a larger record is read again each time. */
const keptBytesMax = 4 * 1024 * 1024;
const keptRecordsMax = 8;

interface Kept {
  readonly key: Buffer;
  readonly value: Buffer;
}

export function createLatelyRead(): LatelyRead {
  /** The latest first. */
  let kept: readonly Kept[] = [];
  let rewriting = 0;
  /** Grows with each rewriting: what was read across the beginning or end of one may be the old record. */
  let age = 0;

  function keep(key: Buffer, value: Buffer): void {
    const others = kept.filter((one) => !one.key.equals(key)).slice(0, keptRecordsMax - 1);
    let bytes = value.length;
    kept = [
      { key: Buffer.from(key), value },
      ...others.filter((one) => {
        bytes += one.value.length;
        return bytes <= keptBytesMax;
      }),
    ];
  }

  return {
    find: (key) => kept.find((one) => one.key.equals(key))?.value,
    reading: () => {
      const begun = age;
      return (key, value) => {
        if (value === undefined || value.length === 0 || value.length > keptBytesMax) return;
        if (rewriting === 0 && begun === age) keep(key, value);
      };
    },
    during: async (rewrite) => {
      rewriting += 1;
      age += 1;
      kept = [];
      try {
        return await rewrite();
      } finally {
        rewriting -= 1;
        age += 1;
      }
    },
  };
}
