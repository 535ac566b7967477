/** Event streams of agents' sessions, which have no end: judged and sealed in segments, each a decision of its own. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../src/core/bytes.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, exchange, parseAnswer, rawRequest } from '../support/raw-client.ts';
import { chunk, type RawAnswer, startRawUpstream, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { spawnSidecar, startTestSidecar } from '../support/sidecar.ts';
import { neverDurable, refuseToSeal } from '../support/unsealed.ts';
import { waitFor } from '../support/wait-for.ts';
import { denyTransfers, holdSecretText, holdTransfers, policyOf } from './policies.ts';
import { decisionIdOf, startRig } from './rig.ts';
import {
  anthropicStream,
  idle,
  message,
  openaiStream,
  openSession,
  type SessionScene,
  sent,
  transfer,
} from './session-scene.ts';

afterEach(endAll);

const denyStreams = policyOf({
  phase: 'request',
  when: 'request.operation == "sessions.stream"',
  action: 'deny',
  match: '{ operation: sessions.stream }',
  noMatch: '{ operation: messages }',
});

const keepAlive = ': held for a reviewer\n';

/** Waits until the client has exactly this of the stream. */
async function hears({ heard }: SessionScene, text: string): Promise<void> {
  await waitFor(() => expect(heard()).toBe(text));
}

async function segmentIds({ rig, client }: SessionScene, count: number): Promise<readonly string[]> {
  const stream = decisionIdOf(client.text());
  return waitFor(async () => {
    const ids = (await rig.sidecar.ada.newestIds(count + 1)).filter((id) => id !== stream);
    expect(ids).toHaveLength(count);
    return ids.toReversed();
  });
}

test('the head goes out before there is any event, since whoever opens a stream may wait for it', async () => {
  const { client } = await openSession({ policy: holdTransfers });
  expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});

test('the upstream is asked for a stream in the clear', async () => {
  const { rig } = await openSession({ policy: holdTransfers }, anthropicStream, ['Accept-Encoding: gzip']);
  expect(rig.upstream.requests[0]?.head).toMatch(/accept-encoding: identity/i);
  expect(rig.upstream.requests[0]?.head).not.toContain('gzip');
});

describe('a turn without a call', () => {
  test('goes on as it comes, and its end once it is sealed', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('One moment.'));
    await hears(scene, message('One moment.'));
    scene.say(idle());
    await hears(scene, message('One moment.') + idle());
    const [id = ''] = await segmentIds(scene, 1);
    expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('delivered');
    const decision = await scene.rig.sidecar.ada.decision(id);
    expect(decision).toMatchObject({ operation: 'sessions.stream', verdict: 'pass' });
    expect(decision.entries[0]?.data['session']).toBe(decisionIdOf(scene.client.text()));
    const bodies = await scene.rig.sidecar.ada.bodies(id);
    expect(bodies.find(({ type }) => type === 'response')?.text).toBe(message('One moment.') + idle());
  });

  test('is not left open for ever where it does not end', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Working.'));
    await hears(scene, message('Working.'));
    const [id = ''] = await segmentIds(scene, 1);
    expect((await scene.rig.sidecar.ada.decision(id)).outcome).toBeNull();
    scene.rig.time.advance(60_000);
    expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('delivered');
  });

  test('is not left open amid a text either, which no rule reads', async () => {
    const scene = await openSession({ policy: holdTransfers });
    const begun = sent('event_start', { event: { type: 'agent.message', id: 'm1' } });
    scene.say(begun);
    await hears(scene, begun);
    const [id = ''] = await segmentIds(scene, 1);
    scene.rig.time.advance(60_000);
    expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('delivered');
  });
});

