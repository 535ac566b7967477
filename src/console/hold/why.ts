/** Why it is held: the rules, what they ask, which policy they stand in, how their recent holds and the workload's ended. */

import { type ComponentChild, h } from 'preact';
import type { HeldRule, HoldDetail, OtherHold } from '../answers/hold-detail.ts';
import { Age } from '../desk/clock.ts';
import { placeOf } from '../desk/place.ts';
import { Because } from '../drawn/because.ts';
import { Damage } from '../drawn/damage.ts';
import { Recorded } from '../drawn/recorded.ts';
import { SeverityMark } from '../drawn/severity.ts';

export function Why({ detail }: { readonly detail: HoldDetail }): ComponentChild {
  const { rules, policy, history, workloadHolds, workloadUnreadable } = detail;
  return h('section', { class: 'why', 'aria-labelledby': 'why-title' }, [
    h('h2', { id: 'why-title' }, 'Why it is held'),
    rules.map((rule) => h(RuleCard, { key: rule.id, rule })),
    h('p', { class: 'quiet' }, [
      'Policy ',
      h(Recorded, { text: policy.version }),
      h(
        'span',
        { title: `Digest of the policy file: ${policy.digest}` },
        ` (${policy.digest.slice(0, 12)}…)`,
      ),
      history.length === 0
        ? '. No other recent hold of this rule.'
        : `. Other recent holds of this rule: ${historyText(history)}.`,
    ]),
    h(OthersOfWorkload, { workload: detail.summary.workload, others: workloadHolds }),
    h(Damage, { told: workloadUnreadable, missing: 'Other holds of this workload may be missing here.' }),
  ]);
}

function OthersOfWorkload(props: {
  readonly workload: string;
  readonly others: readonly OtherHold[];
}): ComponentChild {
  const { workload, others } = props;
  // Nobody said who calls, so nobody knows what else they called.
  if (workload === '') return null;
  if (others.length === 0) return h('p', { class: 'quiet' }, 'No other recent hold of this workload.');
  return h('section', { class: 'others', 'aria-labelledby': 'others-title' }, [
    h('h3', { id: 'others-title' }, 'Other recent holds of this workload'),
    h(
      'ul',
      null,
      others.map(({ id, state, openedAtMs, what }) =>
        h('li', { key: id }, [
          h('a', { href: placeOf(id) }, h(Recorded, { text: what })),
          h('span', { class: 'quiet' }, [` ${state}, `, h(Age, { atMs: openedAtMs, suffix: 'ago' })]),
        ]),
      ),
    ),
  ]);
}

function RuleCard({ rule }: { readonly rule: HeldRule }): ComponentChild {
  return h('section', { class: 'card' }, [
    h('h3', { class: 'rule-title' }, [
      h(SeverityMark, { severity: rule.severity }),
      h('span', null, h(Recorded, { text: rule.title })),
      h('code', { class: 'quiet' }, rule.id),
    ]),
    rule.error === ''
      ? null
      : h('p', { class: 'note' }, [
          h('strong', null, 'The rule could not be decided, so it holds: '),
          h(Recorded, { text: rule.error }),
        ]),
    rule.when === '' ? null : h('pre', { class: 'when' }, h(Recorded, { text: rule.when.trim() })),
    h(Because, { parts: rule.because }),
  ]);
}

function historyText(history: readonly (readonly [string, number])[]): string {
  return history.map(([state, count]) => `${state} ${count}`).join(', ');
}
