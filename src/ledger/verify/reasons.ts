/**
 * Everything an offline verification can find: one closed set of codes, each with what it means.
 * Scripts match on the codes, so a code is never renamed. Portable: imports nothing.
 */

export const reasons = {
  // The store and its framing
  store_unreadable: 'the store stopped giving records before its end',
  ledger_empty: 'there is no entry at all',
  record_key_malformed: 'a database key is not u64 seq || known kind',
  out_of_order: 'records did not come in key order',
  duplicate: 'a record covers entries that another record already holds',
  gap: 'entries are missing between two blocks, or before the first',
  block_malformed: 'the bytes of a block do not follow the framing',
  version_unsupported: 'a block, entry or type belongs to another version of the format',
  backup_mismatch: 'a file of a backup, or its end, is not what its manifest says',
  // Leaves, chain and tree
  leaf_malformed: 'an entry is not what the format allows',
  leaf_not_canonical: 'an entry means the same but is written in other bytes than the canonical ones',
  seq_mismatch: 'an entry does not stand where its number says: deleted, inserted or reordered',
  ledger_mismatch: 'an entry or checkpoint belongs to another ledger',
  entry_altered: 'an entry was changed after it was sealed',
  chain_broken: 'an entry does not name the hash of the one before it',
  mono_decreased: 'the monotonic clock ran backwards within one run of the process',
  // Checkpoints, signatures and keys
  note_malformed: 'a checkpoint is not a signed note of three lines',
  checkpoint_size_mismatch: 'a checkpoint names another number of entries than it covers',
  root_mismatch: 'the entries do not hash to the root their checkpoint states',
  signature_missing: 'a checkpoint carries no signature',
  signature_invalid: 'the signature is not one of this checkpoint by this key',
  signature_malleable: 'the signature was re-encoded (S is not below the group order)',
  key_unknown: 'the ledger, an entry or a checkpoint is under a key that is not trusted',
  verifier_key_malformed: 'a verifier key is not <origin>+<8 hex>+<base64>',
  algorithm_unsupported: 'a verifier key is of another algorithm than Ed25519',
  rotation_not_endorsed: 'a new key came in without the signature of the key before it',
  rotation_without_possession: 'a new key came in without proof that its private half was there',
  rotation_to_former_key: 'a rotation goes back to a key that the ledger was under before',
  boundary_half_signed: 'the checkpoint of a rotation is not signed by both keys',
  key_used_early: 'an entry or checkpoint is under a new key before the rotation that brings it in',
  key_used_late: 'an entry or checkpoint is under a key that was rotated out before it',
  revocation_unfounded:
    'a revocation names no former key of the ledger, or more entries than that key signed',
  key_revoked: 'entries or trust rest on a key that was revoked, and on nothing that remembers them',
  // Bodies
  bodies_malformed: 'the bytes of a bodies record do not follow the framing',
  body_missing: 'a sealed part has no stored bytes and nothing says it was erased',
  body_altered: 'the stored bytes of a part are not those that were sealed',
  body_unexpected: 'bytes are stored that no entry names',
  key_wrap_invalid: 'the data keys of a block do not unwrap with the key-encryption key given',
  commitment_mismatch: 'a part does not open to the plaintext the entry commits to',
  // Erasure
  erasure_role_not_allowed: 'an erasure, its refusal or a legal hold was sealed in a role that may not',
  erasure_target_unknown: 'an erasure names a part that no entry has',
  erasure_repeated: 'an erasure names a part that was erased before',
  erasure_decision_open: 'an erasure names a decision that had no outcome yet',
  erasure_under_legal_hold: 'a decision was erased while a legal hold on it stood',
  legal_hold_unknown: 'a legal hold was lifted that does not stand',
  // Resume points
  snapshot_mismatch: 'a snapshot or heartbeat disagrees with the entries before it',
  // The life of a decision
  response_without_request: 'a response belongs to no open decision',
  response_repeated: 'a decision has a second response',
  response_without_release: 'a request that was denied, or held and not released, has a response',
  known_call_unfounded:
    'a call was not judged as one that its reader had, and the decision named had not let one go by then',
  line_unfounded:
    'a line of a batch names no request, or no answer, that carried it and was judged at least as strictly',
  hold_without_request: 'a hold belongs to no open decision',
  hold_digest_mismatch: 'a hold names other bytes than those of its decision',
  ruling_without_hold: 'a ruling belongs to no hold of an open decision',
  ruling_after_final: 'a ruling follows the one that ended the hold',
  ruling_digest_mismatch: 'a ruling names other bytes than those held',
  ruling_role_not_allowed: 'a ruling was made in a role the hold does not allow',
  ruling_requester: 'the requester released their own hold',
  quorum_not_met: 'a hold ended in a release with fewer distinct approvals than it demands',
  break_glass_without_reason: 'somebody released a hold alone and gave no reason',
  escalation_unfounded: 'an escalation is not the next step of a hold that waits',
  // What people do about holds besides ruling
  comment_unfounded: 'a comment is about no hold that waits',
  assignment_unfounded: 'somebody took or handed over a hold that does not wait',
  review_unfounded: 'a review is of no release by one person alone, or of one that was reviewed before',
  review_not_independent: 'a release by one person alone was reviewed by who made it or who asked for it',
  delegation_unfounded: 'a delegation is to oneself, or ended by somebody who may not or when it was over',
  ruling_not_delegated: 'a ruling in somebody’s stead is covered by no delegation in force',
  // Keys of reviewers, and what they signed
  enrolment_unproven: 'a reviewer’s key came in without proof that its private half was there',
  enrolment_not_allowed: 'a reviewer’s key was enrolled or withdrawn by somebody who may not',
  enrolment_repeated: 'a reviewer’s key was enrolled a second time',
  enrolment_unknown: 'a reviewer’s key was withdrawn that is none in use',
  ruling_unsigned: 'a ruling is not signed where the sidecar said that all are',
  ruling_key_unknown: 'a ruling is signed with a key that its reviewer had not enrolled',
  ruling_signature_invalid: 'a ruling is not signed by the key it names: it is forged or was altered',
  ruling_statement_mismatch: 'a reviewer signed something else than the ruling that was sealed',
  ruling_order_mismatch: 'the reason or amendment of a ruling is not the one that was signed',
  delivery_without_ruling: 'held bytes were handed over without a release',
  delivery_digest_mismatch: 'other bytes were handed over than those released',
  delivery_repeated: 'a hand-over is not the next attempt of its release',
  outcome_without_request: 'an outcome names no open decision',
  outcome_repeated: 'a decision has a second outcome',
  outcome_contradicts: 'an outcome contradicts what was sealed about its decision',
  // What someone remembered outside the ledger
  high_water_malformed: 'the high-water file is not one whole line of its format',
  rolled_back: 'the ledger is shorter than the high-water mark',
  high_water_mismatch: 'the ledger had another root at the size of the high-water mark',
  truncated_by_checkpoint: 'the ledger is shorter than the checkpoint that was kept',
  checkpoint_not_in_ledger: 'the checkpoint that was kept is not one of this ledger',
  anchor_mismatch:
    'an anchor entry names another root than the ledger had at that size, or a size at which it had no checkpoint',
  anchor_malformed: 'a line of an anchor file, or a file of anchors, cannot be read, or most of it is forged',
  anchor_missing: 'an anchor that was named remembers nothing of this ledger',
  truncated_by_anchor: 'the ledger is shorter than an anchor remembers',
  anchored_other_history: 'an anchor remembers another root at a size of this ledger',
  witness_missing: 'a witness that was named has cosigned no checkpoint of this ledger that is at hand',
  cosignature_invalid: 'a cosignature is not one of that checkpoint by that witness',
  truncated_by_witness: 'the ledger is shorter than a checkpoint that a witness cosigned',
  witnessed_other_history: 'a witness cosigned another root at a size of this ledger',
  // The proof of one entry
  proof_malformed: 'a proof is not a text of c2sp.org/tlog-proof',
  entry_missing: 'a proof comes without the entry it is about',
  inclusion_invalid: 'the hashes of a proof do not lead from the entry to the root of its checkpoint',
} as const satisfies Record<string, string>;

export type ReasonCode = keyof typeof reasons;

export interface Finding {
  readonly code: ReasonCode;
  /** The entry it is about, -1 where it is about none. */
  readonly seq: number;
  /** Where and what, in plain words. */
  readonly message: string;
}

/** Takes what one entry breaks. */
export type Report = (code: ReasonCode, message: string) => void;

/** What a reader answers instead of a value. */
export interface Refusal {
  readonly code: ReasonCode;
  readonly message: string;
}

export function isRefusal(value: object): value is Refusal {
  return 'code' in value;
}
