/** A held stream whose caller left, and came back for it: it is kept alive as it was for the first one. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import type { RawClient } from '../support/raw-client.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatToolsEnd, chatTransferEvents } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

const held = chatTransferEvents(25_000).join('') + chatToolsEnd;
const question = chatRequest({ stream: true });
const comment = ': held for a reviewer\n';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ policy: holdTransfers });
});
afterEach(endAll);

/** A retry takes the place of the first caller, and is kept alive by now. */
async function comeBack(): Promise<{ client: RawClient; release(): Promise<unknown> }> {
  const { ada } = rig.sidecar;
  const first = await rig.chat(question);
  const hold = await ada.nextHold();
  first.destroy();
  await waitFor(async () => expect(await ada.pending()).toMatchObject([{ caller: 'gone' }]));
  const client = await rig.chat(question);
  await waitFor(async () => expect(await ada.pending()).toMatchObject([{ caller: 'waiting' }]));
  rig.time.advance(10_000);
  await client.until(comment);
  return { client, release: () => ada.rule(hold, { verdict: 'release' }) };
}

test('it begins with the upstream’s own head, and ends with its own bytes', async () => {
  const head = ['Content-Type: text/event-stream', 'X-Request-Id: req_1'];
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, held)));
  const { client, release } = await comeBack();
  expect(client.text()).toContain('X-Request-Id: req_1');
  await release();
  expect((await client.answer()).body.toString()).toBe(comment + held);
  expect(rig.upstream.requests).toHaveLength(1);
});

test('the fields that come behind it stand behind it', async () => {
  rig.upstream.script((_request, answer) =>
    answer.send(`${streamHead}${chunk(held)}0\r\nX-Checksum: abc\r\n\r\n`),
  );
  const { client, release } = await comeBack();
  expect(client.text()).not.toContain('X-Checksum');
  await release();
  await client.until('\r\n0\r\nX-Checksum: abc\r\n\r\n');
});
