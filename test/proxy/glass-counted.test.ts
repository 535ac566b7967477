/** A release by one person alone is counted when it is made; each start that finds it unreviewed tells of it, and counts nothing. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { makePlace, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfersWith } from './policies.ts';

afterEach(endAll);

const counted = async ({ controlUrl }: TestSidecar): Promise<readonly string[]> => {
  const text = await (await fetch(`${controlUrl}/metrics`)).text();
  return text.split('\n').filter((line) => /^holdpoint_(glass_broken_total|reviews_open) /.test(line));
};

test('a broken glass is counted once, however often the sidecar starts before its review', async () => {
  const { url } = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatTransfer(25_000))),
  );
  const settings = {
    policy: holdTransfersWith('approvals: 2, breakGlass: { roles: [reviewer] }'),
    upstreams: { openai: { url, protocol: 'openai' as const, mount: '/' } },
  };
  const place = makePlace(settings);
  const first = await startTestSidecar(settings, place);
  const caller = await connectRaw(first.proxyUrl);
  caller.send(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  const hold = await first.ada.nextHold();
  expect(await first.ada.rule(hold, { verdict: 'release', reason: 'Fire.', breakGlass: true })).toMatchObject(
    {
      status: 201,
    },
  );
  expect((await caller.answer()).status).toBe(200);
  expect(await counted(first)).toEqual(['holdpoint_glass_broken_total 1', 'holdpoint_reviews_open 1']);
  await first.stop();
  expect(await counted(await startTestSidecar(settings, place))).toEqual([
    'holdpoint_glass_broken_total 0',
    'holdpoint_reviews_open 1',
  ]);
});
