import { describe, expect, it } from 'vitest';
import { denialIn } from '../../../src/replay/held-judgement.ts';
import { facts, judgeOf } from '../policy/support.ts';

const policy = judgeOf({ id: 'no-x', when: 'response.text == "x"', action: 'deny' });

/** A batch of lines, and how many of them were judged. */
function batchOf(texts: readonly string[]) {
  const batch = { judged: 0, heard };
  function* heard() {
    for (const text of texts) {
      batch.judged += 1;
      yield { facts: facts({ text }), defects: [] };
    }
  }
  return batch;
}

describe('what denies a held batch', () => {
  it('is the rule that denies its first such line', async () => {
    const batch = batchOf(['a', 'x', 'b']);
    expect(await denialIn(batch, { phase: 'response' }, policy)).toMatchObject({ rule: 'no-x' });
    expect(batch.judged).toBe(2);
  });

  it('is null where no rule denies a line', async () => {
    expect(await denialIn(batchOf(['a', 'b']), { phase: 'response' }, policy)).toBeNull();
  });

  it('is sought in turns with other work', async () => {
    const batch = batchOf(Array.from({ length: 1_000 }, () => 'a'));
    const met: number[] = [];
    setImmediate(() => met.push(batch.judged));
    await denialIn(batch, { phase: 'response' }, policy);
    expect(batch.judged).toBe(1_000);
    expect(met[0]).toBeLessThan(100);
  });
});
