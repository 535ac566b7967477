/** Summaries of holds are kept in memory, and nothing of what was erased is. */
import { expect, it } from 'vitest';
import { createSummaries } from '../../../src/control/hold-summaries.ts';
import { encodeHttpMessage } from '../../../src/core/http-message.ts';
import { createHoldQueue } from '../../../src/hold/queue.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { chatRequest } from '../../proxy/answers.ts';
import { createManualTime } from '../../support/time.ts';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import { bySubject, deskOf, run, subject } from './scene.ts';

const secret = 'Who buys whom?';

/** A held request that is over. */
async function heldRequest(ledger: Ledger) {
  const { clock, schedule } = createManualTime();
  const holds = createHoldQueue({ ledger, clock, schedule, onError: () => undefined });
  const startLine = 'POST /v1/chat/completions HTTP/1.1';
  const messages = [{ role: 'user', content: secret }];
  const body = Buffer.from(chatRequest({ messages }));
  const call = { method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions' };
  const request = ledger.seal({
    type: 'request',
    data: { ...call, provider: 'openai', subject, rules: [], verdict: 'hold' },
    parts: [{ name: 'request', bytes: encodeHttpMessage({ startLine, headers: [], body }) }],
  });
  await request.durable;
  const nowMs = clock.nowMs();
  const hold = await holds.open(
    {
      ...{ decision: request.seq, phase: 'request', rules: [], policyDigest: '', policyVersion: '1' },
      ...{ openedAtMs: nowMs, retryKey: 'one call', response: null, passedBytes: 0 },
    },
    {
      ...{ approvals: 1, roles: ['reviewer'], notRequester: false, requester: '' },
      ...{ digest: request.parts()[0]?.c ?? '', expiresAtMs: nowMs + 60_000 },
    },
  );
  holds.stop();
  await ledger.seal({ type: 'delivery', data: { outcomes: [[request.seq, 'denied']] } }).durable;
  return hold;
}

it('what was read before an erasure and ends after it is not kept, whoever asked in between', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const hold = await heldRequest(ledger);
  const hasRead = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let isFirst = true;
  const summaryOf = createSummaries({
    ...ledger,
    part: async (seq, name) => {
      const bytes = await ledger.part(seq, name);
      if (!isFirst) return bytes;
      isFirst = false;
      hasRead.resolve();
      await goOn.promise;
      return bytes;
    },
  });
  const early = summaryOf(hold);
  await hasRead.promise;
  expect(await run(deskOf(house, ledger), bySubject)).toMatchObject({ state: 'done' });
  expect((await summaryOf(hold)).headline).not.toContain(secret);
  goOn.resolve();
  expect((await early).headline).toContain(secret);
  expect((await summaryOf(hold)).headline).not.toContain(secret);
  await ledger.close('test');
});

it('what was read while an erasure was carried out is not shown from memory after it', async () => {
  const house = createLedgerUnderTest();
  let during = async (): Promise<void> => undefined;
  const ledger = await house.open({
    openStore: async () => {
      const store = await house.disk.open();
      return {
        ...store,
        rewriteBodies: async (...args) => {
          await during();
          return store.rewriteBodies(...args);
        },
      };
    },
  });
  const hold = await heldRequest(ledger);
  const summaryOf = createSummaries(ledger);
  const shown: string[] = [];
  during = async () => void shown.push((await summaryOf(hold)).headline);
  expect(await run(deskOf(house, ledger), bySubject)).toMatchObject({ state: 'done' });
  shown.push((await summaryOf(hold)).headline);
  expect(shown.map((headline) => headline.includes(secret))).toEqual([true, false]);
  await ledger.close('test');
});
