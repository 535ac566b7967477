/**
 * The last checkpoint this browser verified, kept beyond the tab: outside memory, however small. A ledger that was
 * rolled back or rewritten since does not go on from it.
 */
import { isShape } from '../answers/shape.ts';

export interface Remembered {
  readonly key: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly atMs: number;
}

function nameOf(origin: string): string {
  return `holdpoint.checkpoint.${origin}`;
}

/** Null where nothing is remembered, or nothing that can be read. */
export function rememberedOf(storage: Storage, origin: string): Remembered | null {
  const text = storage.getItem(nameOf(origin));
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (!isShape(value)) return null;
    const { key, size, root, atMs } = value;
    const isWhole = typeof key === 'string' && typeof size === 'number' && typeof root === 'string';
    return isWhole && typeof atMs === 'number' ? { key, size, root, atMs } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function remember(storage: Storage, origin: string, what: Remembered): void {
  storage.setItem(nameOf(origin), JSON.stringify(what));
}
