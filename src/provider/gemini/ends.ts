/** How a Gemini answer ends, and what it took: reasons by name or by number, counts by kind. Pure. */
import type { UsageFacts } from '../../core/facts.ts';
import { usageAbsent } from '../reading/reading.ts';
import { textOf } from '../wire/json.ts';

/** Numbers where a client asked for them with `$alt=json;enum-encoding=int`; these are alike at both services. */
export const finishReasons = ['', 'STOP', 'MAX_TOKENS', 'SAFETY'];

/** After these the model said no, or was made to. */
export const refusals: ReadonlySet<string> = new Set([
  'SAFETY',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
]);

const unspecified: ReadonlySet<string> = new Set(['FINISH_REASON_UNSPECIFIED', 'BLOCKED_REASON_UNSPECIFIED']);

/** The name of an enumeration's value, from `names` where it is a number; '' where it says nothing. */
export function enumName(value: unknown, names: readonly string[]): string {
  if (typeof value === 'number') return value === 0 ? '' : (names[value] ?? String(value));
  const name = textOf(value);
  return unspecified.has(name) ? '' : name;
}

/** Google counts thinking and what its own tools read apart; what came from a cache is part of the prompt. */
export function readUsage(counts: ReadonlyMap<string, number>): UsageFacts {
  if (counts.size === 0) return usageAbsent;
  const count = (name: string) => counts.get(name) ?? 0;
  const inputTokens = count('promptTokenCount') + count('toolUsePromptTokenCount');
  const outputTokens = count('candidatesTokenCount') + count('thoughtsTokenCount');
  const totalTokens = counts.get('totalTokenCount') ?? inputTokens + outputTokens;
  return { source: 'provider', inputTokens, outputTokens, totalTokens };
}