describe('a call', () => {
  test('that no rule stops goes on, sealed as a decision of its own with what came before it', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Paying.'), transfer(20), sent('span.model_request_end'), idle('requires_action'));
    await hears(
      scene,
      message('Paying.') + transfer(20) + sent('span.model_request_end') + idle('requires_action'),
    );
    const [first = '', second = ''] = await segmentIds(scene, 2);
    const said = async (id: string) =>
      (await scene.rig.sidecar.ada.bodies(id)).find(({ type }) => type === 'response')?.text;
    expect(await said(first)).toBe(message('Paying.') + transfer(20));
    expect(await said(second)).toBe(sent('span.model_request_end') + idle('requires_action'));
  });

  test('that a rule holds waits for a person, what comes after it waits too, and then the stream goes on', async () => {
    const scene = await openSession({ policy: holdTransfers });
    const { ada } = scene.rig.sidecar;
    scene.say(message('Paying.'), transfer(25_000), idle('requires_action'));
    const hold = await ada.nextHold();
    await hears(scene, message('Paying.'));
    expect(await ada.callIdsOf(hold)).toEqual(['sevt_pay_25000']);
    await ada.rule(hold, { verdict: 'release' });
    const released = message('Paying.') + transfer(25_000) + idle('requires_action');
    await hears(scene, released);
    scene.say(message('Done.'), idle());
    await hears(scene, released + message('Done.') + idle());
    expect(await ada.outcomeOf(hold.decisionId)).toBe('delivered');
  });

  test('that waits is kept alive', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(transfer(25_000));
    const hold = await scene.rig.sidecar.ada.nextHold();
    scene.rig.time.advance(10_000);
    await hears(scene, keepAlive);
    scene.rig.time.advance(60_000);
    await scene.client.until('event: ping');
    await scene.rig.sidecar.ada.rule(hold, { verdict: 'release' });
    await scene.client.until('transfer_funds');
  });

  test('that a person denies ends the stream with the provider’s error, and without the call', async () => {
    const scene = await openSession({ policy: holdTransfers });
    const { ada } = scene.rig.sidecar;
    scene.say(message('Paying.'), transfer(25_000), idle('requires_action'));
    const hold = await ada.nextHold();
    await ada.rule(hold, { verdict: 'deny' });
    const { body } = await scene.client.answer();
    expect(body.toString().startsWith(`${message('Paying.')}event: error\n`)).toBe(true);
    expect(body.toString()).toContain('"type":"permission_error"');
    expect(body.toString()).not.toContain('transfer_funds');
    await scene.upstream.closed;
    expect(await ada.outcomeOf(hold.decisionId)).toBe('denied');
    expect(await ada.outcomeOf(decisionIdOf(scene.client.text()))).toBe('interrupted');
  });

  test('that a rule denies ends it in the same way', async () => {
    const scene = await openSession({ policy: denyTransfers });
    scene.say(message('Paying.'), transfer(25_000));
    const { body } = await scene.client.answer();
    expect(body.toString()).toContain('"code":"denied_by_policy"');
    expect(body.toString()).not.toContain('transfer_funds');
  });

  test('is delivered as a reviewer amended it', async () => {
    const scene = await openSession({ policy: holdTransfers });
    const { ada } = scene.rig.sidecar;
    scene.say(message('Paying.'), transfer(25_000), idle('requires_action'));
    const hold = await ada.nextHold();
    const amendment = { toolCalls: [{ id: 'sevt_pay_25000', arguments: { amount: 99 } }] };
    expect(await ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
    await hears(scene, message('Paying.') + transfer(99, 'sevt_pay_25000') + idle('requires_action'));
  });

  test('whose input cannot be read is held', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(sent('agent.custom_tool_use', { name: 'transfer_funds', input: 'all of it' }));
    await scene.rig.sidecar.ada.nextHold();
    expect(scene.heard()).toBe('');
  });

  test('of a type that nobody knows is judged by its name', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(sent('agent.next_year', { name: 'transfer_funds', input: { amount: 25_000 } }));
    await scene.rig.sidecar.ada.nextHold();
    expect(scene.heard()).toBe('');
  });
});

