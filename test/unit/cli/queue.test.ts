/** The interactive queue: which key does what, and rows that no recorded text can break out of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Detail } from '../../../src/cli/hold-answers.ts';
import { createKeyReader, keysOf } from '../../../src/cli/queue-keys.ts';
import {
  emptyQueue,
  isOutdated,
  type Listed,
  pressed,
  type QueueState,
  withItems,
  withOpen,
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
    approvals: { needed: 1, given: [], byRole: [] },
    roles: ['reviewer'],
  };
}

const actions = { release: '', deny: '', amend: '', releaseCalls: '', breakGlass: '' };
const callOf = (text: string) => ({
  id: text,
  name: text,
  arguments: { [text]: text },
  argumentsText: text,
});
const raw = { startLine: '', headers: [], body: '' };
type Exchange = NonNullable<Detail['exchange']>;
function requestOf(messages: Exchange['request']['messages']): Exchange['request'] {
  return { method: 'POST', path: '/v1', params: {}, system: '', messages, tools: [], raw };
}
function exchangeOf(request: Exchange['request'], response: Exchange['response']): Exchange {
  return { request, amendedRequest: null, response, defects: [] };
}
const two: Partial<Detail> = {
  exchange: exchangeOf(requestOf([]), {
    ...{ text: '', refusal: '', raw },
    toolCalls: [callOf('pay'), callOf('wipe')],
  }),
};

function opened(state: QueueState, text = 'hello', change: Partial<Detail> = {}): QueueState {
  const [item] = state.items;
  if (item === undefined) throw new Error('nothing to open');
  const hold = {
    ...item,
    rules: [{ id: 'r', title: text, when: text, error: '' }],
    policy: { version: text },
    rulings: [],
    requester: 'w',
    notRequester: true,
    escalation: [],
    escalated: [],
    breakGlass: [],
    collectInMs: 900_000,
    breakGlassCollectInMs: null,
    actions,
    comments: [],
    review: null,
    exchange: exchangeOf(requestOf([{ role: text, text, toolCalls: [] }]), {
      ...{ text, refusal: '', raw },
      toolCalls: [callOf(text)],
    }),
    ...change,
  };
  return withOpen(state, hold);
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
      digest,
      order: { verdict: 'release', reason: 'checked' },
    });
  });

  it('a digit withholds a call, the release then names those that go and needs a reason', () => {
    const state = type(opened(three, 'x', two), '2').state;
    expect(state.said).toBe('1 of 2 calls go.');
    expect(type(state, 'r\r').state.said).toBe('A reason is required to withhold a call.');
    expect(type(state, 'rtoo much\r').effect).toMatchObject({
      order: { verdict: 'release', reason: 'too much', calls: ['pay'] },
    });
    expect(type(state, '2r\r').effect).toMatchObject({ order: { verdict: 'release', reason: '' } });
    expect(type(state, '1r').state).toMatchObject({
      prompt: null,
      said: 'A release of no call is a denial: press d.',
    });
  });

  it('calls that go together say why', () => {
    const state = opened(three, 'x', { ...two, actions: { ...actions, releaseCalls: 'They are one.' } });
    expect(type(state, '1').state.said).toBe('All calls go together: They are one.');
  });

  it.each([
    ['r', 'release'],
    ['d', 'deny'],
    ['a', 'amend'],
    ['b', 'breakGlass'],
  ])('%s says why where it is not open, and asks for nothing', (key, action) => {
    const step = type(opened(three, 'x', { actions: { ...actions, [action]: 'Ask ada.' } }), key);
    expect([step.state.said, step.state.prompt, step.effect]).toEqual([
      'Not open to you: Ask ada.',
      null,
      null,
    ]);
  });

  it('broken glass takes a reason and then a word', () => {
    const state = opened(three);
    expect(type(state, 'b\r').state.said).toBe('A reason is required to break the glass.');
    const second = type(state, 'bfire\r');
    expect([second.effect, second.state.prompt?.kind]).toEqual([null, 'confirm-break-glass']);
    expect(type(second.state, '\r').effect).toBeNull();
    expect(type(second.state, 'break\r').state.said).toContain('in capitals');
    expect(type(second.state, 'BREAK\r').effect).toMatchObject({
      order: { verdict: 'release', reason: 'fire', breakGlass: true },
    });
    expect(type(second.state, '\u001b').state.said).toBe('Nothing was ruled.');
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

  it('what is pasted types text and presses no key', () => {
    const paste = (text: string) => createKeyReader()(`\u001b[200~${text}\u001b[201~`);
    const pasted = (state: QueueState, text: string) =>
      paste(text).reduce((step, key) => pressed(step.state, key), { state, effect: null } as ReturnType<
        typeof pressed
      >);
    const hold = opened(three);
    expect(pasted(hold, 'rfine\r')).toMatchObject({ effect: null, state: { prompt: null, open: {} } });
    expect(pasted(three, 'q\r')).toMatchObject({ effect: null, state: { open: null } });
    const denying = pasted(type(hold, 'd').state, 'not\r\nthis\u001b');
    expect(denying).toMatchObject({ effect: null, state: { prompt: { text: 'not this ' } } });
    expect(type(denying.state, '\r').effect).toMatchObject({ order: { reason: 'not this' } });
  });

  it('sequences and pastes mean the same however a terminal cuts them', () => {
    const text = 'jr\u001b[A\u001b[200~two\nlines \u001b[20\u001b[201~\r\u001b[6~';
    const whole = createKeyReader()(text);
    expect(whole).toContainEqual({ kind: 'paste', text: 'two lines  [20' });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length }), (at) => {
        // A cut behind an escape makes it the key of that name, as a person may press it.
        fc.pre(!text.slice(0, at).endsWith('\u001b'));
        const read = createKeyReader();
        expect([...read(text.slice(0, at)), ...read(text.slice(at))]).toEqual(whole);
      }),
    );
  });

  it('the selection stays on its hold while others come and go', () => {
    const state = type(three, 'j').state;
    expect(withItems(state, [listed('h-9'), listed('h-2')], 2).selected).toBe('h-2');
    expect(withItems(state, [listed('h-1'), listed('h-3')], 2).selected).toBe('h-3');
    expect(withItems(state, [], 0).selected).toBe('');
  });
});

describe('an open hold', () => {
  const state = type(opened(three, 'x', two), '2rbecau').state;
  const { open } = state;
  if (open === null) throw new Error('nothing is open');

  it('is read again when somebody approved or more may rule, and only then', () => {
    const changed = (change: Partial<Listed>) =>
      isOutdated(withItems(state, [{ ...listed('h-1'), ...change }], 1));
    expect(changed({})).toBe(false);
    expect(changed({ approvals: { needed: 2, given: ['ada'], byRole: [] } })).toBe(true);
    expect(changed({ roles: ['reviewer', 'admin'] })).toBe(true);
  });

  it('keeps what was typed and chosen when it is read again', () => {
    const again = withOpen(state, { ...open.hold, roles: ['admin'] });
    expect(again).toMatchObject({ prompt: { text: 'becau' }, open: { hold: { roles: ['admin'] } } });
    expect(again.open?.withheld).toEqual(new Set([1]));
  });

  it('loses both when other bytes are held', () => {
    const other = withOpen(state, { ...open.hold, digest: '00'.repeat(32) });
    expect(other).toMatchObject({ prompt: null, open: { withheld: new Set() } });
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
      rulings: [{ by: 'ada', role: 'reviewer', verdict: 'release', breakGlass: false, reason: 'I\nasked' }],
      escalated: [{ at: '2026-11-26T10:05:00.000Z', roles: ['admin'] }],
      breakGlass: ['admin'],
      breakGlassCollectInMs: 30_000,
    };
    const text = rowsOf(opened(three, 'x', held), { rows: 40, columns: 120 }, 0, plain).map((row) =>
      row.trimEnd(),
    );
    expect(text).toContain('[x] 1 x reviewer, approved by ada (reviewer)');
    expect(text).toContain('[ ] 1 x privacy, 1 still needed');
    expect(text.slice(text.indexOf('release by ada (reviewer)')).slice(1, 3)).toEqual(['  I', '  asked']);
    expect(text).toContain('may rule: reviewer; admin since 2026-11-26T10:05:00.000Z');
    expect(text).toContain(
      'break glass: admin, alone and at once, with a reason and an alert; then good for 30s',
    );
    expect(text).toContain('once released it waits 15m0s for its caller');
  });

  it('is cut to the column, wide characters counted as two', () => {
    expect(cell('漢字かな', 5)).toBe('漢字…');
    expect(cell('𠀀𠀀𠀀', 5)).toBe('𠀀𠀀…');
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
