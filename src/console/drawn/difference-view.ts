/** Draws a difference. */
import { type ComponentChild, h } from 'preact';
import type { LineChange } from '../words/difference.ts';
import { Recorded } from './recorded.ts';

const words = { same: '', removed: 'removed: ', added: 'added: ' } as const;
const signs = { same: ' ', removed: '−', added: '+' } as const;

/** Lines that stay, shown on both sides of a change when only the surroundings are wanted. */
const surroundings = 3;

interface DifferenceProps {
  readonly lines: readonly LineChange[];
  /** Leaves out what is far from any change. */
  readonly short?: boolean;
}

/** What changed between two texts, signs and words beside the colours. */
export function DifferenceView({ lines: all, short = false }: DifferenceProps): ComponentChild {
  const lines = short ? nearChanges(all) : all;
  return h(
    'div',
    { class: 'diff mono', tabIndex: 0, role: 'region', 'aria-label': 'What changes' },
    lines.map((line, i) => {
      if (line === null) return h('div', { key: `${i}`, class: 'diff-line quiet' }, '⋯');
      const { kind, parts } = line;
      return h('div', { key: `${i}`, class: `diff-line diff-${kind}` }, [
        h('span', { class: 'diff-sign', 'aria-hidden': 'true' }, signs[kind]),
        h('span', { class: 'sr-only' }, words[kind]),
        h(
          'span',
          { class: 'diff-text' },
          parts.map((part, n) =>
            part.kind === 'same' || parts.length === 1
              ? h(Recorded, { key: `${n}`, text: part.text })
              : h(part.kind === 'removed' ? 'del' : 'ins', { key: `${n}` }, h(Recorded, { text: part.text })),
          ),
        ),
      ]);
    }),
  );
}

/** Null stands where lines were left out. */
function nearChanges(lines: readonly LineChange[]): readonly (LineChange | null)[] {
  const isNear = lines.map((_, i) =>
    lines.slice(Math.max(0, i - surroundings), i + surroundings + 1).some(({ kind }) => kind !== 'same'),
  );
  return lines.flatMap((line, i) => {
    if (isNear[i]) return [line];
    return i === 0 || isNear[i - 1] ? [null] : [];
  });
}
