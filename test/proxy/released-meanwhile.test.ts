/** What happens while that which was released is read again for whoever collects it: another policy, or the caller's leaving. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import type { Machine } from '../../src/sidecar.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { acceptedAt } from '../support/accepted.ts';
import { endAll } from '../support/endings.ts';
import type { RawClient } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers, holdUnlistedModels } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const json = ['Content-Type: application/json'];
const retry = ['X-Stainless-Retry-Count: 1'];
/** More than a collection reads of the ledger. */
const readingsMax = 50;

const denying = (tool: string): string => `version: "denies ${tool}"
rules:
  - id: stricter
    title: Since a moment ago
    phase: response
    when: response.toolCalls.exists(c, c.name == "${tool}")
    action: deny
    tests:
      - { name: yes, expect: match, response: { toolCalls: [{ name: ${tool}, arguments: {} }] } }
      - { name: no, expect: no-match, response: { toolCalls: [] } }
`;

/** A store that stops after one of its readings, until `meanwhile` is done. */
function stoppingStore(): Pick<Machine, 'openLedgerStore'> & {
  stopAt(reading: number, meanwhile: () => Promise<void>): void;
  hasStopped(): boolean;
} {
  let left = 0;
  let meanwhile: () => Promise<void> = async () => undefined;
  return {
    stopAt: (reading, work) => {
      left = reading;
      meanwhile = work;
    },
    hasStopped: () => left === 0,
    openLedgerStore: async (dir) => {
      const store = await openLedgerStore(dir);
      const get: typeof store.get = async (key) => {
        const value = await store.get(key);
        if (left > 0) left -= 1;
        else return value;
        if (left === 0) await meanwhile();
        return value;
      };
      return { ...store, get };
    },
  };
}

test('a released answer is not delivered where a rule denies it that came at any moment before', async () => {
  const machine = stoppingStore();
  const rig = await startRig({ policy: holdTransfers, machine });
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const { ada, place, sidecar } = rig.sidecar;
  const change = async (policy: string): Promise<void> => {
    writeFileSync(place.policyFile, policy);
    await sidecar.reloadPolicy();
  };
  const client = await rig.chat(chatRequest());
  const held = await ada.nextHold();
  client.destroy();
  await waitFor(async () => expect(await ada.pending()).toMatchObject([{ caller: 'gone' }]));
  expect((await ada.rule(held, { verdict: 'release' })).status).toBe(201);
  const collect = async () => (await rig.chat(chatRequest(), retry)).answer();

  let stops = 0;
  for (let reading = 1; reading <= readingsMax; reading += 1) {
    // Not the one it was held by, so that it is asked; it lets this one through.
    await change(denying('wipe_disk'));
    machine.stopAt(reading, () => change(denying('transfer_funds')));
    const { status, body } = await collect();
    if (!machine.hasStopped()) {
      // It reads no more than this, and nothing came meanwhile.
      expect(body.toString()).toContain('25000');
      break;
    }
    stops += 1;
    expect(status, `after reading ${reading}`).toBe(403);
    expect(body.toString()).not.toContain('25000');
  }
  expect(stops).toBeGreaterThan(2);
  expect(await ada.outcomeOf(held.decisionId)).toBe('delivered');
});

test('a released answer is not used up by a caller that leaves while it is read', async () => {
  const machine = stoppingStore();
  const rig = await startRig({ policy: holdTransfers, machine });
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const { ada, proxyUrl } = rig.sidecar;
  const first = await rig.chat(chatRequest());
  const held = await ada.nextHold();
  first.destroy();
  await waitFor(async () => expect(await ada.pending()).toMatchObject([{ caller: 'gone' }]));
  expect((await ada.rule(held, { verdict: 'release' })).status).toBe(201);
  const accepted = acceptedAt(Number(new URL(proxyUrl).port));
  const leaver = Promise.withResolvers<RawClient>();
  const left = Promise.withResolvers<void>();
  machine.stopAt(1, async () => {
    const closed = once(await accepted, 'close');
    (await leaver.promise).destroy();
    await closed;
    left.resolve();
  });
  leaver.resolve(await rig.chat(chatRequest(), retry));
  await left.promise;
  await waitFor(async () => expect((await ada.hold(held.id)).caller).toBe('gone'));
  const { entries } = await ada.decision(held.decisionId);
  expect(entries.map(({ type }) => type)).not.toContain('delivery');
  expect((await (await rig.chat(chatRequest(), retry)).answer()).body.toString()).toContain('25000');
});

test('a released request whose record cannot be read is not used up: whoever comes again sends it', async () => {
  const { sidecar, upstream, chat } = await startRig({ policy: holdUnlistedModels });
  const client = await chat(chatRequest({ model: 'other' }));
  const hold = await sidecar.ada.nextHold();
  const { ledger } = sidecar.sidecar;
  const { part } = ledger;
  // It is readable while it is ruled on, and not when it is to go out.
  const reading = vi
    .spyOn(ledger, 'part')
    .mockRejectedValue(new Error('input/output error'))
    .mockImplementationOnce(part);
  await sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).status).toBe(500);
  reading.mockRestore();
  expect(upstream.requests).toHaveLength(0);
  expect((await (await chat(chatRequest({ model: 'other' }), retry)).answer()).status).toBe(200);
  expect(upstream.requests).toHaveLength(1);
  expect(await sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
});
