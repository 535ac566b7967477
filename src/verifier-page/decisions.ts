/** The decisions of the ledger, a page at a time. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Recorded } from '../console/drawn/recorded.ts';
import { type Desk, type DeskState, pageLines } from './desk.ts';
import type { Verified } from './engine.ts';
import type { DecisionLine } from './stories.ts';
import { indexedEntriesMax, type Shown } from './story-index.ts';
import { counted, countText, outcomeText, utcText } from './words.ts';

interface DecisionsProps {
  readonly desk: Desk;
  readonly state: DeskState;
  readonly verified: Verified;
}

const kinds: readonly Shown[] = [
  'all',
  'damaged',
  'held',
  'denied',
  'expired',
  'delivered',
  'open',
  'released_undelivered',
  'upstream_error',
  'upstream_truncated',
  'client_abort',
  'interrupted',
  'ledger_unavailable',
  'carried',
  'reported',
];

export function Decisions({ desk, state, verified }: DecisionsProps): ComponentChild {
  const { counts, isCut, verdict } = verified;
  const { page, shown } = state;
  return h('section', { class: 'decisions', 'aria-labelledby': 'decisions' }, [
    h('div', { class: 'section-head' }, [h('h2', { id: 'decisions' }, 'Decisions'), h(Finder, { desk })]),
    !verdict.ok &&
      h('p', { class: 'note' }, [
        'This shows what the file says. Where entries were altered, that is not what was sealed.',
      ]),
    isCut &&
      h(
        'p',
        { class: 'note' },
        `Stories are kept for the first ${countText(indexedEntriesMax)} entries; the verdict covers all.`,
      ),
    h(
      'div',
      { class: 'kinds', role: 'group', 'aria-label': 'Which decisions' },
      kinds
        .filter((kind) => kind === 'all' || (counts[kind] ?? 0) > 0)
        .map((kind) =>
          h(
            'button',
            {
              key: kind,
              type: 'button',
              class: 'button button-quiet',
              'aria-pressed': shown === kind ? 'true' : 'false',
              onClick: () => void desk.show(kind, 0),
            },
            [kindText(kind), h('span', { class: 'num quiet' }, countText(counts[kind] ?? 0))],
          ),
        ),
    ),
    page !== null &&
      (page.total === 0
        ? h('p', { class: 'quiet' }, 'There is no decision in this ledger.')
        : h(Table, { desk, state })),
  ]);
}

function kindText(kind: Shown): string {
  if (kind === 'damaged') return 'with a finding';
  return kind === 'open' ? 'still open' : kind === 'all' || kind === 'held' ? kind : outcomeText(kind);
}

function Table({ desk, state }: Omit<DecisionsProps, 'verified'>): ComponentChild {
  const { page, from, shown } = state;
  if (page === null) return null;
  const to = from + page.lines.length;
  return [
    h('div', { class: 'table-scroll' }, [
      h('table', { class: 'lines' }, [
        h('thead', null, [
          h(
            'tr',
            null,
            ['Decision', 'Time', 'Workload', 'Model', 'Operation', 'Rules', 'Outcome'].map((name) =>
              h('th', { key: name, scope: 'col' }, name),
            ),
          ),
        ]),
        h(
          'tbody',
          null,
          page.lines.map((line) => h(Line, { key: line.seq, desk, line })),
        ),
      ]),
    ]),
    h('nav', { class: 'pager', 'aria-label': 'Pages of decisions' }, [
      h(
        'button',
        {
          type: 'button',
          class: 'button',
          disabled: from === 0,
          onClick: () => void desk.show(shown, Math.max(0, from - pageLines)),
        },
        'Earlier',
      ),
      h(
        'span',
        { class: 'num quiet' },
        `${countText(from + 1)} to ${countText(to)} of ${countText(page.total)}`,
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'button',
          disabled: to >= page.total,
          onClick: () => void desk.show(shown, to),
        },
        'Later',
      ),
    ]),
  ];
}

function Line({ desk, line }: { readonly desk: Desk; readonly line: DecisionLine }): ComponentChild {
  const { seq, id, at, workload, model, operation, verdict, outcome, held, damaged } = line;
  return h('tr', { class: damaged ? 'line-damaged' : '', onClick: () => void desk.open(seq) }, [
    h('th', { scope: 'row' }, [
      h(
        'button',
        {
          type: 'button',
          class: 'open',
          'aria-label': `Story of decision ${seq}`,
          onClick: (event: Event) => {
            event.stopPropagation();
            void desk.open(seq);
          },
        },
        id,
      ),
      damaged && h('span', { class: 'tag tag-bad' }, 'finding'),
    ]),
    h('td', { class: 'num' }, h(Recorded, { text: utcText(at).slice(0, 19) })),
    h('td', null, h(Recorded, { text: shortened(workload) })),
    h('td', null, h(Recorded, { text: shortened(model) })),
    h('td', { class: 'short' }, h(Recorded, { text: shortened(operation) })),
    h('td', null, [
      h(Recorded, { text: verdict }),
      held && verdict !== 'hold' && h('span', { class: 'quiet' }, ', held later'),
    ]),
    h('td', null, h(OutcomeMark, { outcome })),
  ]);
}

const tones: Readonly<Record<string, string>> = {
  delivered: 'good',
  denied: 'bad',
  expired: 'bad',
  open: 'wait',
};

export function OutcomeMark({ outcome }: { readonly outcome: string }): ComponentChild {
  return h('span', { class: `tag tag-${tones[outcome] ?? 'plain'}` }, outcomeText(outcome));
}

function Finder({ desk }: { readonly desk: Desk }): ComponentChild {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key !== '/' || isTyping) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener('keydown', focus);
    return () => document.removeEventListener('keydown', focus);
  }, []);
  return h(
    'form',
    {
      class: 'finder',
      role: 'search',
      onSubmit: (event: Event) => {
        event.preventDefault();
        void desk.find(input.current?.value ?? '');
      },
    },
    [
      h('input', {
        ref: input,
        type: 'search',
        'aria-label': 'Decision by its id or number',
        placeholder: 'd-1a2b3c4d-41',
        autocomplete: 'off',
        spellcheck: false,
      }),
      h('button', { type: 'submit', class: 'button' }, 'Open'),
    ],
  );
}

const cellCharsMax = 60;

/** The story has the whole text. */
function shortened(text: string): string {
  return text.length > cellCharsMax ? `${text.slice(0, cellCharsMax)}…` : text;
}

/** For the heading of a story: `3 entries`. */
export function entriesText(count: number): string {
  return counted(count, 'entry', 'entries');
}
