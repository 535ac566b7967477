/** A hold: nothing leaves before a ruling, a ruling is bound and used once, a retry finds its call again. */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText, chatTransfer } from './answers.ts';
import {
  denyTransfers,
  denyUnlistedModels,
  holdTransfers,
  holdTransfersWith,
  holdUnlistedModels,
  policyOf,
} from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

const transfer = chatTransfer(25_000);
const markedRetry = ['X-Stainless-Retry-Count: 1'];
let rig: Rig;

async function start(policy: string, settings: Parameters<typeof startRig>[0] = {}): Promise<void> {
  rig = await startRig({ policy, ...settings });
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', ['X-Id: 7'], transfer)));
}
afterEach(endAll);

/** Lets a caller go once its call is held, and waits until that is known. */
async function leave(client: RawClient): Promise<void> {
  await rig.sidecar.ada.nextHold();
  client.destroy();
  await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
}

function codeIn(body: Buffer): unknown {
  const { error } = JSON.parse(body.toString()) as { error: { code: unknown } };
  return error.code;
}

describe('a held answer', () => {
  beforeEach(() => start(holdTransfers));

  test('no byte of it reaches the caller before the release, every byte after it', async () => {
    const client = await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    expect(hold).toMatchObject({ phase: 'response', caller: 'waiting', state: 'pending' });
    expect(client.received()).toHaveLength(0);
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
    const answer = await client.answer();
    expect(answer.body.toString()).toBe(transfer);
    expect(answer.head).toContain('X-Id: 7');
    expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('delivered');
    expect(rig.upstream.requests).toHaveLength(1);
  });

  test('cannot be ruled on without a token, nor with the workload’s own provider key', async () => {
    const key = 'sk-the-workloads-own-key';
    await rig.chat(chatRequest(), [`Authorization: Bearer ${key}`]);
    const hold = await rig.sidecar.ada.nextHold();
    const url = `${rig.sidecar.controlUrl}/api/v1/holds/${hold.id}/rulings`;
    const body = JSON.stringify({ verdict: 'release', reason: 'Please.', digest: hold.digest });
    for (const headers of [{}, { authorization: `Bearer ${key}` }, { 'x-api-key': key }]) {
      const json = { 'content-type': 'application/json', ...headers };
      expect((await fetch(url, { method: 'POST', headers: json, body })).status).toBe(401);
    }
    expect(await rig.sidecar.ada.hold(hold.id)).toMatchObject({ state: 'pending' });
  });

  test('is not released by a ruling on other bytes', async () => {
    const client = await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    const other = await rig.sidecar.ada.rule(hold, { verdict: 'release', digest: 'a'.repeat(64) });
    expect(other).toEqual({ status: 409, code: 'digest_mismatch' });
    expect(client.received()).toHaveLength(0);
  });

  test('is ruled on once', async () => {
    await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    await rig.sidecar.ada.rule(hold, { verdict: 'deny' });
    const second = await rig.sidecar.as('bob', 'reviewer').rule(hold, { verdict: 'release' });
    expect(second).toEqual({ status: 409, code: 'already_ruled' });
  });

  test('is not ruled on by the requester itself', async () => {
    await rig.chat(chatRequest(), ['Holdpoint-Workload: eve']);
    const hold = await rig.sidecar.ada.nextHold();
    const own = await rig.sidecar.as('eve', 'reviewer').rule(hold, { verdict: 'release' });
    expect(own).toEqual({ status: 403, code: 'forbidden' });
  });

  test('is not ruled on by a role that the hold does not name', async () => {
    await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    const viewer = await rig.sidecar.as('vera', 'viewer').rule(hold, { verdict: 'release' });
    expect(viewer).toEqual({ status: 403, code: 'forbidden' });
  });

  test('that is denied gives 403 in the provider’s envelope and no second try', async () => {
    const client = await rig.chat(chatRequest());
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny' });
    const answer = await client.answer();
    expect(answer.status).toBe(403);
    expect(answer.head).toContain('x-should-retry: false');
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { code: 'denied_by_reviewer', type: 'permission_error' },
    });
    expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('denied');
  });

  test('that was denied stays denied for the same call for 120 s, without asking the provider again', async () => {
    const client = await rig.chat(chatRequest());
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny' });
    await client.answer();
    rig.time.advance(119_000);
    const again = await (await rig.chat(chatRequest())).answer();
    expect([again.status, codeIn(again.body)]).toEqual([403, 'denied_by_reviewer']);
    expect(rig.upstream.requests).toHaveLength(1);
    rig.time.advance(2_000);
    await rig.chat(chatRequest());
    await rig.sidecar.ada.nextHold();
    expect(rig.upstream.requests).toHaveLength(2);
  });

  test('that was denied stays denied for the same call, however often it comes at once', async () => {
    // So large that reading it takes its time.
    const large = transfer.padEnd(8 * 1024 * 1024);
    rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], large)));
    const client = await rig.chat(chatRequest());
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny' });
    await client.answer();
    const clients = await Promise.all(Array.from({ length: 8 }, () => connectRaw(rig.sidecar.proxyUrl)));
    for (const each of clients) each.send(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
    const answers = await Promise.all(clients.map((each) => each.answer()));
    expect(new Set(answers.map(({ body }) => codeIn(body)))).toEqual(new Set(['denied_by_reviewer']));
    expect(rig.upstream.requests).toHaveLength(1);
  });

  test('is a new hold, marked as possible duplicate, while the same call still waits', async () => {
    await rig.chat(chatRequest());
    await rig.sidecar.ada.nextHold();
    await rig.chat(chatRequest());
    const both = await rig.sidecar.ada.pending(2);
    expect(both.map(({ possibleDuplicate }) => possibleDuplicate).sort()).toEqual([false, true]);
    expect(rig.upstream.requests).toHaveLength(2);
  });

  test('waits on when its caller leaves, and the same call again collects it', async () => {
    await leave(await rig.chat(chatRequest()));
    const again = await rig.chat(chatRequest({}));
    const hold = await waitFor(async () => {
      const [found] = await rig.sidecar.ada.pending();
      if (found?.caller !== 'waiting') throw new Error('nobody waits');
      return found;
    });
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await again.answer()).body.toString()).toBe(transfer);
    expect(rig.upstream.requests).toHaveLength(1);
  });

  test('is not given to a caller with another key, another body or another idempotency key', async () => {
    await leave(await rig.chat(chatRequest(), ['Authorization: Bearer one']));
    await rig.chat(chatRequest(), ['Authorization: Bearer two']);
    await rig.chat(chatRequest({ temperature: 1 }), ['Authorization: Bearer one']);
    await rig.chat(chatRequest(), ['Authorization: Bearer one', 'Idempotency-Key: x']);
    await rig.sidecar.ada.pending(4);
    expect(rig.upstream.requests).toHaveLength(4);
  });

  test('is recognised in another spelling of the same JSON', async () => {
    await leave(await rig.chat('{"model":"gpt-4.1","messages":[]}'));
    await rig.chat('{ "messages": [], "model": "gpt-4.1" }');
    await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'waiting' }]));
  });

  test('once delivered, is delivered again within 60 s to a marked retry only', async () => {
    const first = await rig.chat(chatRequest());
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    const id = decisionIdOf((await first.answer()).head);
    const retry = await (await rig.chat(chatRequest(), markedRetry)).answer();
    expect(retry.body.toString()).toBe(transfer);
    expect(decisionIdOf(retry.head)).toBe(id);
    expect(rig.upstream.requests).toHaveLength(1);
    await rig.chat(chatRequest());
    await rig.sidecar.ada.nextHold();
    expect(rig.upstream.requests).toHaveLength(2);
  });

  test('once delivered, is a new exchange even for a marked retry after 60 s', async () => {
    const first = await rig.chat(chatRequest());
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    await first.answer();
    rig.time.advance(61_000);
    await rig.chat(chatRequest(), markedRetry);
    await rig.sidecar.ada.nextHold();
    expect(rig.upstream.requests).toHaveLength(2);
  });

  test('that was released and never collected ends as released_undelivered', async () => {
    await leave(await rig.chat(chatRequest()));
    const hold = await rig.sidecar.ada.nextHold();
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    rig.time.advance(15 * 60_000 + 1);
    expect(await rig.sidecar.ada.outcomeOf(hold.decisionId)).toBe('released_undelivered');
    await rig.chat(chatRequest(), markedRetry);
    await rig.sidecar.ada.nextHold();
    expect(rig.upstream.requests).toHaveLength(2);
  });

  test('is handed over without the fields that are never stored, nor what stands in the record for them', async () => {
    const field = 'Set-Cookie: id=1';
    rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [field], transfer)));
    const client = await rig.chat(chatRequest());
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    const answer = await client.answer();
    expect(answer.body.toString()).toBe(transfer);
    expect(answer.head).not.toMatch(/set-cookie|removed/i);
  });

  test('is not handed over where the record has another answer than the one that was ruled on', async () => {
    const client = await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    const { ledger } = rig.sidecar.sidecar;
    const { entry } = ledger;
    vi.spyOn(ledger, 'entry').mockImplementation(async (seq) => {
      const read = await entry(seq);
      return { ...read, parts: read.parts.map((part) => ({ ...part, c: 'a'.repeat(64) })) };
    });
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    const answer = await client.answer();
    expect([answer.status, codeIn(answer.body)]).toEqual([500, 'ledger_damaged']);
    expect(answer.body.toString()).not.toContain('25000');
  });

  test('that nobody rules on expires: 403, and a later ruling is refused', async () => {
    const client = await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    rig.time.advance(15 * 60_000);
    const answer = await client.answer();
    // Long before that the caller was told to ask again, as its own patience is shorter.
    expect([answer.status, codeIn(answer.body)]).toEqual([503, 'held']);
    expect(await rig.sidecar.ada.outcomeOf(hold.decisionId)).toBe('expired');
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'release' })).toEqual({
      status: 409,
      code: 'ruling_expired',
    });
    const again = await (await rig.chat(chatRequest())).answer();
    expect([again.status, codeIn(again.body)]).toEqual([403, 'hold_expired']);
    expect(rig.upstream.requests).toHaveLength(1);
  });

  test('needs a reason to be denied', async () => {
    await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'deny', reason: ' ' })).toMatchObject({ status: 400 });
  });

  test('and when its caller’s patience ends first, asks it to come again', async () => {
    const client = await rig.chat(chatRequest(), ['X-Stainless-Timeout: 60']);
    await rig.sidecar.ada.nextHold();
    rig.time.advance(44_999);
    await callerStillWaiting();
    expect(client.received()).toHaveLength(0);
    rig.time.advance(1);
    const answer = await client.answer();
    expect(answer.status).toBe(503);
    expect(answer.head).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(answer.head).toContain('x-should-retry: true');
    expect(codeIn(answer.body)).toBe('held');
  });

  async function callerStillWaiting(): Promise<void> {
    expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'waiting' }]);
  }
});

