/**
 * What someone remembers outside the ledger: trusted keys, the high-water mark, a checkpoint that was
 * kept. Without any of it a rollback cannot be seen. Portable; imports only its own folder.
 */
import { equalBytes, hexEquals } from './encoding.ts';
import { type HighWater, parseHighWater } from './high-water.ts';
import { keysAt } from './keys.ts';
import {
  type Checkpoint,
  checkSignature,
  parseCheckpoint,
  parseVerifierKey,
  type VerifierKey,
} from './note.ts';
import { type Covered, checkOutside, type Outside, type OutsideTexts, readOutside } from './outside.ts';
import type { Pass } from './pass.ts';
import { isRefusal, type Refusal } from './reasons.ts';

export interface Remembered {
  /** Undefined when none were given; an empty list trusts nobody. */
  readonly trusted: readonly VerifierKey[] | undefined;
  readonly highWater: HighWater | undefined;
  readonly checkpoint: Checkpoint | undefined;
  readonly outside: Outside;
  readonly sizes: readonly number[];
  /** What of it could not be read. */
  readonly refusals: readonly Refusal[];
}

export interface RememberedTexts extends OutsideTexts {
  readonly trustedKeys?: readonly string[];
  readonly highWater?: string | null;
  readonly checkpoint?: string;
}

export function readRemembered(texts: RememberedTexts): Remembered {
  const refusals: Refusal[] = [];
  const trusted = texts.trustedKeys?.flatMap((text) => {
    const key = parseVerifierKey(text);
    if (!isRefusal(key)) return [key];
    refusals.push({ code: key.code, message: `a trusted key cannot be read: ${key.message}` });
    return [];
  });
  const highWater = typeof texts.highWater === 'string' ? parseHighWater(texts.highWater) : undefined;
  if (typeof texts.highWater === 'string' && highWater === undefined) {
    const message = 'the high-water file is not one whole line with a matching check';
    refusals.push({ code: 'high_water_malformed', message });
  }
  const kept =
    texts.checkpoint === undefined ? undefined : parseCheckpoint(new TextEncoder().encode(texts.checkpoint));
  if (kept !== undefined && isRefusal(kept)) {
    refusals.push({
      code: kept.code,
      message: `the checkpoint that was kept cannot be read as one: ${kept.message}`,
    });
  }
  const checkpoint = kept === undefined || isRefusal(kept) ? undefined : kept;
  // Cosignatures on the checkpoint that was kept count like those beside the ledger.
  const cosigned = [...(texts.cosigned ?? []), ...(checkpoint === undefined ? [] : [texts.checkpoint ?? ''])];
  const outside = readOutside({ ...texts, cosigned });
  const sizes = [highWater?.size, checkpoint?.size].filter((size) => size !== undefined);
  return {
    trusted,
    highWater,
    checkpoint,
    outside,
    sizes: [...sizes, ...outside.sizes],
    refusals: [...refusals, ...outside.refusals],
  };
}

/** Compares the finished pass with what is remembered, and says how far what others remember reaches. */
export function checkRemembered(pass: Pass, remembered: Remembered): Covered {
  const { highWater, checkpoint } = remembered;
  if (highWater !== undefined) checkHighWater(pass, highWater);
  const keptSize = checkpoint !== undefined && checkKept(pass, checkpoint) ? checkpoint.size : 0;
  const covered = checkOutside(pass, remembered.outside);
  return { ...covered, anchoredSize: Math.max(keptSize, covered.anchoredSize) };
}

function checkHighWater(pass: Pass, { size, root }: HighWater): void {
  if (size > pass.nextSeq) {
    const message = `the ledger has ${pass.nextSeq} entries, the high-water mark remembers ${size}`;
    pass.findings.add('rolled_back', pass.nextSeq, message);
    return;
  }
  const found = pass.watched.get(size);
  if (found !== undefined && !hexEquals(root, found)) {
    pass.findings.add(
      'high_water_mismatch',
      size - 1,
      `at ${size} entries the high-water mark remembers another root`,
    );
  }
}

function checkKept(pass: Pass, kept: Checkpoint): boolean {
  const { findings } = pass;
  const where = `the checkpoint that was kept (${kept.size} entries)`;
  if (kept.origin !== `holdpoint/${pass.ledger}`) {
    findings.add('checkpoint_not_in_ledger', -1, `${where} is of ${kept.origin}, not of this ledger`);
    return false;
  }
  const keys = pass.key === undefined ? (pass.trusted ?? []) : keysAt(pass, kept.size);
  const refusal = checkSignature(kept, keys);
  if (refusal !== undefined) {
    findings.add(refusal.code, -1, `${where}: ${refusal.message}`);
    return false;
  }
  if (kept.size > pass.nextSeq) {
    findings.add(
      'truncated_by_checkpoint',
      pass.nextSeq,
      `${where} is past the ledger's end at ${pass.nextSeq}`,
    );
    return false;
  }
  const found = pass.watched.get(kept.size);
  if (found !== undefined && equalBytes(found, kept.root)) return true;
  if (found !== undefined) {
    findings.add(
      'checkpoint_not_in_ledger',
      kept.size - 1,
      `${where} states another root than the ledger has there`,
    );
  }
  return false;
}
