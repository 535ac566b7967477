/** What made a rule hold, in lines. */
import type { Detail } from './hold-answers.ts';
import { visible } from './print.ts';

/** One for each part of the rule that was true; none where the sidecar does not tell. A value never breaks its line. */
export function becauseLines({ because = [] }: Detail['rules'][number]): string[] {
  return because.map(({ expression, values }) => {
    const read = values.map(({ value }) => visible(value)).join(', ');
    return `because ${expression}${read === '' ? '' : `: ${read}`}`;
  });
}
