/** One line of the queue: severity, what would happen, who, model, age, time left, approvals so far. */
import { Component, type ComponentChild, h } from 'preact';
import type { HoldSummary } from '../answers/hold-data.ts';
import { Age, TimeLeft } from '../desk/clock.ts';
import type { Desk } from '../desk/desk.ts';
import { placeOf } from '../desk/place.ts';
import { Recorded } from '../drawn/recorded.ts';
import { SeverityMark } from '../drawn/severity.ts';
import { markedText } from '../words/text.ts';

interface InboxLineProps {
  readonly desk: Desk;
  readonly hold: HoldSummary;
  readonly isOpen: boolean;
  readonly isCursor: boolean;
  /** How many that wait hold the same bytes, this one among them. */
  readonly same: number;
}

/**
 * Drawn again only when something of it changed: a key that moves the cursor draws two lines, not all that are near.
 * (A line kept by a hook would do so too, but Preact lets it hold the whole page that it was first drawn in.)
 */
export class InboxLine extends Component<InboxLineProps> {
  override shouldComponentUpdate(next: InboxLineProps): boolean {
    const { desk, hold, isOpen, isCursor, same } = this.props;
    return (
      next.hold !== hold ||
      next.isOpen !== isOpen ||
      next.isCursor !== isCursor ||
      next.same !== same ||
      next.desk !== desk
    );
  }

  override render(props: InboxLineProps): ComponentChild {
    return drawn(props);
  }
}

function drawn({ desk, hold, isOpen, isCursor, same }: InboxLineProps): ComponentChild {
  const classes = ['line', isOpen ? 'line-open' : '', isCursor ? 'line-cursor' : '']
    .filter(Boolean)
    .join(' ');
  const flags = flagsOf(hold, same);
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
        h('span', { class: 'line-what', title: markedText(hold.headline) }, headlineOf(hold)),
        flags.length === 0 ? null : h('span', { class: 'line-flags' }, flags),
        h(Recorded, { class: 'line-who', text: hold.workload || 'unnamed workload' }),
        h(Recorded, { class: 'line-model', text: hold.model }),
        h(Age, { class: 'line-age', atMs: hold.openedAtMs, suffix: 'ago' }),
        hold.state === 'pending'
          ? h(TimeLeft, { class: 'line-left', fromMs: hold.openedAtMs, untilMs: hold.expiresAtMs })
          : h('span', { class: `line-left state state-${hold.state}` }, hold.state),
        hold.state === 'pending' && hold.approvals.needed > 1 ? approvalsOf(hold) : null,
      ],
    ),
  );
}

/** The first word, what is called, stands out; the rest is what it is called with. */
function headlineOf({ headline, phase }: HoldSummary): ComponentChild {
  const match = /^(\S{1,64}) (\S+=.*)$/s.exec(headline);
  if (phase === 'request' || match === null) return h(Recorded, { text: headline });
  return [h(Recorded, { as: 'strong', text: match[1] ?? '' }), ' ', h(Recorded, { text: match[2] ?? '' })];
}

function flagsOf(hold: HoldSummary, same: number): readonly ComponentChild[] {
  const { state, assignee, commentCount, phase, possibleDuplicate, callerWaits } = hold;
  const waits = state === 'pending';
  const flags: ComponentChild[] = [];
  const flag = (key: string, title: string, text: string): void => {
    flags.push(h('span', { key, class: 'flag', title }, text));
  };
  if (waits && same > 1) flag('same', `${same} holds that wait have exactly these bytes`, `same × ${same}`);
  if (waits && assignee !== '') flag('on', `${assignee} is on it`, assignee);
  if (commentCount > 0)
    flag('said', 'Comments of reviewers', commentCount === 1 ? '1 comment' : `${commentCount} comments`);
  if (phase === 'request') flag('phase', 'Held before it goes to the model', 'request');
  if (possibleDuplicate)
    flag('twin', 'The same call is held already, its caller still waiting', 'possible duplicate');
  if (waits && !callerWaits)
    flag('gone', 'Nobody waits on the line; a retry collects the answer', 'caller gone');
  return flags;
}

function approvalsOf({ approvals }: HoldSummary): ComponentChild {
  const given = `${approvals.given.length} of ${approvals.needed} approvals given`;
  const text = `${approvals.given.length}/${approvals.needed}`;
  return h('span', { class: 'line-approvals num', title: given, 'aria-label': given }, text);
}
