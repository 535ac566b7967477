/**
 * The bodies record that was read last. The bodies of a block lie in one record and are mostly read one after the other:
 * without this each of them reads all the others from the disk again. Nothing that is being rewritten is kept, so that
 * what was erased is nowhere.
 */

export interface LatelyRead {
  find(key: Buffer): Buffer | undefined;
  /** Call it before a record is read, and what it gives with what was. */
  reading(): (key: Buffer, value: Buffer | undefined) => void;
  /** Forgets what was read before and while records are rewritten. */
  during<T>(rewrite: () => Promise<T>): Promise<T>;
}

/** A larger record is read again each time. */
const keptBytesMax = 4 * 1024 * 1024;

export function createLatelyRead(): LatelyRead {
  let kept: { readonly key: Buffer; readonly value: Buffer } | null = null;
  let rewriting = 0;
  /** Grows with each rewriting: what was read across the beginning or end of one may be the old record. */
  let age = 0;
  return {
    find: (key) => (kept?.key.equals(key) === true ? kept.value : undefined),
    reading: () => {
      const begun = age;
      return (key, value) => {
        if (value === undefined || value.length === 0 || value.length > keptBytesMax) return;
        if (rewriting === 0 && begun === age) kept = { key: Buffer.from(key), value };
      };
    },
    during: async (rewrite) => {
      rewriting += 1;
      age += 1;
      kept = null;
      try {
        return await rewrite();
      } finally {
        rewriting -= 1;
        age += 1;
      }
    },
  };
}
