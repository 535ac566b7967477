/** Which calls of a released answer are let go where the answer is only in the ledger. */
import { afterEach, expect, test } from 'vitest';
import { encodeHttpMessage } from '../../src/core/http-message.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { loadPolicy } from '../../src/policy/compile.ts';
import { releasedCalls } from '../../src/proxy/released-calls.ts';
import { chatRequest, chatTransfer } from '../proxy/answers.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const policy = loadPolicy('policy.yaml', 'version: "1"\nrules: []\n');
const headers = ['Content-Type', 'application/json'];

let ledger: Ledger | undefined;
afterEach(() => ledger?.close('test over'));

/** Of an answer with one call, whose entry says that it has so many. */
async function letGo(toolCalls: number): Promise<readonly string[]> {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const call = { method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions' };
  const startLine = 'POST /v1/chat/completions HTTP/1.1';
  const asked = opened.seal({
    type: 'request',
    data: { ...call, provider: 'openai', rules: [], verdict: 'pass', workload: 'w' },
    parts: [
      { name: 'request', bytes: encodeHttpMessage({ startLine, headers, body: Buffer.from(chatRequest()) }) },
    ],
  });
  const body = Buffer.from(chatTransfer(20_000));
  const answered = opened.seal({
    type: 'response',
    data: {
      ...{ decision: asked.seq, result: 'ok', rules: ['x'], status: 200, streamed: false, verdict: 'hold' },
      toolCalls,
    },
    refs: [asked.seq],
    parts: [{ name: 'response', bytes: encodeHttpMessage({ startLine: 'HTTP/1.1 200 OK', headers, body }) }],
  });
  await answered.durable;
  const held = { phase: 'response', decision: asked.seq, response: answered.seq } as const;
  const house = { ledger: opened, policy: () => policy, onError: expect.unreachable };
  const calls = await releasedCalls({ ...held, state: { status: 'released' } }, null, house);
  return calls.map(({ name }) => name);
}

test('those that the record has are', async () => {
  expect(await letGo(1)).toEqual(['transfer_funds']);
});

test('none are of an answer that was sealed as one without calls, by a version that read it otherwise', async () => {
  expect(await letGo(0)).toEqual([]);
});
