/** Shows what made a rule hold: beside the rule, and where it stands in what is held. */
import { type ComponentChild, h } from 'preact';
import type { TruePart } from '../answers/because-data.ts';
import { Recorded } from './recorded.ts';

/** Stands beside what a rule was true of: a word, so that nobody has to see the colour behind it. */
export function MatchedMark(): ComponentChild {
  return h('span', { class: 'flag', title: 'The rule is true of this; see why it is held.' }, 'matched');
}

export function Because({ parts }: { readonly parts: readonly TruePart[] }): ComponentChild {
  if (parts.length === 0) return null;
  return h(
    'ul',
    { class: 'because' },
    parts.map(({ expression, values }, i) =>
      h('li', { key: `${i}` }, [
        'because ',
        h('code', null, h(Recorded, { text: expression })),
        values.map(({ value }, at) => [
          at === 0 ? ': ' : ', ',
          value === ''
            ? h('span', { class: 'quiet' }, 'empty text')
            : h('strong', null, h(Recorded, { text: value })),
        ]),
      ]),
    ),
  );
}
