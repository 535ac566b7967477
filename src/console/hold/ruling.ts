/**
 * The ruling: always in sight, closed until asked for. What is sent is bound to the digest this page shows; once the hold
 * is over or has changed, every button is dead and the page says why. What is not open to this person says why, too.
 */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type HoldSummary, type Identity, may } from '../answers/hold-data.ts';
import type { HoldDetail } from '../answers/hold-detail.ts';
import { TimeLeft, useIsPast } from '../desk/clock.ts';
import type { Desk, OpenHold } from '../desk/desk.ts';
import type { Action } from '../desk/desk-state.ts';
import type { Draft } from '../desk/drafts.ts';
import { decisionAddress } from '../desk/place.ts';
import type { Holds } from '../desk/queue.ts';
import { actionWords, becameOf, closedActions, whyClosed } from '../desk/ruling-words.ts';
import { Recorded } from '../drawn/recorded.ts';
import { markedText } from '../words/text.ts';
import type { Drafts } from './amendment.ts';
import { BreakGlass } from './break-glass.ts';
import { AlsoLooking } from './looking.ts';
import { RulingPanel } from './ruling-panel.ts';
import { SigningKey } from './signing-key.ts';
import { firstWord, inWordOf, WordChoice } from './stead.ts';

interface RulingBarProps {
  readonly desk: Desk;
  readonly open: OpenHold;
  readonly detail: HoldDetail;
  readonly identity: Identity;
  readonly holds: Holds;
}

const verdicts = ['release', 'amend', 'deny'] as const;
const keys: Readonly<Record<Action, string>> = { release: 'r', amend: 'e', deny: 'd', 'break-glass': 'b' };

export function RulingBar(props: RulingBarProps): ComponentChild {
  const { desk, open } = props;
  const [word, setWord] = useState(() => firstWord(props.detail));
  // One who ended their absence, or ruled by now, is not offered any more.
  const stead = props.detail.inStead.find(({ name }) => name === word);
  const detail = inWordOf(props.detail, stead);
  const identity = { ...props.identity, role: stead?.role ?? props.identity.role };
  const { summary, actions } = detail;
  // Kept while panels open and close, and while the reviewer looks elsewhere.
  const [draft, setDraft] = useState(() => desk.draftOf(summary.id));
  const keep = (change: Partial<Draft>): void => {
    desk.keepDraft(summary.id, change);
    setDraft(desk.draftOf(summary.id));
  };
  const setReason = (reason: string): void => keep({ reason });
  const setDrafts = (edits: Drafts): void => keep({ edits, editsOf: summary.digest });
  const drafts = draft.editsOf === summary.digest ? draft.edits : {};
  const expired = useIsPast(summary.expiresAtMs);
  const over = open.over || (expired ? 'Its time is over.' : '');
  const mayRule = verdicts.some((verdict) => actions[verdict] === '');
  const mayBreak = actions.breakGlass === '';
  const offered: readonly Action[] = [
    ...(mayRule ? verdicts : []),
    ...(summary.state === 'pending' && summary.breakGlass.length > 0 ? (['break-glass'] as const) : []),
  ];
  const panel = over === '' ? open.panel : null;
  return h('section', { class: 'ruling', 'aria-label': 'Ruling' }, [
    over === '' ? null : h(Over, { key: 'over', desk, open, over, summary }),
    panel === null
      ? null
      : h(Panel, {
          key: 'panel',
          ...{ ...props, detail, identity, inStead: stead?.name ?? '' },
          ...{ panel, reason: draft.reason, setReason, drafts, setDrafts },
        }),
    h('div', { key: 'bar', class: 'ruling-bar' }, [
      mayRule || over !== '' ? null : h(MayNot, { detail, identity }),
      over === ''
        ? h(WordChoice, { detail, word: stead?.name ?? '', ownRole: props.identity.role, onChange: setWord })
        : null,
      offered.length === 0 ? null : h(Buttons, { desk, panel, dead: over !== '', detail, offered }),
      h('div', { class: 'ruling-facts' }, [
        over === '' ? h(TimeLeft, { fromMs: summary.openedAtMs, untilMs: summary.expiresAtMs }) : null,
        h(Caller, { summary }),
        summary.approvals.needed > 1 ? h(Approvals, { summary }) : null,
        over === '' && may(props.identity, 'read_content') ? h(AlsoLooking, { desk, open }) : null,
      ]),
    ]),
    // The one that was pressed says so above.
    over === ''
      ? h(Closed, { key: 'closed', detail, offered: offered.filter((one) => one !== panel) })
      : null,
    h(Signed, { key: 'signed', detail }),
    mayRule || mayBreak ? h(SigningKey, { key: 'signing', desk }) : null,
  ]);
}

