/** A draft that somebody tries over the record: opened in steps, since what it takes is theirs to say. */
import { describe, expect, it } from 'vitest';
import { openDraft } from '../../../src/policy/backtest.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { facts, policyText, thrown } from './support.ts';

const text = policyText('response.text == "yes"');
const failing = policyText('response.text == "yes"', {
  tests:
    '[{ name: yes, expect: match, response: { text: "yes" } }, { name: no, expect: no-match, response: { text: "yes" } }]',
});

describe('a draft', () => {
  it('is opened with a pause after each of its fixtures', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let pauses = 0;
    const opening = openDraft('draft', text, undefined, () => {
      pauses += 1;
      return promise;
    });
    expect(pauses).toBe(1);
    resolve();
    await opening;
    expect(pauses).toBe(2);
  });

  it('is what would load, and is refused with the same words where it would not', async () => {
    const pause = () => Promise.resolve();
    const draft = await openDraft('draft', text, undefined, pause);
    expect(draft).toMatchObject({ digest: loadPolicy('draft', text).digest, rules: [{ id: 'a-rule' }] });
    const refused = openDraft('draft', failing, undefined, pause);
    await expect(refused).rejects.toThrow(thrown(() => loadPolicy('draft', failing)).message);
  });

  it('is not opened any further once its pause is the end', async () => {
    let pauses = 0;
    const opening = openDraft('draft', text, undefined, () => {
      pauses += 1;
      return Promise.reject(new Error('nobody waits'));
    });
    await expect(opening).rejects.toThrow('nobody waits');
    expect(pauses).toBe(1);
  });
});

describe('a rule of a draft, where the provider may run one of several requests, is', () => {
  const readable = { text: 'the merger', tokenIds: 0 };
  const unreadable = { text: '', tokenIds: 3 };
  const tests =
    '[{ name: yes, expect: match, request: { text: merger } }, { name: no, expect: no-match, request: { text: x } }]';
  const ruled = (action: string) =>
    policyText('request.text.contains("merger")', { phase: 'request', action, tests });

  it.each([
    ['failed where it would flag one, and hold for one it fails on', 'flag', 'failed', 'hold'],
    ['a match where it would deny one, and hold for one it fails on', 'deny', 'match', 'deny'],
  ] as const)('%s, in either order, as a policy in force has it', async (_what, action, tried, inForce) => {
    const draft = await openDraft('draft', ruled(action), undefined, () => Promise.resolve());
    const policy = loadPolicy('policy', ruled(action));
    for (const [own, other] of [
      [readable, unreadable],
      [unreadable, readable],
    ] as const) {
      const given = facts({}, { ...own, insteads: [other] });
      expect([...draft.attempt('request', given, new Set())].map((one) => one.tried)).toEqual([tried]);
      expect(policy.judge('request', given).action).toBe(inForce);
    }
  });

  it('a match where the last of them is the only one that matches, as a policy in force has it', async () => {
    const draft = await openDraft('draft', ruled('hold'), undefined, () => Promise.resolve());
    const given = facts({}, { text: 'no', insteads: [{ text: 'nor this' }, { text: 'the merger' }] });
    expect([...draft.attempt('request', given, new Set())].map((one) => one.tried)).toEqual(['match']);
    expect(loadPolicy('policy', ruled('hold')).judge('request', given).action).toBe('hold');
  });
});
