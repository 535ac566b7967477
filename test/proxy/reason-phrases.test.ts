/** Reason phrases are free text (RFC 9112 section 4): whatever a provider writes there is relayed, and harms nobody. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, done } from './answers.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

afterEach(endAll);

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const utf8 = bytesOf('成功');
const json = ['Content-Type: application/json'];

async function answering(bytes: Buffer): Promise<Rig> {
  const rig = await startRig();
  rig.upstream.script((_request, answer) => answer.send(bytes));
  return rig;
}

test.each([
  ['UTF-8 arrives with its very bytes', utf8, utf8],
  ['Latin-1 arrives with a mark for what cannot be read', 'R\xe9ussi', `R${bytesOf('\ufffd')}ussi`],
  ['broken by a control character arrives without it', 'a\x01b', 'a b'],
])('an answer whose reason phrase is %s', async (_what, sent, arrives) => {
  const rig = await answering(wholeAnswer(`200 ${sent}`, json, chatText('Hello.')));
  const answer = await (await rig.chat(chatRequest())).answer();
  expect(answer.head.split('\r\n', 1)[0]).toBe(`HTTP/1.1 200 ${arrives}`);
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('delivered');
});

test('a stream whose reason phrase is not ASCII passes live', async () => {
  const events = [chatRole, chatDelta('Hello.'), chatStop, done].map(chunk);
  const head = Buffer.from(streamHead.replace('200 OK', `200 ${utf8}`), 'latin1');
  const rig = await answering(Buffer.concat([head, ...events, chunk('')]));
  const answer = await (await rig.chat(chatRequest({ stream: true }))).answer();
  expect(answer.body.toString()).toContain('Hello.');
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('delivered');
});
