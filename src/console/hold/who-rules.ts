/** Who rules on this hold: whose approvals are needed and given, who may since when, and how long a release is good for. */
import { type ComponentChild, h } from 'preact';
import type { HoldDetail, Ruling } from '../answers/hold-detail.ts';
import { useNow } from '../desk/clock.ts';
import { Recorded } from '../drawn/recorded.ts';
import { exactText, leftText, spanText } from '../words/time.ts';

interface Need {
  readonly roles: readonly string[];
  readonly needed: number;
  readonly left: number;
  readonly by: readonly string[];
}

export function WhoRules({ detail }: { readonly detail: HoldDetail }): ComponentChild {
  const { summary, collectInMs, breakGlassCollectInMs } = detail;
  const pair = (name: string, value: ComponentChild | string): ComponentChild =>
    h('div', { key: name, class: 'hold-term' }, [h('dt', null, name), h('dd', null, value)]);
  const isOpen = summary.state === 'pending';
  return h('section', { class: 'who-rules', 'aria-labelledby': 'who-rules-title' }, [
    h('h2', { id: 'who-rules-title' }, 'Who rules'),
    h('ul', { class: 'needs' }, [
      needsOf(detail).map((need) => h(NeedLine, { key: need.roles.join(), need, isOpen })),
    ]),
    h('dl', { class: 'terms' }, [
      pair('may rule', h(MayRule, { detail })),
      detail.notRequester
        ? pair('may not', summary.requester === '' ? 'whoever asked' : `${summary.requester}, who asked`)
        : null,
      pair(
        'break glass',
        breakGlassCollectInMs === null
          ? 'nobody may'
          : `${summary.breakGlass.join(', ')}: alone and at once, with a reason and an alert; then it waits ${spanText(breakGlassCollectInMs)}`,
      ),
      pair('once released', `it waits ${spanText(collectInMs)} for its caller`),
    ]),
    h(Rulings, { rulings: detail.rulings }),
  ]);
}

function Rulings({ rulings }: { readonly rulings: readonly Ruling[] }): ComponentChild {
  if (rulings.length === 0) return null;
  return h(
    'ul',
    { class: 'rulings' },
    rulings.map((ruling) => {
      const { by, role, verdict, atMs, withheld, breakGlass, inStead } = ruling;
      return h('li', { key: `${by}-${atMs}` }, [
        h('strong', null, breakGlass ? 'break glass' : verdict),
        ` by ${by} (${role}${inStead === '' ? '' : `, in the stead of ${inStead}`}), `,
        h('time', { class: 'num' }, exactText(atMs)),
        withheld.length === 0
          ? ''
          : `, without ${withheld.length === 1 ? 'call' : 'calls'} ${withheld.map((place) => place + 1).join(', ')}`,
        h(GivenReason, { ruling }),
      ]);
    }),
  );
}

/** Why somebody ruled so, in their words. */
export function GivenReason({ ruling: { reason } }: { readonly ruling: Ruling }): ComponentChild {
  if (reason === null || reason === '') return null;
  return h('blockquote', { class: 'given-reason' }, h(Recorded, { text: reason }));
}

/** By role where the rule asks so; else so many of whoever may. */
export function needsOf({ summary, rulings, escalated }: HoldDetail): readonly Need[] {
  const { approvals, roles } = summary;
  const further = escalated.flatMap((step) => step.roles);
  // Who may rule no more, and a second name of one person, are not among those given.
  const released = rulings.filter((one) => one.verdict === 'release' && approvals.given.includes(one.by));
  const by = (wanted: (ruling: Ruling) => boolean): string[] =>
    released.filter(wanted).map((ruling) => `${ruling.by} (${ruling.role})`);
  if (approvals.byRole.length === 0) {
    const left = Math.max(0, approvals.needed - approvals.given.length);
    return [{ roles, needed: approvals.needed, left, by: by(() => true) }];
  }
  return approvals.byRole.map((need) => ({
    ...need,
    by: by(({ role }) => need.roles.includes(role) || further.includes(role)),
  }));
}

function NeedLine({ need, isOpen }: { readonly need: Need; readonly isOpen: boolean }): ComponentChild {
  const { roles, needed, left, by } = need;
  const given = by.length === 0 ? '' : `approved by ${by.join(', ')}`;
  return h('li', { class: left === 0 ? 'need need-met' : 'need' }, [
    h('span', { class: 'need-mark', 'aria-hidden': 'true' }, left === 0 ? '✓' : '○'),
    h('strong', null, `${needed} × ${roles.join(' or ')}`),
    h('span', { class: 'quiet' }, [
      given,
      left > 0 && isOpen ? `${given === '' ? '' : '; '}${left} still needed` : '',
    ]),
  ]);
}

/** Redrawn every second while a further step is ahead. */
function MayRule({ detail }: { readonly detail: HoldDetail }): ComponentChild {
  const nowMs = useNow();
  const { summary, escalated } = detail;
  const since = new Set(escalated.flatMap(({ roles }) => roles));
  const first = summary.roles.filter((role) => !since.has(role));
  const next = summary.state === 'pending' ? summary.escalation : [];
  return h('span', null, [
    first.join(', '),
    escalated.map(({ atMs, roles }) =>
      h('span', { key: `since-${atMs}` }, [
        `; ${roles.join(', ')} since `,
        h('time', { class: 'num', dateTime: new Date(atMs).toISOString() }, exactText(atMs)),
      ]),
    ),
    next.map(({ atMs, roles }) =>
      h('span', { key: `from-${atMs}` }, [
        `; ${roles.join(', ')} too in `,
        h('time', { class: 'num', dateTime: new Date(atMs).toISOString(), title: exactText(atMs) }, [
          leftText(Math.max(0, atMs - nowMs)),
        ]),
        ' unless somebody ruled',
      ]),
    ),
  ]);
}
