/** What an erasure is about and what came of it, in words. Imports nothing but how counts are written. */
import { counted, countText } from './counts.ts';

/** What an erasure or a legal hold is on, as the control port says it. */
export interface ScopeShown {
  /** By its seq. */
  readonly decision?: number | undefined;
  /** By its fingerprint: the record has no name, so that the name stays erasable. */
  readonly subject?: string | undefined;
  readonly match?: Readonly<Record<string, string>> | undefined;
  /** A retention rule. */
  readonly rule?: string | undefined;
  /** ISO 8601. */
  readonly before?: string | undefined;
}

export function scopeText({ decision, subject, match, rule, before }: ScopeShown): string {
  if (decision !== undefined) return `the decision of entry ${decision}`;
  if (subject !== undefined) return `the subject with the fingerprint ${subject}`;
  const what = rule === undefined ? fieldsText(match ?? {}) : `the retention rule ${rule}`;
  return before === undefined ? what : `${what}, before ${before}`;
}

/** Fields that a request must have. */
export function fieldsText(match: Readonly<Record<string, string>>): string {
  const fields = Object.entries(match).map(([name, value]) => `${name} ${value}`);
  return fields.length === 0 ? 'everything' : fields.join(', ');
}

export interface ErasureCounts {
  readonly dryRun: boolean;
  /** Judged. */
  readonly decisions: number;
  /** Of which something was erased, or would be. */
  readonly erased: number;
  /** Bodies, with their keys. */
  readonly parts: number;
  /** Decisions by the ground that forbids it. */
  readonly refused: Readonly<Record<string, number>>;
}

export function erasedText({ dryRun, decisions, erased, parts }: ErasureCounts): string {
  const of = `${counted(parts, 'body', 'bodies')} of ${counted(erased, 'decision', 'decisions')}`;
  return `${dryRun ? 'would erase' : 'erased'} ${of} (${countText(decisions)} judged)`;
}

/** Of an erasure that a person ended before it came to its end. */
export function stoppedText(by: string): string {
  return `stopped by ${by}: what was erased before stays erased`;
}

/** A line for each ground on which something was refused. */
export function refusedTexts({ refused }: Pick<ErasureCounts, 'refused'>): readonly string[] {
  return Object.entries(refused)
    .filter(([, count]) => count > 0)
    .map(([ground, count]) => `refused ${counted(count, 'decision', 'decisions')}: ${wordsOf(ground)}`);
}

/** A word of the control port as people write it. */
export function wordsOf(word: string): string {
  return word.replaceAll('_', ' ');
}
