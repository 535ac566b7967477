/** What the ids in paths stand for. An id that is none, of another ledger or of something else is refused in the same words. */
import { HoldpointError } from '../core/errors.ts';
import type { Hold } from '../hold/record.ts';
import type { Entry } from '../ledger/entry.ts';
import type { ControlParts } from './parts.ts';

/** The hold of an id. Throws `not_found`. */
export function holdOf(parts: Pick<ControlParts, 'ledger' | 'holds'>, id: string | undefined): Promise<Hold> {
  const seq = parts.ledger.seqOfId('h', id ?? '');
  const missing = () =>
    new HoldpointError('not_found', 'There is no such hold here.', 'List them with: holdpoint holds list');
  return foundOr(missing, seq, (known) => parts.holds.get(known));
}

/** The durable entries of the decision of an id, its request first. Throws `not_found`. */
export function decisionOf(
  parts: Pick<ControlParts, 'ledger'>,
  id: string | undefined,
): Promise<{ readonly seq: number; readonly entries: readonly Entry[] }> {
  const seq = parts.ledger.seqOfId('d', id ?? '');
  const missing = () =>
    new HoldpointError(
      'not_found',
      'There is no such decision here.',
      'List them with: holdpoint decisions list',
    );
  return foundOr(missing, seq, async (known) => ({
    seq: known,
    entries: await parts.ledger.decision(known),
  }));
}

async function foundOr<T>(
  missing: () => HoldpointError,
  seq: number | null,
  find: (seq: number) => Promise<T> | T,
): Promise<T> {
  if (seq === null) throw missing();
  try {
    return await find(seq);
  } catch (error) {
    throw error instanceof HoldpointError && error.code === 'not_found' ? missing() : error;
  }
}