describe('where a rule reads text', () => {
  test('a turn waits for its end, and is held whole', async () => {
    const scene = await openSession({ policy: holdSecretText });
    scene.say(message('A secret.'));
    scene.say(idle());
    await scene.rig.sidecar.ada.nextHold();
    expect(scene.heard()).toBe('');
  });

  test('what comes while something judged after two seconds waits for a person is judged after it, and lost to nobody', async () => {
    const scene = await openSession({ policy: holdSecretText });
    const { ada } = scene.rig.sidecar;
    scene.say(message('A secret.'));
    await segmentIds(scene, 1);
    scene.rig.time.advance(2_000);
    const hold = await ada.nextHold();
    scene.say(message('Hello.'), idle());
    await ada.rule(hold, { verdict: 'release' });
    await hears(scene, message('A secret.') + message('Hello.') + idle());
    const [, second = ''] = await segmentIds(scene, 2);
    const bodies = await ada.bodies(second);
    expect(bodies.find(({ type }) => type === 'response')?.text).toBe(message('Hello.') + idle());
  });

  test('what says nothing more is judged after two seconds, but a preview is never parted from its message', async () => {
    const scene = await openSession({ policy: holdSecretText });
    const preview =
      sent('event_start', { event: { type: 'agent.message', id: 'm1' } }) +
      sent('event_delta', {
        event_id: 'm1',
        delta: { type: 'content_delta', content: { type: 'text', text: 'A se' } },
      });
    scene.say(message('Hello.', 'm0'));
    await segmentIds(scene, 1);
    scene.rig.time.advance(2_000);
    await hears(scene, message('Hello.', 'm0'));
    scene.say(preview);
    await segmentIds(scene, 2);
    scene.rig.time.advance(10_000);
    scene.say(message('A secret.', 'm1'));
    const hold = await scene.rig.sidecar.ada.nextHold();
    expect(scene.heard()).toBe(message('Hello.', 'm0'));
    await scene.rig.sidecar.ada.rule(hold, { verdict: 'release' });
    await hears(scene, message('Hello.', 'm0') + preview + message('A secret.', 'm1'));
  });
});

