/** Says what could not be read of the ledger, beside what could: which entries, what is missing for it, what to do next. */
import { type ComponentChild, h } from 'preact';
import { entriesIn, type Unreadable } from '../answers/unreadable-data.ts';
import { decisionAddress } from '../desk/place.ts';
import { counted } from '../words/counts.ts';

/** What is damaged is mostly one entry or all of a disk's: of the latter a few say as much. */
const shownMax = 10;

interface DamageProps {
  readonly told: readonly Unreadable[];
  /** How many entries it is where not all are told. */
  readonly entries?: number;
  /** What is missing because of them, as a sentence. */
  readonly missing: string;
}

export function Damage({ told, entries = entriesIn(told), missing }: DamageProps): ComponentChild {
  if (told.length === 0) return null;
  const shown = told.slice(0, shownMax);
  const others = entries - entriesIn(shown);
  return h('div', { class: 'damage', role: 'alert' }, [
    h('p', null, [
      h('strong', null, `${counted(entries, 'entry', 'entries')} of the ledger cannot be read.`),
      ` ${missing}`,
    ]),
    h(
      'ul',
      null,
      shown.map(({ seq, decision, why }) =>
        h('li', { key: seq }, [
          why,
          decision === ''
            ? ''
            : [' It belongs to ', h('a', { href: decisionAddress(decision) }, decision), '.'],
        ]),
      ),
      others > 0 ? h('li', { key: 'others' }, `And ${counted(others, 'more', 'more')}.`) : null,
    ),
    h('p', null, [
      h('code', null, 'holdpoint verify'),
      ' on the data directory says all that is damaged; ',
      h('code', null, 'holdpoint ledger restore'),
      ' brings a backup back.',
    ]),
  ]);
}
