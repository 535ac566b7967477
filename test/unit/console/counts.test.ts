/** Counts as the console shows them: with their thousands set apart, on whatever page. */
import { isValidElement, type VNode } from 'preact';
import { expect, it } from 'vitest';
import { BacktestView } from '../../../src/console/backtest-view.ts';

/** The text of what a component draws, as far as no other component draws it. */
function textOf(node: unknown): string {
  if (Array.isArray(node)) return node.map(textOf).join('');
  if (typeof node === 'string' || typeof node === 'number') return String(node);
  if (!isValidElement(node)) return '';
  const { type, props }: VNode = node;
  if (typeof type !== 'function') return textOf(props.children);
  return 'text' in props && typeof props.text === 'string' ? props.text : '';
}

it('of a replayed draft', () => {
  const drawn = BacktestView({
    sum: {
      draft: { version: '2', digest: '', rules: 0 },
      next: null,
      unreadable: [],
      decisions: 12_345,
      replayed: { request: 12_345, response: 1 },
      verdicts: [{ before: 'pass', now: 'hold', decisions: 1_234 }],
      rules: [],
      notReplayed: [{ phase: 'request', reason: 'erased', decisions: 1, examples: [] }],
    },
  });
  const text = textOf(drawn);
  expect(text).toContain('1,234 verdicts change');
  expect(text).toContain('(12,345 requests and 1 answer replayed)');
  expect(text).toContain('1,234 from');
  expect(text).toContain('Not replayed: 1 request, erased');
});
