/** A draft that somebody tries over the record: opened in steps, since what it takes is theirs to say. */
import { describe, expect, it } from 'vitest';
import { openDraft } from '../../../src/policy/backtest.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { policyText, thrown } from './support.ts';

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
