/** Severity by shape, word and colour. */
import { type ComponentChild, h } from 'preact';
import type { Severity } from './hold-data.ts';

/** Paths in a square of 12. */
const shapes: Readonly<Record<Severity, ComponentChild>> = {
  critical: h('path', { d: 'M3.8 0.5h4.4l3.3 3.3v4.4l-3.3 3.3H3.8L0.5 8.2V3.8z', fill: 'currentColor' }),
  high: h('path', { d: 'M6 0.8 11.6 11H0.4z', fill: 'currentColor' }),
  medium: h('path', { d: 'M6 0.6 11.4 6 6 11.4 0.6 6z', fill: 'currentColor' }),
  low: h('circle', { cx: 6, cy: 6, r: 4.2, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8 }),
};

export function SeverityMark({ severity }: { readonly severity: Severity }): ComponentChild {
  return h('span', { class: `severity severity-${severity}` }, [
    h('svg', { viewBox: '0 0 12 12', width: 11, height: 11, 'aria-hidden': 'true' }, shapes[severity]),
    h('span', null, severity),
  ]);
}
