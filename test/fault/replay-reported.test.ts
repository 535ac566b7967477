/** What was reported is judged again by what the report said of it, and by nothing that it did not. */
import { afterEach, expect, test } from 'vitest';
import { encodeHttpMessage } from '../../src/core/http-message.ts';
import type { JsonObject } from '../../src/ledger/canonical.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { readRecorded } from '../../src/replay/recorded.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const decodedBytesMax = 1_024 * 1_024;

let ledger: Ledger | undefined;
afterEach(() => ledger?.close('test over'));

/** Of an exchange in plain words, the model named in the leaves alone. */
async function phasesOf(answer: JsonObject | null) {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const headers = ['Content-Type', 'application/json', 'holdpoint-subject', 'customer-1'];
  const asked = opened.seal({
    type: 'request',
    data: {
      ...{ method: 'POST', operation: 'unknown', path: '', provider: '', reported: 'r-1' },
      ...{ model: 'asked-model', purpose: 'loans', session: 's-1', workload: 'w' },
      ...{ rules: ['then-asked'], verdict: 'flag' },
    },
    parts: [
      {
        name: 'request',
        bytes: encodeHttpMessage({ startLine: 'POST / HTTP/1.1', headers, body: Buffer.from('"May I?"') }),
      },
    ],
  });
  let last = asked;
  if (answer !== null)
    last = opened.seal({
      type: 'response',
      data: { decision: asked.seq, result: 'ok', status: 200, streamed: false, ...answer },
      refs: [asked.seq],
      parts: [
        {
          name: 'response',
          bytes: encodeHttpMessage({ startLine: 'HTTP/1.1 200 OK', headers: [], body: Buffer.from('"No."') }),
        },
      ],
    });
  await last.durable;
  const phases = await readRecorded(opened, await opened.decision(asked.seq), decodedBytesMax);
  return phases.map((phase) => {
    if ('obstacle' in phase) throw new Error(phase.obstacle);
    return { ...phase, heard: [...phase.heard()] };
  });
}

const request = {
  ...{ model: 'asked-model', text: 'May I?', workload: 'w', subject: 'customer-1', purpose: 'loans' },
  session: 's-1',
};

test('a question with the model, the subject and the purpose that it was reported with', async () => {
  expect(await phasesOf(null)).toMatchObject([
    {
      ...{ phase: 'request', rules: ['then-asked'], verdict: 'flag', flagsOnly: true },
      lacking: new Set(),
      heard: [{ facts: { request }, defects: [] }],
    },
  ]);
});

test('an answer with what it answers, its own model and what was said of it', async () => {
  const answer = { model: 'answering-model', rules: ['then-answered'], verdict: 'pass' };
  expect((await phasesOf(answer)).at(-1)).toMatchObject({
    ...{ phase: 'response', rules: ['then-answered'], verdict: 'pass', flagsOnly: true },
    heard: [
      { facts: { request, response: { model: 'answering-model', text: 'No.', status: 200 } }, defects: [] },
    ],
  });
});
