/** Shows what a draft would have said, beside what was said: the verdicts that change, then rule by rule. */
import { type ComponentChild, h } from 'preact';
import type { BacktestPage, BacktestRule, Noted } from '../answers/backtest-data.ts';
import { decisionAddress } from '../desk/place.ts';
import { Damage } from '../drawn/damage.ts';
import { VerdictMark } from '../drawn/outcome.ts';
import { RecordTable } from '../drawn/record-table.ts';
import { Recorded } from '../drawn/recorded.ts';
import { counted, countText } from '../words/counts.ts';

const heads = ['Rule', 'Draft', 'Then', 'Now', 'Newly', 'No longer', 'Undecided', 'Not known'] as const;

/** Why a part was not replayed, in words that complete "1 request …". */
const obstacleWords: Readonly<Record<string, string>> = {
  erased: 'erased',
  cut: 'stored in part only',
  not_recorded: 'passed unread',
  unknown_family: 'sealed by another version',
  damaged: 'damaged',
};

export function BacktestView({ sum }: { readonly sum: BacktestPage }): ComponentChild {
  const changes = sum.verdicts.filter(({ before, now }) => before !== now);
  const changed = changes.reduce((count, { decisions }) => count + decisions, 0);
  return h('div', { class: 'backtest' }, [
    h(Damage, { told: sum.unreadable, missing: 'Decisions that they belong to were not replayed.' }),
    h('p', null, [
      h(
        'strong',
        null,
        changed === 0 ? 'No verdict changes' : counted(changed, 'verdict changes', 'verdicts change'),
      ),
      ' with version ',
      h(Recorded, { text: sum.draft.version }),
      ` (${counted(sum.replayed.request, 'request', 'requests')} and ${counted(sum.replayed.response, 'answer', 'answers')} replayed).`,
    ]),
    changes.length === 0
      ? null
      : h(
          'ul',
          { class: 'changes' },
          changes.map(({ before, now, decisions }) =>
            h('li', { key: `${before} ${now}` }, [
              h('span', { class: 'num' }, countText(decisions)),
              ' from ',
              h(VerdictMark, { verdict: before }),
              ' to ',
              h(VerdictMark, { verdict: now }),
            ]),
          ),
        ),
    h(RuleTable, { rules: sum.rules }),
    h(
      'ul',
      { class: 'quiet' },
      sum.notReplayed.map(({ reason, phase, ...noted }) =>
        h('li', { key: `${phase} ${reason}` }, [
          `Not replayed: ${phase === 'request' ? counted(noted.decisions, 'request', 'requests') : counted(noted.decisions, 'answer', 'answers')}, `,
          `${obstacleWords[reason] ?? reason} (`,
          examplesOf(noted),
          ').',
        ]),
      ),
    ),
  ]);
}

function RuleTable({ rules }: { readonly rules: readonly BacktestRule[] }): ComponentChild {
  if (rules.length === 0) return null;
  return h(
    RecordTable,
    { label: 'The draft, rule by rule', heads, isNumbers: true },
    rules.map((rule) => h(RuleRow, { key: `${rule.phase} ${rule.rule}`, rule })),
  );
}

function RuleRow({ rule }: { readonly rule: BacktestRule }): ComponentChild {
  const { newly, noLonger, failed, unknown } = rule;
  return h('tr', null, [
    h('th', { scope: 'row', title: rule.title }, h('code', null, h(Recorded, { text: rule.rule }))),
    h('td', null, rule.action ?? h('span', { class: 'quiet' }, 'not in it')),
    h('td', { class: 'num' }, countText(rule.before)),
    h('td', { class: 'num' }, countText(rule.now)),
    [newly, noLonger, failed, unknown].map((noted, place) => h('td', { key: place }, countOf(noted))),
  ]);
}

function countOf(noted: Noted): ComponentChild {
  if (noted.decisions === 0) return h('span', { class: 'quiet' }, '0');
  return [
    h('span', { class: 'num' }, countText(noted.decisions)),
    h('div', { class: 'examples' }, examplesOf(noted)),
  ];
}

function examplesOf({ examples }: Noted): ComponentChild {
  return examples.map((id, place) => [
    place === 0 ? '' : ', ',
    h('a', { key: id, href: decisionAddress(id) }, h('code', null, id)),
  ]);
}
