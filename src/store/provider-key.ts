/** A provider's key from the environment or a file; a file is read again when it changes. It is never written anywhere. */
import { HoldpointError } from '../core/errors.ts';
import { placeInWords, type SecretPlace } from './secret-place.ts';
import { watchFile, whyUnread } from './watched-file.ts';

/** Longer than any key; OAuth tokens take about 2 KB. */
const keyBytesMax = 16 * 1024;

/**
 * Opens the key of the upstream `name`. Throws `config_invalid` when it is not there. The function it returns throws
 * `upstream_unreachable` when a file is gone or holds no key any more: a key that was taken away is not used on.
 */
export function openProviderKey(
  name: string,
  place: SecretPlace,
  env: Readonly<Record<string, string | undefined>>,
  nowMs: () => number,
): () => string {
  const { env: variable = '', file } = place;
  const lacks = `${placeInWords(place)} holds no key`;
  if (file === undefined) {
    const key = keyIn(env[variable] ?? '');
    if (key === null) throw missing(name, lacks, 'config_invalid');
    return () => key;
  }
  const current = watchFile(file, keyIn, nowMs);
  if (current() === null) throw missing(name, `${lacks}${whyUnread(file)}`, 'config_invalid');
  return () => {
    const key = current();
    if (key === null) throw missing(name, `${lacks} any more`, 'upstream_unreachable');
    return key;
  };
}

function missing(
  name: string,
  what: string,
  code: 'config_invalid' | 'upstream_unreachable',
): HoldpointError {
  const next = code === 'config_invalid' ? 'Put it there before the start.' : 'Put the key back.';
  return new HoldpointError(code, `upstreams.${name}.key: ${what}.`, next);
}

/** What may stand in a header; null for anything else, and none of it is ever said. */
function keyIn(text: string): string | null {
  const key = text.trim();
  return key.length <= keyBytesMax && /^[\x21-\x7e]+$/.test(key) ? key : null;
}
