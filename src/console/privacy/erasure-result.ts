/** How far an erasure is, asked until it has ended. */
import { type ComponentChild, h } from 'preact';
import { useEffect } from 'preact/hooks';
import { type Erasure, isOver, readErasure } from '../answers/erasure-data.ts';
import type { Desk } from '../desk/desk.ts';
import { capitalised } from '../desk/desk-state.ts';
import { Problem } from '../desk/fetched.ts';
import { entryAddress } from '../desk/place.ts';
import { Recorded } from '../drawn/recorded.ts';
import { counted, countText } from '../words/counts.ts';
import { erasedText, refusedTexts, stoppedText } from '../words/erasure.ts';
import { useUntilOver } from './until-over.ts';

interface ResultProps {
  readonly desk: Desk;
  /** As it was when it was asked for. */
  readonly begun: Erasure;
  readonly onEnded: () => void;
  /** What can be done once it is over; one that failed went through all that can be read. */
  readonly next?: (ended: Erasure) => ComponentChild;
}

export function ErasureResult({ desk, begun, onEnded, next }: ResultProps): ComponentChild {
  const fetched = useUntilOver(desk, `/api/v1/erasures/${begun.id}`, readErasure, isOver);
  const now = fetched.value ?? begun;
  useEffect(() => {
    if (isOver(now)) onEnded();
  }, [isOver(now)]);
  return h('div', { class: 'erasure-result', role: 'status' }, [
    h(Problem, { of: fetched }),
    h(Told, { erasure: now }),
    isOver(now) ? next?.(now) : null,
  ]);
}

function Told({ erasure }: { readonly erasure: Erasure }): ComponentChild {
  const { state, dryRun, decisions, bytesWiped, entries, error } = erasure;
  if (state === 'waiting') return h('p', null, 'It waits for another erasure to end.');
  if (state === 'running')
    return h(
      'p',
      null,
      `${dryRun ? 'Looking' : 'Erasing'} … ${counted(decisions, 'decision', 'decisions')} judged`,
    );
  const [first] = entries;
  return [
    error === null ? null : h('p', { class: 'problem' }, h(Recorded, { text: error })),
    h('p', null, h('strong', null, h(Recorded, { text: resultText(erasure) }))),
    h(Refused, { erasure }),
    dryRun || bytesWiped === 0
      ? null
      : h(
          'p',
          { class: 'quiet' },
          `${countText(bytesWiped)} bytes were overwritten. Backups made before are not covered.`,
        ),
    first === undefined
      ? null
      : h('p', { class: 'quiet' }, [
          'Sealed: ',
          h('a', { href: entryAddress(first) }, `entry ${first}`),
          '.',
        ]),
  ];
}

/** What it did, or would do. */
export function resultText(erasure: Erasure): string {
  const counts = `${capitalised(erasedText(erasure))}.`;
  if (erasure.state === 'stopped')
    return `${capitalised(stoppedText(erasure.stoppedBy ?? 'somebody'))}. ${counts}`;
  if (erasure.decisions > 0 || erasure.error !== null) return counts;
  return `${erasure.dryRun ? 'Would erase nothing' : 'Nothing erased'}: no decision whose content is still there is meant by that.`;
}

/** The grounds on which something stays. */
export function Refused({ erasure }: { readonly erasure: Erasure }): ComponentChild {
  const lines = refusedTexts(erasure);
  if (lines.length === 0) return null;
  return h(
    'ul',
    { class: 'refused' },
    lines.map((line) => h('li', { key: line }, h(Recorded, { text: capitalised(line) }))),
  );
}
