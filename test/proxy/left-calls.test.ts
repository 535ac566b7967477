/** A workload that leaves at the very moment at which its call would go on: nothing is sent for nobody, nothing is lost. */
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import type { Draft } from '../../src/ledger/sealer.ts';
import { acceptedAt } from '../support/accepted.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers, holdUnlistedModels } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

afterEach(endAll);

/** Sends a call whose caller is gone, as far as the sidecar can tell, before its entry of this type is on disk. */
async function leaveWhileSealed(
  rig: Rig,
  type: Draft['type'],
  body: string,
): Promise<{ left: Promise<void> }> {
  const { proxyUrl, sidecar } = rig.sidecar;
  const accepted = acceptedAt(Number(new URL(proxyUrl).port));
  const client = await connectRaw(proxyUrl);
  const socket = await accepted;
  const left = Promise.withResolvers<void>();
  const leave = async (durable: Promise<void>): Promise<void> => {
    const closed = once(socket, 'close');
    client.destroy();
    await closed;
    await durable;
    left.resolve();
  };
  const { seal } = sidecar.ledger;
  const spy = vi.spyOn(sidecar.ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    if (draft.type !== type) return sealed;
    spy.mockRestore();
    return { ...sealed, durable: leave(sealed.durable) };
  });
  client.send(rawRequest('POST', '/v1/chat/completions', [], body));
  return { left: left.promise };
}

test('while its intent is sealed, nothing is sent', async () => {
  const rig = await startRig();
  const { left } = await leaveWhileSealed(rig, 'request', chatRequest());
  await left;
  const { ada } = rig.sidecar;
  expect(await ada.outcomeOf((await ada.lastDecision()).id)).toBe('client_abort');
  expect(rig.upstream.requests).toEqual([]);
});

test('while it is sealed that its released request is used, that is not sent', async () => {
  const rig = await startRig({ policy: holdUnlistedModels });
  const { ada } = rig.sidecar;
  const { left } = await leaveWhileSealed(rig, 'delivery', chatRequest({ model: 'other' }));
  const hold = await ada.nextHold();
  await ada.rule(hold, { verdict: 'release' });
  await left;
  expect(await ada.outcomeOf(hold.decisionId)).toBe('client_abort');
  expect(rig.upstream.requests).toEqual([]);
});

test('while it is sealed that its released answer is used, that waits for the next to ask', async () => {
  const rig = await startRig({ policy: holdTransfers });
  const { ada } = rig.sidecar;
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatTransfer(25_000))));
  const { left } = await leaveWhileSealed(rig, 'delivery', chatRequest());
  const hold = await ada.nextHold();
  await ada.rule(hold, { verdict: 'release' });
  await left;
  await waitFor(async () => expect((await ada.hold(hold.id)).caller).toBe('gone'));
  const { body } = await (await rig.chat(chatRequest())).answer();
  expect(body.toString()).toBe(chatTransfer(25_000));
  expect(await ada.outcomeOf(hold.decisionId)).toBe('delivered');
  expect(rig.upstream.requests).toHaveLength(1);
});

test('while the answer that was released for it is looked up, its release is not used up', async () => {
  const rig = await startRig({ policy: holdTransfers });
  const { ada, sidecar, proxyUrl } = rig.sidecar;
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatTransfer(25_000))));
  const first = await rig.chat(chatRequest());
  const hold = await ada.nextHold();
  first.destroy();
  await waitFor(async () => expect((await ada.hold(hold.id)).caller).toBe('gone'));
  await ada.rule(hold, { verdict: 'release' });
  const accepted = acceptedAt(Number(new URL(proxyUrl).port));
  const client = await connectRaw(proxyUrl);
  const socket = await accepted;
  const looking = Promise.withResolvers<void>();
  const { entry } = sidecar.ledger;
  const spy = vi.spyOn(sidecar.ledger, 'entry').mockImplementation(async (seq) => {
    spy.mockRestore();
    const closed = once(socket, 'close');
    client.destroy();
    await closed;
    looking.resolve();
    return entry(seq);
  });
  client.send(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  await looking.promise;
  await waitFor(async () => expect((await ada.hold(hold.id)).caller).toBe('gone'));
  const { entries } = await ada.decision(hold.decisionId);
  expect(entries.map(({ type }) => type)).not.toContain('delivery');
  expect((await (await rig.chat(chatRequest())).answer()).body.toString()).toBe(chatTransfer(25_000));
});
