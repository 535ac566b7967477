/** Other holds that wait with exactly the same bytes, to be ruled on together with this one. */
import { type ComponentChild, h } from 'preact';
import type { HoldSummary } from '../answers/hold-data.ts';
import { Age } from '../desk/clock.ts';
import { placeOf } from '../desk/place.ts';
import type { Holds } from '../desk/queue.ts';
import { Recorded } from '../drawn/recorded.ts';
import { countText } from '../words/counts.ts';

/** The sidecar takes so many at once, this one among them. */
const togetherMax = 100;

export interface IdenticalHolds {
  /** Those that one ruling can be about besides. */
  readonly others: readonly HoldSummary[];
  /** How many there are. */
  readonly total: number;
}

/** The others that wait with the same bytes, as the queue knows them. Pure. */
export function identicalTo(hold: HoldSummary, holds: Holds): IdenticalHolds {
  if (hold.contentDigest === '') return noIdentical;
  const found: HoldSummary[] = [];
  for (const other of holds.values()) {
    const isSame = other.contentDigest === hold.contentDigest && other.id !== hold.id;
    if (isSame && other.state === 'pending') found.push(other);
  }
  return { others: found.slice(0, togetherMax - 1), total: found.length };
}

export const noIdentical: IdenticalHolds = { others: [], total: 0 };

/** What is chosen by choosing all that are listed. */
export function listedWords({ others, total }: IdenticalHolds): string {
  if (total === 1) return 'The other hold that waits with exactly these bytes';
  if (total === others.length) return `All ${total} other holds that wait with exactly these bytes`;
  const rest = countText(total - others.length);
  return `${others.length} of the ${countText(total)} other holds that wait with exactly these bytes: one ruling takes no more, and ${rest} wait on`;
}

interface IdenticalProps {
  readonly identical: IdenticalHolds;
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

export function Identical({ identical, chosen, onChange }: IdenticalProps): ComponentChild {
  const { others } = identical;
  const turn = (ids: readonly string[], isChosen: boolean): void => {
    const next = new Set(chosen);
    for (const id of ids) {
      if (isChosen) next.add(id);
      else next.delete(id);
    }
    onChange(next);
  };
  const all = others.map(({ id }) => id);
  const box = (checked: boolean, onTurn: (isChosen: boolean) => void): ComponentChild =>
    h('input', {
      type: 'checkbox',
      checked,
      onChange: (event: Event) => {
        if (event.currentTarget instanceof HTMLInputElement) onTurn(event.currentTarget.checked);
      },
    });
  return h('fieldset', { class: 'call-choice identical' }, [
    h('legend', null, 'The same bytes are held elsewhere'),
    h('label', { key: 'all', class: 'choice' }, [
      // Of those that were chosen some may be over, and others have come.
      box(
        all.every((id) => chosen.has(id)),
        (isChosen) => turn(all, isChosen),
      ),
      h('span', { class: 'choice-name' }, listedWords(identical)),
    ]),
    h('details', { key: 'each' }, [
      h('summary', { class: 'identical-each' }, 'One by one'),
      others.map(({ id, workload, openedAtMs }) =>
        h('label', { key: id, class: 'choice' }, [
          box(chosen.has(id), (isChosen) => turn([id], isChosen)),
          h('a', { class: 'choice-name', href: placeOf(id) }, id),
          h('span', { class: 'choice-with quiet' }, h(Recorded, { text: workload || 'unnamed workload' })),
          h('span', { class: 'choice-word quiet' }, h(Age, { atMs: openedAtMs, suffix: 'ago' })),
        ]),
      ),
    ]),
  ]);
}
