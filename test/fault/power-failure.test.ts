import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failPower, recordLife, type Tape } from './power-failure.ts';

/** Every how many storage calls the power fails, and with how many choices of what is lost: more in the slow suite. */
const every = process.env['TEST_SLOW'] === '1' ? 1 : 7;
const choices = process.env['TEST_SLOW'] === '1' ? 5 : 1;

describe.each(['strict', 'relaxed'] as const)('after a power failure in a %s life', (durability) => {
  let tape: Tape;
  beforeAll(async () => {
    tape = await recordLife(durability);
  });
  afterAll(() => tape.remove());

  const title =
    durability === 'strict'
      ? 'nothing that was acknowledged is lost, and the ledger goes on'
      : 'the ledger goes on, or says that entries are gone';
  it(title, async () => {
    const total = { failures: 0, dropped: 0, lost: 0, rolledBack: 0 };
    const faults: string[] = [];
    for (let after = 0; after < tape.steps.length; after += every) {
      for (let seed = 0; seed < choices; seed += 1) {
        const loss = await failPower(tape, after, 1000 * after + seed);
        faults.push(...loss.faults.map((fault) => `after call ${after}, seed ${seed}: ${fault}`));
        total.failures += 1;
        total.dropped += loss.dropped;
        total.lost += loss.lost;
        if (loss.isRolledBack) total.rolledBack += 1;
      }
    }
    process.stdout.write(`power failure, ${durability}: ${JSON.stringify(total)}\n`);
    expect(tape.steps.some(({ call }) => call.kind === 'write' && call.file.endsWith('.hpj'))).toBe(true);
    expect(faults).toEqual([]);
    expect(total.dropped).toBeGreaterThan(0);
    // Relaxed durability waits for no disk: the failure takes what was answered, and the mark may outlive it.
    if (durability === 'strict') expect([total.lost, total.rolledBack]).toEqual([0, 0]);
    else expect(total.rolledBack).toBeGreaterThan(0);
  });
});
