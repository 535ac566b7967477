/** What decisions are looked for by. */
import type { Options } from './options.ts';

/** As the API calls them, in the spelling of options. */
export const filters = [
  'model',
  'operation',
  'provider',
  'workload',
  'verdict',
  'outcome',
  'session',
  'rule',
  'ruled-by',
  'subject',
  'since',
  'until',
];

/** The query of those of `names` that were given. */
export function queryOf(options: Options, names: readonly string[]): URLSearchParams {
  const pairs = names.flatMap((name) => {
    const value = options.text(name);
    const asked = name.replace(/-(.)/, (_, letter: string) => letter.toUpperCase());
    return value === undefined ? [] : [[asked, value]];
  });
  return new URLSearchParams(pairs);
}