test('a short expiry denies the waiting caller as expired', async () => {
  await start(holdTransfersWith('expiresIn: 5s'));
  const client = await rig.chat(chatRequest());
  await rig.sidecar.ada.nextHold();
  rig.time.advance(5_000);
  const answer = await client.answer();
  expect([answer.status, codeIn(answer.body)]).toEqual([403, 'hold_expired']);
  expect(answer.head).toContain('x-should-retry: false');
});

test('a quorum of two needs two different people', async () => {
  await start(holdTransfersWith('approvals: 2'));
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  expect(await rig.sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 201 });
  expect(await rig.sidecar.ada.hold(hold.id)).toMatchObject({
    state: 'pending',
    approvals: { needed: 2, given: ['ada'] },
  });
  expect(await rig.sidecar.ada.rule(hold, { verdict: 'release' })).toMatchObject({ status: 409 });
  expect(client.received()).toHaveLength(0);
  await rig.sidecar.as('bob', 'reviewer').rule(hold, { verdict: 'release' });
  expect((await client.answer()).body.toString()).toBe(transfer);
});

test('a rule that denies needs nobody: 403 at once, sealed as denied', async () => {
  await start(denyTransfers);
  const answer = await (await rig.chat(chatRequest())).answer();
  expect([answer.status, codeIn(answer.body)]).toEqual([403, 'denied_by_policy']);
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('denied');
});

