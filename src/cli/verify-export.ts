/** The verdict on a file that `holdpoint ledger export` wrote. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { readStream } from '../ledger/verify/stream.ts';
import { type Verdict, verifyLedger } from '../ledger/verify/verify.ts';
import { kekFile } from '../store/keys.ts';
import { readFileOrThrow, readTrust } from './trust.ts';

export interface VerifyExportOptions {
  readonly trust: string | undefined;
  readonly checkpoint: string | undefined;
  /** A directory with the key-encryption key; without one bodies are checked by their ciphertext only. */
  readonly keys: string | undefined;
  readonly everySignature: boolean;
  readonly witnesses: readonly string[];
  readonly anchors: readonly string[];
}

/** Verifies an export. Damage is a finding; throws `usage` where an option cannot be read. */
export async function verifyExport(file: string, options: VerifyExportOptions): Promise<Verdict> {
  const { trust, checkpoint, keys, everySignature, witnesses, anchors } = options;
  const settings = {
    everySignature,
    witnesses,
    anchors,
    ...(trust === undefined ? {} : { trustedKeys: readTrust(trust) }),
    ...(checkpoint === undefined ? {} : { checkpoint: readFileOrThrow(checkpoint).toString('utf8') }),
    ...(keys === undefined ? {} : { openBody: readKek(join(keys, kekFile)) }),
  };
  return verifyLedger(readStream(createReadStream(file)), settings);
}

function readKek(file: string): Uint8Array {
  return new Uint8Array(Buffer.from(readFileOrThrow(file).toString('utf8').trim(), 'base64'));
}
