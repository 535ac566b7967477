import { expect, it } from 'vitest';
import { startQueue } from './one-hold.ts';

it('a listener that fails stops neither a hold nor its ruling, and is told of', async () => {
  const { holds, errors, openHold, end } = await startQueue();
  const heard: string[] = [];
  holds.subscribe(() => {
    throw new Error('no room');
  });
  holds.subscribe(({ kind }) => heard.push(kind));
  const hold = await openHold();
  const waiting = holds.wait(hold, 60_000, new AbortController().signal);
  const { digest } = hold.state.terms;
  await holds.rule(hold, { verdict: 'release', by: 'ada', role: 'reviewer', digest, reason: 'Seen.' }, null);
  expect(await waiting).toBe('released');
  expect(heard).toEqual(['opened', 'ruled']);
  expect(errors).toEqual([
    'A listener failed on a hold that was opened',
    'A listener failed on a hold that was ruled',
  ]);
  await end();
});
