/**
 * The offline verifier: bytes in, verdict out, no I/O. It is written from FORMAT.md alone and shares no
 * code with the sealer: Ed25519 from tweetnacl; SHA-256 from @noble/hashes and AES-GCM from Web Crypto, unless whoever
 * calls hands in others. It runs in a browser; no `node:` imports, nothing from outside this folder.
 *
 * What may change without a finding, by design of the format:
 * - the 64 signature bytes of a checkpoint that a later block supersedes, unless `everySignature` is set or it is the
 *   boundary of a rotation;
 * - kekId, nonce and wrapped keys of a bodies record, unless `openBody` is given;
 * - the ledger's tail, back to any earlier commit, unless a high-water mark or a kept checkpoint remembers it.
 */
import {
  type BlockLeaves,
  type BodyCounts,
  checkBodies,
  noteNoBodies,
  type UnwrapKeys,
  unwrapWithAny,
} from './bodies.ts';
import { aboutErasures, notesOf } from './caveats.ts';
import { checkNoteSignature, settleSuspect, takeBlock } from './chain.ts';
import { toBase64 } from './encoding.ts';
import { type ErasedCounts, settleErasures } from './erased.ts';
import { readBodies, readRecordKey, recordKinds } from './framing.ts';
import { endSnapshots, takeSnapshot } from './heartbeats.ts';
import { checkRevocations, checkTrust } from './keys.ts';
import type { Outcome } from './outcomes.ts';
import type { Covered, OutsideTexts } from './outside.ts';
import { createPass, damage, type Pass } from './pass.ts';
import { type Primitives, portable } from './primitives.ts';
import type { Finding } from './reasons.ts';
import { checkRemembered, type Remembered, readRemembered } from './remembered.ts';
import { rootOf } from './tree.ts';

export interface LedgerRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface VerifyOptions extends OutsideTexts {
  /** Verifier keys the auditor trusts, `<origin>+<8 hex>+<base64>`. Absent: the ledger's own word is taken. */
  readonly trustedKeys?: readonly string[];
  /** The high-water file's text; null when there is no such file. */
  readonly highWater?: string | null;
  /** A signed note kept outside: the tree at its size must have its root. */
  readonly checkpoint?: string;
  /** The 32-byte key-encryption keys, one for each epoch, or whoever unwraps with them: bodies are then opened and `c` is checked. */
  readonly openBody?: Uint8Array | readonly Uint8Array[] | UnwrapKeys;
  /** Also check the signatures of superseded checkpoints; 10 ms each. */
  readonly everySignature?: boolean;
  /** What hashes and opens; absent: the portable implementations. */
  readonly primitives?: Primitives;
  /** Called after each block with the number of entries read. */
  readonly onProgress?: (entries: number) => void;
  /** Called after each block that could be read, before the source is asked for the next record. */
  readonly onBlock?: (block: BlockLeaves) => void;
}

export interface Verdict {
  readonly ok: boolean;
  /** Who else remembers: nobody, a checkpoint that was kept, or n witnesses. */
  readonly assurance: 'LOCAL' | 'ANCHORED' | `WITNESSED(${number})`;
  /** How far that reaches: entries after these rest on the ledger alone. */
  readonly covered: Covered;
  readonly keyTrust: 'given' | 'self-declared';
  /** The verifier key the ledger is under at its end; '' when it could not be read. */
  readonly key: string;
  /** Every key it was under, in order; `from` is the size at which it came in. */
  readonly keys: readonly {
    readonly key: string;
    readonly from: number;
    /** Down to which size its word counts, where it was revoked. */
    readonly revokedTo?: number;
  }[];
  /** Those of the given keys that are among them: a single one vouches for the whole chain. */
  readonly trusted: readonly string[];
  readonly origin: string;
  readonly size: number;
  /** Base64; '' when entries are missing, so that there is no root. */
  readonly root: string;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly decisions: {
    /** Of exchanges that passed here. */
    readonly total: number;
    /** Made elsewhere and told to this ledger; not in `total`. */
    readonly reported: number;
    readonly open: number;
    readonly byOutcome: Readonly<Record<Outcome, number>>;
  };
  readonly bodies: Readonly<BodyCounts>;
  readonly durability: 'strict' | 'relaxed' | 'mixed';
  /** The first names the cause. At most 100; `notes` says when there were more. */
  readonly findings: readonly Finding[];
  /** What this verdict does not show, in plain words. */
  readonly notes: readonly string[];
}

/**
 * Verifies all records of a ledger, given in key order. Never throws on what the bytes say or when the
 * source fails; memory grows with the open decisions, the erased parts (at most about 300 bytes each, half a byte
 * where they lie close) and about three bytes per entry.
 */
export async function verifyLedger(
  source: AsyncIterable<LedgerRecord>,
  options: VerifyOptions = {},
): Promise<Verdict> {
  const remembered = readRemembered(options);
  const { openBody, primitives = portable } = options;
  const pass = createPass({
    trusted: remembered.trusted,
    unwrap: unwrapOf(openBody, primitives),
    primitives,
    everySignature: options.everySignature ?? false,
    watchedSizes: remembered.sizes,
  });
  for (const { code, message } of remembered.refusals) pass.findings.add(code, -1, message);
  await takeAll(pass, source, options);
  closeBlock(pass);
  if (pass.blocks === 0) pass.findings.add('ledger_empty', -1, 'the ledger has no entry');
  checkLastSignature(pass);
  const erased = settleErasures(pass.erasures, pass.findings, pass.intact);
  pass.bodies.erased = erased.erased;
  const trusted = checkTrust(pass);
  const covered = checkRemembered(pass, remembered);
  checkRevocations(
    pass,
    trusted,
    Math.max(covered.anchoredSize, ...covered.witnesses.map(({ size }) => size)),
  );
  return verdictOf(pass, options, remembered, { covered, erased, trusted: trusted.map(({ text }) => text) });
}

