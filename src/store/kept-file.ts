/** Small files of the data directory, read whole. */
import { readFileSync } from 'node:fs';
import { HoldpointError, refusalOf } from '../core/errors.ts';

/** The text of a file; null where there is none. Throws `config_invalid` where there is one that cannot be read. */
export function readKept(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw notReadable(file, error);
  }
}

/** What is there, and closed to this user. */
export function notReadable(path: string, error: unknown): HoldpointError {
  return new HoldpointError(
    'config_invalid',
    `${path} cannot be read: ${refusalOf(error)}.`,
    'Let the sidecar’s user read it: a command that another user ran may have made it.',
    error,
  );
}
