/** What to do about a finding, by what kind of thing it is about. Pure. */
import type { ReasonCode } from '../ledger/verify/reasons.ts';

type Kind =
  | 'file'
  | 'version'
  | 'entries'
  | 'clock'
  | 'checkpoint'
  | 'key'
  | 'rotation'
  | 'revocation'
  | 'text'
  | 'bodies'
  | 'kek'
  | 'erasure'
  | 'state'
  | 'conduct'
  | 'reviewer'
  | 'memory'
  | 'outside'
  | 'proof';

const advice: Readonly<Record<Kind, string>> = {
  file: 'Make sure the file arrived whole: compare its length or hash with the sender’s, or ask for a new export. A journal that is being written may end inside its last commit; an export never does. If it is whole, entries are missing or damaged at the source, where holdpoint ledger fsck names the byte.',
  version:
    'Get the verifier of the release that wrote this ledger, or a newer one, from the published package and verify again. If that is the one you have, these bytes were made to look like another version.',
  entries:
    'Keep this file as it is. Ask the operator for a second copy of the ledger (a backup, a replica, tiles at a witness) and compare the entry with it: one of the two was changed after sealing. Nothing after this entry can be relied on until that is explained.',
  clock:
    'The entries hang together; the clock of the machine that sealed them did not go forward. Ask the operator what happened to that machine at this time, and take the order of the entries from their numbers.',
  checkpoint:
    'The signed statement about the entries was changed, cut off or put in another’s place. Ask the operator for a second copy of the ledger and compare the checkpoint with it; the entries before it are still covered by the checkpoints around it.',
  key: 'Get the verifier key again from whoever vouches for it, by another way than this file (holdpoint keys show prints it), and verify again. If it is right, the ledger was signed by somebody else.',
  rotation:
    'The change from one signing key to the next is not as both keys must have it. Ask the operator who changed the key and when, get the new verifier key by another way than this file, and rely on nothing after this entry until they agree.',
  revocation:
    'A key of this ledger was reported stolen. Verify again with a checkpoint or witness from after its time: only who remembers the ledger from outside can tell it from one that the thief wrote.',
  text: 'What was given beside the ledger is not what it should be. Give it again, whole, as it was when you got it.',
  bodies:
    'The entry itself stands; what was said in this exchange cannot be shown to be what was sealed. Ask the operator for the stored bodies from a backup; holdpoint ledger fsck names the damaged file there.',
  kek: 'The key-encryption key given is not the one these bodies are wrapped with, or the wrapped keys were changed. Ask for the key whose id the message names; without a key, bodies are still checked by their hash.',
  erasure:
    'The record is whole, and says that content was erased, or a legal hold ended, against the rules. Ask the operator who asked for it and on what ground; the entry names who did it. What was erased may still be in a backup taken before.',
  state:
    'A resume point does not say what the entries before it say. The entries are judged without it, so what they record stands; ask the operator for the stored record from a backup, and whether the software was changed.',
  conduct:
    'The record is whole, and says that a rule of the process was broken: by a fault of the software or around it. Ask the operator to explain this decision; the entries of its story name who and when.',
  reviewer:
    'The record is whole; that this person ruled so is not shown. Ask the reviewer, by another way than through the operator, which key is theirs and whether they ruled on this hold.',
  memory:
    'The ledger is not the one that was remembered: entries were cut off, or history was rewritten. Ask the operator for the whole ledger up to the checkpoint you kept, and keep the checkpoint.',
  outside:
    'What should have come from outside is not there, or is of another ledger. Ask whoever runs the witness or the anchor for its latest copy, not the operator of this ledger, and verify again.',
  proof:
    'Ask for the proof again, made at the checkpoint you trust, with the entry in it (holdpoint ledger prove SEQ).',
};

