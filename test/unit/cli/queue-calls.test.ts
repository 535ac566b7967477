/** The interactive queue while calls are on their way: no answer takes keys for what they were not meant for. */
import { describe, expect, it } from 'vitest';
import type { Detail } from '../../../src/cli/hold-answers.ts';
import { createQueueCalls } from '../../../src/cli/queue-calls.ts';
import { keysOf } from '../../../src/cli/queue-keys.ts';
import { type Effect, pressed, type QueueState } from '../../../src/cli/queue-state.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { detailed, digest, listed, three } from './queue-scene.ts';

/** A sidecar whose answers wait until the test gives them. */
function scene(from: QueueState = three) {
  const asked: { readonly what: string; readonly answer: PromiseWithResolvers<unknown> }[] = [];
  const failures: unknown[] = [];
  const said: string[] = [];
  let state = from;
  let isOver = false;
  const wait = <T>(what: string, read: (answer: unknown) => T): Promise<T> => {
    const answer = Promise.withResolvers<unknown>();
    asked.push({ what, answer });
    return answer.promise.then(read);
  };
  const lists = new Map<unknown, { items: QueueState['items']; total: number }>();
  const details = new Map<unknown, Detail>();
  const found = <T>(all: ReadonlyMap<unknown, T>, name: unknown): T => {
    const one = all.get(name);
    if (one === undefined) throw new Error(`nothing is known of ${String(name)}`);
    return one;
  };
  const calls = createQueueCalls({
    ask: {
      list: () => wait('list', (name) => found(lists, name)),
      hold: (id) => wait(id, (name) => found(details, name)),
      rule: (id, ruling) => wait(`${ruling.verdict} ${id}`, () => undefined),
    },
    change: (next) => {
      state = next(state);
    },
    onRuled: (text) => said.push(text),
    onFailure: (error) => failures.push(error),
    isOver: () => isOver,
  });
  return {
    failures,
    said,
    state: () => state,
    asked: () => asked.map(({ what }) => what),
    refresh: calls.refresh,
    leave: () => {
      isOver = true;
    },
    /** Presses keys; what they ask for is on its way afterwards. */
    type: async (text: string): Promise<Effect[]> => {
      const effects: Effect[] = [];
      for (const key of keysOf(text)) {
        const step = pressed(state, key);
        state = step.state;
        if (step.effect === null) continue;
        effects.push(step.effect);
        if (step.effect.kind !== 'quit') calls.carryOut(step.effect);
      }
      await turn();
      return effects;
    },
    answerHold: async (hold: Detail): Promise<void> => {
      details.set(hold, hold);
      asked.shift()?.answer.resolve(hold);
      await turn();
    },
    answerList: async (items: QueueState['items'], total = items.length): Promise<void> => {
      lists.set(items, { items, total });
      asked.shift()?.answer.resolve(items);
      await turn();
    },
    answer: async (): Promise<void> => {
      asked.shift()?.answer.resolve(null);
      await turn();
    },
    refuse: async (error: unknown): Promise<void> => {
      asked.shift()?.answer.reject(error);
      await turn();
    },
  };
}

