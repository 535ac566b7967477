/** Credentials that an API takes or hands out in a body go through as they are and are recorded as removed. */
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import {
  makePlace,
  type Settings,
  spawnSidecar,
  startTestSidecar,
  type TestSidecar,
} from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdUnlistedModels, policyOf } from './policies.ts';
import { connectScene } from './realtime-scene.ts';
import { decisionIdOf } from './rig.ts';

const secret = 'SECRET-0123456789abcdef';
const mcp = (model: string, indent?: number): string =>
  JSON.stringify({ model, input: 'Hi', tools: [{ type: 'mcp', authorization: secret }] }, null, indent);
const handedOut = JSON.stringify({ value: secret, expires_at: 1, session: { type: 'realtime' } });
const target = '/v1/responses';
const keys = '/v1/realtime/client_secrets';
const json = ['Content-Type: application/json'];
const said = JSON.stringify({ id: 'r', object: 'response', status: 'completed', output: [] });

let upstream: RawUpstream;
beforeEach(async () => {
  upstream = await startRawUpstream(({ target: asked }, answer) =>
    answer.send(wholeAnswer('200 OK', json, asked === keys ? handedOut : said)),
  );
});
afterEach(endAll);

const settingsWith = (policy?: string): Settings => ({
  ...(policy === undefined ? {} : { policy }),
  upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
});

async function post(url: string, path: string, body: string | Buffer, headers = json): Promise<RawClient> {
  const client = await connectRaw(url);
  const lines = ['Host: sidecar', ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
  client.send(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  client.send(Buffer.from(body));
  return client;
}

async function recorded({ ada }: Pick<TestSidecar, 'ada'>, id: string) {
  const { entries } = await ada.decision(id);
  const bodies = await ada.bodies(id);
  expect(JSON.stringify(bodies)).not.toContain('SECRET');
  return { removed: entries.map(({ data }) => data['removed']), bodies };
}

describe('a request', () => {
  test('reaches the provider with its credential, and stands in the record without', async () => {
    const sidecar = await startTestSidecar(settingsWith());
    const { head } = await (await post(sidecar.proxyUrl, target, mcp('gpt-4.1'))).answer();
    expect(upstream.requests[0]?.body.toString()).toBe(mcp('gpt-4.1'));
    const { removed, bodies } = await recorded(sidecar, decisionIdOf(head));
    expect(bodies[0]?.text).toBe(mcp('gpt-4.1').replace(secret, '[removed]'));
    expect(removed.slice(0, 2)).toEqual([1, undefined]);
  });

  test('is recorded without it when it comes compressed', async () => {
    const sidecar = await startTestSidecar(settingsWith());
    const body = gzipSync(mcp('gpt-4.1'));
    const { head } = await (
      await post(sidecar.proxyUrl, target, body, [...json, 'Content-Encoding: gzip'])
    ).answer();
    expect(upstream.requests[0]?.body).toEqual(body);
    const { bodies } = await recorded(sidecar, decisionIdOf(head));
    expect(bodies[0]?.text).toBe(mcp('gpt-4.1').replace(secret, '[removed]'));
  });

  test('that is held and released is sent with it', async () => {
    const sidecar = await startTestSidecar(settingsWith(holdUnlistedModels));
    const client = await post(sidecar.proxyUrl, target, mcp('other'));
    const hold = await sidecar.ada.nextHold();
    await recorded(sidecar, hold.decisionId);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).status).toBe(200);
    expect(upstream.requests[0]?.body.toString()).toBe(mcp('other'));
  });

  test('that is held and released is sent as it came compressed, and says so', async () => {
    const sidecar = await startTestSidecar(settingsWith(holdUnlistedModels));
    const zipped = gzipSync(mcp('other'));
    const client = await post(sidecar.proxyUrl, target, zipped, [...json, 'Content-Encoding: gzip']);
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await client.answer()).status).toBe(200);
    expect(upstream.requests[0]?.body).toEqual(zipped);
    expect(upstream.requests[0]?.head).toMatch(/\r\ncontent-encoding: gzip(\r\n|$)/i);
  });

  test('that is held is not amended, because what was taken out would be missing', async () => {
    const sidecar = await startTestSidecar(settingsWith(holdUnlistedModels));
    await post(sidecar.proxyUrl, target, mcp('other'));
    const hold = await sidecar.ada.nextHold();
    const amendment = { body: { model: 'gpt-4.1', input: 'Hi' } };
    expect((await sidecar.ada.rule(hold, { verdict: 'amend', amendment })).status).toBe(409);
  });

  test('is not amended to carry one, because the amendment is stored', async () => {
    const sidecar = await startTestSidecar(settingsWith(holdUnlistedModels));
    await post(sidecar.proxyUrl, target, '{"model":"other","input":"Hi"}');
    const hold = await sidecar.ada.nextHold();
    const amendment = { body: JSON.parse(mcp('gpt-4.1')) };
    expect((await sidecar.ada.rule(hold, { verdict: 'amend', amendment })).status).toBe(400);
  });

  test('released before a restart goes out as its own caller sends it again, and never with what was removed', async () => {
    const settings = settingsWith(holdUnlistedModels);
    const place = makePlace(settings);
    const first = await spawnSidecar(settings, place);
    const client = await post(first.proxyUrl, target, mcp('other'));
    const hold = await first.ada.nextHold();
    client.destroy();
    await waitFor(async () => expect((await first.ada.hold(hold.id)).caller).toBe('gone'));
    await first.ada.rule(hold, { verdict: 'release' });
    await first.kill('SIGKILL');

    const second = await spawnSidecar(settings, place);
    // Another spelling of the same call is another call: the one that was ruled on is not there to be sent.
    const otherwise = await post(second.proxyUrl, target, mcp('other', 1));
    await second.ada.nextHold();
    otherwise.destroy();
    expect(upstream.requests).toHaveLength(0);
    expect((await (await post(second.proxyUrl, target, mcp('other'))).answer()).status).toBe(200);
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual([mcp('other')]);
    expect(await second.ada.outcomeOf(hold.decisionId)).toBe('delivered');
  });
});