/** Every code has its own line: a new one does not compile before somebody has thought of its reader. */
const kinds: Readonly<Record<ReasonCode, Kind>> = {
  store_unreadable: 'file',
  ledger_empty: 'file',
  record_key_malformed: 'file',
  block_malformed: 'file',
  out_of_order: 'file',
  backup_mismatch: 'file',
  version_unsupported: 'version',
  duplicate: 'entries',
  gap: 'entries',
  leaf_malformed: 'entries',
  leaf_not_canonical: 'entries',
  seq_mismatch: 'entries',
  ledger_mismatch: 'entries',
  entry_altered: 'entries',
  chain_broken: 'entries',
  root_mismatch: 'entries',
  mono_decreased: 'clock',
  note_malformed: 'checkpoint',
  checkpoint_size_mismatch: 'checkpoint',
  signature_missing: 'checkpoint',
  signature_invalid: 'key',
  signature_malleable: 'checkpoint',
  key_unknown: 'key',
  verifier_key_malformed: 'text',
  algorithm_unsupported: 'text',
  rotation_not_endorsed: 'rotation',
  rotation_without_possession: 'rotation',
  rotation_to_former_key: 'rotation',
  boundary_half_signed: 'rotation',
  key_used_early: 'rotation',
  key_used_late: 'rotation',
  revocation_unfounded: 'rotation',
  key_revoked: 'revocation',
  bodies_malformed: 'bodies',
  body_missing: 'bodies',
  body_altered: 'bodies',
  body_unexpected: 'bodies',
  commitment_mismatch: 'bodies',
  key_wrap_invalid: 'kek',
  erasure_role_not_allowed: 'erasure',
  erasure_target_unknown: 'erasure',
  erasure_repeated: 'erasure',
  erasure_decision_open: 'erasure',
  erasure_under_legal_hold: 'erasure',
  legal_hold_unknown: 'erasure',
  snapshot_mismatch: 'state',
  response_without_request: 'conduct',
  response_repeated: 'conduct',
  response_without_release: 'conduct',
  known_call_unfounded: 'conduct',
  line_unfounded: 'conduct',
  hold_without_request: 'conduct',
  hold_digest_mismatch: 'conduct',
  ruling_without_hold: 'conduct',
  ruling_after_final: 'conduct',
  ruling_digest_mismatch: 'conduct',
  ruling_role_not_allowed: 'conduct',
  ruling_requester: 'conduct',
  quorum_not_met: 'conduct',
  break_glass_without_reason: 'conduct',
  comment_unfounded: 'conduct',
  assignment_unfounded: 'conduct',
  review_unfounded: 'conduct',
  review_not_independent: 'conduct',
  delegation_unfounded: 'conduct',
  ruling_not_delegated: 'conduct',
  escalation_unfounded: 'conduct',
  enrolment_unproven: 'reviewer',
  enrolment_not_allowed: 'reviewer',
  enrolment_repeated: 'reviewer',
  enrolment_unknown: 'reviewer',
  ruling_unsigned: 'reviewer',
  ruling_key_unknown: 'reviewer',
  ruling_signature_invalid: 'reviewer',
  ruling_statement_mismatch: 'reviewer',
  ruling_order_mismatch: 'reviewer',
  delivery_without_ruling: 'conduct',
  delivery_digest_mismatch: 'conduct',
  delivery_repeated: 'conduct',
  outcome_without_request: 'conduct',
  outcome_repeated: 'conduct',
  outcome_contradicts: 'conduct',
  high_water_malformed: 'text',
  rolled_back: 'memory',
  high_water_mismatch: 'memory',
  truncated_by_checkpoint: 'memory',
  checkpoint_not_in_ledger: 'memory',
  anchor_mismatch: 'memory',
  truncated_by_anchor: 'memory',
  anchored_other_history: 'memory',
  truncated_by_witness: 'memory',
  witnessed_other_history: 'memory',
  anchor_malformed: 'text',
  anchor_missing: 'outside',
  witness_missing: 'outside',
  cosignature_invalid: 'outside',
  proof_malformed: 'proof',
  entry_missing: 'proof',
  inclusion_invalid: 'proof',
};

/** What to do about it, in a few sentences. */
export function adviceOn(code: ReasonCode): string {
  return advice[kinds[code]];
}
