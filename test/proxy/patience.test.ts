/** How long the caller of a held call waits for a ruling before it is told to ask again. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

test.each([
  ['who says nothing of its patience waits as long as may be', [], 30_000],
  ['hears a while before its own patience ends', ['x-stainless-timeout: 40'], 25_000],
  ['of great patience waits no longer than may be', ['x-stainless-timeout: 6000'], 30_000],
  ['of little patience waits a second all the same', ['x-stainless-timeout: 5'], 1_000],
] as const)('a caller %s', async (_what, headers, waitMs) => {
  const rig = await startRig({ policy: holdTransfers, limits: { waitMsMax: 30_000 } });
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatTransfer(25_000))),
  );
  const client = await rig.chat(chatRequest(), headers);
  await rig.sidecar.ada.nextHold();
  rig.time.advance(waitMs - 1);
  // A call of its own has come and gone meanwhile.
  await rig.sidecar.ada.pending();
  expect(client.received()).toHaveLength(0);
  rig.time.advance(1);
  const { status, head, body } = await client.answer();
  expect([status, JSON.parse(body.toString())]).toMatchObject([503, { error: { code: 'held' } }]);
  expect(head).toMatch(/\r\nretry-after: 1\r\n/i);
});
