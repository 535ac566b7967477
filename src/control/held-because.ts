/**
 * What made the rules of a hold match, worked out from the sealed exchange for whoever reads it. Nothing is kept, and
 * no ruling hangs on it: where the record does not say, nothing is said.
 */
import type { HeldRule, Hold } from '../hold/record.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Expression, expressionCompiler, readsOneOf } from '../policy/expression.ts';
import { type TruePart, trueParts } from '../policy/true-parts.ts';
import { readingsOf } from '../policy/views.ts';
import { entriesAround } from '../replay/held-judgement.ts';
import type { Replayable } from '../replay/messages.ts';
import { readRecorded } from '../replay/recorded.ts';

const decodedBytesMax = 64 * 1024 * 1024;
/** Of sealed bodies that are read for it, beside the page that shows them. */
const sealedBytesMax = 16 * 1024 * 1024;
/** Of a body that carries many exchanges, so many are looked through for the one that a rule matched. */
const heardMax = 100;

type HeldPart = Pick<Hold, 'phase' | 'decision' | 'response' | 'rules'>;
/** By the id of the rule. */
export type Because = ReadonlyMap<string, readonly TruePart[]>;

/** Empty where the facts cannot be had any more; without the rules that failed or cannot be told to match. */
export async function becauseOf(
  ledger: Pick<Ledger, 'decision' | 'entry' | 'part'>,
  hold: HeldPart,
): Promise<Because> {
  const held = hold.phase === 'request' ? hold.decision : (hold.response ?? hold.decision);
  const entries = await entriesAround(ledger, hold.decision, held);
  const before = entries.filter(({ seq }) => seq <= held);
  if (sealedBytes(before) > sealedBytesMax) return new Map();
  const recorded = await readRecorded(ledger, before, decodedBytesMax);
  const judged = recorded.find(({ phase }) => phase === hold.phase);
  if (judged === undefined || 'obstacle' in judged) return new Map();
  const compile = expressionCompiler();
  const found = new Map<string, readonly TruePart[]>();
  // Where people are shown a later answer than the one that is held, a place in this one is none in that.
  const isShown =
    hold.phase === 'request' || entries.findLast(({ type }) => type === 'response')?.seq === held;
  for (const rule of hold.rules) {
    const expression = rule.error === '' ? readRule(compile, hold.phase, rule) : null;
    if (expression === null) continue;
    const parts = partsIn(expression, judged, isShown);
    if (parts.length > 0) found.set(rule.id, parts);
  }
  return found;
}

function sealedBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, { parts }) => sum + parts.reduce((of, { size }) => of + size, 0), 0);
}

/** Null for what is no rule of a policy, and for one that was too long to be sealed whole. */
function readRule(
  compile: ReturnType<typeof expressionCompiler>,
  phase: Hold['phase'],
  { when }: HeldRule,
): Expression | null {
  try {
    return compile(phase, when);
  } catch {
    return null;
  }
}

function partsIn(
  expression: Expression,
  { heard, lacking }: Replayable,
  isShown: boolean,
): readonly TruePart[] {
  // What was judged is not what is recorded: nobody knows what it was.
  if (readsOneOf(expression, lacking)) return [];
  let looked = 0;
  for (const { facts } of heard()) {
    const [own = [], ...others] = readingsOf(facts).map((reading) => trueParts(expression, reading));
    if (own.length > 0) return isShown && looked === 0 ? own : own.map(withoutPlaces);
    // Of what would be run in its place, which the facts that are shown do not have.
    const parts = others.find((found) => found.length > 0);
    if (parts !== undefined) return parts.map(withoutPlaces);
    looked += 1;
    if (looked >= heardMax) break;
  }
  return [];
}

/** Of a line of a batch, which stands beside what its carrier said: places count within the line. */
function withoutPlaces(part: TruePart): TruePart {
  return { ...part, values: part.values.map(({ value }) => ({ path: '', value })) };
}
