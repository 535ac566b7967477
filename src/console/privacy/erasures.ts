/** The erasures since the sidecar started, those of the schedule included. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type Erasure, isOver, readErasures } from '../answers/erasure-data.ts';
import type { Desk } from '../desk/desk.ts';
import { Problem } from '../desk/fetched.ts';
import { entryAddress } from '../desk/place.ts';
import { RecordTable } from '../drawn/record-table.ts';
import { Recorded } from '../drawn/recorded.ts';
import { scopeText, wordsOf } from '../words/erasure.ts';
import { exactText } from '../words/time.ts';
import { Refused, resultText } from './erasure-result.ts';
import { ReasonForm } from './reason-form.ts';
import { textOf } from './scope-fields.ts';
import { useUntilOver } from './until-over.ts';

const heads = ['Asked', 'By', 'On', 'Ground', 'What came of it', 'Sealed'] as const;

interface ErasuresProps {
  readonly desk: Desk;
  /** Whether whoever looks may stop them. */
  readonly erases: boolean;
  /** Counts what was heard of them. */
  readonly version: number;
  readonly onChange: () => void;
}

export function Erasures({ desk, erases, version, onChange }: ErasuresProps): ComponentChild {
  const areOver = (items: readonly Erasure[]): boolean => items.every(isOver);
  const fetched = useUntilOver(desk, '/api/v1/erasures', readErasures, areOver, version);
  const all = fetched.value;
  return h('section', { class: 'section', 'aria-labelledby': 'erasures-title' }, [
    h('h2', { id: 'erasures-title' }, 'Erasures since the sidecar started'),
    h(Problem, { of: fetched }),
    all === null
      ? null
      : all.length === 0
        ? h('p', { class: 'quiet' }, 'None. Earlier ones are in the ledger.')
        : h(
            RecordTable,
            { label: 'Erasures since the sidecar started', heads },
            all.map((erasure) => h(Line, { key: erasure.id, desk, erases, erasure, onChange })),
          ),
  ]);
}

interface LineProps extends Omit<ErasuresProps, 'version'> {
  readonly erasure: Erasure;
}

function Line({ desk, erases, erasure, onChange }: LineProps): ComponentChild {
  const { startedAtMs, by, scope, basis, dryRun, entries } = erasure;
  const [first] = entries;
  return h('tr', null, [
    h('td', { class: 'num' }, exactText(startedAtMs)),
    h('td', { class: 'person' }, h(Recorded, { text: by })),
    h('td', { class: 'breakable' }, h(Recorded, { text: scopeText(scope) })),
    h('td', null, wordsOf(basis)),
    h('td', null, [
      dryRun ? h('span', { class: 'flag' }, 'only looked') : null,
      dryRun ? ' ' : null,
      h(Came, { erasure }),
      h(Refused, { erasure }),
      erases && !isOver(erasure) && erasure.stoppedBy === null ? h(Stop, { desk, erasure, onChange }) : null,
      erasure.error === null ? null : h('p', { class: 'problem' }, h(Recorded, { text: erasure.error })),
    ]),
    h(
      'td',
      { class: 'num' },
      first === undefined ? '–' : h('a', { href: entryAddress(first) }, `entry ${first}`),
    ),
  ]);
}

function Came({ erasure }: { readonly erasure: Erasure }): ComponentChild {
  const { state, stoppedBy } = erasure;
  if (state === 'done' || state === 'stopped') return h(Recorded, { text: resultText(erasure) });
  return stoppedBy === null || isOver(erasure) ? state : `${state}, to be stopped`;
}

function Stop({ desk, erasure, onChange }: Omit<LineProps, 'erases'>): ComponentChild {
  const [isOpen, setOpen] = useState(false);
  const stop = (form: FormData): Promise<void> => desk.stopErasure(erasure.id, textOf(form, 'reason'));
  if (isOpen) return h(ReasonForm, { class: 'lift-form', send: 'Stop it', sending: stop, onDone: onChange });
  return h(
    'p',
    { class: 'actions' },
    h('button', { type: 'button', class: 'button', onClick: () => setOpen(true) }, [
      'Stop …',
      h('span', { class: 'sr-only' }, ` the erasure of ${scopeText(erasure.scope)}`),
    ]),
  );
}
