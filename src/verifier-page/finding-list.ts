/** Findings with what they mean and what to do. The first names the cause. */
import { type ComponentChild, h } from 'preact';
import { Recorded } from '../console/drawn/recorded.ts';
import { type Finding, reasons } from '../ledger/verify/reasons.ts';
import { adviceOn } from './advice.ts';
import { countText } from './words.ts';

const listedMax = 10;

export function FindingList({ findings }: { readonly findings: readonly Finding[] }): ComponentChild {
  const [first, ...others] = findings;
  if (first === undefined) return null;
  return h('div', { class: 'findings' }, [
    h('div', { class: 'finding finding-first' }, [
      h('h3', null, [
        first.seq < 0 ? 'The first finding' : `The first bad entry is ${countText(first.seq)}`,
        h('code', { class: 'code' }, first.code),
      ]),
      h('p', null, h(Recorded, { text: first.message })),
      h('p', null, [h('strong', null, 'What it means: '), `${reasons[first.code]}.`]),
      h('p', null, [h('strong', null, 'What to do: '), adviceOn(first.code)]),
    ]),
    others.length > 0 &&
      h('details', { open: others.length <= 3 }, [
        h('summary', null, `${others.length} more, which may follow from it`),
        h(
          'ul',
          { class: 'finding-others' },
          others
            .slice(0, listedMax)
            .map(({ code, seq, message }, i) =>
              h('li', { key: i }, [
                h('code', { class: 'code' }, code),
                seq < 0 ? '' : ` entry ${countText(seq)}: `,
                h(Recorded, { text: message }),
              ]),
            ),
        ),
        others.length > listedMax && h('p', { class: 'quiet' }, `and ${others.length - listedMax} more`),
      ]),
  ]);
}
