/** A request that a reviewer amended: its answer is judged with all that is asked in its place, and with nothing else. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chatRequest } from './answers.ts';
import { holdUnlistedModels, policyOf } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const denied = 'gpt-unheard-of';
const answerTo = { phase: 'response', action: 'deny' } as const;
const deniesAsking = policyOf({
  ...answerTo,
  when: `request.model == "${denied}"`,
  match: `{}, request: { model: ${denied} }`,
  noMatch: '{}, request: { model: gpt-4.1 }',
});
const deniesRunning = policyOf({
  ...answerTo,
  when: 'request.unjudgedFiles.exists(f, f == "file-2")',
  match: '{}, request: { unjudgedFiles: [file-2] }',
  noMatch: '{}, request: { unjudgedFiles: [file-1] }',
});
/** Requests of other models than one wait for a person; answers are judged by the other policy's rule. */
const holdingAnd = (other: string): string =>
  `${holdUnlistedModels}${(other.split('rules:\n')[1] ?? '').replace('the-rule', 'another-rule')}`;

/** The status that a held call gets once its body was amended to one that asks this model alone. */
async function statusOf(body: string, headers: readonly string[]): Promise<number> {
  const rig = await startRig({ policy: holdingAnd(deniesAsking) });
  const client = await rig.chat(body, headers);
  const amendment = { body: { model: 'gpt-4.1', messages: [] } };
  const hold = await rig.sidecar.ada.nextHold();
  expect((await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment })).status).toBe(201);
  return (await client.answer()).status;
}

test('who was asked besides, and is no more, does not count', async () => {
  const body = chatRequest({ models: [denied] });
  expect(await statusOf(body, [])).toBe(200);
});

test('whom a header field has a gateway ask besides, counts as before', async () => {
  const falling = JSON.stringify({
    strategy: { mode: 'fallback' },
    targets: [{}, { override_params: { model: denied } }],
  });
  expect(await statusOf(chatRequest(), [`x-portkey-config: ${falling}`])).toBe(403);
});

test('a file that it names anew was not judged by anybody', async () => {
  const rig = await startRig({ policy: holdingAnd(deniesRunning) });
  const body = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' };
  const client = await rig.post('/v1/batches', JSON.stringify(body));
  const amendment = { body: { ...body, input_file_id: 'file-2' } };
  const hold = await rig.sidecar.ada.nextHold();
  expect((await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment })).status).toBe(201);
  expect((await client.answer()).status).toBe(403);
  expect(rig.upstream.requests).toHaveLength(1);
});
