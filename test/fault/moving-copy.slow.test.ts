import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { recordKey } from '../../src/ledger/block.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-moving-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const copies = 400;
/** Of a store that hardly grew, copies would show little. */
const entriesMin = 50;

/** Every erasure flushes LevelDB's memory, and a start replays its log: tables come and go by the second. */
async function eraseUntil(dir: string, isOver: () => boolean): Promise<number> {
  let seq = 0;
  for (let store = await openLedgerStore(dir); ; store = await openLedgerStore(dir)) {
    for (let turn = 0; turn < 20 && !isOver(); turn += 1, seq += 1) {
      const bodies = recordKey(seq, 'bodies');
      const block = { key: recordKey(seq, 'block'), value: Buffer.from(`block ${seq}`) };
      await store.commit([block, { key: bodies, value: Buffer.from(`HPV1 ${seq}`) }], true);
      await store.rewriteBodies([bodies], () => Buffer.from(`HPV1 again ${seq}`));
      await passed(20 + ((seq * 37) % 200));
    }
    await store.close();
    if (isOver()) return seq;
  }
}

it('copies of a store whose tables move open, four hundred and more, and read it whole or say that it moved', async () => {
  const dir = join(root, 'ledger');
  await (await openLedgerStore(dir)).close();
  let over = false;
  const writing = eraseUntil(dir, () => over);
  let moved = 0;
  let before = 0;
  let made = 0;
  for (; made < copies || before <= entriesMin; made += 1) {
    const copy = await openLedgerCopy(dir, root);
    const seqs: number[] = [];
    try {
      for await (const { key } of copy.scan({ withoutBodies: true }))
        seqs.push(Number(key.readBigUInt64BE()));
      expect(seqs).toEqual(seqs.map((_, index) => index));
      expect(seqs.length).toBeGreaterThanOrEqual(before);
      before = seqs.length;
    } catch (error) {
      if (await copy.isWhole()) throw error;
      moved += 1;
    } finally {
      await copy.close();
    }
  }
  over = true;
  process.stdout.write(`moving copies: ${made} made, ${moved} moved, of ${await writing} commits\n`);
  expect(before).toBeGreaterThan(entriesMin);
});
