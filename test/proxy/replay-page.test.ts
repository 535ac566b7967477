/** Where a page of a replay ends, what it says it read, and where the next one goes on. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/ledger/entry.ts';
import type { UnreadableEntry } from '../../src/ledger/reader.ts';
import type { PageOrder, ReplayHouse } from '../../src/replay/backtest.ts';
import { endAll } from '../support/endings.ts';
import type { TestSidecar } from '../support/sidecar.ts';
import { replay } from './replayed.ts';
import { startRig } from './rig.ts';

const nothing = 'version: "1"\nrules: []\n';

let sidecar: TestSidecar;
/** Of three decisions, the newest first. */
let seqs: readonly number[];
beforeEach(async () => {
  const rig = await startRig();
  for (let i = 0; i < 3; i++) await (await rig.chat('{"model":"gpt-4.1","messages":[]}')).until('Hello.');
  sidecar = rig.sidecar;
  seqs = (await entriesOf('request')).map(({ seq }) => seq);
});
afterEach(endAll);

async function entriesOf(type: Entry['type']): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of sidecar.sidecar.ledger.newest(Number.MAX_SAFE_INTEGER))
    if (!(entry instanceof Error) && entry.type === type) found.push(entry);
  return found;
}

const ledgerWith = (others: Partial<ReplayHouse['ledger']>): ReplayHouse['ledger'] => {
  const { ledger } = sidecar.sidecar;
  return {
    newest: (before) => ledger.newest(before),
    decision: (seq) => ledger.decision(seq),
    part: (seq, name) => ledger.part(seq, name),
    entry: (seq) => ledger.entry(seq),
    ...others,
  };
};

async function page(others: Partial<ReplayHouse & PageOrder> = {}) {
  const { tally, newest, oldest, next } = await replay(sidecar, nothing, others);
  return { decisions: tally.decisions(), newest, oldest, next };
}

describe('a page', () => {
  test('says of which decisions it read, the newest and the oldest, and that nothing older is left', async () => {
    expect(await page()).toEqual({ decisions: 3, newest: seqs[0], oldest: seqs[2], next: null });
  });

  test('ends after as many decisions as were asked for, and goes on behind them', async () => {
    const first = await page({ decisionsMax: 2 });
    expect(first).toMatchObject({ decisions: 2, newest: seqs[0], oldest: seqs[1] });
    expect(await page({ before: first.next ?? 0 })).toMatchObject({ decisions: 1, newest: seqs[2] });
  });

  test('ends behind the decision whose bodies fill it', async () => {
    const large = 64 * 1024 * 1024;
    const ledger = ledgerWith({
      decision: async (seq) =>
        (await sidecar.sidecar.ledger.decision(seq)).map((entry) =>
          entry.type === 'request'
            ? { ...entry, parts: entry.parts.map((part) => ({ ...part, size: large })) }
            : entry,
        ),
    });
    expect(await page({ ledger })).toMatchObject({ decisions: 1, oldest: seqs[0], next: expect.any(Number) });
  });

  test('ends after twenty thousand entries, although none of them is a decision', async () => {
    const [other] = await entriesOf('response');
    if (other === undefined) throw new Error('the decisions were answered');
    let looked = 0;
    const newest = async function* (before: number): AsyncGenerator<Entry | UnreadableEntry> {
      for (let seq = before - 1; seq >= 0; seq--) {
        looked += 1;
        yield { ...other, seq };
      }
    };
    const ended = await page({ ledger: ledgerWith({ newest }), before: 30_000 });
    expect(ended).toEqual({ decisions: 0, newest: null, oldest: null, next: 10_000 });
    expect(looked).toBe(20_001);
  });

  test('has what was asked at the time it begins with, and nothing older is left behind it', async () => {
    const requests = await entriesOf('request');
    const atMs = (at: number): number => Date.parse(requests[at]?.at ?? '');
    const times = requests.map((_, place) => atMs(place));
    const since = Math.max(...times);
    const inTime = times.filter((ms) => ms >= since).length;
    expect(await page({ sinceMs: since })).toMatchObject({ decisions: inTime, next: null });
    expect(await page({ sinceMs: since + 3_600_000 })).toMatchObject({ decisions: 0, next: null });
  });
});
