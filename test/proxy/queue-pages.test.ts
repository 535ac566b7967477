/** The queue as people page through it, and the holds of one session as a whole. */
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

afterEach(endAll);

const pageSchema = z.object({
  items: z.array(
    z.object({ id: z.string(), state: z.string(), session: z.string(), outcome: z.string().nullable() }),
  ),
  total: z.number(),
  next: z.string().nullable(),
});

async function start(): Promise<Rig> {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatTransfer(25_000))));
  return rig;
}

async function page(rig: Rig, query: string): Promise<z.output<typeof pageSchema>> {
  const headers = { authorization: `Bearer ${rig.sidecar.place.tokenOf('ada', 'reviewer')}` };
  const response = await fetch(`${rig.sidecar.controlUrl}/api/v1/holds?${query}`, { headers });
  return pageSchema.parse(await response.json());
}

async function holdCalls(rig: Rig, sessions: readonly string[]): Promise<void> {
  for (const [place, session] of sessions.entries()) {
    await rig.chat(chatRequest({ user: String(place) }), [`Holdpoint-Session: ${session}`]);
    await rig.sidecar.ada.pending(place + 1);
    rig.time.advance(1_000);
  }
}

test('pages go on behind the last hold of the one before, whatever came or ended meanwhile', async () => {
  const rig = await start();
  await holdCalls(rig, ['a', 'a', 'a', 'a']);
  const all = await page(rig, 'state=pending');
  expect(all).toMatchObject({ total: 4, next: null });
  const first = await page(rig, 'state=pending&limit=2');
  expect(first.items).toEqual(all.items.slice(0, 2));
  const [ended] = await rig.sidecar.ada.holds('pending');
  if (ended === undefined) throw new Error('nothing is pending');
  await rig.sidecar.ada.rule(ended, { verdict: 'deny' });
  const second = await page(rig, `state=pending&limit=2&after=${first.next}`);
  expect(second.items).toEqual(all.items.slice(2));
  expect(second).toMatchObject({ total: 3, next: null });
});

test('a session’s holds are those of its own calls, with the ones that ended', async () => {
  const rig = await start();
  await holdCalls(rig, ['a', 'b', 'a']);
  const [first] = await rig.sidecar.ada.holds('pending');
  if (first === undefined) throw new Error('nothing is pending');
  await rig.sidecar.ada.rule(first, { verdict: 'deny' });
  await rig.sidecar.ada.outcomeOf(first.decisionId);
  // Longer than the queue remembers what it denied.
  rig.time.advance(130_000);
  const { items } = await page(rig, 'session=a');
  expect(items).toMatchObject([
    { id: first.id, state: 'denied', session: 'a', outcome: 'denied' },
    { state: 'pending', session: 'a' },
  ]);
});
