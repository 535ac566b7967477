/** A streaming caller: text flows while it may, nothing of a tool call does, and waiting keeps the connection alive. */
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { parseAnswer, type RawClient } from '../support/raw-client.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  chatDelta,
  chatRequest,
  chatRole,
  chatToolsEnd,
  chatTransferEvents,
  messagesRequest,
  messagesTransfer,
  responsesRequest,
  responsesTransfer,
} from './answers.ts';
import { holdSecretText, holdTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

let rig: Rig;
afterEach(endAll);

const before = chatRole + chatDelta('One moment');
const held = chatTransferEvents(25_000).join('') + chatToolsEnd;
const question = chatRequest({ stream: true });
const comment = ': held for a reviewer\n';

/** The upstream sends text, waits until the test lets it go on, then sends the tool call. */
async function startWithText(policy = holdTransfers): Promise<{ goOn: () => void }> {
  rig = await startRig({ policy });
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead);
    answer.send(chunk(before));
    await promise;
    answer.send(chunk(held));
    answer.send('0\r\n\r\n');
  });
  return { goOn: resolve };
}

async function startWith(bytes: string | Buffer, headers: readonly string[] = []): Promise<void> {
  rig = await startRig({ policy: holdTransfers });
  const head = ['Content-Type: text/event-stream', 'X-Request-Id: req_1', ...headers];
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', head, bytes)));
}

/** What the stream said so far, its transfer coding undone as far as that matters: chunk sizes are left in. */
const text = (client: RawClient): string => client.text();

async function bodyOf(client: RawClient): Promise<string> {
  return (await client.answer()).body.toString();
}

describe('text before a tool call', () => {
  test('reaches the caller while the upstream still streams', async () => {
    const { goOn } = await startWithText();
    const client = await rig.chat(question);
    await client.until('One moment');
    goOn();
    const hold = await rig.sidecar.ada.nextHold();
    expect(text(client)).not.toContain('transfer_funds');
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect(await bodyOf(client)).toBe(before + held);
  });

  test('stays back where a rule judges text', async () => {
    const { goOn } = await startWithText(holdSecretText);
    const client = await rig.chat(question);
    await waitFor(() => expect(rig.upstream.requests).toHaveLength(1));
    await rig.sidecar.ada.holds();
    expect(client.received()).toHaveLength(0);
    goOn();
    expect(await bodyOf(client)).toBe(before + held);
  });

  test('is followed by an in-band denial of type permission_error, and by no [DONE]', async () => {
    const { goOn } = await startWithText();
    const client = await rig.chat(question);
    await client.until('One moment');
    goOn();
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny' });
    const body = await bodyOf(client);
    expect(body.startsWith(before)).toBe(true);
    expect(JSON.parse(body.slice(before.length).replace('data: ', ''))).toMatchObject({
      error: { type: 'permission_error', code: 'denied_by_reviewer' },
    });
    expect(body).not.toContain('[DONE]');
    expect(body).not.toContain('transfer_funds');
  });

  test('is sent again with the rest to a retry, whole', async () => {
    const { goOn } = await startWithText();
    const client = await rig.chat(question);
    await client.until('One moment');
    goOn();
    const hold = await rig.sidecar.ada.nextHold();
    client.destroy();
    await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect(await bodyOf(await rig.chat(question))).toBe(before + held);
    expect(rig.upstream.requests).toHaveLength(1);
  });

  test('is not repeated when the tool call behind it was amended', async () => {
    const { goOn } = await startWithText();
    const client = await rig.chat(question);
    await client.until('One moment');
    goOn();
    const hold = await rig.sidecar.ada.nextHold();
    const [id] = await rig.sidecar.ada.callIdsOf(hold);
    const amendment = { toolCalls: [{ id, arguments: { amount: 99 } }] };
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
    const body = await bodyOf(client);
    expect(body.match(/One moment/g)).toHaveLength(1);
    expect(body).toContain('\\"amount\\":99');
    expect(body).not.toContain('25000');
  });

  test('cannot be amended once the caller has it', async () => {
    const { goOn } = await startWithText();
    const client = await rig.chat(question);
    await client.until('One moment');
    goOn();
    const hold = await rig.sidecar.ada.nextHold();
    const ruling = await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment: { text: 'Never said.' } });
    expect(ruling).toMatchObject({ status: 400, code: 'invalid_argument' });
  });
});