describe('an answer that hands out a key', () => {
  const holdAnswers = policyOf({
    phase: 'response',
    when: 'response.status == 200',
    action: 'hold',
    match: '{ status: 200 }',
    noMatch: '{ status: 500 }',
  });

  test('reaches the workload whole, and stands in the record without', async () => {
    const sidecar = await startTestSidecar(settingsWith());
    const { head, body } = await (await post(sidecar.proxyUrl, keys, '{}')).answer();
    expect(body.toString()).toBe(handedOut);
    const { removed, bodies } = await recorded(sidecar, decisionIdOf(head));
    expect(bodies[1]?.text).toBe(handedOut.replace(secret, '[removed]'));
    expect(removed.slice(0, 2)).toEqual([undefined, 1]);
  });

  test('reaches the caller that waits for its release whole', async () => {
    const sidecar = await startTestSidecar(settingsWith(holdAnswers));
    const client = await post(sidecar.proxyUrl, keys, '{}');
    const hold = await sidecar.ada.nextHold();
    await recorded(sidecar, hold.decisionId);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).body.toString()).toBe(handedOut);
  });

  test('is released without its cookies, which no answer that was held has', async () => {
    const cookies = [...json, 'Set-Cookie: id=1'];
    upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', cookies, handedOut)));
    const sidecar = await startTestSidecar(settingsWith(holdAnswers));
    const client = await post(sidecar.proxyUrl, keys, '{}');
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    const { head, body } = await client.answer();
    expect(body.toString()).toBe(handedOut);
    expect(head).not.toMatch(/set-cookie|removed/i);
  });

  test('is refused to one that comes back for it, who asks anew', async () => {
    const sidecar = await startTestSidecar(settingsWith(holdAnswers));
    const client = await post(sidecar.proxyUrl, keys, '{}');
    const hold = await sidecar.ada.nextHold();
    client.destroy();
    await waitFor(async () => expect((await sidecar.ada.hold(hold.id)).caller).toBe('gone'));
    await sidecar.ada.rule(hold, { verdict: 'release' });
    const { status, body } = await (await post(sidecar.proxyUrl, keys, '{}')).answer();
    expect([status, body.toString()]).toEqual([403, expect.stringContaining('Ask anew')]);
    await post(sidecar.proxyUrl, keys, '{}');
    expect(await sidecar.ada.nextHold()).not.toMatchObject({ id: hold.id });
    expect(upstream.requests).toHaveLength(2);
  });
});

