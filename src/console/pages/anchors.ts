/** Who outside the machine remembers checkpoints, as the ledger page lists them. */
import { type ComponentChild, h } from 'preact';
import { type Entry, readEntry } from '../answers/decision-data.ts';
import { listIn, numberIn, shapeOf } from '../answers/shape.ts';
import { readUnreadable } from '../answers/unreadable-data.ts';
import { entryAddress } from '../desk/place.ts';
import { Recorded } from '../drawn/recorded.ts';
import { exactText } from '../words/time.ts';

interface Anchor {
  readonly entry: Entry;
}

export function readAnchors(value: unknown) {
  const from = shapeOf(value, 'anchors');
  return {
    items: listIn(from, 'items', (item): Anchor => ({ entry: readEntry(item) })),
    unreadable: readUnreadable(from),
    unreadableEntries: numberIn(from, 'unreadableEntries'),
  };
}

export function Anchors(props: {
  readonly anchors: readonly Anchor[];
  readonly loaded: boolean;
}): ComponentChild {
  const { anchors, loaded } = props;
  return h('section', { class: 'section', 'aria-labelledby': 'anchors-title' }, [
    h('h2', { id: 'anchors-title' }, 'Anchors'),
    anchors.length === 0
      ? h(
          'p',
          { class: 'quiet' },
          loaded
            ? [
                'No copy of a checkpoint was left outside lately. Without one, a rollback by somebody who also controls this machine cannot be seen. Set ',
                h('code', null, 'anchors'),
                ' in the configuration.',
              ]
            : 'Looking …',
        )
      : h(
          'ul',
          { class: 'story' },
          anchors.map(({ entry }) =>
            h('li', { key: entry.seq }, [
              h('span', { class: 'num quiet' }, exactText(entry.atMs)),
              h('span', null, [
                h('strong', null, h(Recorded, { text: String(entry.data['anchor'] ?? '') })),
                ` remembers ${String(entry.data['size'] ?? '')} entries (${String(entry.data['kind'] ?? '')})`,
              ]),
              h('a', { href: entryAddress(entry.seq), class: 'num' }, `entry ${entry.seq}`),
            ]),
          ),
        ),
  ]);
}