function unwrapOf(openBody: VerifyOptions['openBody'], primitives: Primitives): UnwrapKeys | undefined {
  if (openBody === undefined || typeof openBody === 'function') return openBody;
  return unwrapWithAny(openBody instanceof Uint8Array ? [openBody] : openBody, primitives);
}

async function takeAll(
  pass: Pass,
  source: AsyncIterable<LedgerRecord>,
  { onProgress, onBlock }: Pick<VerifyOptions, 'onProgress' | 'onBlock'>,
): Promise<void> {
  const records = source[Symbol.asyncIterator]();
  let last = { seq: -1, kind: 0 };
  for (;;) {
    let step: IteratorResult<LedgerRecord>;
    try {
      step = await records.next();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      damage(pass, 'store_unreadable', pass.nextSeq, `reading stopped before entry ${pass.nextSeq}: ${why}`);
      return;
    }
    if (step.done === true) return;
    const { value } = step.value;
    const key = readRecordKey(step.value.key);
    if (key === undefined) {
      const where = `a record after entry ${pass.nextSeq - 1}`;
      damage(
        pass,
        'record_key_malformed',
        pass.nextSeq,
        `${where} has a key that is not u64 seq || known kind`,
      );
      continue;
    }
    const order = key.seq - last.seq || key.kind - last.kind;
    if (order <= 0) {
      const code = order === 0 ? 'duplicate' : 'out_of_order';
      damage(pass, code, key.seq, `record ${key.seq}/${key.kind} comes after ${last.seq}/${last.kind}`);
      continue;
    }
    last = key;
    if (key.kind === recordKinds.block) {
      closeBlock(pass);
      if (key.seq < pass.nextSeq) {
        damage(pass, 'duplicate', key.seq, `a second block claims entry ${key.seq}`);
        continue;
      }
      takeBlock(pass, key.seq, value);
      if (pass.block !== undefined) onBlock?.(pass.block);
      onProgress?.(pass.nextSeq);
    } else if (key.kind === recordKinds.bodies) {
      await takeBodies(pass, key.seq, value);
    } else {
      takeSnapshot(pass, key.seq, value);
    }
  }
}

async function takeBodies(pass: Pass, seq: number, value: Uint8Array): Promise<void> {
  const { block } = pass;
  if (block?.seq !== seq) {
    if (pass.unreadableBlock === seq) return;
    pass.findings.add('body_unexpected', seq, `bodies are stored for ${seq}, where no block begins`);
    return;
  }
  pass.block = undefined;
  const framed = readBodies(value);
  if (framed.kind !== 'read') {
    const code = framed.kind === 'malformed' ? 'bodies_malformed' : 'version_unsupported';
    const why = value.length === 0 ? 'the place they were stored in is lost' : framed.reason;
    pass.findings.add(code, seq, `the bodies of block ${seq} cannot be read: ${why}`);
    return;
  }
  if (framed.record.items.length === 0) {
    pass.findings.add('bodies_malformed', seq, `block ${seq} has a bodies record without a body`);
  }
  await checkBodies(block, framed.record, {
    unwrap: pass.unwrap,
    primitives: pass.primitives,
    counts: pass.bodies,
    findings: pass.findings,
    absent: pass.erasures.absent,
    released: pass.decisions.reviewers.released,
  });
}

/** No further record can belong to the block read last. */
function closeBlock(pass: Pass): void {
  if (pass.block !== undefined) noteNoBodies(pass.block, pass.erasures.absent);
  pass.block = undefined;
  endSnapshots(pass);
}

function checkLastSignature(pass: Pass): void {
  if (pass.suspect !== undefined) settleSuspect(pass, undefined, checkNoteSignature(pass));
  else if (!pass.everySignature) checkNoteSignature(pass);
}

function verdictOf(
  pass: Pass,
  options: VerifyOptions,
  remembered: Remembered,
  {
    covered,
    erased,
    trusted,
  }: {
    readonly covered: Covered;
    readonly erased: ErasedCounts;
    readonly trusted: readonly string[];
  },
): Verdict {
  const [durability = 'strict', otherDurability] = pass.durabilities;
  return {
    ok: pass.findings.count() === 0,
    assurance: assuranceOf(covered),
    covered,
    keyTrust: remembered.trusted === undefined ? 'self-declared' : 'given',
    key: pass.key?.text ?? '',
    keys: pass.keys.map(({ key, from, revoked }) => ({
      key: key.text,
      from,
      ...(revoked === undefined ? {} : { revokedTo: revoked.size }),
    })),
    trusted,
    origin: pass.ledger === '' ? '' : `holdpoint/${pass.ledger}`,
    size: pass.nextSeq,
    root: pass.treeKnown ? toBase64(rootOf(pass.range)) : '',
    firstAt: pass.firstAt,
    lastAt: pass.lastAt,
    counts: { ...pass.counts },
    decisions: {
      total: pass.decisions.total,
      reported: pass.decisions.reported,
      open: pass.decisions.open.size,
      byOutcome: pass.decisions.byOutcome,
    },
    bodies: pass.bodies,
    durability: otherDurability === undefined ? durability : 'mixed',
    findings: pass.findings.list,
    notes: [...notesOf(pass, options, remembered, covered), ...aboutErasures(pass.erasures, erased)],
  };
}

function assuranceOf({ anchoredSize, witnesses }: Covered): Verdict['assurance'] {
  if (witnesses.length > 0) return `WITNESSED(${witnesses.length})`;
  return anchoredSize > 0 ? 'ANCHORED' : 'LOCAL';
}
