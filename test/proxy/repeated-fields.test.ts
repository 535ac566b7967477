/** Answers whose fields say two things of the body: nobody knows which of them a client goes by. */
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, done } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const plain = chatText('Hello.');
const stream = chatRole + chatDelta('Hello.') + chatStop + done;

test.each([
  ['two types', ['Content-Type: application/json', 'Content-Type: text/event-stream'], plain],
  ['two types, the first a stream’s', ['Content-Type: text/event-stream', 'Content-Type: text/html'], stream],
  ['two codings, the first of them empty', ['Content-Encoding:', 'Content-Encoding: gzip'], gzipSync(plain)],
  ['the same coding twice', ['Content-Encoding: gzip', 'Content-Encoding: gzip'], gzipSync(gzipSync(plain))],
])('an answer with %s is held, and arrives as it came once it is released', async (_name, head, body) => {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, body)));
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  expect(client.received()).toHaveLength(0);
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  const answer = await client.answer();
  expect(answer.body).toEqual(Buffer.from(body));
  for (const field of head) expect(answer.head).toContain(field);
});