describe('a stream that is over', () => {
  test('because the upstream ended it is delivered, with length and hash of all of it sealed', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Bye.'));
    scene.say(sent('session.status_terminated'));
    scene.finish();
    const { body } = await scene.client.answer();
    expect(body.toString()).toBe(message('Bye.') + sent('session.status_terminated'));
    const id = decisionIdOf(scene.client.text());
    expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('delivered');
    const response = (await scene.rig.sidecar.ada.bodies(id)).find(({ type }) => type === 'response');
    expect(response?.headers?.join(' ')).toContain(
      `holdpoint-whole-body bytes=${body.length}; sha-256=${sha256Hex(body)}`,
    );
  });

  test('because the upstream ended it behind the beginning of a comment is delivered with that', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Bye.'), sent('session.status_terminated'), ': by');
    scene.finish();
    const { body } = await scene.client.answer();
    expect(body.toString()).toBe(`${message('Bye.')}${sent('session.status_terminated')}: by`);
  });

  test('because the upstream broke it off is cut, and what was open says so', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Working.'));
    await hears(scene, message('Working.'));
    const [id = ''] = await segmentIds(scene, 1);
    scene.upstream.reset();
    await scene.client.ended;
    expect(parseAnswer(scene.client.received())).toBeNull();
    const { ada } = scene.rig.sidecar;
    expect(await ada.outcomeOf(id)).toBe('upstream_truncated');
    expect(await ada.outcomeOf(decisionIdOf(scene.client.text()))).toBe('upstream_truncated');
  });

  test('because its caller left stops the upstream', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Working.'));
    await hears(scene, message('Working.'));
    const [id = ''] = await segmentIds(scene, 1);
    scene.client.destroy();
    await scene.upstream.closed;
    const { ada } = scene.rig.sidecar;
    expect(await ada.outcomeOf(id)).toBe('client_abort');
    const stream = decisionIdOf(scene.client.text());
    expect(await ada.outcomeOf(stream)).toBe('client_abort');
    for (const { entries } of [await ada.decision(id), await ada.decision(stream)])
      expect(entries.find(({ type }) => type === 'response')?.data['result']).toBe('client_abort');
  });

  test('because its caller left a held call keeps the hold, and delivers it nowhere', async () => {
    const scene = await openSession({ policy: holdTransfers });
    const { ada } = scene.rig.sidecar;
    scene.say(transfer(25_000));
    const hold = await ada.nextHold();
    scene.client.destroy();
    await waitFor(async () => expect((await ada.hold(hold.id)).caller).toBe('gone'));
    await ada.rule(hold, { verdict: 'release' });
    scene.rig.time.advance(15 * 60_000);
    expect(await ada.outcomeOf(hold.decisionId)).toBe('released_undelivered');
  });

  test('because its caller left a held call is opened anew by who comes back, under the same name of a session too', async () => {
    const session = ['holdpoint-session: mine'];
    const { rig, client, say } = await openSession({ policy: holdTransfers }, anthropicStream, session);
    const { ada, proxyUrl } = rig.sidecar;
    say(transfer(25_000));
    const hold = await ada.nextHold();
    client.destroy();
    await waitFor(async () => expect((await ada.hold(hold.id)).caller).toBe('gone'));
    await ada.rule(hold, { verdict: 'release' });
    rig.upstream.script((_request, answer) => answer.send(streamHead + chunk(message('Anew.') + idle())));
    const again = await connectRaw(proxyUrl);
    again.send(rawRequest('GET', anthropicStream, ['x-api-key: secret', ...session]));
    await again.until('Anew.');
    expect(again.text()).not.toContain('transfer_funds');
  });

  test('because the sidecar stops ends in order, with all of it sealed', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Working.'));
    await hears(scene, message('Working.'));
    const settle = vi.spyOn(scene.rig.sidecar.sidecar.ledger, 'settle');
    await scene.rig.sidecar.stop();
    expect((await scene.client.answer()).body.toString()).toBe(message('Working.'));
    expect(settle.mock.calls.map(([, outcome]) => outcome)).toEqual(['delivered', 'delivered']);
  });

  test('because the sidecar stops has what had begun in it whole', async () => {
    const scene = await openSession({ policy: holdSecretText });
    const { sidecar } = scene.rig;
    const begun = sent('event_start', { event: { type: 'agent.message', id: 'm1' } });
    scene.say(begun);
    await segmentIds(scene, 1);
    const stopped = sidecar.stop();
    await waitFor(() => expect(connectRaw(sidecar.proxyUrl)).rejects.toThrow());
    scene.say(message('Fine.', 'm1'));
    expect((await scene.client.answer()).body.toString()).toBe(begun + message('Fine.', 'm1'));
    await stopped;
  });

  test('because what belongs together is too large is cut', async () => {
    const scene = await openSession({ policy: holdSecretText, limits: { responseBytesMax: 65_536 } });
    scene.say(message('x'.repeat(70_000)));
    await scene.client.ended;
    expect(parseAnswer(scene.client.received())).toBeNull();
    expect(scene.heard()).toBe('');
    const { ada } = scene.rig.sidecar;
    const id = decisionIdOf(scene.client.text());
    expect(await ada.outcomeOf(id)).toBe('upstream_error');
    const { entries } = await ada.decision(id);
    expect(entries.find(({ type }) => type === 'response')?.data['result']).toBe('response_too_large');
  });

  test('because its caller left before a segment could begin has an end for that', async () => {
    const scene = await openSession({ policy: holdTransfers });
    const { ada, sidecar } = scene.rig.sidecar;
    const { seal } = sidecar.ledger;
    vi.spyOn(sidecar.ledger, 'seal').mockImplementationOnce((draft) => {
      const sealed = seal(draft);
      scene.client.destroy();
      return { ...sealed, durable: scene.upstream.closed.then(() => sealed.durable) };
    });
    scene.say(message('Working.'));
    const [id = ''] = await segmentIds(scene, 1);
    expect(await ada.outcomeOf(id)).toBe('client_abort');
  });

  test('because its caller left while a segment of it was sealed has not delivered that', async () => {
    const scene = await openSession({ policy: holdTransfers });
    const { ada, sidecar } = scene.rig.sidecar;
    const { seal } = sidecar.ledger;
    vi.spyOn(sidecar.ledger, 'seal').mockImplementation((draft) => {
      const sealed = seal(draft);
      if (draft.type !== 'response') return sealed;
      scene.client.destroy();
      return { ...sealed, durable: scene.upstream.closed.then(() => sealed.durable) };
    });
    scene.say(transfer(20));
    const [id = ''] = await segmentIds(scene, 1);
    expect(await ada.outcomeOf(id)).toBe('client_abort');
  });
});

test('a policy that stops the stream from now on ends it before anything more of it goes on', async () => {
  const scene = await openSession({ policy: holdTransfers });
  scene.say(message('First.'), idle());
  await hears(scene, message('First.') + idle());
  const { place, sidecar } = scene.rig.sidecar;
  writeFileSync(place.policyFile, denyStreams);
  await sidecar.reloadPolicy();
  scene.say(message('Second.'));
  const { body } = await scene.client.answer();
  expect(body.toString()).toContain('"code":"denied_by_policy"');
  expect(body.toString()).not.toContain('Second.');
});

