/** What an amendment has to be: all that a reviewer puts in it goes on, or it is refused and what is held stays held. */
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfers, holdUnlistedModels } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const json = ['Content-Type: application/json'];
const body = { model: 'gpt-5.1', messages: [{ role: 'user', content: 'Hello' }] };

test.each([
  ['nothing', undefined],
  ['no part', {}],
  ['a body beside its text', { text: 'No.', body }],
  ['the body of a request', { body }],
])('a held answer is not amended by %s', async (_what, amendment) => {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', json, chatTransfer(25_000))));
  const client = await rig.chat(chatRequest());
  const { ada } = rig.sidecar;
  const held = await ada.nextHold();
  const refused = { status: 400, code: 'invalid_argument' };
  expect(await ada.rule(held, { verdict: 'amend', amendment })).toEqual(refused);
  expect(await ada.hold(held.id)).toMatchObject({ state: 'pending' });
  expect(client.received()).toHaveLength(0);
});

test.each([
  ['nothing', undefined],
  ['no part', {}],
  ['a text', { text: 'No.' }],
  ['a text beside its body', { text: 'No.', body }],
  ['calls beside its body', { toolCalls: [], body }],
])('a held request is not amended by %s', async (_what, amendment) => {
  const rig = await startRig({ policy: holdUnlistedModels });
  await rig.chat(chatRequest({ model: 'other' }));
  const { ada } = rig.sidecar;
  const held = await ada.nextHold();
  const refused = { status: 400, code: 'invalid_argument' };
  expect(await ada.rule(held, { verdict: 'amend', amendment })).toEqual(refused);
  expect(await ada.hold(held.id)).toMatchObject({ state: 'pending' });
  expect(rig.upstream.requests).toHaveLength(0);
});

test('an amended answer comes with what its provider said of it, and nothing that was true of other bytes', async () => {
  const rig = await startRig({ policy: holdTransfers });
  const said = ['X-Request-Id: one', ...json, 'Content-Encoding: gzip'];
  const ofBytes = [
    'ETag: "1"',
    'Digest: sha-256=AAAA',
    'Content-Digest: sha-256=:AAAA:',
    'Repr-Digest: sha-256=:AAAA:',
    'Content-MD5: AAAA',
    'X-Goog-Hash: crc32c=AAAA',
    'X-Amz-Checksum-CRC64NVME: AAAA',
    'X-Amz-Content-Sha256: AAAA',
    'Signature-Input: sig=("content-digest")',
    'Signature: sig=:AAAA:',
    'Accept-Ranges: bytes',
    'Content-Range: bytes 0-9/10',
  ];
  const zipped = gzipSync(chatTransfer(25_000));
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', [...said, ...ofBytes], zipped)));
  const client = await rig.chat(chatRequest());
  const { ada } = rig.sidecar;
  const held = await ada.nextHold();
  const [id = ''] = await ada.callIdsOf(held);
  const amendment = { toolCalls: [{ id, arguments: { amount: 7 } }] };
  expect((await ada.rule(held, { verdict: 'amend', amendment })).status).toBe(201);
  const { head, body: delivered } = await client.answer();
  expect(delivered.toString()).toContain('{\\"amount\\":7}');
  expect(head).toContain('X-Request-Id: one');
  expect(head).toContain(`Content-Length: ${delivered.length}`);
  const untrue =
    /\r\n(content-encoding|content-md5|etag|[a-z-]*digest|x-(goog|amz)-.*|signature.*|.*-ranges?):/i;
  expect(head).not.toMatch(untrue);
});