describe('an answer that repeats what the request brought along', () => {
  const tools = [{ type: 'mcp', server_label: 'a', authorization: secret, headers: { 'x-key': secret } }];
  const call = { type: 'function_call', id: 'f', call_id: 'c', name: 'pay', arguments: '{}' };
  const done = { id: 'r', object: 'response', status: 'completed', output: [call], tools };
  const event = (type: string, data: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const streamed =
    event('response.created', { response: { ...done, status: 'in_progress', output: [] } }) +
    event('response.output_item.done', { output_index: 0, item: call }) +
    event('response.completed', { response: done });
  const holdCalls = policyOf({
    phase: 'response',
    when: 'response.toolCalls.exists(c, c.name == "pay")',
    action: 'hold',
    match: '{ toolCalls: [{ name: pay }] }',
    noMatch: '{ toolCalls: [] }',
  });
  const forms = [
    ['whole', json, Buffer.from(JSON.stringify(done))],
    ['compressed', [...json, 'Content-Encoding: gzip'], gzipSync(JSON.stringify(done))],
    ['streaming', ['Content-Type: text/event-stream'], Buffer.from(streamed)],
  ] as const;
  const answerWith = (headers: readonly string[], body: Buffer) =>
    upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [...headers], body)));

  test.each(forms)(
    'reaches the workload as it came, and stands in the record without: %s',
    async (...form) => {
      const [, headers, sent] = form;
      answerWith(headers, sent);
      const sidecar = await startTestSidecar(settingsWith());
      const { head, body } = await (await post(sidecar.proxyUrl, target, mcp('gpt-4.1'))).answer();
      expect(body).toEqual(sent);
      const { removed, bodies } = await recorded(sidecar, decisionIdOf(head));
      expect(bodies[1]?.text).toContain('[removed]');
      expect(removed[1]).toBe(form[0] === 'streaming' ? 4 : 2);
    },
  );

  test.each(forms)('reaches the caller that waits for its release as it came: %s', async (...form) => {
    const [, headers, sent] = form;
    answerWith(headers, sent);
    const sidecar = await startTestSidecar(settingsWith(holdCalls));
    const client = await post(sidecar.proxyUrl, target, mcp('gpt-4.1'));
    const hold = await sidecar.ada.nextHold();
    await recorded(sidecar, hold.decisionId);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await client.answer()).body).toEqual(sent);
  });

  test('stands in no line of a batch’s answers either, which go on as they came', async () => {
    const line = JSON.stringify({ custom_id: 'a', response: { status_code: 200, body: done }, error: null });
    answerWith(json, Buffer.from(`${line}\n`));
    const sidecar = await startTestSidecar(settingsWith());
    const client = await connectRaw(sidecar.proxyUrl);
    client.send('GET /v1/files/file-1/content HTTP/1.1\r\nHost: sidecar\r\n\r\n');
    expect((await client.answer()).body.toString()).toBe(`${line}\n`);
    const ids = await sidecar.ada.newestIds(2);
    const kept = await Promise.all(ids.map((id) => recorded(sidecar, id)));
    expect(kept.map(({ removed }) => removed[1])).toEqual([2, 2]);
  });
});

test('what a Realtime session’s tools are set up with goes through and is recorded as removed', async () => {
  const scene = await connectScene();
  const update = {
    type: 'session.update',
    session: { type: 'realtime', tools: [{ type: 'mcp', server_label: 'a', authorization: secret }] },
  };
  scene.client.send(update);
  scene.client.send({ type: 'response.create' });
  await waitFor(() => expect(scene.provider.types()).toEqual(['session.update', 'response.create']));
  expect(scene.provider.heard[0]?.text).toBe(JSON.stringify(update));
  const [, id = ''] = await scene.sidecar.ada.newestIds(2);
  const { removed, bodies } = await recorded(scene.sidecar, id);
  expect(removed[0]).toBe(1);
  expect(bodies[0]?.text).toContain(JSON.stringify(update).replace(secret, '[removed]'));
});
