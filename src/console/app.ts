/** The page: sign-in, or the queue beside the hold that is open. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useReducer } from 'preact/hooks';
import { ConnectionBanner } from './connection.ts';
import type { Desk, DeskState } from './desk.ts';
import { Help } from './help.ts';
import { HoldPage } from './hold.ts';
import { Inbox } from './inbox.ts';
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
    h(ConnectionBanner, { key: 'link', desk, link: state.link }),
    state.problem === '' || state.link.status === 'lost'
      ? null
      : h('div', { key: 'problem', class: 'banner', role: 'alert' }, state.problem),
    h('main', { key: 'main', class: 'panes' }, [
      h(Inbox, { key: 'inbox', desk, state }),
      state.open === null
        ? null
        : h(HoldPage, { key: state.open.id, desk, state, open: state.open, identity: state.identity }),
    ]),
    h('div', { key: 'live', class: 'sr-only', role: 'status', 'aria-live': 'polite' }, state.announcement),
    h(Help, { key: 'help', desk, shown: state.helpShown }),
  ]);
}

function useDesk(desk: Desk): DeskState {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => desk.subscribe(() => draw(undefined)), [desk]);
  return desk.get();
}

function titleOf({ identity, order, link }: DeskState): string {
  if (identity === null) return 'Sign in · Holdpoint';
  const lost = link.status === 'lost' ? 'Disconnected · ' : '';
  return order.length === 0 ? `${lost}Holdpoint` : `${lost}(${order.length}) Holdpoint`;
}
