/** How long content is kept, by which rule of the configuration, and a look at what goes next. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type Erasure, type Retention, type RetentionRule, readRetention } from '../answers/erasure-data.ts';
import type { Desk } from '../desk/desk.ts';
import { Problem, useFetched } from '../desk/fetched.ts';
import { RecordTable } from '../drawn/record-table.ts';
import { Recorded } from '../drawn/recorded.ts';
import { problemOf } from '../hold/ruling-panel.ts';
import { counted } from '../words/counts.ts';
import { fieldsText, wordsOf } from '../words/erasure.ts';
import { exactText } from '../words/time.ts';
import { ErasureResult, resultText } from './erasure-result.ts';

interface RetentionProps {
  readonly desk: Desk;
  /** Whether whoever looks may have it looked at what goes next. */
  readonly erases: boolean;
  /** Counts what was heard of erasures. */
  readonly version: number;
  readonly onChange: () => void;
}

const heads = ['Rule', 'Of', 'Erased after', 'Not before', 'Last run'] as const;

export function RetentionSection(props: RetentionProps): ComponentChild {
  const fetched = useFetched(props.desk, '/api/v1/retention', readRetention, props.version);
  const retention = fetched.value;
  return h('section', { class: 'section', 'aria-labelledby': 'retention-title' }, [
    h('h2', { id: 'retention-title' }, 'Kept for how long'),
    h(Problem, { of: fetched }),
    retention === null ? null : h(Rules, { ...props, retention }),
  ]);
}

function Rules({ retention, ...props }: RetentionProps & { readonly retention: Retention }): ComponentChild {
  const { everyHours, nextAtMs, rules, exemptions } = retention;
  if (rules.length === 0 && exemptions.length === 0)
    return h(
      'p',
      null,
      'For good, unless somebody has it erased: the configuration has no rule under retention.',
    );
  return [
    nextAtMs === null
      ? null
      : h(
          'p',
          { class: 'quiet' },
          `The schedule comes every ${counted(everyHours, 'hour', 'hours')}, next at ${exactText(nextAtMs)}.`,
        ),
    rules.length === 0
      ? null
      : h(
          RecordTable,
          { label: 'Retention rules', heads: props.erases ? [...heads, 'Next run'] : heads },
          rules.map((rule) => h(Line, { key: rule.id, rule, ...props })),
        ),
    exemptions.map(({ id, match, bases }) =>
      h('p', { key: id, class: 'note' }, [
        'Exempt (',
        h(Recorded, { text: id }),
        '): ',
        h(Recorded, { text: fieldsText(match) }),
        `, from erasures on ${bases === null ? 'every ground' : bases.map(wordsOf).join(', ')}.`,
      ]),
    ),
  ];
}

function Line(props: Omit<RetentionProps, 'version'> & { readonly rule: RetentionRule }): ComponentChild {
  const { desk, erases, rule, onChange } = props;
  const { id, match, keepDays, minimumDays, last } = rule;
  const [looked, setLooked] = useState<Erasure | null>(null);
  const [problem, setProblem] = useState('');
  const look = (): void => {
    setProblem('');
    desk.lookAtRetention(id).then(
      (begun) => {
        setLooked(begun);
        onChange();
      },
      (error: unknown) => setProblem(problemOf(error)),
    );
  };
  return h('tr', null, [
    h('td', null, h(Recorded, { text: id })),
    h('td', null, h(Recorded, { text: fieldsText(match) })),
    h('td', { class: 'num' }, daysText(keepDays)),
    h('td', { class: 'num' }, daysText(minimumDays)),
    h('td', null, keepDays === null ? '–' : lastText(last)),
    !erases
      ? null
      : h('td', null, [
          keepDays === null
            ? '–'
            : h('button', { type: 'button', class: 'button', onClick: look }, [
                'See what would go',
                h('span', { class: 'sr-only' }, ` by the rule ${id}`),
              ]),
          looked === null
            ? null
            : h(ErasureResult, { key: looked.id, desk, begun: looked, onEnded: onChange }),
          problem === '' ? null : h('p', { class: 'problem', role: 'alert' }, problem),
        ]),
  ]);
}

function daysText(days: number | null): string {
  return days === null ? '–' : counted(days, 'day', 'days');
}

function lastText(last: Erasure | null): string {
  if (last === null) return 'none since the start';
  return last.state === 'done' ? `${exactText(last.startedAtMs)}: ${resultText(last)}` : last.state;
}
