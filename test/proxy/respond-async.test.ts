/** `Prefer: respond-async`: a held caller is told at once and collects with the same call later. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import {
  chatDelta,
  chatRequest,
  chatRole,
  chatText,
  chatToolsEnd,
  chatTransfer,
  chatTransferEvents,
} from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

const transfer = chatTransfer(25_000);
const async = ['Prefer: respond-async, wait=10'];
let rig: Rig;

beforeEach(async () => {
  rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], transfer)));
});
afterEach(endAll);

describe('a held call that prefers not to wait', () => {
  test('gets 202 with where the hold is, and nothing of the answer', async () => {
    const answer = await (await rig.chat(chatRequest(), async)).answer();
    const hold = await rig.sidecar.ada.nextHold();
    expect(answer.head).toMatch(/^HTTP\/1\.1 202 /);
    expect(answer.head.toLowerCase()).toContain('preference-applied: respond-async');
    const url = `${rig.sidecar.controlUrl}/api/v1/holds/${hold.id}`;
    expect(answer.head.toLowerCase()).toContain(`location: ${url}\r\n`);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ id: hold.id, state: 'pending', hold: url });
    const headers = { authorization: `Bearer ${rig.sidecar.place.tokenOf('ada', 'reviewer')}` };
    expect(await (await fetch(url, { headers })).json()).toMatchObject({ id: hold.id, state: 'pending' });
    expect(answer.body.toString()).not.toContain('transfer_funds');
  });

  test('gets 202 again while it is pending and the answer after the release, with one call upstream', async () => {
    const first = await (await rig.chat(chatRequest(), async)).answer();
    const again = await (await rig.chat(chatRequest(), async)).answer();
    expect(again.head).toMatch(/^HTTP\/1\.1 202 /);
    expect(decisionIdOf(again.head)).toBe(decisionIdOf(first.head));
    const hold = await rig.sidecar.ada.nextHold();
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
    const collected = await (await rig.chat(chatRequest(), async)).answer();
    expect(collected.body.toString()).toBe(transfer);
    expect(rig.upstream.requests).toHaveLength(1);
  });

  test('waits all the same where it has the beginning of the answer already', async () => {
    const before = chatRole + chatDelta('One moment');
    const held = chatTransferEvents(25_000).join('') + chatToolsEnd;
    rig.upstream.script((_request, answer) => {
      answer.send(streamHead);
      answer.send(chunk(before));
      answer.send(chunk(held));
      answer.send('0\r\n\r\n');
    });
    const client = await rig.chat(chatRequest({ stream: true }), async);
    await client.until('One moment');
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await client.answer()).body.toString()).toBe(before + held);
  });

  test('passes like any other when no rule holds it, and the preference is not forwarded', async () => {
    rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))));
    const answer = await (await rig.chat(chatRequest(), async)).answer();
    expect(answer.head).toMatch(/^HTTP\/1\.1 200 /);
    expect(rig.upstream.requests[0]?.head.toLowerCase()).not.toContain('respond-async');
  });
});
