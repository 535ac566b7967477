/** Anchors when the sidecar stops: what is under way has a moment, and nothing begins. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Anchor } from '../../src/anchor/anchor.ts';
import { openAnchorMemory } from '../../src/anchor/memory.ts';
import { startAnchoring } from '../../src/anchor/schedule.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createLedgerUnderTest, exchange } from '../fault/ledger-under-test.ts';
import { createManualTime, type ManualTime } from '../support/time.ts';

let directory: string;
let ledger: Ledger;
let time: ManualTime;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-anchors-'));
  ledger = await createLedgerUnderTest().open();
  time = createManualTime();
});
afterEach(async () => {
  await ledger.close('test ended');
  rmSync(directory, { recursive: true });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A schedule with one anchor; `isStopped` says whether its end was waited for long enough. */
function stopping(send: Anchor['send']) {
  const anchoring = startAnchoring({
    anchors: [{ name: 'a', kind: 'file', send }],
    ledger,
    memory: openAnchorMemory(directory, ledger.origin),
    clock: time.clock,
    schedule: time.schedule,
    everyMs: 60_000,
    timeoutMs: 10_000,
    onEvent: () => undefined,
  });
  let isStopped = false;
  const stopped = anchoring.stop().then(() => {
    isStopped = true;
  });
  return { stopped, isStopped: () => isStopped };
}

it('a round that is under way ends, and none begins after it', async () => {
  const answered = Promise.withResolvers<void>();
  let sent = 0;
  const { stopped, isStopped } = stopping(async () => {
    sent += 1;
    await answered.promise;
    return { text: '', files: [] };
  });
  await turn();
  expect(isStopped()).toBe(false);
  answered.resolve();
  await stopped;
  await exchange(ledger, () => undefined);
  expect([time.armed(), sent]).toEqual([0, 1]);
});

it('an anchor that does not answer is waited for no longer than four seconds', async () => {
  const { stopped, isStopped } = stopping(() => new Promise(() => undefined));
  time.advance(3_999);
  await turn();
  expect(isStopped()).toBe(false);
  time.advance(1);
  await stopped;
});
