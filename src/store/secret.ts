/** A secret from the environment or a file; a file is read again when it changes. It is never written anywhere. */
import { HoldpointError } from '../core/errors.ts';
import { placeInWords, type SecretPlace } from './secret-place.ts';
import { watchFile, whyUnread } from './watched-file.ts';

const secretBytesMax = 16 * 1024;

/**
 * Opens the secret of the setting `path`. Throws `config_invalid` when it is not there. The function it returns
 * throws the same when its file is gone or empty later: a secret that was taken away is not used on.
 */
export function openSecret(
  path: string,
  place: SecretPlace,
  env: Readonly<Record<string, string | undefined>>,
  nowMs: () => number,
): () => string {
  const current =
    place.file === undefined
      ? () => secretIn(env[place.env ?? ''] ?? '')
      : watchFile(place.file, secretIn, nowMs);
  const read = (): string => {
    const secret = current();
    if (secret !== null) return secret;
    throw new HoldpointError(
      'config_invalid',
      `${path}: ${placeInWords(place)} holds no secret${place.file === undefined ? '' : whyUnread(place.file)}.`,
      'Put it there before the start.',
    );
  };
  read();
  return read;
}

/** One line without the white space around it; null for anything else. */
function secretIn(text: string): string | null {
  const secret = text.trim();
  return secret.length > 0 && secret.length <= secretBytesMax && !/\p{Cc}/u.test(secret) ? secret : null;
}
