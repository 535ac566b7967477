/** What a person keeps beside the ledger and names on the command line: keys to trust, files to read. */
import { existsSync, readFileSync } from 'node:fs';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { parseWitnessKey } from '../ledger/verify/cosignature.ts';
import { parseVerifierKey } from '../ledger/verify/note.ts';

const next = 'A key looks like <origin>+<8 hex>+<base64>; print it with: holdpoint keys show.';

/** A verifier key, or a file with one on each line. Throws `usage` for what is neither. */
export function readTrust(trust: string): readonly string[] {
  return readKeys(trust, (text) => parseVerifierKey(text));
}

/** The same for the keys of witnesses. */
export function readWitnesses(given: readonly string[]): readonly string[] {
  return given.flatMap((each) => readKeys(each, parseWitnessKey));
}

function readKeys(trust: string, parse: typeof parseWitnessKey): readonly string[] {
  const text = existsSync(trust) ? readFileOrThrow(trust).toString('utf8') : trust;
  const keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw new HoldpointError('usage', `${trust} names no key to trust.`, next);
  for (const key of keys) {
    const read = parse(key);
    if ('code' in read)
      throw new HoldpointError('usage', `${JSON.stringify(key)} is no key: ${read.message}.`, next);
  }
  return keys;
}

/** The bytes of a file; throws `usage` when it cannot be read. */
export function readFileOrThrow(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new HoldpointError('usage', `${file} cannot be read: ${messageOf(error)}.`, '', error);
  }
}