test('a stream that a person released goes on under the policy that held it', async () => {
  const rig = await startRig({ policy: denyStreams.replace('action: deny', 'action: hold') });
  const { ada, proxyUrl } = rig.sidecar;
  rig.upstream.script((_request, answer) => answer.send(`${streamHead}${chunk(message('First.'))}`));
  const client = await connectRaw(proxyUrl);
  client.send(rawRequest('GET', anthropicStream, ['x-api-key: secret']));
  await ada.rule(await ada.nextHold(), { verdict: 'release' });
  await client.until('First.');
});

test.each(['deny', 'hold'])(
  'a policy that would %s the stream stops it too where its caller comes back for the release',
  async (action) => {
    const rig = await startRig({ policy: denyStreams.replace('action: deny', 'action: hold') });
    const { ada, place, sidecar, proxyUrl } = rig.sidecar;
    rig.upstream.script((_request, answer) => answer.send(`${streamHead}${chunk(message('First.'))}`));
    const open = async () => {
      const client = await connectRaw(proxyUrl);
      client.send(rawRequest('GET', anthropicStream, ['x-api-key: secret']));
      return client;
    };
    const first = await open();
    const hold = await ada.nextHold();
    first.destroy();
    await waitFor(async () => expect(await ada.pending()).toMatchObject([{ caller: 'gone' }]));
    await ada.rule(hold, { verdict: 'release' });
    writeFileSync(
      place.policyFile,
      denyStreams.replace('action: deny', `action: ${action}`).replace('severity: high', 'severity: low'),
    );
    await sidecar.reloadPolicy();
    const { body } = await (await open()).answer();
    expect(body.toString()).toContain('"code":"denied_by_policy"');
    expect(body.toString()).not.toContain('First.');
  },
);

test('a long turn is sealed piece by piece, so that no more than a piece of it is in memory', async () => {
  const scene = await openSession({ policy: holdTransfers, limits: { responseBytesMax: 2 * 1024 * 1024 } });
  const pieces = Array.from({ length: 8 }, (_, i) => message(`${i}`.repeat(700_000), `m${i}`));
  for (const piece of pieces) scene.say(piece);
  const all = pieces.join('');
  await waitFor(() => expect(scene.heard().length).toBe(all.length), 10_000);
  expect(scene.heard() === all).toBe(true);
  const ids = await segmentIds(scene, 4);
  for (const id of ids) expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('delivered');
});

