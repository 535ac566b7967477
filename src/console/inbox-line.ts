/** One line of the queue: severity, what would happen, who, model, age, time left, approvals so far. */
import { type ComponentChild, h } from 'preact';
import { useMemo } from 'preact/hooks';
import { Age, TimeLeft } from './clock.ts';
import type { Desk, DeskState } from './desk.ts';
import type { HoldSummary } from './hold-data.ts';
import { placeOf } from './place.ts';
import { Recorded } from './recorded.ts';
import { SeverityMark } from './severity.ts';
import { markedText } from './text.ts';

interface InboxLineProps {
  readonly desk: Desk;
  readonly hold: HoldSummary;
  readonly state: DeskState;
  /** How many that wait hold the same bytes, this one among them. */
  readonly same: number;
}

export function InboxLine({ desk, hold, state, same }: InboxLineProps): ComponentChild {
  const isOpen = state.open?.id === hold.id;
  const isCursor = state.cursor === hold.id;
  // The same node again is not compared: a key that moves the cursor draws two lines, not all that are near.
  return useMemo(() => drawn(desk, hold, isOpen, isCursor, same), [desk, hold, isOpen, isCursor, same]);
}

function drawn(
  desk: Desk,
  hold: HoldSummary,
  isOpen: boolean,
  isCursor: boolean,
  same: number,
): ComponentChild {
  const classes = ['line', isOpen ? 'line-open' : '', isCursor ? 'line-cursor' : '']
    .filter(Boolean)
    .join(' ');
  return h(
    'li',
    null,
    h(
      'a',
      {
        id: `line-${hold.id}`,
        class: classes,
        href: placeOf(hold.id),
        ...(isOpen ? { 'aria-current': 'true' as const } : {}),
        onFocus: () => desk.setCursor(hold.id),
      },
      [
        h(SeverityMark, { severity: hold.severity }),
        h('span', { class: 'line-what', title: markedText(hold.headline) }, h(Headline, { hold })),
        h('span', { class: 'line-flags' }, flagsOf(hold, same)),
        h('span', { class: 'line-who' }, h(Recorded, { text: hold.workload || 'unnamed workload' })),
        h('span', { class: 'line-model' }, h(Recorded, { text: hold.model })),
        h('span', { class: 'line-age' }, h(Age, { atMs: hold.openedAtMs, suffix: 'ago' })),
        h(
          'span',
          { class: 'line-left' },
          hold.state === 'pending'
            ? h(TimeLeft, { fromMs: hold.openedAtMs, untilMs: hold.expiresAtMs })
            : h('span', { class: `state state-${hold.state}` }, hold.state),
        ),
        h(
          'span',
          { class: 'line-approvals num' },
          hold.state === 'pending' && hold.approvals.needed > 1 ? approvalsOf(hold) : '',
        ),
      ],
    ),
  );
}

/** The first word, what is called, stands out; the rest is what it is called with. */
function Headline({ hold }: { readonly hold: HoldSummary }): ComponentChild {
  const match = /^(\S{1,64}) (\S+=.*)$/s.exec(hold.headline);
  if (hold.phase === 'request' || match === null) return h(Recorded, { text: hold.headline });
  return h('span', null, [
    h('strong', null, h(Recorded, { text: match[1] ?? '' })),
    ' ',
    h(Recorded, { text: match[2] ?? '' }),
  ]);
}

function flagsOf(hold: HoldSummary, same: number): readonly ComponentChild[] {
  const waits = hold.state === 'pending';
  const { assignee, commentCount } = hold;
  const flag = (key: string, title: string, text: string): ComponentChild =>
    h('span', { key, class: 'flag', title }, text);
  return [
    waits && same > 1
      ? flag('same', `${same} holds that wait have exactly these bytes`, `same × ${same}`)
      : null,
    waits && assignee !== '' ? flag('on', `${assignee} is on it`, assignee) : null,
    commentCount > 0
      ? flag('said', 'Comments of reviewers', commentCount === 1 ? '1 comment' : `${commentCount} comments`)
      : null,
    hold.phase === 'request'
      ? h('span', { key: 'phase', class: 'flag', title: 'Held before it goes to the model' }, 'request')
      : null,
    hold.possibleDuplicate
      ? h(
          'span',
          { key: 'twin', class: 'flag', title: 'The same call is held already, its caller still waiting' },
          'possible duplicate',
        )
      : null,
    waits && !hold.callerWaits
      ? h(
          'span',
          { key: 'gone', class: 'flag', title: 'Nobody waits on the line; a retry collects the answer' },
          'caller gone',
        )
      : null,
  ];
}

function approvalsOf({ approvals }: HoldSummary): ComponentChild {
  const given = `${approvals.given.length} of ${approvals.needed} approvals given`;
  return h('span', { title: given, 'aria-label': given }, `${approvals.given.length}/${approvals.needed}`);
}
