/** Whether a decision was reported before: then it is not sealed again, and must say the same. */
import { HoldpointError } from '../core/errors.ts';
import type { Entry } from '../ledger/entry.ts';
import { outcomesOf } from '../ledger/head.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { reportTerm } from '../ledger/search.ts';
import type { Report, StoredMessage } from './line.ts';

export type KnownLedger = Pick<Ledger, 'find' | 'decision' | 'part'>;

/**
 * The decision that this reporter sealed under this id; null for none. Throws `report_differs` where it says something else.
 * @param key names reporter and id, as the index has them
 * @param cutOff decisions whose answer found no room, which the ledger may not say yet
 */
export async function findKnown(
  report: Report,
  key: string,
  ledger: KnownLedger,
  cutOff: ReadonlySet<number>,
): Promise<{ readonly decision: number; readonly rules: readonly string[] } | null> {
  for await (const seq of ledger.find({ report: key }, Number.MAX_SAFE_INTEGER)) {
    const entries = await ledger.decision(seq);
    const [request] = entries;
    // The index is never evidence.
    if (request === undefined || reportTerm(request.data['reported'] ?? '') !== key) continue;
    const answer = entries.find(({ type }) => type === 'response');
    // A crash came between, or there was no room for it: what was sealed of it is closed as interrupted.
    const isCutOff = cutOff.has(seq) || isInterrupted(entries, seq);
    if (answer === undefined && report.answer !== null && isCutOff) continue;
    if (!(await isSame(report, request, answer, ledger)))
      throw new HoldpointError(
        'report_differs',
        `The id ${report.id} was reported before, with something else.`,
        'Give each decision an id of its own; what is sealed is not changed.',
      );
    const rules = entries.flatMap(({ data }) => (Array.isArray(data['rules']) ? data['rules'] : []));
    return { decision: seq, rules: rules.filter((rule) => typeof rule === 'string') };
  }
  return null;
}

function isInterrupted(entries: readonly Entry[], decision: number): boolean {
  const isItsEnd = ({ type, data }: Entry): boolean =>
    type === 'recovery' ||
    outcomesOf(data).some(([seq, outcome]) => seq === decision && outcome === 'interrupted');
  return entries.some(isItsEnd);
}

/** Compares all that was said; what was erased is taken for the same, so that it does not come back. */
async function isSame(
  report: Report,
  request: Entry,
  answer: Entry | undefined,
  ledger: KnownLedger,
): Promise<boolean> {
  if ((answer === undefined) !== (report.answer === null)) return false;
  const { reported = {} } = request.data;
  // Beside what was told stands who told it.
  if (typeof reported !== 'object' || !hasMembers(reported, report.told, 1)) return false;
  return (
    (await isSealedAs(report.request, request, 'request', ledger)) &&
    (answer === undefined || report.answer === null || isSealedAs(report.answer, answer, 'response', ledger))
  );
}

/** Whether these are all its members, but for so many others. */
function hasMembers(value: object, wanted: Readonly<Record<string, string>>, others: number): boolean {
  const members = Object.entries(wanted);
  return (
    Object.keys(value).length === members.length + others &&
    members.every(([name, text]) => Reflect.get(value, name) === text)
  );
}

function isSealedAs(
  { message, beside }: StoredMessage,
  { seq, data }: Entry,
  name: 'request' | 'response',
  ledger: KnownLedger,
): Promise<boolean> {
  const isSame = Object.entries(beside).every(([member, text]) => data[member] === text);
  return isSame ? hasPart(ledger, seq, name, message) : Promise.resolve(false);
}

async function hasPart(ledger: KnownLedger, seq: number, name: string, message: Buffer): Promise<boolean> {
  try {
    return (await ledger.part(seq, name)).equals(message);
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'erased') return true;
    throw error;
  }
}