describe('a stream held from its beginning', () => {
  test('shows its caller nothing for 10 s, so that a denial is still a 403', async () => {
    await startWith(held);
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(9_999);
    expect(client.received()).toHaveLength(0);
    await rig.sidecar.ada.rule(hold, { verdict: 'deny' });
    expect((await client.answer()).status).toBe(403);
  });

  test('then begins with the upstream’s own head and a one-line comment every 15 s', async () => {
    await startWith(held);
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(10_000);
    await client.until(comment);
    expect(text(client)).toContain('X-Request-Id: req_1');
    expect(text(client)).toMatch(/x-accel-buffering: no/i);
    expect(text(client)).toMatch(/holdpoint-decision: /i);
    rig.time.advance(15_000);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect(await bodyOf(client)).toBe(comment + comment + held);
  });

  test('begins with what its upstream says of buffering, where it says it', async () => {
    await startWith(held, ['X-Accel-Buffering: yes']);
    const client = await rig.chat(question);
    await rig.sidecar.ada.nextHold();
    rig.time.advance(10_000);
    await client.until(comment);
    expect(text(client).match(/x-accel-buffering: .*/gi)).toEqual(['X-Accel-Buffering: yes']);
  });

  test('leaves no timer behind once it was delivered', async () => {
    await startWith(held);
    const armedBefore = rig.time.armed();
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(10_000);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    await client.answer();
    expect(await rig.sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
    rig.time.advance(60 * 60_000);
    expect(rig.time.armed()).toBe(armedBefore);
  });

  test('begins as it began where its tool call was amended', async () => {
    await startWith(chatRole + held);
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    const [id] = await rig.sidecar.ada.callIdsOf(hold);
    const amendment = { toolCalls: [{ id, arguments: { amount: 99 } }] };
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
    const body = await bodyOf(client);
    expect(body.startsWith(chatRole)).toBe(true);
    expect(body).toContain('\\"amount\\":99');
  });

  test('after a minute shows chat clients a chunk with an empty delta', async () => {
    await startWith(held);
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(130_000);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    const body = await bodyOf(client);
    const [, first] = body.match(/^(?:: held for a reviewer\n){4}(data: \{.*"delta":\{\}.*\}\n\n)/) ?? [];
    expect(first).toContain('"finish_reason":null');
    // One a minute, and comments between.
    expect(body).toBe(`${comment.repeat(4)}${first}${comment.repeat(4)}${held}`);
  });

  test('shows Anthropic clients a ping', async () => {
    await startWith(messagesTransfer(25_000));
    const client = await rig.post('/anthropic/v1/messages', messagesRequest);
    await rig.sidecar.ada.nextHold();
    rig.time.advance(70_000);
    await client.until('event: ping\ndata: {"type":"ping"}\n\n');
  });

  test('shows Responses clients comments only', async () => {
    const stream = responsesTransfer(25_000);
    await startWith(stream);
    const client = await rig.post('/v1/responses', responsesRequest);
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(100_000);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect(await bodyOf(client)).toBe(comment.repeat(7) + stream);
  });

  test('is denied in-band once comments were sent', async () => {
    await startWith(held);
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(10_000);
    await rig.sidecar.ada.rule(hold, { verdict: 'deny' });
    const { status, body } = await client.answer();
    expect(status).toBe(200);
    expect(body.toString()).toMatch(/^: held for a reviewer\ndata: \{"error":.*"permission_error".*\}\n\n$/);
  });

  test('expires in-band once comments were sent', async () => {
    await startWith(held);
    const client = await rig.chat(question);
    await rig.sidecar.ada.nextHold();
    rig.time.advance(15 * 60_000);
    expect(await bodyOf(client)).toContain('"code":"hold_expired"');
  });

  test('is released verbatim with parallel calls interleaved and arguments split within an escape', async () => {
    const [a0 = '', a1 = '', a2 = ''] = chatTransferEvents(25_000, 0);
    const [b0 = '', b1 = '', b2 = ''] = chatTransferEvents(3, 1);
    const mixed = a0 + b0 + b1 + a1 + a2 + b2 + chatToolsEnd;
    await startWith(mixed);
    const client = await rig.chat(question);
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    expect(await bodyOf(client)).toBe(mixed);
  });

  test('that is compressed gets no comments, and its exact bytes on release', async () => {
    const zipped = gzipSync(held);
    await startWith(zipped, ['Content-Encoding: gzip']);
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(60_000);
    expect(client.received()).toHaveLength(0);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    const answer = await client.answer();
    expect(answer.body).toEqual(zipped);
    expect(answer.head).toContain('Content-Encoding: gzip');
  });

  test('whose upstream announced its length stays well-formed when it is denied in-band', async () => {
    await startWith(before + held);
    const client = await rig.chat(question);
    await client.until('One moment');
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny' });
    const { head, body } = await client.answer();
    expect(head).not.toMatch(/content-length/i);
    expect(body.toString()).toContain('permission_error');
    expect(parseAnswer(client.received())).not.toBeNull();
  });
});