test('a request that a rule denies never reaches the provider, and is sealed as denied', async () => {
  await start(denyUnlistedModels);
  const answer = await (await rig.chat(chatRequest({ model: 'gpt-unheard-of' }))).answer();
  expect([answer.status, codeIn(answer.body)]).toEqual([403, 'denied_by_policy']);
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('denied');
  expect(rig.upstream.requests).toHaveLength(0);
});

test('an answer that cannot be read is held', async () => {
  await start(holdTransfers);
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], '{"choices": [')));
  await rig.chat(chatRequest());
  expect(await rig.sidecar.ada.nextHold()).toMatchObject({ phase: 'response' });
});

describe('a held request', () => {
  const question = chatRequest({ model: 'gpt-unheard-of' });
  beforeEach(async () => {
    await start(holdUnlistedModels);
    rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))));
  });

  test('reaches the provider once, and only after its release', async () => {
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    expect(hold.phase).toBe('request');
    expect(rig.upstream.requests).toHaveLength(0);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).body.toString()).toBe(chatText('Hello.'));
    expect(rig.upstream.requests.map(({ body }) => body.toString())).toEqual([question]);
  });

  test('has its answer judged by the policy that is in force when it comes', async () => {
    rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], transfer)));
    const client = await rig.chat(question);
    const hold = await rig.sidecar.ada.nextHold();
    writeFileSync(rig.sidecar.place.policyFile, denyTransfers);
    await rig.sidecar.sidecar.reloadPolicy();
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    const answer = await client.answer();
    expect([answer.status, codeIn(answer.body)]).toEqual([403, 'denied_by_policy']);
  });

  describe('that is released', () => {
    const another = (policy: string): string =>
      `${holdUnlistedModels}${policy.slice(policy.indexOf('  - id:')).replace('the-rule', 'another')}`;
    const released = async (policy: string): Promise<RawClient> => {
      await start(another(policy));
      const client = await rig.chat(question);
      await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
      return client;
    };

    test('may have its answer denied by a rule', async () => {
      const answer = await (await released(denyTransfers)).answer();
      expect([answer.status, codeIn(answer.body)]).toEqual([403, 'denied_by_policy']);
      expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('denied');
    });

    test('may have its answer denied by a reviewer, and then has it once', async () => {
      const client = await released(holdTransfers);
      await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny' });
      const answer = await client.answer();
      expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('denied');
      const again = await (await rig.chat(question)).answer();
      expect([again.status, codeIn(again.body)]).toEqual([403, 'denied_by_reviewer']);
      expect(rig.upstream.requests).toHaveLength(1);
    });

    test('may have its answer expire', async () => {
      const client = await released(holdTransfers);
      await rig.sidecar.ada.nextHold();
      rig.time.advance(15 * 60_000);
      expect(await rig.sidecar.ada.outcomeOf(decisionIdOf((await client.answer()).head))).toBe('expired');
      expect(codeIn((await (await rig.chat(question)).answer()).body)).toBe('hold_expired');
      expect(rig.upstream.requests).toHaveLength(1);
    });
  });

  test('that is denied never reaches the provider', async () => {
    const client = await rig.chat(question);
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny' });
    expect((await client.answer()).status).toBe(403);
    expect(rig.upstream.requests).toHaveLength(0);
  });

  test('goes out with the amended body, plainly even where the original was compressed', async () => {
    const zipped = gzipSync(question);
    const client = await connectRaw(rig.sidecar.proxyUrl);
    client.send(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n`,
    );
    client.send(zipped);
    const body = { model: 'gpt-4.1', messages: [] };
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'amend', amendment: { body } });
    expect((await client.answer()).status).toBe(200);
    expect(rig.upstream.requests.map((request) => JSON.parse(request.body.toString()))).toEqual([body]);
    expect(rig.upstream.requests[0]?.head).not.toMatch(/content-encoding/i);
  });

  test('has the answer to its amendment judged with what was asked in its place', async () => {
    const [, deniesUnheardOf = ''] = policyOf({
      phase: 'response',
      when: 'request.model == "gpt-unheard-of"',
      action: 'deny',
      match: '{}, request: { model: gpt-unheard-of }',
      noMatch: '{}, request: { model: gpt-4.1 }',
    }).split('rules:\n');
    await start(`${holdUnlistedModels}${deniesUnheardOf.replace('the-rule', 'another-rule')}`);
    const client = await rig.chat(question);
    const amendment = { body: { model: 'gpt-4.1', messages: [] } };
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'amend', amendment });
    expect((await client.answer()).status).toBe(200);
  });

  test('is sent with the fields that were ruled on, also those that a signature would be made over anew', async () => {
    await leave(await rig.chat(question, ['X-Amz-User-Agent: ruled-on']));
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await (await rig.chat(question, ['X-Amz-User-Agent: later'])).answer()).status).toBe(200);
    expect(rig.upstream.requests[0]?.head).toContain('X-Amz-User-Agent: ruled-on');
    expect(rig.upstream.requests[0]?.head).not.toContain('later');
  });

  test('is sent as it was ruled on, whatever the spelling of the call that collects it', async () => {
    await leave(await rig.chat(question));
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    const respelt = JSON.stringify(JSON.parse(question), null, 1);
    expect((await (await rig.chat(respelt)).answer()).status).toBe(200);
    expect(rig.upstream.requests.map(({ body }) => body.toString())).toEqual([question]);
  });

  test('is not collected by a body that others might read differently', async () => {
    await leave(await rig.chat(question));
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    const twice = question.replace('{', '{"model":"another",');
    expect(JSON.parse(twice)).toEqual(JSON.parse(question));
    expect((await (await rig.chat(twice)).answer()).status).toBe(400);
    expect(rig.upstream.requests).toHaveLength(0);
  });

  test.each([
    'Holdpoint-Purpose: other',
    'Holdpoint-Subject: other',
    'Holdpoint-Session: other',
    'OpenAI-Beta: other',
    'Content-Type: text/plain',
    'Content-Encoding: identity',
  ])(
    'is not collected by a call with another header that rules may judge, or that says how its body is read: %s',
    async (header) => {
      await leave(await rig.chat(question));
      await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
      await rig.chat(question, [header]);
      await rig.sidecar.ada.nextHold();
      expect(rig.upstream.requests).toHaveLength(0);
    },
  );

  test('is not collected by a number that only looks the same to a double', async () => {
    const seed = (text: string): string => question.replace('{', `{"seed":${text},`);
    await leave(await rig.chat(seed('9007199254740992')));
    await rig.chat(seed('9007199254740993'));
    await rig.sidecar.ada.pending(2);
  });

  test('whose caller left is sent when the same call comes again after the release', async () => {
    await leave(await rig.chat(question));
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    expect(rig.upstream.requests).toHaveLength(0);
    expect((await (await rig.chat(question)).answer()).status).toBe(200);
    expect(rig.upstream.requests).toHaveLength(1);
  });
});

describe('a held request whose caller comes back with other fields', () => {
  beforeEach(() => start(holdUnlistedModels));
  const question = chatRequest({ model: 'gpt-unheard-of' });
  const fields = (custom: string, attempt: string): string[] => [
    'Authorization: Bearer sk-1',
    'Cookie: session=1',
    `X-Custom-CASE: ${custom}`,
    `x-stainless-retry-count: ${attempt}`,
  ];

  /** What was sent of a call that was ruled on while its caller was away. */
  async function sentAfter(
    ruling: Parameters<Rig['sidecar']['ada']['rule']>[1],
    first: readonly string[],
    second: readonly string[],
  ): Promise<string> {
    await leave(await rig.chat(question, first));
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), ruling);
    expect((await (await rig.chat(question, second)).answer()).status).toBe(200);
    return rig.upstream.requests[0]?.head ?? '';
  }

  test.each([
    ['as they were released', { verdict: 'release' }],
    ['as they were when it was amended', { verdict: 'amend', amendment: { body: { model: 'gpt-4.1' } } }],
  ] as const)('is sent with those that were recorded, %s, and its credentials', async (_how, ruling) => {
    const head = await sentAfter(ruling, fields('ruled on', '0'), [
      ...fields('never seen', '1'),
      'X-Unseen: 1',
      'X-Api-Key: never-seen',
    ]);
    expect(head).toContain(fields('ruled on', '0').join('\r\n'));
    expect(head).not.toMatch(/unseen|never.seen/i);
  });

  test('is signed by the caller that came back, over what it signed anew', async () => {
    const signed = (signature: string, date: string, custom: string): string[] => [
      `Authorization: AWS4-HMAC-SHA256 Credential=AKID/20261126/eu-central-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
      'X-Amz-Security-Token: session',
      `amz-sdk-invocation-id: of ${signature}`,
      `x-amz-user-agent: aws-sdk-js/${signature}`,
      `X-Amz-Date: ${date}`,
      `X-Custom: ${custom}`,
    ];
    const head = await sentAfter(
      { verdict: 'release' },
      signed('aaaa', '20261126T120000Z', 'ruled on'),
      signed('bbbb', '20261126T130000Z', 'never seen'),
    );
    expect(head).toContain('Signature=bbbb');
    expect(head).toContain('X-Amz-Date: 20261126T130000Z');
    expect(head).not.toMatch(/T120000Z|aaaa/);
    expect(head).toContain('amz-sdk-invocation-id: of bbbb');
    expect(head).toContain('x-amz-user-agent: aws-sdk-js/bbbb');
    expect(head).toContain('X-Custom: ruled on');
  });
});

test('a request that was amended is come back to as its caller sent it, when its answer is held as well', async () => {
  const [, second = ''] = holdTransfers.split('rules:\n');
  await start(`${holdUnlistedModels}${second.replace('the-rule', 'another-rule')}`);
  const { ada } = rig.sidecar;
  const question = chatRequest({ model: 'gpt-unheard-of' });
  const client = await rig.chat(question);
  const amendment = { body: { model: 'gpt-4.1', messages: [] } };
  await ada.rule(await ada.nextHold(), { verdict: 'amend', amendment });
  const hold = await waitFor(async () => {
    const found = await ada.nextHold();
    expect(found.phase).toBe('response');
    return found;
  });
  await leave(client);
  await ada.rule(hold, { verdict: 'release' });
  expect((await (await rig.chat(question)).answer()).body.toString()).toBe(transfer);
  expect(rig.upstream.requests).toHaveLength(1);
});
