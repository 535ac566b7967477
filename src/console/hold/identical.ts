/** Other holds that wait with exactly the same bytes, to be ruled on together with this one. */
import { type ComponentChild, h } from 'preact';
import type { HoldSummary } from '../answers/hold-data.ts';
import { Age } from '../desk/clock.ts';
import { placeOf } from '../desk/place.ts';
import type { Holds } from '../desk/queue.ts';
import { Recorded } from '../drawn/recorded.ts';

/** The sidecar takes so many at once, this one among them. */
const togetherMax = 100;

/** The others that wait with the same bytes, as the queue knows them. Pure. */
export function identicalTo(hold: HoldSummary, holds: Holds): readonly HoldSummary[] {
  if (hold.contentDigest === '') return [];
  const found: HoldSummary[] = [];
  for (const other of holds.values()) {
    const isSame = other.contentDigest === hold.contentDigest && other.id !== hold.id;
    if (isSame && other.state === 'pending') found.push(other);
    if (found.length >= togetherMax - 1) break;
  }
  return found;
}

interface IdenticalProps {
  readonly others: readonly HoldSummary[];
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

export function Identical({ others, chosen, onChange }: IdenticalProps): ComponentChild {
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
  const words =
    others.length === 1 ? 'The other hold that waits' : `All ${others.length} other holds that wait`;
  return h('fieldset', { class: 'call-choice identical' }, [
    h('legend', null, 'The same bytes are held elsewhere'),
    h('label', { key: 'all', class: 'choice' }, [
      // Of those that were chosen some may be over, and others have come.
      box(
        all.every((id) => chosen.has(id)),
        (isChosen) => turn(all, isChosen),
      ),
      h('span', { class: 'choice-name' }, `${words} with exactly these bytes`),
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
