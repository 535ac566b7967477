/** One call, one record: counted, told apart whatever ids the provider gives, on connections that outlive the callers'. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatText, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ policy: holdTransfers });
});
afterEach(endAll);

test('there are as many decisions as calls that the provider had, and each has one outcome', async () => {
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))));
  const calls = Array.from({ length: 120 }, (_, n) => chatRequest({ user: `caller-${n}` }));
  const ids = await Promise.all(
    calls.map(async (body) => {
      const client = await rig.chat(body);
      const { head } = await client.answer();
      client.destroy();
      return decisionIdOf(head);
    }),
  );
  expect(rig.upstream.requests).toHaveLength(calls.length);
  expect(new Set(ids).size).toBe(calls.length);
  const outcomes = await Promise.all(ids.map((id) => rig.sidecar.ada.outcomeOf(id)));
  expect(new Set(outcomes)).toEqual(new Set(['delivered']));
});

test.each([
  { what: 'null', text: (body: string) => body.replace('"chatcmpl-1"', 'null').replace('"call_1"', 'null') },
  { what: 'the same', text: (body: string) => body },
])('answers whose ids are $what are held, ruled on and delivered each for itself', async ({ text }) => {
  let amount = 25_000;
  rig.upstream.script((_request, answer) => {
    amount += 1;
    answer.send(wholeAnswer('200 OK', [], text(chatTransfer(amount))));
  });
  const first = await rig.chat(chatRequest({ user: 'first' }));
  const denied = await rig.sidecar.ada.nextHold();
  const second = await rig.chat(chatRequest({ user: 'second' }));
  const holds = await rig.sidecar.ada.pending(2);
  await rig.sidecar.ada.rule(denied, { verdict: 'deny' });
  for (const hold of holds)
    if (hold.id !== denied.id) await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await first.answer()).status).toBe(403);
  expect((await second.answer()).body.toString()).toBe(text(chatTransfer(25_002)));
});

test('a connection is kept longer than clients keep theirs, so that none writes into one that closes', async () => {
  const longestOfClientsSeconds = 60;
  const { head } = await (await rig.chat(chatRequest())).answer();
  const seconds = Number(/\r\nkeep-alive: timeout=(\d+)/i.exec(head)?.[1]);
  expect(seconds).toBeGreaterThan(longestOfClientsSeconds);
});
