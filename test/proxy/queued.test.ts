/** Calls that wait for a connection to the provider: they end like all others that get no answer, and go out no more. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chunk, type RawAnswer, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, done } from './answers.ts';
import { decisionIdOf, startRig } from './rig.ts';

afterEach(endAll);

const idleMs = 60_000;

/** The provider has one connection, and an answer without end on it, which goes on when it is told to. */
async function startFull() {
  const rig = await startRig({ limits: { upstreamConnectionsMax: 1, upstreamIdleMsMax: idleMs } });
  const begun = Promise.withResolvers<RawAnswer>();
  rig.upstream.script((_request, answer) => {
    answer.send(streamHead + chunk(chatRole + chatDelta('It begins')));
    begun.resolve(answer);
  });
  const first = await rig.chat(chatRequest({ stream: true }));
  await first.until('It begins');
  const answer = await begun.promise;
  const goOn = async (): Promise<void> => {
    answer.send(chunk(chatDelta('and goes on')));
    await first.until('and goes on');
  };
  /** Ends that answer, and has a call of its own go out on the connection that is free by then. */
  const askBehind = async (): Promise<void> => {
    rig.upstream.script((_request, last) => last.send(wholeAnswer('200 OK', [], chatText('Behind it.'))));
    answer.send(`${chunk(chatStop + done)}${chunk('')}`);
    expect((await (await rig.chat(chatRequest({ user: 'behind' }))).answer()).status).toBe(200);
  };
  /** Who has asked, as the provider heard it. */
  const heard = (): unknown[] =>
    rig.upstream.requests.map(({ body }) => JSON.parse(body.toString()).user ?? null);
  return { ...rig, goOn, askBehind, heard };
}

test('a call that got no connection in time is refused, and its decision says so', async () => {
  const rig = await startFull();
  const before = await rig.sidecar.ada.lastDecision();
  const second = await rig.chat(chatRequest({ user: 'second' }));
  await waitFor(async () => expect(await rig.sidecar.ada.lastDecision()).not.toEqual(before));
  rig.time.advance(idleMs / 2);
  await rig.goOn();
  rig.time.advance(idleMs / 2);
  const answer = await second.answer();
  expect(answer.status).toBe(504);
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_error');
  await rig.askBehind();
  expect(rig.heard()).toEqual([null, 'behind']);
});

test('a caller that leaves before its call got a connection ends it, and nothing is sent', async () => {
  const rig = await startFull();
  const before = await rig.sidecar.ada.lastDecision();
  const second = await rig.chat(chatRequest({ user: 'second' }));
  const { id } = await waitFor(async () => {
    const last = await rig.sidecar.ada.lastDecision();
    expect(last).not.toEqual(before);
    return last;
  });
  second.destroy();
  expect(await rig.sidecar.ada.outcomeOf(id)).toBe('client_abort');
  await rig.askBehind();
  expect(rig.heard()).toEqual([null, 'behind']);
});
