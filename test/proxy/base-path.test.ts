/** An upstream whose address has a path of its own: what is asked of it is known by all of the path it gets. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { policyOf } from './policies.ts';
import { replay } from './replayed.ts';
import { decisionIdOf } from './rig.ts';
import { connectSocket, startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

const policy = readFileSync('config/policy.yaml', 'utf8');
const holdOthers = policyOf({
  phase: 'request',
  when: 'request.model == "acme/other"',
  action: 'hold',
  match: '{ model: acme/other }',
  noMatch: '{ model: gpt-4.1 }',
});
const fn = { name: 'transfer_funds', arguments: { amount: 25_000 } };
const paying = { message: { role: 'assistant', content: '', tool_calls: [{ function: fn }] }, done: true };

async function below(protocol: ProtocolName, path: string, said: object, rules = policy) {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], JSON.stringify(said))),
  );
  const sidecar = await startTestSidecar({
    policy: rules,
    upstreams: { provider: { url: `${upstream.url}${path}`, protocol, mount: '/to' } },
  });
  const post = async (target: string, body: object) => {
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('POST', `/to${target}`, [], JSON.stringify(body)));
    return client;
  };
  return { upstream, sidecar, post };
}

test('a call of a server whose address ends with what its routes begin with is held', async () => {
  const { upstream, sidecar, post } = await below('ollama', '/api', paying);
  const client = await post('/chat?x=1', { model: 'gpt-4o', messages: [], stream: false });
  const hold = await sidecar.ada.nextHold();
  expect(upstream.requests.map(({ target }) => target)).toEqual(['/api/chat?x=1']);
  await sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).status).toBe(200);
});

test('what is asked of a model that the address names is asked of that one, then and when it is judged again', async () => {
  const path = '/openai/deployments/acme%2Fother';
  const { sidecar, post } = await below('azure', path, { choices: [] }, holdOthers);
  const client = await post('/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] });
  await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
  expect((await client.answer()).status).toBe(200);
  const { tally } = await replay(sidecar, holdOthers);
  expect(tally.rules().map(({ now }) => now)).toEqual([1]);
});

test('what is asked for at an address too long for an entry is known by all of it, then and when it is judged again', async () => {
  const model = `acme-${'o'.repeat(300)}-other`;
  const policy = policyOf({
    phase: 'request',
    when: 'request.model.endsWith("-other") && request.path.endsWith("/chat/completions")',
    action: 'hold',
    match: '{ model: acme-other, path: /v1/chat/completions }',
    noMatch: '{ model: gpt-4.1 }',
  });
  const { sidecar, post } = await below('azure', `/openai/deployments/${model}`, { choices: [] }, policy);
  const client = await post('/chat/completions?api-version=1', {
    messages: [{ role: 'user', content: 'Hi' }],
  });
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  expect((await client.answer()).status).toBe(200);
  const { tally } = await replay(sidecar, policy);
  expect(tally.rules().map(({ now, before }) => [now, before])).toEqual([[1, 1]]);
});

test('the root of a server that stands below a path is read as one', async () => {
  const { sidecar, post } = await below('openai', '/endpoints/mine', [], holdText('SECRET'));
  await post('/', { inputs: 'SECRET' });
  await sidecar.ada.nextHold();
});

test('a credential that an answer hands out is not stored', async () => {
  const { sidecar, post } = await below('openai', '/v1/realtime', { value: 'ek_secret' });
  const answer = await (await post('/client_secrets', { session: { model: 'gpt-4o' } })).answer();
  expect(String(answer.body)).toContain('ek_secret');
  const stored = await sidecar.ada.bodies(decisionIdOf(answer.head));
  expect(JSON.stringify(stored)).not.toContain('ek_secret');
});

test('dot segments that lead above the path of the address are refused', async () => {
  const { upstream, post } = await below('ollama', '/api', paying);
  expect((await (await post('/../chat', { model: 'gpt-4o' })).answer()).status).toBe(400);
  expect(upstream.requests).toEqual([]);
});

describe('a WebSocket', () => {
  async function at(tunnel: readonly string[]) {
    const upstream = await startSocketUpstream();
    const openai = { url: `${upstream.url}/v1/realtime`, protocol: 'openai' as const, mount: '/', tunnel };
    const sidecar = await startTestSidecar({ policy: holdOthers, upstreams: { openai } });
    return { upstream, connect: (target: string) => connectSocket(sidecar.proxyUrl, target, {}) };
  }

  test('is known by it', async () => {
    const { upstream, connect } = await at([]);
    await connect('/?model=gpt-realtime');
    expect(upstream.requests.map(({ url }) => url)).toEqual(['/v1/realtime/?model=gpt-realtime']);
  });

  test('passes unread where the configuration has what stands below it', async () => {
    const { upstream, connect } = await at(['/raw']);
    await connect('/raw/one');
    expect(upstream.requests.map(({ url }) => url)).toEqual(['/v1/realtime/raw/one']);
    await expect(connect('/other')).rejects.toThrow('403');
  });
});

function holdText(text: string): string {
  return policyOf({
    phase: 'request',
    when: `request.text.contains("${text}")`,
    action: 'hold',
    match: `{ text: ${text} }`,
    noMatch: '{ text: none }',
  });
}
