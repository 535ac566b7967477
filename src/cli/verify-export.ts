/** The verdict on what `holdpoint ledger export` or `holdpoint ledger backup` wrote. */
import { createReadStream } from 'node:fs';
import { openEscrow } from '../ledger/verify/escrow.ts';
import { portable } from '../ledger/verify/primitives.ts';
import type { Finding } from '../ledger/verify/reasons.ts';
import { readStream, type StreamRecord } from '../ledger/verify/stream.ts';
import {
  type Verdict,
  type VerifyOptions as VerifyLedgerOptions,
  verifyLedger,
} from '../ledger/verify/verify.ts';
import { readBackup, recordsOf, verifyBackup as verifyFiles } from '../store/backup.ts';
import { readFileOrThrow, readTrust } from '../store/trust.ts';
import { readEscrowKey, readKeksOrThrow, type VerifyOptions } from '../store/verify-directory.ts';

/** Of the file, read at once. */
const chunkBytes = 1_048_576;

/**
 * Verifies an export. Damage is a finding; throws `usage` where an option cannot be read. Without keys, bodies are
 * checked by their ciphertext only.
 */
export async function verifyExport(file: string, options: VerifyOptions): Promise<Verdict> {
  const { primitives = portable } = options;
  const records = () => readStream(createReadStream(file, { highWaterMark: chunkBytes }), primitives);
  return verifyLedger(records(), await ledgerOptions(records, options));
}

/**
 * Verifies a backup: its records as an export, and its files and its end as its manifest says. What the manifest says
 * otherwise is a finding after those of the records. Throws `usage` where `dir` is none, or an option cannot be read.
 */
export async function verifyBackup(dir: string, options: VerifyOptions): Promise<Verdict> {
  const backup = readBackup(dir);
  const given = await ledgerOptions(() => recordsOf(backup), options);
  const { verdict, defects } = await verifyFiles(backup, given);
  const mismatches = defects.map((message): Finding => ({ code: 'backup_mismatch', seq: -1, message }));
  return {
    ...verdict,
    ok: verdict.ok && mismatches.length === 0,
    findings: [...verdict.findings, ...mismatches],
  };
}

async function ledgerOptions(
  records: () => AsyncIterable<StreamRecord>,
  options: VerifyOptions,
): Promise<VerifyLedgerOptions> {
  const { trust, checkpoint, keys, escrowKey, everySignature = false } = options;
  const { primitives = portable, witnesses = [], anchors = [] } = options;
  const escrow = escrowKey === undefined ? null : readEscrowKey(escrowKey);
  const keks = keys === undefined ? [] : readKeksOrThrow(keys);
  return {
    everySignature,
    primitives,
    witnesses,
    anchors,
    ...(trust === undefined ? {} : { trustedKeys: readTrust(trust) }),
    ...(checkpoint === undefined ? {} : { checkpoint: readFileOrThrow(checkpoint).toString('utf8') }),
    ...(keks.length === 0 ? {} : { openBody: keks }),
    ...(escrow === null ? {} : { openBody: await openEscrow(records(), escrow) }),
  };
}
