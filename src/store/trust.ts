/** What a person keeps beside the ledger and names on the command line: keys to trust, files to read. */
import { existsSync, readFileSync } from 'node:fs';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { parseWitnessKey } from '../ledger/verify/cosignature.ts';
import { parseVerifierKey } from '../ledger/verify/note.ts';

const nextOfLedger = 'A key looks like <origin>+<8 hex>+<base64>; print it with: holdpoint keys show.';
const nextOfWitness =
  "A witness's key looks like <name>+<8 hex>+<base64>; print it where the witness runs: holdpoint keys witness.";

/** A verifier key, or a file with one on each line. Throws `usage` for what is neither. */
export function readTrust(trust: string): readonly string[] {
  return readKeys(trust, (text) => parseVerifierKey(text), nextOfLedger);
}

/** The same for the keys of witnesses. */
export function readWitnesses(given: readonly string[]): readonly string[] {
  return given.flatMap((each) => readKeys(each, parseWitnessKey, nextOfWitness));
}

/** `next` says where such a key comes from. */
function readKeys(trust: string, parse: typeof parseWitnessKey, next: string): readonly string[] {
  const isFile = existsSync(trust);
  const text = isFile ? readFileOrThrow(trust).toString('utf8') : trust;
  const lines = text.split('\n').map((line, index) => ({ number: index + 1, key: line.trim() }));
  const keys = lines.filter(({ key }) => key !== '' && !key.startsWith('#'));
  if (keys.length === 0) throw new HoldpointError('usage', `${trust} names no key to trust.`, next);
  for (const { number, key } of keys) {
    const read = parse(key);
    // What stands in a file is not repeated: it may be another key, which is a secret.
    const what = isFile
      ? `Line ${number} of ${trust} is no verifier key`
      : `${JSON.stringify(key)} is no file and no key`;
    if ('code' in read) throw new HoldpointError('usage', `${what}: ${read.message}.`, next);
  }
  return keys.map(({ key }) => key);
}

/** The bytes of a file; throws `usage` when it cannot be read. */
export function readFileOrThrow(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `${file} cannot be read: ${refusalOf(error)}.`,
      'Name a file that is there and that this user may read.',
      error,
    );
  }
}
