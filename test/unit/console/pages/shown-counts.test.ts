/** Counts as the console shows them: with their thousands set apart, on whatever page. */
import { isValidElement, type VNode } from 'preact';
import { expect, it } from 'vitest';
import { AnswerContent } from '../../../../src/console/drawn/held-content.ts';
import { BacktestView } from '../../../../src/console/pages/backtest-view.ts';

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

it('of tool calls, by the number under which a ruling names those that it withheld', () => {
  const namesOf = (node: unknown): readonly unknown[] => {
    if (Array.isArray(node)) return node.flatMap(namesOf);
    if (!isValidElement(node)) return [];
    const { props }: VNode = node;
    return 'call' in props && 'name' in props ? [props.name] : namesOf(props.children);
  };
  const call = {
    ...{ id: '', name: 'transfer_funds', argumentsText: '{}', otherNames: [], otherReadings: [] },
    sameArgumentsAt: [],
  };
  const answer = (calls: number) => ({
    ...{ status: 200, text: '', refusal: '', finishReason: '', tokens: '', streamed: false },
    ...{
      toolCalls: Array.from({ length: calls }, () => call),
      raw: { startLine: '', headers: [], body: '' },
    },
  });
  expect(namesOf(AnswerContent({ response: answer(2) }))).toEqual(['call 1 of 2 ', 'call 2 of 2 ']);
  expect(namesOf(AnswerContent({ response: answer(1) }))).toEqual(['call ']);
});
