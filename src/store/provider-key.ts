/** A provider's key from the environment or a file; a file is read again when it changes. It is never written anywhere. */
import { readFileSync, statSync } from 'node:fs';
import { HoldpointError } from '../core/errors.ts';

export interface KeyPlace {
  /** A variable of the sidecar's environment. */
  readonly env?: string | undefined;
  /** A file that holds the key and nothing else but white space. */
  readonly file?: string | undefined;
}

/** Longer than any key; OAuth tokens take about 2 KB. */
const keyBytesMax = 16 * 1024;
/** Between two looks at a file. */
const lookEveryMs = 1_000;

/**
 * Opens the key of the upstream `name`. Throws `config_invalid` when it is not there. The function it returns throws
 * `upstream_unreachable` when a file is gone or holds no key any more: a key that was taken away is not used on.
 */
export function openProviderKey(
  name: string,
  place: KeyPlace,
  env: Readonly<Record<string, string | undefined>>,
  nowMs: () => number,
): () => string {
  const { file } = place;
  if (file === undefined) {
    const variable = place.env ?? '';
    const key = keyIn(env[variable] ?? '');
    if (key === null)
      throw missing(name, `the environment variable ${variable} holds no key`, 'config_invalid');
    return () => key;
  }
  let seen = stampOf(file);
  let key = keyIn(textOf(file));
  let lookedMs = nowMs();
  if (key === null) throw missing(name, `the file ${file} holds no key`, 'config_invalid');
  return () => {
    const now = nowMs();
    // A clock that jumped back must not put the next look off.
    if (now - lookedMs >= lookEveryMs || now < lookedMs || key === null) {
      lookedMs = now;
      const stamp = stampOf(file);
      if (stamp !== seen || key === null) key = keyIn(textOf(file));
      seen = stamp;
    }
    if (key === null) throw missing(name, `the file ${file} holds no key any more`, 'upstream_unreachable');
    return key;
  };
}

function missing(
  name: string,
  what: string,
  code: 'config_invalid' | 'upstream_unreachable',
): HoldpointError {
  const next = code === 'config_invalid' ? 'Set it before the start.' : 'Put the key back.';
  return new HoldpointError(code, `upstreams.${name}.key: ${what}.`, next);
}

/** What may stand in a header; null for anything else, and none of it is ever said. */
function keyIn(text: string): string | null {
  const key = text.trim();
  return key.length <= keyBytesMax && /^[\x21-\x7e]+$/.test(key) ? key : null;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there or not readable: there is no key, and the caller says so.
    return '';
  }
}

/** Changes whenever the file may have: a swapped link leads to another inode. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? 'none' : `${stat.dev}:${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}`;
}
