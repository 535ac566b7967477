/** Who may rule, and what that takes: approvals by role, ladders, broken glass and times to collect. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfersWith } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

const transfer = chatTransfer(25_000);
let rig: Rig;
afterEach(endAll);

async function start(terms: string): Promise<void> {
  rig = await startRig({ policy: holdTransfersWith(terms) });
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], transfer)));
}

test('approvals by role need one of each, and nobody of one role stands in for another', async () => {
  await start('approvals: { reviewer: 1, privacy: 1 }');
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect(await rig.sidecar.as('bob', 'reviewer').rule(hold, { verdict: 'release' })).toMatchObject({
    status: 201,
  });
  expect(await rig.sidecar.ada.hold(hold.id)).toMatchObject({ state: 'pending', approvals: { needed: 2 } });
  expect(client.received()).toHaveLength(0);
  await rig.sidecar.as('petra', 'privacy').rule(hold, { verdict: 'release' });
  expect((await client.answer()).body.toString()).toBe(transfer);
});

test('two who release at the same moment are two approvals', async () => {
  await start('approvals: 2');
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  const both = [rig.sidecar.ada, rig.sidecar.as('bob', 'reviewer')];
  const ruled = await Promise.all(both.map((person) => person.rule(hold, { verdict: 'release' })));
  expect(ruled.map(({ status }) => status)).toEqual([201, 201]);
  expect((await client.answer()).body.toString()).toBe(transfer);
});

test('a hold that waits goes up its ladder: further roles may rule from then on, and not before', async () => {
  await start('expiresIn: 60s, escalate: [{ after: 10s, roles: [admin] }]');
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  const olga = rig.sidecar.as('olga', 'admin');
  expect(await olga.rule(hold, { verdict: 'release' })).toMatchObject({ status: 403 });
  rig.time.advance(10_000);
  await waitFor(async () =>
    expect(await olga.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 }),
  );
  const answer = await client.answer();
  expect(answer.body.toString()).toBe(transfer);
  const { entries } = await rig.sidecar.ada.decision(decisionIdOf(answer.head));
  expect(entries.map(({ data }) => data['action'] ?? data['verdict'])).toContain('escalation');
});

test('a hold that went up its ladder still expires', async () => {
  await start('expiresIn: 60s, escalate: [{ after: 10s, roles: [admin] }]');
  const client = await rig.chat(chatRequest());
  await rig.sidecar.ada.nextHold();
  rig.time.advance(10_000);
  rig.time.advance(50_000);
  expect((await client.answer()).status).toBe(403);
});

test.each(['release', 'deny'] as const)('a verdict to %s comes with no amendment', async (verdict) => {
  await start('approvals: 1');
  const client = await rig.chat(chatRequest());
  const { ada } = rig.sidecar;
  const hold = await ada.nextHold();
  const [id = ''] = await ada.callIdsOf(hold);
  const amendment = { toolCalls: [{ id, arguments: { amount: 1 } }] };
  const refused = { status: 400, code: 'invalid_argument' };
  expect(await ada.rule(hold, { verdict, amendment })).toEqual(refused);
  expect(await ada.hold(hold.id)).toMatchObject({ state: 'pending' });
  expect(client.received()).toHaveLength(0);
});

test('a glass is broken for all that is held, and for no call of it by itself', async () => {
  await start('approvals: 2, breakGlass: { roles: [admin] }');
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  const calls = await rig.sidecar.ada.callIdsOf(hold);
  const alone = { verdict: 'release', breakGlass: true, calls } as const;
  const refused = { status: 400, code: 'invalid_argument' };
  expect(await rig.sidecar.as('olga', 'admin').rule(hold, alone)).toEqual(refused);
  expect(await rig.sidecar.ada.hold(hold.id)).toMatchObject({ state: 'pending' });
  expect(client.received()).toHaveLength(0);
});

test('whoever the rule lets may break the glass alone, with a reason', async () => {
  await start('approvals: 2, breakGlass: { roles: [admin] }');
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  const olga = rig.sidecar.as('olga', 'admin');
  const breaking = { verdict: 'release', breakGlass: true } as const;
  expect(await rig.sidecar.ada.rule(hold, breaking)).toMatchObject({ status: 403 });
  expect(await olga.rule(hold, { ...breaking, reason: '' })).toMatchObject({ status: 400 });
  expect(client.received()).toHaveLength(0);
  expect(await olga.rule(hold, breaking)).toMatchObject({ status: 201 });
  expect((await client.answer()).body.toString()).toBe(transfer);
});

test('what was released by breaking the glass is given up soon when nobody collects it', async () => {
  await start('breakGlass: { roles: [admin], collectIn: 30s }');
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  client.destroy();
  await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
  await rig.sidecar.as('olga', 'admin').rule(hold, { verdict: 'release', breakGlass: true });
  rig.time.advance(30_000);
  expect(await rig.sidecar.ada.outcomeOf(hold.decisionId)).toBe('released_undelivered');
});

test('a released answer waits for its caller as long as the rule says', async () => {
  await start('collectIn: 2h');
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  client.destroy();
  await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  rig.time.advance(7_199_000);
  const again = await (await rig.chat(chatRequest())).answer();
  expect(again.body.toString()).toBe(transfer);
  expect(rig.upstream.requests).toHaveLength(1);
});
