/** Calls that are signed instead of carrying a key: a retry is signed anew, and is still the same caller's. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

let rig: Rig;
afterEach(endAll);

const held = chatTransfer(25_000);

const signedBy = (keyId: string, signature: string): string =>
  `Authorization: AWS4-HMAC-SHA256 Credential=${keyId}/20261122/eu-central-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`;

const invocation = (id: string): string => `amz-sdk-invocation-id: ${id}`;
const ofSession = (token: string): string => `X-Amz-Security-Token: ${token}`;

/** A held call whose caller has left. */
async function orphan(proof: readonly string[] = [invocation('one')]): Promise<string> {
  rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], held)));
  const first = await rig.chat(chatRequest(), [signedBy('AKIDONE', 'aaaa'), ...proof]);
  const { decisionId } = await rig.sidecar.ada.nextHold();
  first.destroy();
  await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
  return decisionId;
}

test.each([
  ['in the same invocation of an SDK', [invocation('one')]],
  ['with the same session’s token', [ofSession('one')]],
  ['with the same idempotency key', ['Idempotency-Key: one']],
])('a retry with a new signature by the same key takes up the held call %s', async (_what, proof) => {
  const decisionId = await orphan(proof);
  const retry = await rig.chat(chatRequest(), [signedBy('AKIDONE', 'bbbb'), ...proof]);
  await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'waiting' }]));
  await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
  const { head, body } = await retry.answer();
  expect(body.toString()).toBe(held);
  expect(decisionIdOf(head)).toBe(decisionId);
  expect(rig.upstream.requests).toHaveLength(1);
});

test.each([
  ['in another invocation', [invocation('one')], [invocation('two')]],
  ['with another token', [ofSession('one')], [ofSession('two')]],
  ['with neither', [invocation('one')], []],
  ['with neither, of a call that had neither', [], []],
])('the same call under the same key’s name %s is another caller’s', async (_what, first, second) => {
  await orphan(first);
  await rig.chat(chatRequest(), [signedBy('AKIDONE', 'bbbb'), ...second]);
  expect(await rig.sidecar.ada.pending(2)).toHaveLength(2);
  expect(rig.upstream.requests).toHaveLength(2);
});

test('the same call signed by another key is another caller’s', async () => {
  await orphan();
  await rig.chat(chatRequest(), [signedBy('AKIDTWO', 'bbbb'), invocation('one')]);
  expect(await rig.sidecar.ada.pending(2)).toHaveLength(2);
  expect(rig.upstream.requests).toHaveLength(2);
});

test('an answer that was delivered is given once more to a retry that Amazon’s SDKs mark, and to no other', async () => {
  await orphan();
  await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
  const ask = (attempt: number) =>
    rig.chat(chatRequest(), [
      signedBy('AKIDONE', `c${attempt}`),
      invocation('one'),
      `amz-sdk-request: attempt=${attempt}; max=3`,
    ]);
  expect((await (await ask(1)).answer()).body.toString()).toBe(held);
  expect((await (await ask(2)).answer()).body.toString()).toBe(held);
  expect(rig.upstream.requests).toHaveLength(1);
  await ask(1);
  await rig.sidecar.ada.nextHold();
  expect(rig.upstream.requests).toHaveLength(2);
});
