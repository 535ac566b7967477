/** A rule that denies by the time somebody releases: what was held before it came is no way around it. */
import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { endAll } from '../support/endings.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { makePlace, spawnSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers, holdUnlistedModels } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

afterEach(endAll);

const json = ['Content-Type: application/json'];
const retry = ['X-Stainless-Retry-Count: 1'];
const refused = { status: 409, code: 'policy_changed' };

/** A policy of one rule, true of `yes` and not of `no`. */
function denying(phase: string, when: string, yes: string, no: string): string {
  return `version: "stricter"
rules:
  - id: stricter
    title: Since a moment ago
    phase: ${phase}
    when: ${when}
    action: deny
    tests:
      - { name: yes, expect: match, ${phase}: ${yes} }
      - { name: no, expect: no-match, ${phase}: ${no} }
`;
}
const denyModel = (name: string): string =>
  denying('request', `request.model == "${name}"`, `{ model: ${name} }`, '{ model: none }');
const denyTransfers = denying(
  'response',
  'response.toolCalls.exists(c, c.name == "transfer_funds")',
  '{ toolCalls: [{ name: transfer_funds, arguments: {} }] }',
  '{ toolCalls: [] }',
);

async function change({ sidecar }: Rig, policy: string): Promise<void> {
  writeFileSync(sidecar.place.policyFile, policy);
  await sidecar.sidecar.reloadPolicy();
}

/** Why the reviewer may not release it, as the hold says; '' where they may. */
async function whyNotReleased({ sidecar: { controlUrl, place } }: Rig, id: string): Promise<string> {
  const authorization = `Bearer ${place.tokenOf('ada', 'reviewer')}`;
  const response = await fetch(`${controlUrl}/api/v1/holds/${id}`, { headers: { authorization } });
  return z.object({ actions: z.object({ release: z.string() }) }).parse(await response.json()).actions
    .release;
}

test('a held request that a newer rule denies is not released, and goes nowhere until the rule is gone', async () => {
  const rig = await startRig({ policy: holdUnlistedModels });
  const { ada } = rig.sidecar;
  const client = await rig.chat(chatRequest({ model: 'other' }));
  const held = await ada.nextHold();
  await change(rig, denyModel('other'));
  expect(await ada.rule(held, { verdict: 'release' })).toEqual(refused);
  expect(rig.upstream.requests).toHaveLength(0);
  expect(await ada.pending()).toHaveLength(1);
  expect(await whyNotReleased(rig, held.id)).toContain('the rule stricter denies it by now');
  await change(rig, denyModel('another'));
  expect(await whyNotReleased(rig, held.id)).toBe('');
  expect((await ada.rule(held, { verdict: 'release' })).status).toBe(201);
  expect((await client.answer()).status).toBe(200);
  expect(rig.upstream.requests).toHaveLength(1);
});

test('who may not rule hears nothing of what a newer rule says of what is held', async () => {
  const rig = await startRig({ policy: holdUnlistedModels });
  const { ada } = rig.sidecar;
  await rig.chat(chatRequest({ model: 'other' }));
  const held = await ada.nextHold();
  await change(rig, denyModel('other'));
  const other = { ...held, digest: 'f'.repeat(64) };
  expect(await ada.rule(other, { verdict: 'release' })).toEqual({ status: 409, code: 'digest_mismatch' });
  expect(await ada.rule(held, { verdict: 'release' })).toEqual(refused);
});

test('a held answer that a newer rule denies is not released, and can be denied', async () => {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const client = await rig.chat(chatRequest());
  const { ada } = rig.sidecar;
  const held = await ada.nextHold();
  await change(rig, denyTransfers);
  expect(await ada.rule(held, { verdict: 'release' })).toEqual(refused);
  expect((await ada.rule(held, { verdict: 'deny', reason: 'The rule says so.' })).status).toBe(201);
  const answer = await client.answer();
  expect(answer.status).toBe(403);
  expect(answer.body.toString()).not.toContain('25000');
});

test('what a newer policy only holds, the ruling on it lets through', async () => {
  const rig = await startRig({ policy: holdUnlistedModels });
  const client = await rig.chat(chatRequest({ model: 'other' }));
  const held = await rig.sidecar.ada.nextHold();
  await change(rig, denyModel('other').replace('action: deny', 'action: hold'));
  expect((await rig.sidecar.ada.rule(held, { verdict: 'release' })).status).toBe(201);
  expect((await client.answer()).status).toBe(200);
});

test('what was held before a restart is released by the policy that came with it', async () => {
  const upstream = await startRawUpstream((_request, to) =>
    to.send(wholeAnswer('200 OK', json, chatTransfer(25_000))),
  );
  const settings = {
    policy: holdTransfers,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  } as const;
  const place = makePlace(settings);
  const first = await spawnSidecar(settings, place);
  const asked = fetch(`${first.proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatRequest(),
  });
  const held = await first.ada.nextHold();
  expect(await first.kill('SIGTERM')).toBe(0);
  expect((await asked).status).toBe(503);
  writeFileSync(place.policyFile, denyTransfers);
  const second = await spawnSidecar(settings, place);
  expect(await second.ada.rule(held, { verdict: 'release' })).toEqual(refused);
  expect(await second.ada.pending()).toHaveLength(1);
});

/** What waits for whoever asks again: its first caller left before it was released. */
async function uncollected(rig: Rig, body: string, ruling: Parameters<Rig['sidecar']['ada']['rule']>[1]) {
  const client = await rig.chat(body);
  const held = await rig.sidecar.ada.nextHold();
  client.destroy();
  await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
  expect((await rig.sidecar.ada.rule(held, ruling)).status).toBe(201);
  return held;
}

test('a released answer that nobody has collected stays where a newer rule denies it', async () => {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const held = await uncollected(rig, chatRequest(), { verdict: 'release' });
  await change(rig, denyTransfers);
  const refusal = await (await rig.chat(chatRequest(), retry)).answer();
  expect(refusal.status).toBe(403);
  expect(refusal.body.toString()).toContain('denied_by_policy');
  expect(refusal.body.toString()).not.toContain('25000');
  await change(rig, holdTransfers);
  expect((await (await rig.chat(chatRequest(), retry)).answer()).body.toString()).toContain('25000');
  expect(await rig.sidecar.ada.outcomeOf(held.decisionId)).toBe('delivered');
  expect(rig.upstream.requests).toHaveLength(1);
});

test('a released request that nobody has sent on stays where a newer rule denies it, until the rule is gone', async () => {
  const rig = await startRig({ policy: holdUnlistedModels });
  await uncollected(rig, chatRequest({ model: 'other' }), { verdict: 'release' });
  await change(rig, denyModel('other'));
  const again = await rig.chat(chatRequest({ model: 'other' }), retry);
  expect((await again.answer()).status).toBe(403);
  expect(rig.upstream.requests).toHaveLength(0);
  await change(rig, holdUnlistedModels);
  const later = await rig.chat(chatRequest({ model: 'other' }), retry);
  expect((await later.answer()).status).toBe(200);
  expect(rig.upstream.requests).toHaveLength(1);
});
