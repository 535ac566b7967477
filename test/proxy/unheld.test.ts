/** A call that a rule holds while no hold can be sealed: refused for now, with nothing of it let go. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { refuseToSeal } from '../support/unsealed.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers, holdUnlistedModels } from './policies.ts';
import { decisionIdOf, startRig } from './rig.ts';

afterEach(endAll);

test.each([
  ['question', holdUnlistedModels, 'gpt-5', 0],
  ['answer', holdTransfers, 'gpt-4.1', 1],
] as const)('a %s has its outcome, and its caller a 503', async (_what, policy, model, asked) => {
  const rig = await startRig({ policy });
  const { ada, sidecar } = rig.sidecar;
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatTransfer(25_000))),
  );
  refuseToSeal(sidecar.ledger, 'hold');
  const answer = await (await rig.chat(chatRequest({ model }))).answer();
  expect(answer.status).toBe(503);
  expect(answer.body.toString()).not.toContain('25000');
  expect(rig.upstream.requests).toHaveLength(asked);
  expect(await ada.outcomeOf(decisionIdOf(answer.head))).toBe('ledger_unavailable');
});
