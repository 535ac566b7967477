/** Rules on what the classifiers suspect, before a real upstream: nothing suspected goes on until a person has looked. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, done } from './answers.ts';
import { policyOf } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

const iban = 'DE89 3704 0044 0532 0130 00';
const rule = (phase: 'request' | 'response'): string =>
  policyOf({
    phase,
    when: 'labels.exists(l, l == "pii.iban")',
    action: 'hold',
    match: `{ text: "to ${iban}" }`,
    noMatch: '{ text: hello }',
  });
let rig: Rig;
afterEach(endAll);

describe('a rule on labels before a call goes out', () => {
  beforeEach(async () => {
    rig = await startRig({ policy: rule('request') });
  });

  test('holds a prompt with an account number, and nothing is sent upstream', async () => {
    const client = await rig.chat(chatRequest({ messages: [{ role: 'user', content: `Pay ${iban}.` }] }));
    const hold = await rig.sidecar.ada.nextHold();
    expect(rig.upstream.requests).toHaveLength(0);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).head).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('lets a prompt without one pass', async () => {
    expect((await (await rig.chat(chatRequest())).answer()).head).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a rule on labels in answers', () => {
  beforeEach(async () => {
    rig = await startRig({ policy: rule('response') });
  });

  test('holds an answer with an account number until it is released, verbatim', async () => {
    const said = chatText(`Send it to ${iban}.`);
    rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], said)));
    const client = await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    expect(client.text()).toBe('');
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).body.toString()).toBe(said);
  });

  test('holds one that a stream says in pieces, of which none goes out before', async () => {
    const events = [chatRole, chatDelta('To DE89 3704 00'), chatDelta('44 0532 0130 00.'), chatStop, done];
    rig.upstream.script((_request, answer) => {
      answer.send(streamHead);
      for (const event of events) answer.send(chunk(event));
      answer.send('0\r\n\r\n');
    });
    const client = await rig.chat(chatRequest({ stream: true }));
    const hold = await rig.sidecar.ada.nextHold();
    expect(client.text()).toBe('');
    await rig.sidecar.ada.rule(hold, { verdict: 'deny' });
    expect((await client.answer()).head).toMatch(/^HTTP\/1\.1 403 /);
  });
});
