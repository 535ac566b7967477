/** The page: sign-in, the queue beside the hold that is open, or one of the other pages. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useLayoutEffect, useReducer } from 'preact/hooks';
import { AbsencePage } from './absence.ts';
import { Alerts } from './alerts.ts';
import { ConnectionBanner } from './connection.ts';
import { countText } from './counts.ts';
import { DecisionPage } from './decision.ts';
import { DecisionsPage } from './decisions.ts';
import type { Desk, DeskState } from './desk.ts';
import { Help } from './help.ts';
import { HoldPage } from './hold.ts';
import { Inbox } from './inbox.ts';
import { LedgerPage } from './ledger.ts';
import { OverviewPage } from './overview.ts';
import { PolicyPage } from './policy.ts';
import { ReviewsPage } from './reviews.ts';
import { SessionPage } from './session.ts';
import { SignIn } from './sign-in.ts';
import { TopBar } from './top-bar.ts';

export function App({ desk }: { readonly desk: Desk }): ComponentChild {
  const state = useDesk(desk);
  useEffect(() => {
    document.title = titleOf(state);
  });
  if (state.identity === null) return h(SignIn, { desk, state });
  return h('div', { class: state.open === null ? 'app' : 'app app-open' }, [
    h(TopBar, { key: 'top', desk, state, identity: state.identity }),
    h(Alerts, { key: 'alerts', desk, state }),
    h(ConnectionBanner, { key: 'link', desk, link: state.link }),
    state.problem === '' || state.link.status === 'lost'
      ? null
      : h('div', { key: 'problem', class: 'banner', role: 'alert' }, state.problem),
    h(
      'main',
      { key: 'main', class: state.place.page === 'inbox' ? 'panes' : 'panes pane-page' },
      pageOf(desk, state),
    ),
    h('div', { key: 'live', class: 'sr-only', role: 'status', 'aria-live': 'polite' }, state.announcement),
    h(Help, { key: 'help', desk, shown: state.helpShown }),
  ]);
}

function pageOf(desk: Desk, state: DeskState): ComponentChild {
  const { place, open, identity } = state;
  switch (place.page) {
    case 'decisions':
      return place.id === null
        ? h(DecisionsPage, {
            key: 'decisions',
            ...{ desk, query: place.query, person: identity?.name ?? '' },
          })
        : h(DecisionPage, { key: place.id, desk, id: place.id });
    case 'session':
      return h(SessionPage, { key: place.id, desk, id: place.id });
    case 'ledger':
      return h(LedgerPage, { key: 'ledger', desk, seq: place.seq });
    case 'policy':
      return h(PolicyPage, { key: 'policy', desk });
    case 'reviews':
      return h(ReviewsPage, { key: 'reviews', desk });
    case 'absence':
      return identity === null ? null : h(AbsencePage, { key: 'absence', desk, identity });
    case 'overview':
      return h(OverviewPage, { key: 'overview', desk, hours: place.hours });
    case 'inbox':
      return [
        h(Inbox, { key: 'inbox', desk, state }),
        open === null || identity === null
          ? null
          : h(HoldPage, { key: open.id, desk, state, open, identity }),
      ];
  }
}

function useDesk(desk: Desk): DeskState {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  // In the same turn as the first drawing: an answer that came before the first paint would not be drawn until something else changes.
  useLayoutEffect(() => desk.subscribe(() => draw(undefined)), [desk]);
  return desk.get();
}

function titleOf({ identity, order, unread, link }: DeskState): string {
  if (identity === null) return 'Sign in · Holdpoint';
  const lost = link.status === 'lost' ? 'Disconnected · ' : '';
  return order.length === 0 ? `${lost}Holdpoint` : `${lost}(${countText(order.length + unread)}) Holdpoint`;
}
