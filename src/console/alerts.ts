/** What is said above every page until somebody looked or put it away: broken glass, and rulings that were not taken. */
import { type ComponentChild, h } from 'preact';
import type { Desk, DeskState } from './desk/desk.ts';
import { placeOf, reviewsAddress } from './desk/place.ts';
import { Recorded } from './drawn/recorded.ts';

interface AlertsProps {
  readonly desk: Desk;
  readonly state: DeskState;
}

export function Alerts(props: AlertsProps): ComponentChild {
  return [h(NotTaken, { key: 'not-taken', ...props }), h(BrokenGlass, { key: 'glass', ...props })];
}

/** Of rulings that were sent before the reviewer turned elsewhere. */
function NotTaken({ desk, state }: AlertsProps): ComponentChild {
  const [first, ...others] = state.refused;
  if (first === undefined) return null;
  const { id, why, isSure } = first;
  const put = (): void => desk.dismissRefused(id);
  return h('div', { class: 'banner banner-alert', role: 'alert' }, [
    h('strong', null, isSure ? 'Your ruling was not taken' : 'Your ruling may not have been taken'),
    h('span', null, [
      ' on ',
      h('a', { href: placeOf(id), onClick: put }, h(Recorded, { text: titleOf(state, id) })),
      ': ',
      h(Recorded, { text: why }),
      others.length === 0 ? '' : ` And on ${others.length} more.`,
    ]),
    h('button', { type: 'button', class: 'button', onClick: put }, 'Seen'),
  ]);
}

function titleOf(state: DeskState, id: string): string {
  return state.holds.get(id)?.rules[0]?.title ?? id;
}

function BrokenGlass({ desk, state }: AlertsProps): ComponentChild {
  const [id, ...others] = state.alerts;
  if (id === undefined) return null;
  const title = titleOf(state, id);
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
