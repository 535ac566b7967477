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

test.each([
  ['its type', 'Content-Type: text/event-stream', stream],
  ['its coding', 'Content-Encoding: gzip', gzipSync(plain)],
])('an answer that keeps %s from whoever gets it is held', async (_name, field, body) => {
  const rig = await startRig({ policy: holdTransfers });
  const [name] = field.split(':');
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', [field, `Connection: ${name}`], body)),
  );
  const client = await rig.chat(chatRequest());
  await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
  const answer = await client.answer();
  expect(answer.body).toEqual(Buffer.from(body));
  expect(answer.head).not.toContain(field);
});
