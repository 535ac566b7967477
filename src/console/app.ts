/** The page: sign-in, the queue beside the hold that is open, or one of the other pages. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useLayoutEffect, useReducer } from 'preact/hooks';
import { Alerts } from './alerts.ts';
import { ConnectionBanner } from './connection.ts';
import type { Desk, DeskState } from './desk/desk.ts';
import { TopBar } from './drawn/top-bar.ts';
import { Help } from './help.ts';
import { HoldPage } from './hold/hold.ts';
import { Inbox } from './inbox/inbox.ts';
import { AbsencePage } from './pages/absence.ts';
import { DecisionPage } from './pages/decision.ts';
import { DecisionsPage } from './pages/decisions.ts';
import { LedgerPage } from './pages/ledger.ts';
import { OverviewPage } from './pages/overview.ts';
import { PolicyPage } from './pages/policy.ts';
import { ReviewsPage } from './pages/reviews.ts';
import { SessionPage } from './pages/session.ts';
import { SignIn } from './pages/sign-in.ts';
import { PrivacyPage } from './privacy/privacy.ts';
import { countText } from './words/counts.ts';

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
    state.unheard
      ? h('div', { key: 'unheard', class: 'banner', role: 'alert' }, [
          h('span', null, [
            'What you type goes nowhere: the field you were writing in is gone. Press ',
            h('kbd', null, 'Esc'),
            ', then go on.',
          ]),
        ])
      : null,
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
    case 'privacy':
      // Its forms begin anew with another decision.
      return h(PrivacyPage, { key: `privacy ${place.decision}`, desk, identity, decision: place.decision });
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
