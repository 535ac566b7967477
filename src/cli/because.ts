/** What made a rule hold, in lines, and what the rule says, which may be long and comes last. */
import type { Detail } from './hold-answers.ts';
import { visible } from './print.ts';

type Rule = Detail['rules'][number];

/** One for each part of the rule that was true, or why it failed; none where the sidecar does not tell. A value never breaks its line. */
export function becauseLines({ because = [], error }: Rule): string[] {
  if (error !== '') return [`it failed: ${error}`];
  return because.map(({ expression, values }) => {
    const read = values.map(({ value }) => visible(value)).join(', ');
    return `because ${expression}${read === '' ? '' : `: ${read}`}`;
  });
}

/** Each rule as it is written. */
export function rulesIn({ rules }: Pick<Detail, 'rules'>): readonly { title: string; text: string }[] {
  return rules.map(({ id, when }) => ({ title: `The rule ${id}`, text: when.trimEnd() }));
}
