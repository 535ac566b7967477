/** What to do about a finding, by what kind of thing it is about. Pure. */
import type { ReasonCode } from '../ledger/verify/reasons.ts';

type Kind = 'file' | 'entries' | 'key' | 'text' | 'bodies' | 'kek' | 'conduct' | 'memory' | 'proof';

const advice: Readonly<Record<Kind, string>> = {
  file: 'Make sure the file arrived whole: compare its length or hash with the sender’s, or ask for a new export. A journal that is being written may end inside its last commit; an export never does. If it is whole, entries are missing or damaged at the source.',
  entries:
    'Keep this file as it is. Ask the operator for a second copy of the ledger (a backup, a replica, tiles at a witness) and compare the entry with it: one of the two was changed after sealing. Nothing after this entry can be relied on until that is explained.',
  key: 'Get the verifier key again from whoever vouches for it, by another way than this file (holdpoint keys show prints it), and verify again. If it is right, the ledger was signed by somebody else.',
  text: 'What was given beside the ledger is not what it should be. Paste or drop it again, whole.',
  bodies:
    'The entry itself stands; what was said in this exchange cannot be shown to be what was sealed. Ask the operator for the stored bodies from a backup.',
  kek: 'The key-encryption key given is not the one these bodies are wrapped with, or the wrapped keys were changed. Ask for the key whose id the message names; without a key, bodies are still checked by their hash.',
  conduct:
    'The record is whole, and says that a rule of the process was broken: by a fault of the software or around it. Ask the operator to explain this decision; the entries of its story name who and when.',
  memory:
    'The ledger is not the one that was remembered: entries were cut off, or history was rewritten. Ask the operator for the whole ledger up to the checkpoint you kept, and keep the checkpoint.',
  proof:
    'Ask for the proof again, made at the checkpoint you trust, with the entry in it (holdpoint ledger prove SEQ).',
};

const kinds: Readonly<Partial<Record<ReasonCode, Kind>>> = {
  store_unreadable: 'file',
  ledger_empty: 'file',
  record_key_malformed: 'file',
  block_malformed: 'file',
  out_of_order: 'file',
  duplicate: 'entries',
  gap: 'entries',
  version_unsupported: 'file',
  signature_invalid: 'key',
  signature_malleable: 'key',
  key_unknown: 'key',
  verifier_key_malformed: 'text',
  algorithm_unsupported: 'text',
  high_water_malformed: 'text',
  bodies_malformed: 'bodies',
  body_missing: 'bodies',
  body_altered: 'bodies',
  body_unexpected: 'bodies',
  commitment_mismatch: 'bodies',
  key_wrap_invalid: 'kek',
  response_without_request: 'conduct',
  response_repeated: 'conduct',
  response_without_release: 'conduct',
  hold_without_request: 'conduct',
  hold_digest_mismatch: 'conduct',
  ruling_without_hold: 'conduct',
  ruling_after_final: 'conduct',
  ruling_digest_mismatch: 'conduct',
  ruling_role_not_allowed: 'conduct',
  ruling_requester: 'conduct',
  quorum_not_met: 'conduct',
  delivery_without_ruling: 'conduct',
  delivery_digest_mismatch: 'conduct',
  delivery_repeated: 'conduct',
  outcome_without_request: 'conduct',
  outcome_repeated: 'conduct',
  outcome_contradicts: 'conduct',
  rolled_back: 'memory',
  high_water_mismatch: 'memory',
  truncated_by_checkpoint: 'memory',
  checkpoint_not_in_ledger: 'memory',
  proof_malformed: 'proof',
  entry_missing: 'proof',
  inclusion_invalid: 'proof',
};

/** One or two sentences; what is not listed is about the entries themselves. */
export function adviceOn(code: ReasonCode): string {
  return advice[kinds[code] ?? 'entries'];
}
