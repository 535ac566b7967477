/** Releases that one person made alone: which wait for somebody else's finding, until when, and what was found. */
import { type ComponentChild, h } from 'preact';
import { type ReviewDue, type ReviewPage, readReviews } from '../answers/oversight-data.ts';
import { Age } from '../desk/clock.ts';
import type { Desk } from '../desk/desk.ts';
import { PageFrame, Problem, useFetched } from '../desk/fetched.ts';
import { placeOf } from '../desk/place.ts';
import { Damage } from '../drawn/damage.ts';
import { RecordTable } from '../drawn/record-table.ts';
import { Recorded } from '../drawn/recorded.ts';
import { exactText } from '../words/time.ts';

export function ReviewsPage({ desk }: { readonly desk: Desk }): ComponentChild {
  const fetched = useFetched(desk, '/api/v1/reviews', readReviews);
  const lead = 'Whoever releases a hold alone is reviewed by somebody else.';
  return h(PageFrame, { title: 'Broken glass', label: 'Broken glass', lead }, [
    h(Problem, { of: fetched }),
    fetched.value === null ? null : h(Reviews, { page: fetched.value }),
  ]);
}

function Reviews({ page }: { readonly page: ReviewPage }): ComponentChild {
  const { items, unreadable: told, unreadableEntries: entries } = page;
  if (items.length === 0 && told.length === 0) return h('p', null, 'Nobody has broken the glass.');
  const newest = [...items].reverse();
  return [
    h(Damage, { told, entries, missing: 'A release that they belong to is not listed here.' }),
    items.length === 0
      ? null
      : h(
          RecordTable,
          {
            label: 'Releases by one person alone',
            heads: ['hold', 'why it was held', 'released alone by', 'when', 'review'],
          },
          newest.map((due) => h(Line, { key: due.hold, due })),
        ),
  ];
}

function Line({ due }: { readonly due: ReviewDue }): ComponentChild {
  const { hold, rules, by, atMs, dueAtMs, state, finding } = due;
  return h('tr', null, [
    h('td', null, h('a', { href: placeOf(hold) }, hold)),
    h('td', null, h(Recorded, { text: rules.join(', ') })),
    h('td', null, by),
    h('td', null, h(Age, { atMs, suffix: 'ago' })),
    h('td', null, [
      finding === null
        ? [
            h('span', { class: state === 'overdue' ? 'flag flag-overdue' : 'flag' }, state),
            h('span', { class: 'quiet' }, ` due ${exactText(dueAtMs)}`),
          ]
        : [h('strong', null, finding.verdict), ` by ${finding.by}, ${exactText(finding.atMs)}`],
    ]),
  ]);
}
