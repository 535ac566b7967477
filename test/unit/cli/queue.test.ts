/** The interactive queue: which key does what. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyReader, keysOf } from '../../../src/cli/queue-keys.ts';
import {
  emptyQueue,
  isOutdated,
  type Listed,
  pressed,
  type QueueState,
  withItems,
  withReread,
} from '../../../src/cli/queue-state.ts';
import {
  actions,
  digest,
  exchangeOf,
  listed,
  opened,
  raw,
  requestOf,
  three,
  two,
  type,
} from './queue-scene.ts';

describe('keys', () => {
  it.each([
    ['j', 'h-2'],
    ['jj\u001b[A', 'h-2'],
    ['jjj', 'h-3'],
    ['\u001b[B\u001b[B\u001b[5~', 'h-1'],
  ])('%j moves to %s', (text, selected) => {
    expect(type(three, text).state.selected).toBe(selected);
  });

  it('enter asks for the selected hold, and q and control-c leave', () => {
    expect(type(three, 'j\r').effect).toEqual({ kind: 'show', id: 'h-2' });
    expect(type(three, 'q').effect).toEqual({ kind: 'quit' });
    expect(type(opened(three), 'r\u0003').effect).toEqual({ kind: 'quit' });
    expect(type(emptyQueue, '\r').effect).toBeNull();
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

  it('an answer of words alone can be released', () => {
    const words = { exchange: exchangeOf(requestOf([]), { text: 'Yes.', refusal: '', raw, toolCalls: [] }) };
    expect(type(opened(three, 'x', words), 'r\r').effect).toMatchObject({ order: { verdict: 'release' } });
  });

  it('a reason that is too long is not sent, and not cut', () => {
    const typed = type(opened(three), `d${'x'.repeat(4_001)}\r`);
    expect(typed.effect).toBeNull();
    expect(typed.state.said).toBe('1 character too many: 4,000 at most.');
    expect(typed.state.prompt?.text).toHaveLength(4_001);
    expect(type(typed.state, '\u007f\r').effect).toMatchObject({ order: { reason: 'x'.repeat(4_000) } });
  });

  it('no more is kept of what is pasted than some reasons would take', () => {
    expect(type(opened(three), `d${'x'.repeat(70_000)}`).state.prompt?.text).toHaveLength(65_536);
  });

  it('backspace takes a whole sign', () => {
    expect(type(opened(three), 'da😀\u007f').state.prompt?.text).toBe('a');
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
    expect(pasted(hold, 'j').state.said).toBe('Nothing takes text here.');
    expect(paste('x'.repeat(20_000))).toEqual([{ kind: 'paste', text: 'x'.repeat(16_384) }]);
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

  it('moving on takes away what was said last, and no other key does', () => {
    const said = { ...three, said: 'h-0: your deny is sealed.' };
    expect(type(said, 'x').state.said).toBe(said.said);
    expect(type(said, 'j').state.said).toBe('');
  });

  it('the selection goes to the last hold where the one at the end is gone', () => {
    const { state } = type(three, 'jj');
    expect(withItems(state, three.items.slice(0, 1), 1).selected).toBe('h-1');
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

  it('is read again when somebody approved, said or took something or more may rule, and only then', () => {
    const changed = (change: Partial<Listed>) =>
      isOutdated(withItems(state, [{ ...listed('h-1'), ...change }], 1));
    expect(changed({})).toBe(false);
    expect(changed({ approvals: { needed: 2, given: ['ada'], byRole: [] } })).toBe(true);
    expect(changed({ roles: ['reviewer', 'admin'] })).toBe(true);
    expect(changed({ commentCount: 1 })).toBe(true);
    expect(changed({ assignee: 'bob' })).toBe(true);
    // It is over, or stands beyond what is listed.
    expect(isOutdated(withItems(state, [], 0))).toBe(true);
    expect(isOutdated(withItems(state, [listed('h-9')], 2))).toBe(false);
    const over = withReread(state, { ...open.hold, state: 'denied' });
    expect(isOutdated(withItems(over, [], 0))).toBe(false);
  });

  it('says that its caller has gone, without being read again, and keeps what was chosen', () => {
    const open = type(opened(three, 'hello', two), '1').state;
    const gone = withItems(open, [{ ...listed('h-1'), caller: 'gone' }, listed('h-2')], 2);
    expect([gone.open?.hold.caller, gone.open?.withheld, isOutdated(gone)]).toEqual([
      'gone',
      new Set([0]),
      false,
    ]);
    expect(withItems(open, [listed('h-1')], 1).open).toBe(open.open);
    expect(withItems(open, [{ ...listed('h-2'), caller: 'gone' }], 1).open).toBe(open.open);
  });

  it('keeps what was typed and chosen when it is read again', () => {
    const again = withReread(state, { ...open.hold, roles: ['admin'] });
    expect(again).toMatchObject({ prompt: { text: 'becau' }, open: { hold: { roles: ['admin'] } } });
    expect(again.open?.withheld).toEqual(new Set([1]));
  });

  it('loses both when other bytes are held', () => {
    const other = withReread(state, { ...open.hold, digest: '00'.repeat(32) });
    expect(other).toMatchObject({ prompt: null, open: { withheld: new Set() } });
    // The rest of the reason is no command.
    expect(type(other, 'r').state.prompt).toBeNull();
    expect(type(other, '\rr').state.prompt).toMatchObject({ kind: 'release' });
  });
});
