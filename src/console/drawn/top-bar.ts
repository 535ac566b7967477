/** The bar above all: what this is, the filter, whether it is live, who is signed in. */
import { type ComponentChild, h } from 'preact';
import type { Identity } from '../answers/hold-data.ts';
import type { Desk, DeskState } from '../desk/desk.ts';
import type { Link } from '../desk/events.ts';
import { absenceAddress, type Page, pageAddress, pagesFor } from '../desk/place.ts';
import { countText } from '../words/counts.ts';
import { markedText } from '../words/text.ts';

export function Wordmark(): ComponentChild {
  return h('span', { class: 'wordmark' }, [
    h(
      'svg',
      { viewBox: '0 0 32 32', width: 18, height: 18, 'aria-hidden': 'true' },
      h('rect', { width: 32, height: 32, rx: 8, fill: 'var(--accent)' }),
      h('path', {
        d: 'M11 8.5v15M21 8.5v15',
        stroke: 'var(--on-accent)',
        'stroke-width': 4,
        'stroke-linecap': 'round',
      }),
    ),
    'Holdpoint',
  ]);
}

interface TopBarProps {
  readonly desk: Desk;
  readonly state: DeskState;
  readonly identity: Identity;
}

export function TopBar({ desk, state, identity }: TopBarProps): ComponentChild {
  return h('header', { class: 'top-bar' }, [
    h('a', { href: '#/', class: 'home', 'aria-label': 'Holdpoint, the inbox' }, h(Wordmark, {})),
    h(Navigation, { state, identity }),
    state.place.page !== 'inbox'
      ? null
      : h('div', { class: 'filter', role: 'search' }, [
          h('input', {
            id: 'filter',
            type: 'search',
            'aria-label': 'Filter the queue',
            placeholder: 'Filter',
            spellcheck: false,
            autocomplete: 'off',
            value: state.filter,
            onInput: (event: Event) => {
              if (event.currentTarget instanceof HTMLInputElement) desk.setFilter(event.currentTarget.value);
            },
          }),
          h('kbd', { 'aria-hidden': 'true' }, '/'),
        ]),
    h('span', { class: 'spacer' }),
    h(LinkState, { link: state.link }),
    h('a', { class: 'who', href: absenceAddress, title: `Signed in as ${identity.name}; absence` }, [
      h('strong', null, markedText(identity.display)),
      h('span', { class: 'quiet' }, identity.role),
    ]),
    h(
      'button',
      {
        type: 'button',
        class: 'button button-quiet',
        onClick: () => desk.setHelp(true),
        'aria-label': 'Keys',
      },
      h('kbd', { 'aria-hidden': 'true' }, '?'),
    ),
    h('button', { type: 'button', class: 'button button-quiet', onClick: desk.signOut }, 'Sign out'),
  ]);
}

const pageNames: Readonly<Record<Page, string>> = {
  inbox: 'Inbox',
  decisions: 'Decisions',
  ledger: 'Ledger',
  policy: 'Policy',
  overview: 'Overview',
  privacy: 'Privacy',
};

function Navigation({ state, identity }: Omit<TopBarProps, 'desk'>): ComponentChild {
  const { page } = state.place;
  // Pages that are reached from others stand with them.
  const current = page === 'session' ? 'decisions' : page === 'reviews' ? 'overview' : page;
  return h(
    'nav',
    { class: 'pages', 'aria-label': 'Pages' },
    pagesFor(identity).map((name) =>
      h(
        'a',
        {
          key: name,
          href: pageAddress(name),
          ...(name === current ? { 'aria-current': 'page' as const } : {}),
        },
        [
          pageNames[name],
          name === 'inbox' && state.order.length > 0
            ? h('span', { class: 'num pages-count' }, [
                countText(state.order.length + state.unread),
                h('span', { class: 'sr-only' }, ' waiting'),
              ])
            : null,
        ],
      ),
    ),
  );
}

const linkWords: Readonly<Record<Link['status'], string>> = {
  live: 'live',
  connecting: 'connecting',
  lost: 'disconnected',
};

function LinkState({ link }: { readonly link: Link }): ComponentChild {
  return h('span', { class: `link link-${link.status}` }, [
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    linkWords[link.status],
  ]);
}
