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
  // By the sidecar's clock, as all times on the page.
  const since = exactText(link.sinceMs + desk.nowMs() - Date.now());
  return h('div', { class: 'banner' }, [
    // Read out once: what counts down stands outside of it.
    h('div', { role: 'alert', title: link.why }, [
      h('strong', null, 'Disconnected'),
      ` since ${since}. What you see may be old.`,
    ]),
    h('span', null, next),
    h('button', { type: 'button', class: 'button', onClick: desk.retryNow }, 'Try now'),
  ]);
}