/** Whatever was only waiting for promises has gone on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const first = detailed(listed('h-1'));

describe('a hold that was asked for', () => {
  it('asked for twice, takes nothing of the denial that is being typed when its second answer comes', async () => {
    const queue = scene();
    await queue.type('\r\r');
    await queue.answerHold(first);
    await queue.type('dwi');
    if (queue.asked().length > 0) await queue.answerHold(first);
    const [ruling] = await queue.type('re fraud\r');
    expect(ruling).toMatchObject({ kind: 'rule', order: { verdict: 'deny', reason: 'wire fraud' } });
  });

  it('does not take the place of one that is open by then', async () => {
    const queue = scene();
    await queue.type('\rj\r');
    await queue.answerHold(first);
    await queue.type('dange');
    expect(queue.asked()).toEqual([]);
    const [ruling] = await queue.type('rous\r');
    expect(ruling).toMatchObject({ id: 'h-1', order: { verdict: 'deny', reason: 'angerous' } });
  });

  it('takes no ruling from what was typed before it was shown', async () => {
    const queue = scene();
    await queue.type('\rdwi');
    await queue.answerHold(first);
    expect(queue.state()).toMatchObject({ open: { hold: { id: 'h-1' } }, prompt: null });
    expect(queue.state().said).toContain('press enter');
    expect(await queue.type('re fraud\r')).toEqual([]);
    expect(queue.state()).toMatchObject({ prompt: null, said: '', open: {} });
    await queue.type('d');
    expect(queue.state().prompt).toMatchObject({ kind: 'deny' });
  });

  it('is given up with escape, and not shown when its answer comes after that', async () => {
    const queue = scene();
    await queue.type('\rx\u001bj\r');
    await queue.answerHold(first);
    expect(queue.state().open).toBeNull();
    await queue.answerHold(detailed(listed('h-2')));
    expect(queue.state()).toMatchObject({ open: { hold: { id: 'h-2' } }, typedAhead: false });
  });

  it('that cannot be read says so, and the list takes keys again', async () => {
    const queue = scene();
    await queue.type('\r');
    await queue.refuse(new HoldpointError('not_found', 'There is no such hold here.', 'List them.'));
    expect(queue.state().said).toBe('There is no such hold here. List them.');
    await queue.type('j\r');
    expect(queue.asked()).toEqual(['h-2']);
  });
});

describe('an open hold that is read again', () => {
  const changed = { ...listed('h-1'), commentCount: 1 };

  async function rereading() {
    const queue = scene();
    await queue.type('\r');
    await queue.answerHold(first);
    queue.refresh();
    await turn();
    await queue.answerList([changed]);
    expect(queue.asked()).toEqual(['h-1']);
    return queue;
  }

  it('keeps what was begun while its answer was on its way', async () => {
    const queue = await rereading();
    await queue.type('dwi');
    await queue.answerHold(detailed(changed));
    expect(queue.state().open?.hold.commentCount).toBe(1);
    const [ruling] = await queue.type('re fraud\r');
    expect(ruling).toMatchObject({ digest, order: { verdict: 'deny', reason: 'wire fraud' } });
  });

  it('stays closed where it was left meanwhile', async () => {
    const queue = await rereading();
    await queue.type('\u001b');
    await queue.answerHold(detailed(changed));
    expect(queue.state().open).toBeNull();
  });

  it('says that it is over once somebody else ruled on it', async () => {
    const queue = scene();
    await queue.type('\r');
    await queue.answerHold(first);
    queue.refresh();
    await turn();
    await queue.answerList([listed('h-2')]);
    await queue.answerHold(detailed({ ...listed('h-1'), state: 'denied' }));
    expect(queue.state().open?.hold.state).toBe('denied');
    queue.refresh();
    await turn();
    await queue.answerList([listed('h-2')]);
    expect(queue.asked()).toEqual([]);
  });
});

describe('a ruling', () => {
  async function ruled() {
    const queue = scene();
    await queue.type('\r');
    await queue.answerHold(first);
    await queue.type('rok\r');
    expect(queue.asked()).toEqual(['release h-1']);
    return queue;
  }

  it('is said to be sealed, its hold is closed and the list read', async () => {
    const queue = await ruled();
    await queue.answer();
    expect(queue.state()).toMatchObject({ open: null, said: 'h-1: your release is sealed.' });
    await queue.answerList([listed('h-2')]);
    expect(queue.state().items.map(({ id }) => id)).toEqual(['h-2']);
  });

  it('leaves the list alone with what was typed about its hold meanwhile', async () => {
    const queue = await ruled();
    await queue.type('dun');
    await queue.answer();
    await queue.answerList([listed('h-2'), listed('h-3')]);
    expect(await queue.type('ique\r')).toEqual([]);
    expect(queue.state()).toMatchObject({ open: null, opening: '', selected: 'h-2' });
  });

  it('sealed when another hold is waited for takes nothing of what was typed for that one', async () => {
    const queue = await ruled();
    await queue.type('\u001bj\rdwi');
    await queue.answer();
    await queue.answerList([listed('h-2')]);
    await queue.answerHold(detailed(listed('h-2')));
    expect(await queue.type('re fraud\r')).toEqual([]);
    expect(queue.state()).toMatchObject({ prompt: null, open: { hold: { id: 'h-2' } } });
  });

  it('that is refused leaves its hold open, with why', async () => {
    const queue = await ruled();
    await queue.refuse(new HoldpointError('already_ruled', 'Somebody ruled already.', 'Read it again.'));
    expect(queue.state()).toMatchObject({ open: {}, said: 'Somebody ruled already. Read it again.' });
    expect(queue.failures).toEqual([]);
  });

  it('under way when the reader leaves is told once it is sealed, and so is its refusal', async () => {
    const queue = await ruled();
    queue.leave();
    await queue.answer();
    expect([queue.said, queue.asked(), queue.failures]).toEqual([['h-1: your release is sealed.'], [], []]);
    const other = await ruled();
    other.leave();
    const refusal = new HoldpointError('already_ruled', 'Somebody ruled already.', '');
    await other.refuse(refusal);
    expect(other.failures).toEqual([refusal]);
  });
});

describe('the list', () => {
  it('is asked for once at a time, and what the reader asks for comes next', async () => {
    const queue = scene();
    queue.refresh();
    await turn();
    queue.refresh();
    queue.refresh();
    await queue.type('\r');
    queue.refresh();
    await queue.answerList(three.items);
    await queue.answerList(three.items);
    expect(queue.asked()).toEqual(['h-1']);
    await queue.answerHold(first);
    expect(queue.asked()).toEqual([]);
  });

  it('that cannot be asked for ends the command', async () => {
    const queue = scene();
    queue.refresh();
    await turn();
    const gone = new HoldpointError('sidecar_unreachable', 'Nobody answers.', '');
    await queue.refuse(gone);
    expect(queue.failures).toEqual([gone]);
  });
});
