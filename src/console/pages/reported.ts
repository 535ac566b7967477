/** That a decision was made elsewhere, and who says so. Every text in it is hostile. */
import { type ComponentChild, h } from 'preact';
import type { Reported } from '../answers/decision-data.ts';
import { Recorded } from '../drawn/recorded.ts';

export function ReportedNote({ reported }: { readonly reported: Reported }): ComponentChild {
  const named = [
    ['reported by', reported.by],
    ['decided by', reported.decider],
    ['decided at', reported.at],
    ['as they say', reported.outcome],
    ['their name for it', reported.id],
    ['class', reported.class],
  ] as const;
  return h('section', { class: 'section', 'aria-labelledby': 'reported-title' }, [
    h('h2', { id: 'reported-title' }, 'Reported: made elsewhere'),
    h('p', null, 'No exchange passed here and no rule could stop it. What follows is what was told.'),
    h(
      'dl',
      { class: 'facts' },
      named
        .filter(([, text]) => text !== '')
        .map(([name, text]) =>
          h('div', { class: 'fact', key: name }, [h('dt', null, name), h('dd', null, h(Recorded, { text }))]),
        ),
    ),
  ]);
}