interface PanelProps extends RulingBarProps {
  readonly panel: Action;
  /** '' for one's own word. */
  readonly inStead: string;
  readonly reason: string;
  readonly setReason: (reason: string) => void;
  readonly drafts: Drafts;
  readonly setDrafts: (drafts: Drafts) => void;
}

/** What was asked for, or why it is not open: by key or by button, nothing is passed over in silence. */
function Panel({ panel, open, ...shared }: PanelProps): ComponentChild {
  const { detail } = shared;
  const why = whyClosed(detail.actions, panel);
  if (why !== '') {
    return h('p', { class: 'panel note', role: 'alert' }, [
      h('strong', null, `${actionWords[panel]} is not open to you. `),
      why,
    ]);
  }
  if (panel === 'break-glass') return h(BreakGlass, shared);
  return h(RulingPanel, { ...shared, verdict: panel, withheld: open.withheld });
}

/** In place of the buttons where no ruling at all is open. */
function MayNot(props: { readonly detail: HoldDetail; readonly identity: Identity }): ComponentChild {
  const { detail, identity } = props;
  return h('p', { class: 'quiet may-not' }, [
    `${detail.actions.release} You are signed in as ${identity.role}.`,
  ]);
}

interface ButtonsProps {
  readonly desk: Desk;
  readonly panel: Action | null;
  readonly dead: boolean;
  readonly detail: HoldDetail;
  readonly offered: readonly Action[];
}

function Buttons({ desk, panel, dead, detail, offered }: ButtonsProps): ComponentChild {
  return h(
    'div',
    { class: 'verdicts', role: 'group', 'aria-label': 'Choose a ruling' },
    offered.map((action) => {
      const why = whyClosed(detail.actions, action);
      const isMain = panel === null && action === 'release' && why === '';
      return h(
        'button',
        {
          key: action,
          type: 'button',
          class: `button verdict-${action}${isMain ? ' button-main' : ''}`,
          disabled: dead,
          // It can still be reached and pressed, and then says why it does nothing.
          'aria-disabled': why === '' ? 'false' : 'true',
          title: why,
          'aria-pressed': panel === action ? 'true' : 'false',
          onClick: () => desk.setPanel(panel === action ? null : action),
        },
        [actionWords[action], ' ', h('kbd', { 'aria-hidden': 'true' }, keys[action])],
      );
    }),
  );
}

/** What of the buttons is not open, and why. */
function Closed(props: { readonly detail: HoldDetail; readonly offered: readonly Action[] }): ComponentChild {
  const found = closedActions(props.detail.actions, props.offered);
  if (found.length === 0) return null;
  return h(
    'ul',
    { class: 'quiet closed-actions', 'aria-label': 'Not open to you' },
    found.map(({ closed, why }) =>
      h('li', { key: why }, [
        h('strong', null, closed.map((action) => actionWords[action]).join(', ')),
        ' is not open to you: ',
        why,
      ]),
    ),
  );
}

interface OverProps {
  readonly desk: Desk;
  readonly open: OpenHold;
  readonly over: string;
  readonly summary: HoldSummary;
}

/** Says that nothing can be ruled here, and what became of it. */
function Over({ desk, open, over, summary }: OverProps): ComponentChild {
  const changed = summary.state === 'pending' && open.over !== '';
  return h('div', { class: `over over-${summary.state}`, role: 'status' }, [
    h('strong', null, over),
    h('span', null, ` ${becameOf(summary)} ${open.together}`),
    changed ? h('button', { type: 'button', class: 'button', onClick: desk.reread }, 'Read it again') : null,
  ]);
}

function Caller({ summary }: { readonly summary: HoldSummary }): ComponentChild {
  if (summary.state !== 'pending') return null;
  return h('span', { class: summary.callerWaits ? 'caller' : 'caller caller-gone' }, [
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    summary.callerWaits ? 'caller waiting' : 'caller gone',
  ]);
}

function Approvals({ summary }: { readonly summary: HoldSummary }): ComponentChild {
  const { needed, given } = summary.approvals;
  const by = given.length === 0 ? '' : ` (${given.map(markedText).join(', ')})`;
  return h('span', { class: 'num' }, `${given.length} of ${needed} approvals${by}`);
}

/** What a ruling here will be bound to. */
function Signed({ detail }: { readonly detail: HoldDetail }): ComponentChild {
  const { summary, policy } = detail;
  const pair = (name: string, value: ComponentChild): ComponentChild =>
    h('div', { key: name }, [h('dt', null, name), h('dd', null, h('code', null, value))]);
  const { decisionId, digest } = summary;
  return h('dl', { class: 'signed', 'aria-label': 'A ruling is bound to' }, [
    pair('decision', h('a', { href: decisionAddress(decisionId) }, decisionId)),
    pair('policy', h(Recorded, { text: policy.version })),
    pair('digest', digest),
  ]);
}
