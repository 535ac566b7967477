/** Says that the page is not live, since when, and what happens next. */
import { type ComponentChild, h } from 'preact';
import { useNow } from './desk/clock.ts';
import type { Desk } from './desk/desk.ts';
import type { Link } from './desk/events.ts';
import { exactText } from './words/time.ts';

export function ConnectionBanner(props: { readonly desk: Desk; readonly link: Link }): ComponentChild {
  useNow();
  const { link, desk } = props;
  if (link.status !== 'lost') return null;
  const seconds = Math.max(0, Math.ceil((link.retryAtMs - Date.now()) / 1000));
  const next = seconds === 0 ? 'Trying again …' : `Next try in ${seconds} s.`;
  return h('div', { class: 'banner', role: 'alert' }, [
    h('strong', null, 'Disconnected'),
    h('span', { title: link.why }, ` since ${exactText(link.sinceMs)}. What you see may be old. ${next}`),
    h('button', { type: 'button', class: 'button', onClick: desk.retryNow }, 'Try now'),
  ]);
}
