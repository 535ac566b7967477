/** A ledger that fails while an answer streams: nothing more of that can be recorded, and nothing more goes on. */
import { afterEach, expect, test } from 'vitest';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { endAll } from '../support/endings.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { chatDelta, chatRequest, chatRole } from './answers.ts';
import { decisionIdOf, startRig } from './rig.ts';

afterEach(endAll);

test.each([
  ['while it is away', false],
  ['once it is back', true],
])('the text that comes %s goes to nobody, and the upstream is stopped', async (_when, isBack) => {
  let full = false;
  const rig = await startRig({
    machine: {
      openLedgerStore: async (dir) => {
        const store = await openLedgerStore(dir);
        return {
          ...store,
          commit: (records, sync) =>
            full ? Promise.reject(new Error('ENOSPC: no space left')) : store.commit(records, sync),
        };
      },
    },
  });
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
  full = true;
  expect((await (await rig.chat(chatRequest())).answer()).status).toBe(503);
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], '{}')));
  const another = async (): Promise<number> =>
    (await (await rig.post('/v1/of-no-kind', '{}')).answer()).status;
  full = !isBack;
  if (isBack) await expect.poll(another, { timeout: 5_000, interval: 20 }).toBe(200);
  failed.resolve();
  await stopped.promise;
  await client.ended;
  expect(client.text()).not.toContain('and goes on');
  full = false;
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(client.text()))).toBe('ledger_unavailable');
});
