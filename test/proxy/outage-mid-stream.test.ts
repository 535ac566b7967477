/** A ledger that fails while an answer streams: nothing more of that can be recorded, and nothing more goes on. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { createFullDisk } from '../support/full-disk.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { chatDelta, chatRequest, chatRole } from './answers.ts';
import { decisionIdOf, startRig } from './rig.ts';

afterEach(endAll);

test.each([
  ['while it is away', false],
  ['once it is back', true],
])('the text that comes %s goes to nobody, and the upstream is stopped', async (_when, isBack) => {
  const disk = createFullDisk();
  const rig = await startRig({ machine: disk });
  const failed = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(chatRole + chatDelta('It begins')));
    await failed.promise;
    answer.send(chunk(chatDelta(', and goes on')));
    await answer.closed;
    stopped.resolve();
  });
  const client = await rig.chat(chatRequest({ stream: true }));
  await client.until('It begins');
  disk.isFull = true;
  expect((await (await rig.chat(chatRequest())).answer()).status).toBe(503);
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], '{}')));
  const another = async (): Promise<number> =>
    (await (await rig.post('/v1/of-no-kind', '{}')).answer()).status;
  disk.isFull = !isBack;
  if (isBack) await expect.poll(another, { timeout: 5_000, interval: 20 }).toBe(200);
  failed.resolve();
  await stopped.promise;
  await client.ended;
  expect(client.text()).not.toContain('and goes on');
  disk.isFull = false;
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(client.text()))).toBe('ledger_unavailable');
});
