/** One hold, everything needed to rule: what happens, why it is held, what led here, and the ruling. */
import { type ComponentChild, h } from 'preact';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import { matchedPlaces } from '../answers/because-data.ts';
import { type HoldSummary, type Identity, may } from '../answers/hold-data.ts';
import type { HoldDetail } from '../answers/hold-detail.ts';
import { Age } from '../desk/clock.ts';
import type { Desk, DeskState, OpenHold } from '../desk/desk.ts';
import { Conversation } from '../drawn/conversation.ts';
import { Damage } from '../drawn/damage.ts';
import { HeldContent, heldTitle } from '../drawn/held-content.ts';
import { Recorded } from '../drawn/recorded.ts';
import { SeverityMark } from '../drawn/severity.ts';
import { OnIt } from './on-it.ts';
import { Review } from './review-form.ts';
import { RulingBar } from './ruling.ts';
import { Talk } from './talk.ts';
import { WhoRules } from './who-rules.ts';
import { Why } from './why.ts';

interface HoldPageProps {
  readonly desk: Desk;
  readonly state: DeskState;
  readonly open: OpenHold;
  readonly identity: Identity;
}

export function HoldPage({ desk, state, open, identity }: HoldPageProps): ComponentChild {
  const summary = open.detail?.summary ?? state.holds.get(open.id);
  const { ruling, panel, detail } = open;
  const withheld = useMemo(() => withheldOn(open), [ruling, panel, open.withheld, detail]);
  useLayoutEffect(() => {
    // With a panel wanted, the focus belongs to its reason.
    if (open.panel === null)
      document.querySelector<HTMLElement>('#hold-title')?.focus({ preventScroll: true });
  }, []);
  return h('article', { class: 'hold', 'aria-labelledby': 'hold-title' }, [
    h('div', { key: 'scroll', class: 'hold-scroll' }, [
      h(Head, { key: 'head', open, summary }),
      open.problem === ''
        ? null
        : h('div', { key: 'problem', class: 'problem hold-problem', role: 'alert' }, [
            h('p', null, open.problem),
            h('button', { type: 'button', class: 'button', onClick: desk.reread }, 'Read it again'),
          ]),
      open.detail === null ? null : h(Body, { key: 'body', desk, identity, detail: open.detail, withheld }),
    ]),
    open.detail === null
      ? null
      : h(RulingBar, { key: 'ruling', desk, open, detail: open.detail, identity, holds: state.holds }),
  ]);
}

function Head(props: { readonly open: OpenHold; readonly summary: HoldSummary | undefined }): ComponentChild {
  const { open, summary } = props;
  return h('header', { class: 'hold-head' }, [
    h('a', { class: 'back', href: '#/' }, '‹ Inbox'),
    h('h1', { id: 'hold-title', tabIndex: -1 }, h(Recorded, { text: titleOf(summary) })),
    summary === undefined ? h('p', { class: 'quiet' }, open.id) : h(Facts, { summary }),
  ]);
}

/** The rule's own title: the reviewer's words, not the model's. */
function titleOf(summary: HoldSummary | undefined): string {
  return summary?.rules[0]?.title || 'Held call';
}

function Facts({ summary }: { readonly summary: HoldSummary }): ComponentChild {
  const pair = (name: string, value: ComponentChild | string): ComponentChild =>
    h('div', { class: 'fact', key: name }, [h('dt', null, name), h('dd', null, value)]);
  return h('dl', { class: 'facts' }, [
    pair('severity', h(SeverityMark, { severity: summary.severity })),
    pair('workload', h(Recorded, { text: summary.workload || 'unnamed' })),
    pair('model', h(Recorded, { text: summary.model })),
    pair('call', `${summary.provider} ${summary.operation}${summary.stream ? ', streaming' : ''}`),
    summary.session === '' ? null : pair('session', h(Recorded, { text: summary.session })),
    pair('held', h(Age, { atMs: summary.openedAtMs, suffix: 'ago' })),
    pair('hold', h('code', null, summary.id)),
  ]);
}

const none: ReadonlySet<number> = new Set();

/** The calls that were withheld, or would be if what is chosen now were sent. */
function withheldOn({ ruling, panel, withheld, detail }: OpenHold): ReadonlySet<number> {
  const final = ruling ?? (detail?.summary.state === 'amended' ? (detail.rulings.at(-1) ?? null) : null);
  if (final !== null) return new Set(final.withheld);
  return panel === 'release' ? withheld : none;
}

function Body(props: {
  readonly desk: Desk;
  readonly identity: Identity;
  readonly detail: HoldDetail;
  readonly withheld: ReadonlySet<number>;
}): ComponentChild {
  const { desk, identity, detail, withheld } = props;
  const { summary, exchange, rules, unreadable } = detail;
  const mayRead = may(identity, 'read_content');
  // What was recorded can be long: drawn again only when it, or what is said about it, changed.
  const { state, phase, provider } = summary;
  const content = useMemo(
    () =>
      exchange === null
        ? h(NotShown, { key: 'what', summary, unreadable, mayRead })
        : h(HeldContent, { key: 'what', summary, exchange, withheld, matched: matchedPlaces(rules) }),
    [state, phase, provider, exchange, withheld, rules, unreadable, mayRead],
  );
  const conversation = useMemo(
    () => (exchange === null ? null : h(Conversation, { key: 'conversation', exchange })),
    [exchange],
  );
  const why = useMemo(() => h(Why, { key: 'why', detail }), [detail]);
  return h('div', { class: 'hold-body' }, [
    summary.state === 'pending' ? h(OnIt, { key: 'on-it', desk, summary, identity }) : null,
    h(Review, { key: 'review', desk, detail, identity }),
    summary.possibleDuplicate
      ? h('p', { key: 'twin', class: 'note' }, [
          h('strong', null, 'Possible duplicate: '),
          'the same call was held already while its caller still waited. Releasing both may do it twice.',
        ])
      : null,
    content,
    why,
    h(WhoRules, { key: 'who', detail }),
    exchange === null
      ? null
      : h(Damage, {
          key: 'damage',
          told: unreadable,
          missing: 'Something that was said or done about this hold is missing here.',
        }),
    h(Talk, { key: 'talk', desk, detail, identity }),
    conversation,
  ]);
}

/** In place of what is held: it is not for this role, or nobody can read it. */
function NotShown(props: {
  readonly summary: HoldSummary;
  readonly unreadable: HoldDetail['unreadable'];
  readonly mayRead: boolean;
}): ComponentChild {
  const { summary, unreadable, mayRead } = props;
  return h('section', null, [
    h('h2', null, heldTitle(summary)),
    mayRead
      ? h(Damage, {
          told: unreadable,
          missing: 'What is held is among it, so it can be denied and not released.',
        })
      : h('p', { class: 'quiet' }, 'Your role sees that something is held, not what.'),
  ]);
}
