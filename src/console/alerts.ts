/** Broken glass: somebody released alone. Said to everybody at a console until they looked or put it away. */
import { type ComponentChild, h } from 'preact';
import type { Desk, DeskState } from './desk.ts';
import { placeOf, reviewsAddress } from './place.ts';
import { Recorded } from './recorded.ts';

export function Alerts({ desk, state }: { readonly desk: Desk; readonly state: DeskState }): ComponentChild {
  const [id, ...others] = state.alerts;
  if (id === undefined) return null;
  const title = state.holds.get(id)?.rules[0]?.title ?? id;
  return h('div', { class: 'banner banner-alert', role: 'alert' }, [
    h('strong', null, 'The glass was broken'),
    h('span', null, [
      ' on ',
      h('a', { href: placeOf(id), onClick: () => desk.dismiss(id) }, h(Recorded, { text: title })),
      ': somebody released it alone, and it waits for a ',
      h('a', { href: reviewsAddress }, 'review'),
      '.',
      others.length === 0 ? '' : ` And on ${others.length} more.`,
    ]),
    h('button', { type: 'button', class: 'button', onClick: () => desk.dismiss(id) }, 'Seen'),
  ]);
}
