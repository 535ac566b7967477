/** Everything recorded: a search whose terms stand in the address, newest first, page after page by cursor. */

import { type ComponentChild, h } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Decision, type DecisionPage, readDecisionPage } from '../answers/decision-data.ts';
import { joinUnreadable, type Unreadable } from '../answers/unreadable-data.ts';
import type { Desk } from '../desk/desk.ts';
import { isOutage, messageOf } from '../desk/desk-state.ts';
import { PageFrame, Problem, useAfterOutage } from '../desk/fetched.ts';
import { decisionAddress } from '../desk/place.ts';
import { Damage } from '../drawn/damage.ts';
import { OutcomeMark, VerdictMark } from '../drawn/outcome.ts';
import { RecordTable } from '../drawn/record-table.ts';
import { Recorded } from '../drawn/recorded.ts';
import { countText } from '../words/counts.ts';
import { exactText } from '../words/time.ts';
import { SearchForm } from './decision-search.ts';
import { ViewList } from './view-list.ts';

const pageItems = 50;
/** Pages without a match that are skipped by themselves before the reviewer is asked whether to go on. */
const emptyPagesMax = 5;

interface Found {
  readonly items: readonly Decision[];
  readonly next: number | null;
  readonly unreadable: readonly Unreadable[];
  readonly busy: boolean;
  readonly problem: string;
  /** It is the problem of an outage. */
  readonly isOutage: boolean;
}

const nothing: Found = {
  items: [],
  next: null,
  unreadable: [],
  busy: true,
  problem: '',
  isOutage: false,
};

interface DecisionsPageProps {
  readonly desk: Desk;
  readonly query: string;
  /** Who searches. */
  readonly person: string;
}

export function DecisionsPage({ desk, query, person }: DecisionsPageProps): ComponentChild {
  const [found, setFound] = useState<Found>(nothing);
  /** The reading whose answer is still wanted. */
  const wanted = useRef(0);
  const isAsked = useAfterOutage(desk, found.isOutage, () => read(found.next, found));
  const read = (before: number | null, shown: Found): void => {
    wanted.current += 1;
    const mine = wanted.current;
    isAsked();
    setFound({ ...shown, next: null, busy: true, problem: '', isOutage: false });
    search(desk, query, before).then(
      ({ items, next, unreadable }) => {
        if (wanted.current !== mine) return;
        const all = {
          items: [...shown.items, ...items],
          unreadable: joinUnreadable(shown.unreadable, unreadable),
        };
        setFound({ ...all, next, busy: false, problem: '', isOutage: false });
      },
      (error: unknown) => {
        if (wanted.current !== mine) return;
        const told = { problem: messageOf(error), isOutage: isOutage(error) };
        setFound({ ...shown, next: before, busy: false, ...told });
      },
    );
  };
  useEffect(() => {
    read(null, nothing);
    return () => {
      wanted.current += 1;
    };
  }, [query]);
  const table = useRef<HTMLDivElement>(null);
  /** From which line on there are those that were asked for by the button: they are read next. */
  const askedFrom = useRef<number | null>(null);
  useLayoutEffect(() => {
    const at = askedFrom.current;
    if (at === null || found.busy) return;
    askedFrom.current = null;
    const first = table.current?.querySelectorAll<HTMLElement>('tbody tr > td:first-child a')[at];
    const { activeElement } = document;
    if (activeElement === document.body || activeElement?.closest('.page-end') != null) first?.focus();
  }, [found]);
  const more = (): void => {
    askedFrom.current = found.items.length;
    read(found.next, found);
  };
  return h(
    PageFrame,
    { title: 'Decisions', label: 'decisions', lead: 'Everything recorded, newest first.' },
    [
      h(SearchForm, { key: query, query }),
      person === '' ? null : h(ViewList, { key: `views ${query}`, query, person }),
      h(Problem, { of: { problem: found.problem, again: more } }),
      h(Damage, { told: found.unreadable, missing: 'What they belong to is missing from this list.' }),
      h('div', { ref: table }, found.items.length > 0 ? h(DecisionTable, { items: found.items }) : null),
      h('div', { class: 'page-end', role: 'status' }, endOf(found, query, more)),
    ],
  );
}

async function search(desk: Desk, query: string, before: number | null): Promise<DecisionPage> {
  let cursor = before;
  let unreadable: readonly Unreadable[] = [];
  for (let empty = 0; ; empty += 1) {
    const terms = new URLSearchParams(query);
    terms.set('limit', String(pageItems));
    if (cursor !== null) terms.set('before', String(cursor));
    const page = readDecisionPage(await desk.fetch(`/api/v1/decisions?${terms}`));
    unreadable = joinUnreadable(unreadable, page.unreadable);
    if (page.items.length > 0 || page.next === null || empty >= emptyPagesMax) return { ...page, unreadable };
    cursor = page.next;
  }
}

function endOf(found: Found, query: string, more: () => void): ComponentChild {
  if (found.busy && found.items.length === 0) return h('span', { class: 'quiet' }, 'Searching …');
  if (found.busy || found.next !== null) {
    const words = found.busy ? 'Searching …' : 'Show older ones';
    return h('button', { type: 'button', class: 'button', disabled: found.busy, onClick: more }, words);
  }
  if (found.problem !== '') return null;
  if (found.items.length > 0 || found.unreadable.length > 0)
    return h('span', { class: 'quiet' }, 'That is all.');
  return h('div', { class: 'empty' }, [
    h(
      'p',
      { class: 'empty-title' },
      query === '' ? 'Nothing is recorded yet' : 'Nothing recorded has all of this',
    ),
    query === ''
      ? h('p', { class: 'quiet' }, [
          'Point a workload at the proxy, for example with ',
          h('code', null, 'OPENAI_BASE_URL'),
          ', and its calls appear here.',
        ])
      : h('p', null, h('a', { href: '#/decisions' }, 'Search again without terms')),
  ]);
}

/** A list of decisions as a table; the first cell of each row leads to it. */
export function DecisionTable({ items }: { readonly items: readonly Decision[] }): ComponentChild {
  const heads = ['Asked (UTC)', 'Workload', 'Model', 'Rules said', 'Outcome', 'Tokens in / out'];
  return h(
    RecordTable,
    { label: 'Decisions found', heads },
    items.map((item) => h(DecisionRow, { key: item.id, item })),
  );
}

function DecisionRow({ item }: { readonly item: Decision }): ComponentChild {
  const { tokens } = item;
  return h('tr', null, [
    h(
      'td',
      { class: 'num' },
      h('a', { href: decisionAddress(item.id) }, exactText(item.atMs).replace(' UTC', '')),
    ),
    h('td', null, h(Recorded, { text: item.workload || 'unnamed' })),
    h('td', null, h(Recorded, { text: item.model || '–' })),
    h('td', null, [
      item.verdict === 'pass'
        ? h('span', { class: 'quiet' }, 'pass')
        : h(VerdictMark, { verdict: item.verdict }),
      item.rules.length === 0
        ? null
        : h('span', { class: 'quiet' }, [' ', h(Recorded, { text: item.rules.join(', ') })]),
    ]),
    h('td', null, [
      h(OutcomeMark, { outcome: item.outcome }),
      item.ruledBy.length === 0
        ? null
        : h('span', { class: 'quiet' }, [' by ', h(Recorded, { text: item.ruledBy.join(', ') })]),
    ]),
    h(
      'td',
      { class: 'num' },
      tokens === null
        ? h('span', { class: 'quiet' }, '–')
        : `${countText(tokens.input)} / ${countText(tokens.output)}`,
    ),
  ]);
}
