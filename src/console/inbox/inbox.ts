/** The queue: what waits, oldest deadline first, and below it what was ruled lately. */
import { type ComponentChild, h } from 'preact';
import { useMemo } from 'preact/hooks';
import type { HoldSummary } from '../answers/hold-data.ts';
import type { Desk, DeskState } from '../desk/desk.ts';
import { type Holds, isOutOfOrder, matchesFilter } from '../desk/queue.ts';
import { Windowed } from '../drawn/windowed.ts';
import { countText } from '../words/counts.ts';
import { InboxLine } from './inbox-line.ts';
import { OpenReviews } from './open-reviews.ts';

/** A line in the wide layout, where most are; measured once it was drawn. */
const linePixels = 40;

export function Inbox({ desk, state }: { readonly desk: Desk; readonly state: DeskState }): ComponentChild {
  const { holds, order, filter, unread } = state;
  // Of thousands of lines: only when they changed, not whenever the cursor did.
  const pending = useMemo(() => found(order, holds, filter), [order, holds, filter]);
  const isUnsorted = useMemo(() => isOutOfOrder(order, holds), [order, holds]);
  const recent = found(state.recent, holds, filter);
  const same = useMemo(() => countsOfSame(order, holds), [order, holds]);
  const line = (hold: HoldSummary): ComponentChild =>
    h(InboxLine, {
      key: hold.id,
      desk,
      hold,
      isOpen: state.open?.id === hold.id,
      isCursor: state.cursor === hold.id,
      same: same.get(hold.contentDigest) ?? 1,
    });
  return h('section', { id: 'queue', class: 'inbox', 'aria-labelledby': 'inbox-title' }, [
    h('div', { class: 'inbox-head' }, [
      h('h1', { id: 'inbox-title' }, [
        'Waiting for a ruling ',
        h('span', { class: 'num' }, countText(filter === '' ? order.length + unread : pending.length)),
      ]),
      pending.length < order.length
        ? h('span', { class: 'quiet' }, `of ${countText(order.length + unread)}; filtered`)
        : null,
      isUnsorted
        ? h('button', { type: 'button', class: 'button button-quiet', onClick: desk.sort }, [
            'Earlier deadlines came in: sort ',
            h('kbd', { 'aria-hidden': 'true' }, 's'),
          ])
        : null,
    ]),
    h(OpenReviews, { desk, state }),
    pending.length > 0
      ? h(Windowed<HoldSummary>, {
          class: 'lines',
          items: pending,
          keyOf: ({ id }) => id,
          draw: line,
          kept: state.cursor,
          linePixels,
        })
      : h(Nothing, { desk, state }),
    unread > 0 ? h('p', { class: 'lines-more' }, moreText(state)) : null,
    recent.length > 0
      ? h('section', { class: 'recent', 'aria-labelledby': 'recent-title' }, [
          h('h2', { id: 'recent-title' }, 'Ruled lately'),
          h('ol', { class: 'lines lines-quiet' }, recent.map(line)),
        ])
      : null,
  ]);
}

/** What waits beyond the lines: still on its way, or more than a tab keeps. */
function moreText({ unread, isCut, order }: DeskState): string {
  if (!isCut) return `Reading ${countText(unread)} more …`;
  const are = unread === 1 ? 'waits and is' : 'wait and are';
  return `${countText(unread)} more ${are} not listed: this page lists ${countText(order.length)} at once, and the others as these are ruled on.`;
}

function found(ids: readonly string[], holds: Holds, filter: string): readonly HoldSummary[] {
  return ids.flatMap((id) => {
    const hold = holds.get(id);
    return hold !== undefined && matchesFilter(hold, filter) ? [hold] : [];
  });
}

/** How many lines that wait hold the same bytes, by their digest. */
function countsOfSame(order: readonly string[], holds: Holds): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of order) {
    const digest = holds.get(id)?.contentDigest ?? '';
    if (digest !== '') counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return counts;
}

function Nothing({ desk, state }: { readonly desk: Desk; readonly state: DeskState }): ComponentChild {
  if (!state.loaded) return h('div', { class: 'lines-empty', 'aria-busy': 'true' });
  if (state.filter !== '' && state.order.length > 0) {
    return h('div', { class: 'empty' }, [
      h('p', null, 'No hold that waits matches the filter.'),
      h('button', { type: 'button', class: 'button', onClick: () => desk.setFilter('') }, 'Clear the filter'),
    ]);
  }
  return h('div', { class: 'empty' }, [
    h(
      'svg',
      { viewBox: '0 0 48 48', width: 40, height: 40, 'aria-hidden': 'true' },
      h('circle', { cx: 24, cy: 24, r: 21, fill: 'none', stroke: 'var(--line-strong)', 'stroke-width': 2 }),
      h('path', {
        d: 'M15.5 24.5l6 6 11.5-13',
        fill: 'none',
        stroke: 'var(--accent)',
        'stroke-width': 3,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
      }),
    ),
    h('p', { class: 'empty-title' }, 'Nothing waits for you'),
    h('p', { class: 'quiet' }, [
      'Calls that a rule holds appear here by themselves. Leave this tab open: its title counts them. ',
      'Which calls are held is decided by the rules in ',
      h('code', null, 'config/policy.yaml'),
      '; try one with ',
      h('code', null, 'holdpoint policy test'),
      '.',
    ]),
  ]);
}
