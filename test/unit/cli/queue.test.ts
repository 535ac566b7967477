/** The interactive queue: which key does what, and rows that no recorded text can break out of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keysOf } from '../../../src/cli/queue-keys.ts';
import {
  emptyQueue,
  type Listed,
  pressed,
  type QueueState,
  withItems,
} from '../../../src/cli/queue-state.ts';
import { rowsOf } from '../../../src/cli/queue-view.ts';
import { cell, paintFor } from '../../../src/cli/screen.ts';

const plain = paintFor({}, false);
const digest = '7d'.repeat(32);

function listed(id: string, headline = 'transfer_funds amount=5'): Listed {
  return {
    id,
    decisionId: 'd-1',
    state: 'pending',
    severity: 'high',
    headline,
    workload: headline,
    model: headline,
    digest,
    contentDigest: '',
    assignee: '',
    commentCount: 0,
    openedAt: '2026-11-26T10:00:00.000Z',
    expiresAt: '2026-11-26T10:15:00.000Z',
    caller: 'waiting',
    approvals: { needed: 1, given: [] },
  };
}

function opened(state: QueueState, text = 'hello'): QueueState {
  const [item] = state.items;
  if (item === undefined) throw new Error('nothing to open');
  const hold = {
    ...item,
    rules: [{ id: 'r', title: text, when: text, error: '' }],
    policy: { version: text },
    comments: [],
    review: null,
    exchange: {
      request: { messages: [{ role: text, text }] },
      response: {
        text,
        toolCalls: [{ id: text, name: text, arguments: { [text]: text }, argumentsText: text }],
      },
    },
  };
  return { ...state, open: { hold, scroll: 0 } };
}

const three = withItems(
  emptyQueue,
  ['h-1', 'h-2', 'h-3'].map((id) => listed(id)),
  3,
);
const type = (state: QueueState, text: string) =>
  keysOf(text).reduce((step, key) => pressed(step.state, key), { state, effect: null } as ReturnType<
    typeof pressed
  >);

describe('keys', () => {
  it.each([
    ['j', 'h-2'],
    ['jj\u001b[A', 'h-2'],
    ['jjjjjj', 'h-3'],
    ['\u001b[B\u001b[B\u001b[5~', 'h-1'],
  ])('%j moves to %s', (text, selected) => {
    expect(type(three, text).state.selected).toBe(selected);
  });

  it('enter asks for the selected hold, and q and control-c leave', () => {
    expect(type(three, 'j\r').effect).toEqual({ kind: 'show', id: 'h-2' });
    expect(type(three, 'q').effect).toEqual({ kind: 'quit' });
    expect(type(opened(three), 'r\u0003').effect).toEqual({ kind: 'quit' });
  });

  it('no ruling is made from the list', () => {
    expect(type(three, 'rd\r').effect).toEqual({ kind: 'show', id: 'h-1' });
    expect(type(three, 'r').effect).toBeNull();
  });

  it('a release carries the digest that was shown and the reason that was typed', () => {
    expect(type(opened(three), 'rcheckedd\u007f\r').effect).toEqual({
      kind: 'rule',
      id: 'h-1',
      verdict: 'release',
      reason: 'checked',
      digest,
    });
  });

  it('a denial without a reason is not sent', () => {
    const step = type(opened(three), 'd \r');
    expect([step.effect, step.state.said]).toEqual([null, 'A reason is required to deny.']);
  });

  it('escape gives up what was begun', () => {
    const step = type(opened(three), 'rfine\u001b');
    expect([step.effect, step.state.prompt, step.state.said]).toEqual([null, null, 'Nothing was ruled.']);
  });

  it('sequences that mean nothing type nothing', () => {
    expect(keysOf('\u001b[1;5C\u001bOP\u001b[200~a\u0000')).toEqual([{ kind: 'text', text: 'a' }]);
  });

  it('the selection stays on its hold while others come and go', () => {
    const state = type(three, 'j').state;
    expect(withItems(state, [listed('h-9'), listed('h-2')], 2).selected).toBe('h-2');
    expect(withItems(state, [listed('h-1'), listed('h-3')], 2).selected).toBe('h-3');
    expect(withItems(state, [], 0).selected).toBe('');
  });
});

describe('what is shown', () => {
  it('is exactly as high as the terminal, and no character of it moves the cursor, whatever was recorded', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: 8, max: 60 }),
        fc.integer({ min: 40, max: 200 }),
        (text, rows, columns) => {
          const state = withItems(emptyQueue, [listed('h-1', `${text}\u001b[2J\u202e`)], 1);
          for (const shown of [state, opened(state, `\u001b]0;${text}\u0007`)]) {
            const drawn = rowsOf(shown, { rows, columns }, Date.parse('2026-11-26T10:01:00Z'), plain);
            expect(drawn.length).toBe(rows);
            expect(drawn.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          }
        },
      ),
    );
  });

  it('says first what a release would do, and by which rule it is held', () => {
    const rows = rowsOf(opened(three), { rows: 20, columns: 100 }, Date.parse('2026-11-26T10:01:00Z'), plain);
    expect(rows[0]).toMatch(/^h-1 {2}pending {2}\[high\] {2}14m0s left/);
    expect(rows[1]).toBe('If you release, this tool call reaches the workload: hello');
  });

  it('is cut to the column, wide characters counted as two', () => {
    expect(cell('漢字かな', 5)).toBe('漢字…');
    expect(cell('abc', 5)).toBe('abc  ');
    expect(cell('abcde', 5)).toBe('abcde');
    expect(cell('abcdef', 5)).toBe('abcd…');
  });

  it.each([
    [{}, true, '\u001b[1mx\u001b[0m'],
    [{ NO_COLOR: '1' }, true, 'x'],
    [{ NO_COLOR: '' }, true, '\u001b[1mx\u001b[0m'],
    [{ TERM: 'dumb' }, true, 'x'],
    [{}, false, 'x'],
  ])('has colours with %j on a terminal (%s) as it should', (env, isTerminal, shown) => {
    expect(paintFor(env, isTerminal)('bold', 'x')).toBe(shown);
  });
});
