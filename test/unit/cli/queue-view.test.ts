/** The interactive queue as rows that no recorded text can break out of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Detail } from '../../../src/cli/hold-answers.ts';
import { emptyQueue, type QueueState, withItems } from '../../../src/cli/queue-state.ts';
import { rowsOf, scrolledWithin } from '../../../src/cli/queue-view.ts';
import { cell, paintFor } from '../../../src/cli/screen.ts';
import {
  actions,
  callOf,
  exchangeOf,
  listed,
  opened,
  raw,
  requestOf,
  three,
  two,
  type,
} from './queue-scene.ts';

const plain = paintFor({}, false);
const at = '2026-11-26T10:02:00.000Z';
const ruling = {
  at,
  ...{ by: 'ada', role: 'reviewer', verdict: 'release', breakGlass: false, withheld: [], inStead: '' },
  reason: '',
};

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

  it('is at the margin where it is ours, and behind it where somebody else wrote it, however it breaks lines', () => {
    const forged = 'Who rules';
    const long = `${'x'.repeat(38)}${forged}`;
    for (const text of [`a\n${forged}`, long, `${'x'.repeat(40)}${forged}`]) {
      const calls = [callOf(text)];
      const request = {
        ...requestOf([{ role: text, text, toolCalls: calls }]),
        ...{ system: text, params: { [text]: text }, tools: [{ name: text, description: text }] },
      };
      const response = { text, refusal: text, toolCalls: calls, raw };
      const held = { exchange: { ...exchangeOf(request, response), defects: [text] } };
      const rows = rowsOf(opened(three, text, held), { rows: 200, columns: 40 }, 0, plain);
      expect(rows.filter((row) => row.startsWith(forged)).length, text).toBe(1);
    }
  });

  const size = { rows: 10, columns: 40 };

  it('is laid out once for all keys, and anew for another width, another choice and another reading of it', () => {
    let laidOut = 0;
    const read = (): QueueState => {
      const state = opened(three, 'hello', two);
      if (state.open === null) throw new Error('nothing is open');
      const get = () => {
        laidOut += 1;
        return 'reviewer';
      };
      const hold = Object.defineProperty({ ...state.open.hold }, 'workload', { get });
      return { ...state, open: { ...state.open, hold } };
    };
    const drawn = (state: QueueState, columns: number): number => {
      rowsOf(scrolledWithin(state, { ...size, columns }), { ...size, columns }, 0, plain);
      return laidOut;
    };
    const state = read();
    expect([
      drawn(state, 40),
      drawn(type(state, 'jj').state, 40),
      drawn(type(state, 'rwhy').state, 40),
    ]).toEqual([1, 1, 1]);
    expect(drawn(state, 41)).toBe(2);
    expect(drawn(type(state, '1').state, 41)).toBe(3);
    expect(drawn(read(), 41)).toBe(4);
  });

  it('goes no further than to its end, and back from there at the first key', () => {
    const long = opened(three, 'x'.repeat(400));
    const end = scrolledWithin(type(long, '\u001b[6~'.repeat(20)).state, size);
    const rows = rowsOf(end, size, 0, plain);
    expect(rows.at(-3)).toMatch(/^ {2}d7/);
    expect(rowsOf({ ...end, open: end.open && { ...end.open, scroll: 900 } }, size, 0, plain)).toEqual(rows);
    const back = scrolledWithin(type(end, 'k').state, size);
    expect(back.open?.scroll).toBe((end.open?.scroll ?? 0) - 1);
    expect(scrolledWithin(type(long, 'kkk').state, size).open?.scroll).toBe(0);
    expect(scrolledWithin(three, size)).toBe(three);
  });

  it('has the selected hold in view, however many there are', () => {
    const ids = Array.from({ length: 40 }, (_, i) => `h-${i}.`);
    const many = withItems(
      emptyQueue,
      ids.map((id) => listed(id)),
      40,
    );
    for (const at of [0, 1, 20, 38, 39]) {
      const rows = rowsOf({ ...many, selected: `h-${at}.` }, { rows: 10, columns: 80 }, 0, plain);
      expect(rows.filter((row) => row.includes(`h-${at}.`))).toHaveLength(1);
      expect(rows.filter((row) => row.includes('  h-'))).toHaveLength(7);
    }
  });

  it('says that broken glass lets all calls go, those that were withheld before too', () => {
    const { state } = type(opened(three, 'x', { ...two, breakGlass: ['admin'] }), '2b');
    const text = rowsOf(state, { rows: 40, columns: 100 }, 0, plain).join('\n');
    expect(text).toContain('If you release, 2 of 2 tool calls reach the workload:');
    expect(text).not.toContain('withheld ');
  });

  it('has what other reviewers said, and who is on it', () => {
    const at = '2026-11-26T10:01:00.000Z';
    const comments = [{ by: 'ada', at, text: 'I asked them.' }];
    const rows = rowsOf(
      opened(three, 'x', { comments, assignee: 'bob' }),
      { rows: 40, columns: 100 },
      0,
      plain,
    ).map((row) => row.trimEnd());
    const first = rows.indexOf(`ada said at ${at}`);
    expect(rows.slice(first + 1, first + 3)).toEqual(['  I asked them.', 'bob is on it']);
  });

  it('of a hold that is over says what was held and which calls were withheld, and offers nothing', () => {
    const state = 'amended';
    const held = { ...two, state, rulings: [{ ...ruling, verdict: 'amend', withheld: [1] }] };
    const text = rowsOf(opened(three, 'x', held), { rows: 40, columns: 100 }, 0, plain).map((row) =>
      row.trimEnd(),
    );
    expect(text[0]).toBe('h-1  amended  [high]  caller waiting');
    expect(text).toContain('What was held, 2 tool calls:');
    expect(text).toContain('1            pay');
    expect(text).toContain('2  withheld  wipe');
    expect(text.join('\n')).not.toMatch(/If you release|still needed|once released/);
  });

  it('says first what a release would do, and by which rule it is held', () => {
    const rows = rowsOf(opened(three), { rows: 20, columns: 100 }, Date.parse('2026-11-26T10:01:00Z'), plain);
    expect(rows[0]).toMatch(/^h-1 {2}pending {2}\[high\] {2}14m0s left/);
    expect(rows[1]).toBe('If you release, this tool call reaches the workload: hello');
  });

  it('has the conversation as a reviewer amended it, and says so', () => {
    const said = (text: string) => requestOf([{ role: 'user', text, toolCalls: [] }]);
    const held = {
      exchange: { ...exchangeOf(said('the first draft'), null), amendedRequest: said('sent') },
    };
    const rows = rowsOf(opened(three, 'x', held), { rows: 40, columns: 100 }, 0, plain);
    expect(rows.map((row) => row.trim())).toEqual(
      expect.arrayContaining(['From user, as a reviewer amended it:', 'sent']),
    );
    expect(rows.join('\n')).not.toContain('the first draft');
  });

  it('tells the calls that go from those that are withheld, and what is not open', () => {
    const held = { ...two, actions: { ...actions, deny: 'Ask ada.' } };
    const rows = rowsOf(type(opened(three, 'x', held), '2').state, { rows: 40, columns: 100 }, 0, plain);
    const text = rows.map((row) => row.trimEnd());
    expect(text).toContain('If you release, 1 of 2 tool calls reach the workload:');
    expect(text).toContain('1  goes      pay');
    expect(text).toContain('2  withheld  wipe');
    expect(text).toContain('deny is not open to you: Ask ada.');
    expect(text).toContain('r release   (d deny)   a amend   1-2 withhold   j/k scroll   esc back');
  });

  it('says in whose stead somebody ruled, without which calls, and in whose stead one may', () => {
    const none = 'Your role does not rule here.';
    const own = { ...actions, release: none, deny: none, amend: none };
    const held: Partial<Detail> = {
      rulings: [{ ...ruling, withheld: [0, 2], inStead: 'bob' }],
      actions: own,
      inStead: [
        { name: 'eve', role: 'admin', actions: { ...actions, amend: none } },
        { name: 'otto', role: 'privacy', actions: own },
      ],
    };
    const text = rowsOf(opened(three, 'x', held), { rows: 60, columns: 120 }, 0, plain).map((row) =>
      row.trimEnd(),
    );
    expect(text).toContain(`release by ada (reviewer, in the stead of bob) at ${at}, without tool call 1, 3`);
    expect(text).toContain('in the stead of eve (admin) you may release, deny: --in-stead "eve"');
    expect(text.join()).not.toContain('otto');
  });

  it('marks in the list what may be asked twice', () => {
    const twin = { ...listed('h-1'), possibleDuplicate: true };
    const state = withItems(emptyQueue, [twin, listed('h-2')], 2);
    const rows = rowsOf(state, { rows: 10, columns: 120 }, 0, plain);
    expect(rows[1]).toContain('possible duplicate: transfer_funds');
    expect(rows[2]).not.toContain('duplicate');
  });

  it('says who approved in which role, who is needed, and who may rule since when', () => {
    const held: Partial<Detail> = {
      approvals: {
        needed: 2,
        given: ['ada'],
        byRole: [
          { needed: 1, roles: ['reviewer'], left: 0 },
          { needed: 1, roles: ['privacy'], left: 1 },
        ],
      },
      rulings: [{ ...ruling, reason: 'I\nasked' }],
      escalated: [{ at: '2026-11-26T10:05:00.000Z', roles: ['admin'] }],
      breakGlass: ['admin'],
      breakGlassCollectInMs: 30_000,
    };
    const text = rowsOf(opened(three, 'x', held), { rows: 40, columns: 120 }, 0, plain).map((row) =>
      row.trimEnd(),
    );
    expect(text).toContain('[x] 1 x reviewer, approved by ada (reviewer)');
    expect(text).toContain('[ ] 1 x privacy, 1 still needed');
    expect(text.slice(text.indexOf(`release by ada (reviewer) at ${at}`)).slice(1, 3)).toEqual([
      '  I',
      '  asked',
    ]);
    expect(text).toContain('may rule: reviewer; admin since 2026-11-26T10:05:00.000Z');
    expect(text).toContain(
      'break glass: admin, alone and at once, with a reason and an alert; then good for 30s',
    );
    expect(text).toContain('once released it waits 15m0s for its caller');
  });

  it('is cut to the column, wide characters counted as two', () => {
    expect(cell('漢字かな', 5)).toBe('漢字…');
    expect(cell('𠀀𠀀𠀀', 5)).toBe('𠀀𠀀…');
    expect(cell('\u2329\u232a\u2630\u2637\u268a\u268f', 5)).toBe('\u2329\u232a…');
    expect(cell('\u268a\u268f\u2630\u2637', 5)).toBe('\u268a\u268f…');
    expect(cell('\u2638\u2328', 5)).toBe('\u2638\u2328   ');
    expect(cell('abc', 5)).toBe('abc  ');
    expect(cell('abcde', 5)).toBe('abcde');
    expect(cell('abcdef', 5)).toBe('abcd…');
  });

  it.each([
    ['d', 80, '漢'.repeat(60)],
    ['b', 80, 'x'.repeat(200)],
    ['b', 40, 'why'],
    ['r', 20, '漢字漢字漢字'],
    ['r', 80, `${'\u3000'.repeat(9)}`],
  ])('has the end of what is typed after %s in %i columns', (key, columns, text) => {
    const { state } = type(opened(three), `${key}${text}END`);
    const row = rowsOf(state, { rows: 10, columns }, 0, plain).at(-1) ?? '';
    expect(row).toMatch(/: .*END_ *$/);
    expect(row).toMatch(/^(Deny, bec|Break the|Relea)/);
  });

  it('says first which word breaks the glass, however narrow', () => {
    const { state } = type(opened(three), 'bwhy\rBRE');
    expect(rowsOf(state, { rows: 10, columns: 40 }, 0, plain).at(-1)).toMatch(/^Type BREAK .*: BRE_ *$/);
  });

  it('on a narrow terminal has nothing beyond its margin', () => {
    const state = opened(three, 'x'.repeat(100));
    for (const columns of [20, 30, 39]) {
      const rows = rowsOf(state, { rows: 40, columns }, 0, plain);
      expect(rows.filter((row) => row.length > columns)).toEqual([]);
    }
  });

  it('has the end of a line of brackets that take two columns each, as a terminal draws it', () => {
    const state = opened(three, `${'\u2329'.repeat(30)}END`);
    const rows = rowsOf(state, { rows: 60, columns: 40 }, 0, plain);
    const columns = (row: string): number => row.length + row.split('\u2329').length - 1;
    expect(rows.filter((row) => row.includes('\u2329') && columns(row) > 40)).toEqual([]);
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
