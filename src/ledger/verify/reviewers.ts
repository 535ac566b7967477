/**
 * Keys of reviewers and the rulings they signed: who enrolled which key for whom, and whether a signed ruling says what
 * was sealed. State is owned by `Reviewers`. Memory: what the enrolled keys take. Portable; imports only its own folder.
 */
import nacl from 'tweetnacl';
import { isJsonObject, type Json, type JsonObject, parseCanonical } from './canonical.ts';
import { ascii, fromBase64 } from './encoding.ts';
import { isMatching, isTexts, utcForm } from './fields.ts';
import type { HoldEntry, RulingEntry } from './hold-entries.ts';
import type { EnrolmentEntry, WithdrawalEntry } from './key-entries.ts';
import type { Leaf } from './leaf.ts';
import { isBelowGroupOrder } from './note.ts';
import { namesOf, type People } from './people.ts';
import type { Report } from './reasons.ts';

interface ReviewerKey {
  readonly owner: string;
  withdrawn: boolean;
}

export interface Reviewers {
  /** By the key, base64 of 32 bytes; withdrawn ones stay, so that none comes back. */
  readonly keys: Map<string, ReviewerKey>;
  /** Whoever had a key once. */
  readonly owners: Set<string>;
  /** What the last `start` says: rulings by people are signed. */
  mustSign: boolean;
  signed: number;
  unsigned: number;
  /** By signed ruling of the block at hand that released calls of an answer: how many. */
  readonly released: Map<number, number>;
}

const rulesMax = 32;
/** Between the time that a statement says and that of its entry, milliseconds. */
const driftMsMax = 10 * 60_000;
const members = 'by,decision,digest,hold,key,order,policy,policyVersion,rules,time,v,verdict';

export function createReviewers(): Reviewers {
  return { keys: new Map(), owners: new Set(), mustSign: false, signed: 0, unsigned: 0, released: new Map() };
}

/** A key is enrolled once: a person's first by themselves, any other by an admin who is somebody else. */
export function takeEnrolment(
  reviewers: Reviewers,
  { ledger }: Leaf,
  entry: EnrolmentEntry,
  people: People,
  report: Report,
): void {
  const { by, role, owner, key, possession } = entry;
  const message = ascii.encode(`holdpoint/enrol/1\0holdpoint/${ledger}\n${owner}\n${key}\n`);
  if (!holds(message, possession, key))
    report('enrolment_unproven', `the key of ${owner} is not proven to be there`);
  const isOther = !namesOf(people, by).includes(owner);
  const allowed = by === owner ? !reviewers.owners.has(owner) : isOther && role === 'admin';
  if (!allowed) report('enrolment_not_allowed', `${by} as "${role}" may not enrol a key for ${owner}`);
  if (reviewers.keys.has(key)) {
    report('enrolment_repeated', `the key of ${owner} was enrolled before`);
    return;
  }
  reviewers.keys.set(key, { owner, withdrawn: false });
  reviewers.owners.add(owner);
}

/** Takes a key out of use: by its owner or an admin. */
export function takeWithdrawal(reviewers: Reviewers, entry: WithdrawalEntry, report: Report): void {
  const key = reviewers.keys.get(entry.key);
  if (key === undefined || key.withdrawn) {
    report('enrolment_unknown', 'the key that is withdrawn is none in use');
    return;
  }
  if (entry.by !== key.owner && entry.role !== 'admin')
    report(
      'enrolment_not_allowed',
      `${entry.by} as "${entry.role}" may not withdraw the key of ${key.owner}`,
    );
  key.withdrawn = true;
}

/** Checks what a ruling by a person says of its signature. */
export function checkSignedRuling(
  reviewers: Reviewers,
  leaf: Leaf,
  ruling: RulingEntry,
  terms: HoldEntry,
  report: Report,
): void {
  if (ruling.verdict === 'expired') return;
  const { signature } = ruling;
  if (signature === undefined) {
    reviewers.unsigned += 1;
    if (reviewers.mustSign) report('ruling_unsigned', `${ruling.by} ruled without a signature`);
    return;
  }
  reviewers.signed += 1;
  const reading = parseCanonical(ascii.encode(signature.statement));
  const statement = reading.kind === 'canonical' && isJsonObject(reading.value) ? reading.value : {};
  const differing = firstDifference(statement, leaf, ruling, terms);
  if (differing !== undefined) {
    report('ruling_statement_mismatch', `what ${ruling.by} signed says another ${differing}`);
    return;
  }
  const text = String(statement['key']);
  const key = reviewers.keys.get(text);
  if (key === undefined || key.withdrawn || key.owner !== ruling.by) {
    report('ruling_key_unknown', `the key it is signed with is none that ${ruling.by} has enrolled`);
    return;
  }
  if (!holds(ascii.encode(`holdpoint/ruling/1\0${signature.statement}`), signature.value, text))
    report('ruling_signature_invalid', `it is not signed by the key of ${ruling.by}`);
}

/** The member of a statement that does not say what the entry and its hold do; undefined where all do. */
function firstDifference(
  statement: JsonObject,
  leaf: Leaf,
  ruling: RulingEntry,
  terms: HoldEntry,
): string | undefined {
  if (Object.keys(statement).join() !== members) return 'set of members';
  const prefix = leaf.ledger.slice(0, 8);
  const expected: readonly (readonly [string, Json])[] = [
    ['by', ruling.by],
    ['decision', `d-${prefix}-${ruling.decision}`],
    ['digest', terms.digest],
    ['hold', `h-${prefix}-${ruling.hold}`],
    ['policy', terms.policy],
    ['policyVersion', terms.policyVersion],
    ['v', 1],
    // Whoever releases some of the calls signs a release; what is sealed is the answer without the others.
    ['verdict', ruling.withheld > 0 ? 'release' : ruling.verdict],
  ];
  const differing = expected.find(([name, value]) => statement[name] !== value);
  if (differing !== undefined) return differing[0];
  const { key, order, rules, time } = statement;
  if (typeof key !== 'string') return 'key';
  if (typeof order !== 'string' || !/^[0-9a-f]{64}$/.test(order)) return 'order';
  const due = terms.rules.slice(0, rulesMax);
  if (!isTexts(rules) || rules.length !== due.length || rules.some((rule, at) => rule !== due[at]))
    return 'rules';
  const drift = isMatching(time, utcForm) ? Math.abs(Date.parse(time) - Date.parse(leaf.at)) : Number.NaN;
  return drift <= driftMsMax ? undefined : 'time';
}

/** True where the signature, by a key in base64, holds in its one encoding. */
function holds(message: Uint8Array, signature: Uint8Array, key: string): boolean {
  const publicKey = fromBase64(key);
  if (publicKey?.length !== 32 || signature.length !== 64) return false;
  return (
    isBelowGroupOrder(signature.subarray(32)) && nacl.sign.detached.verify(message, signature, publicKey)
  );
}
