/** Severity by shape, word and colour. */
import { type ComponentChild, h } from 'preact';
import type { Severity } from '../answers/hold-data.ts';

/** In a square of 12; low is a ring, empty inside. */
const shapes: Readonly<Record<Severity, string>> = {
  critical: 'M3.8 0.5h4.4l3.3 3.3v4.4l-3.3 3.3H3.8L0.5 8.2V3.8z',
  high: 'M6 0.8 11.6 11H0.4z',
  medium: 'M6 0.6 11.4 6 6 11.4 0.6 6z',
  low: 'M6 0.9a5.1 5.1 0 1 0 0 10.2a5.1 5.1 0 1 0 0-10.2zM6 2.7a3.3 3.3 0 1 1 0 6.6a3.3 3.3 0 1 1 0-6.6z',
};

export function SeverityMark({ severity }: { readonly severity: Severity }): ComponentChild {
  return h('span', { class: `severity severity-${severity}` }, [
    h(
      'svg',
      { viewBox: '0 0 12 12', width: 11, height: 11, 'aria-hidden': 'true' },
      h('path', { d: shapes[severity], fill: 'currentColor', 'fill-rule': 'evenodd' }),
    ),
    severity,
  ]);
}