describe('while the ledger takes no more, a segment', () => {
  test('that cannot be held has its outcome, and nothing of its call goes on', async () => {
    const scene = await openSession({ policy: holdTransfers });
    refuseToSeal(scene.rig.sidecar.sidecar.ledger, 'hold');
    scene.say(transfer(25_000));
    await scene.client.ended;
    expect(scene.heard()).not.toContain('25000');
    const [id = ''] = await segmentIds(scene, 1);
    expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('that cannot be sealed keeps its last piece', async () => {
    const scene = await openSession({ policy: holdTransfers });
    refuseToSeal(scene.rig.sidecar.sidecar.ledger, 'response');
    scene.say(message('x'.repeat(1024 * 1024)));
    await scene.client.ended;
    expect(scene.heard()).toBe('');
  });

  test('that broke off has its outcome, though its end cannot be sealed', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Working.'));
    await hears(scene, message('Working.'));
    const [id = ''] = await segmentIds(scene, 1);
    refuseToSeal(scene.rig.sidecar.sidecar.ledger, 'response');
    scene.upstream.reset();
    await scene.client.ended;
    expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('that has begun says nothing more', async () => {
    const scene = await openSession({ policy: holdTransfers });
    scene.say(message('Working.'));
    await hears(scene, message('Working.'));
    const [id = ''] = await segmentIds(scene, 1);
    const writing = vi.spyOn(scene.rig.sidecar.sidecar.ledger, 'isWritable').mockReturnValue(false);
    scene.say(message('And on.'));
    await scene.client.ended;
    writing.mockRestore();
    expect(scene.heard()).not.toContain('And on.');
    expect(await scene.rig.sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('whose intent is not on disk says nothing', async () => {
    const scene = await openSession({ policy: holdTransfers });
    neverDurable(scene.rig.sidecar.sidecar.ledger, 'request');
    scene.say(message('Working.'));
    await scene.client.ended;
    expect(scene.heard()).toBe('');
  });
});

test('a call that a reviewer amended is held again where the session waits for it with its own arguments', async () => {
  const scene = await openSession({ policy: holdTransfers }, openaiStream);
  const { ada } = scene.rig.sidecar;
  const args = { name: 'transfer_funds', arguments: '{"amount":25000}' };
  const call = { type: 'function_call', id: 'i', call_id: 'call_1', ...args };
  scene.say(
    sent('agent.session.turn.item.done', { item: call }),
    sent('agent.session.requires_action', { session: { required_actions: [call] } }),
  );
  const hold = await ada.nextHold();
  const [id = ''] = await ada.callIdsOf(hold);
  const amendment = { toolCalls: [{ id, arguments: { amount: 99 } }] };
  expect(await ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
  const again = await ada.nextHold();
  expect(again.id).not.toBe(hold.id);
  expect(scene.heard()).not.toContain('25000');
});

test('calls of two streams that wait are no duplicates of each other', async () => {
  const scene = await openSession({ policy: holdTransfers });
  const { ada, proxyUrl } = scene.rig.sidecar;
  scene.say(transfer(25_000));
  await ada.nextHold();
  scene.rig.upstream.script((_request, answer) => answer.send(streamHead + chunk(transfer(25_000))));
  const other = await connectRaw(proxyUrl);
  other.send(rawRequest('GET', anthropicStream, ['x-api-key: secret']));
  const holds = await ada.pending(2);
  expect(holds.map(({ possibleDuplicate }) => possibleDuplicate)).toEqual([false, false]);
});

test('a rule that matches in a stream is counted', async () => {
  const scene = await openSession({ policy: holdTransfers });
  scene.say(transfer(25_000));
  await scene.rig.sidecar.ada.nextHold();
  const metrics = await (await fetch(`${scene.rig.sidecar.controlUrl}/metrics`)).text();
  expect(metrics).toContain('holdpoint_rule_matches_total{rule="the-rule",action="hold"} 1');
});

test('an answer of the stream that is compressed all the same is refused, and not listened to', async () => {
  const rig = await startRig({ policy: holdTransfers });
  const answered = Promise.withResolvers<RawAnswer>();
  rig.upstream.script((_request, answer) => {
    answer.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n');
    answered.resolve(answer);
  });
  const answer = await exchange(rig.sidecar.proxyUrl, rawRequest('GET', anthropicStream, []));
  expect(answer.status).toBe(502);
  await (await answered.promise).closed;
});

test('an answer that refuses the stream is no stream: it is judged whole and delivered with its status', async () => {
  const rig = await startRig({ policy: holdTransfers });
  const events = message('No such session.') + idle();
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('404 Not Found', ['Content-Type: text/event-stream'], events)),
  );
  const { status, head, body } = await exchange(
    rig.sidecar.proxyUrl,
    rawRequest('GET', anthropicStream, ['x-api-key: secret']),
  );
  expect([status, body.toString()]).toEqual([404, events]);
  const id = decisionIdOf(`${head}\r\n`);
  expect(await rig.sidecar.ada.outcomeOf(id)).toBe('delivered');
  const { entries } = await rig.sidecar.ada.decision(id);
  expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({
    status: 404,
    result: 'error',
  });
});

test('a process that dies in mid-segment leaves a ledger that verifies and says what was interrupted', async () => {
  const upstream = await startRawUpstream((_request, answer) => {
    answer.send(streamHead);
    answer.send(chunk(message('First.') + idle()));
    answer.send(chunk(message('Second.')));
  });
  const settings = {
    policy: holdTransfers,
    upstreams: { anthropic: { url: upstream.url, protocol: 'anthropic', mount: '/anthropic' } },
  } as const;
  const running = await spawnSidecar(settings);
  const client = await connectRaw(running.proxyUrl);
  client.send(rawRequest('GET', anthropicStream, []));
  await client.until('Second.');
  const stream = decisionIdOf(client.text());
  const [second = '', first = ''] = (await running.ada.newestIds(3)).filter((id) => id !== stream);
  expect(await running.ada.outcomeOf(first)).toBe('delivered');
  await running.kill('SIGKILL');
  expect(await verifyDirectory(running.place.dataDir, {})).toMatchObject({ ok: true });

  const { ada } = await startTestSidecar(settings, running.place);
  expect(await ada.outcomeOf(second)).toBe('interrupted');
  expect(await ada.outcomeOf(stream)).toBe('interrupted');
});
