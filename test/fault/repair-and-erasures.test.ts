/** `ledger fsck --repair` where an erasure was under way: what LevelDB knew of it is gone, what was to be erased goes too. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { decodeBodies, recordKey } from '../../src/ledger/block.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { ErasingStep } from '../../src/store/erasing-store.ts';
import { fsck } from '../../src/store/fsck.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { repair } from '../../src/store/repair.ts';
import { copyAsKilled } from '../support/killed-copy.ts';
import { createLedgerUnderTest, requestDraft, responseDraft } from './ledger-under-test.ts';

vi.setConfig({ testTimeout: 60_000 });

const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-repair-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Two closed decisions; the request and the response of each share a block. */
async function decideTwice(ledger: Ledger): Promise<readonly [number, number]> {
  const decisions: number[] = [];
  for (let turn = 0; turn < 2; turn += 1) {
    const { seq } = ledger.seal(requestDraft);
    await ledger.seal(responseDraft(seq)).durable;
    await ledger.seal({ type: 'delivery', data: { outcomes: [[seq, 'delivered']] } }).durable;
    decisions.push(seq);
  }
  const [first = -1, second = -1] = decisions;
  return [first, second];
}

/** The stored bytes of the request and the response of a decision. */
async function bodiesOf(dir: string, decision: number): Promise<readonly Buffer[]> {
  const store = await openLedgerCopy(dir);
  try {
    const record = await store.get(recordKey(decision, 'bodies'));
    return decodeBodies(record ?? Buffer.alloc(0)).items.map(({ ciphertext }) => ciphertext);
  } finally {
    await store.close();
  }
}

const isAnywhere = (dir: string, bytes: Buffer): boolean =>
  readdirSync(dir).some((name) => readFileSync(join(dir, name)).includes(bytes));

it('leaves nothing of what was erased, whatever the kill was between, and everything else', async () => {
  const house = createLedgerUnderTest();
  const dataDir = join(scratch, 'data');
  const dir = join(dataDir, 'ledger');
  const killed: { step: ErasingStep; paths: Parameters<typeof fsck>[0] }[] = [];
  const openIn = (ledgerDir: string) =>
    house.open({
      openStore: () =>
        openLedgerStore(ledgerDir, (step) => {
          if (ledgerDir !== dir) return;
          const left = join(scratch, `${killed.length}`);
          copyAsKilled(dataDir, left);
          const paths = {
            ledgerDir: join(left, 'ledger'),
            indexDir: join(left, 'index'),
            highWater: join(left, 'mark'),
          };
          killed.push({ step, paths });
        }),
      highWater: { read: () => null, write: () => undefined },
    });
  const ledger = await openIn(dir);
  const [first, second] = await decideTwice(ledger);
  const [request, response] = await bodiesOf(dir, first);
  const [kept, gone] = await bodiesOf(dir, second);
  const targets = [
    [first, 0],
    [first + 1, 0],
    [second + 1, 0],
  ];
  const data = {
    ...{ action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'ab'.repeat(8) },
    ...{ role: 'privacy', scope: { subject: 'cd'.repeat(8) }, targets },
  };
  await ledger.erase({ type: 'erasure', data }, () => true);
  await ledger.close('test');
  expect(killed.map(({ step }) => step)).toEqual(['listed', 'appended', 'settled', 'wiped', 'done']);
  for (const { step, paths } of killed) {
    rmSync(join(paths.ledgerDir, 'CURRENT'));
    await repair(paths, await fsck(paths));
    const again = await openIn(paths.ledgerDir);
    expect((await again.part(second, 'request')).toString(), step).toContain('hold point');
    await again.close('test');
    const left = [request, response, gone].filter((body) =>
      isAnywhere(paths.ledgerDir, body ?? Buffer.alloc(0)),
    );
    expect([step, left.length]).toEqual([step, 0]);
    expect(isAnywhere(paths.ledgerDir, kept ?? Buffer.alloc(0)), step).toBe(true);
  }
});

it('changes nothing of what was there: a kill while it overwrites leaves all that another repair needs', async () => {
  const house = createLedgerUnderTest();
  const dir = join(scratch, 'large', 'ledger');
  const left = join(scratch, 'large-killed');
  const paths = {
    ledgerDir: join(left, 'ledger'),
    indexDir: join(left, 'index'),
    highWater: join(left, 'mark'),
  };
  const openStore = () =>
    openLedgerStore(dir, (step) => {
      if (step === 'settled') copyAsKilled(join(scratch, 'large'), left);
    });
  const ledger = await house.open({ openStore, highWater: { read: () => null, write: () => undefined } });
  const { seq } = ledger.seal(requestDraft);
  await ledger.seal(responseDraft(seq)).durable;
  const [request = Buffer.alloc(0)] = await bodiesOf(dir, seq);
  await ledger.seal({ type: 'delivery', data: { outcomes: [[seq, 'delivered']] } }).durable;
  for (let full = 0; full < 9; full += 1) {
    const parts = [{ name: 'request', bytes: Buffer.alloc(8 * 1024 * 1024, full) }];
    await ledger.seal({ ...requestDraft, parts }).durable;
  }
  const data = {
    ...{ action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'ab'.repeat(8) },
    ...{ role: 'privacy', scope: { decision: seq }, targets: [[seq, 0]] },
  };
  await ledger.erase({ type: 'erasure', data }, () => true);
  await ledger.close('test');
  rmSync(join(paths.ledgerDir, 'CURRENT'));
  const first = (of: string): Buffer => readFileSync(segmentFile(of, 1));
  const before = first(paths.ledgerDir);
  await repair(paths, await fsck(paths));
  expect(first(`${paths.ledgerDir}.before-repair-1`).equals(before)).toBe(true);
  expect(isAnywhere(paths.ledgerDir, request)).toBe(false);
});
