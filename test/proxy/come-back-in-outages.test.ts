/** Who comes back for a held answer while the ledger's disk is away: it is told to come again, and the hold stays as it was. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import type { Machine } from '../../src/sidecar.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';

const transfer = chatTransfer(25_000);
const noteDraft = { type: 'access', data: { action: 'look', by: 'ada', role: 'viewer' } } as const;
let sidecar: TestSidecar;
let upstream: RawUpstream;
const disk = { isAway: false, triedAgain: Promise.withResolvers<void>() };

/** A disk that takes nothing while it is away, and cannot be opened. */
const openFromDisk: Machine['openLedgerStore'] = async (dir) => {
  if (disk.isAway) {
    disk.triedAgain.resolve();
    throw new Error('no such device');
  }
  const store = await openLedgerStore(dir);
  const commit: typeof store.commit = (records, sync) =>
    disk.isAway ? Promise.reject(new Error('no such device')) : store.commit(records, sync);
  return { ...store, commit };
};

async function chat(): Promise<RawClient> {
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  return client;
}

async function isGone(): Promise<void> {
  await waitFor(async () => expect(await sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
}

/** What is opened again is closed before: from here on nothing can be read either. */
async function loseDisk(): Promise<void> {
  disk.triedAgain = Promise.withResolvers();
  disk.isAway = true;
  await expect(sidecar.sidecar.ledger.seal(noteDraft).durable).rejects.toThrow();
  await disk.triedAgain.promise;
}

async function findDisk(): Promise<void> {
  disk.isAway = false;
  await waitFor(() => expect(sidecar.sidecar.ledger.isWritable()).toBe(true), 8_000);
}

beforeEach(async () => {
  disk.isAway = false;
  upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', [], transfer)));
  sidecar = await startTestSidecar({
    policy: holdTransfers,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    machine: { openLedgerStore: openFromDisk },
  });
});
afterEach(endAll);

test('a hold that waits for its ruling waits on, and its caller may come back once more', async () => {
  const first = await chat();
  const hold = await sidecar.ada.nextHold();
  first.destroy();
  await isGone();
  await loseDisk();
  const answer = await (await chat()).answer();
  expect(answer.status).toBe(503);
  expect(answer.body.toString()).toContain('ledger_unavailable');
  await findDisk();
  await isGone();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await (await chat()).answer()).body.toString()).toBe(transfer);
  expect(upstream.requests).toHaveLength(1);
  expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
});

test('a released answer stays there to be collected', async () => {
  const first = await chat();
  const hold = await sidecar.ada.nextHold();
  first.destroy();
  await isGone();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  await loseDisk();
  expect((await (await chat()).answer()).status).toBe(503);
  await findDisk();
  expect((await (await chat()).answer()).body.toString()).toBe(transfer);
  expect(upstream.requests).toHaveLength(1);
});

test('who comes back as the disk goes is told to come again, too', async () => {
  const first = await chat();
  const hold = await sidecar.ada.nextHold();
  first.destroy();
  await isGone();
  vi.spyOn(sidecar.sidecar.ledger, 'part').mockImplementationOnce(async () => {
    await loseDisk();
    throw new Error('input/output error');
  });
  const answer = await (await chat()).answer();
  expect([answer.status, answer.body.toString()]).toEqual([
    503,
    expect.stringContaining('ledger_unavailable'),
  ]);
  await findDisk();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await (await chat()).answer()).body.toString()).toBe(transfer);
});

test('a released answer is collected later where too much waits to be sealed', async () => {
  const first = await chat();
  const hold = await sidecar.ada.nextHold();
  first.destroy();
  await isGone();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  vi.spyOn(sidecar.sidecar.ledger, 'seal').mockImplementationOnce(() => {
    throw new HoldpointError('overloaded', 'Too much waits to be sealed.');
  });
  expect((await (await chat()).answer()).status).toBe(503);
  expect((await (await chat()).answer()).body.toString()).toBe(transfer);
  expect(upstream.requests).toHaveLength(1);
});

test('a released answer that could not be read once is collected by the next that comes', async () => {
  const first = await chat();
  const hold = await sidecar.ada.nextHold();
  first.destroy();
  await isGone();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  vi.spyOn(sidecar.sidecar.ledger, 'part').mockRejectedValueOnce(new Error('input/output error'));
  expect((await (await chat()).answer()).status).toBe(500);
  expect((await (await chat()).answer()).body.toString()).toBe(transfer);
  expect(upstream.requests).toHaveLength(1);
});
